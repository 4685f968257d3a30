/*
 * The request target (RFC 9112 section 3.2), split and decoded exactly once (RFC 3986 section 2.4).
 *
 * Whatever two readers could understand differently is refused: dot segments, encoded slashes and NULs, bytes that
 * should have been encoded. So nothing behind this ever normalizes a path.
 */
#ifndef BERTH_HTTP_TARGET_H
#define BERTH_HTTP_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "http/arena.h"

#define TARGET_SEGMENTS_MAX 128

struct target {
    const char *raw;  /* path?query as it was sent; an absolute-form target reduced to that */
    const char *path; /* decoded, whole: "/" and the segments with "/" between them; "*" in asterisk-form */
    /* The path's segments, decoded: "/" is one empty one, "/a/" is "a" and an empty one. Texts of their own, laid out
     * as in `path`: segments[i] stands as far from segments[0] as the same segment in `path` from path + 1. */
    const char *const *segments;
    const size_t *segment_sizes; /* their strlen */
    size_t segment_count;        /* 0 only in asterisk-form */
    const char *query;           /* what follows the first "?", undecoded; NULL without one */
    const char *authority;       /* of an absolute-form target, not empty, not checked further (host.h); else NULL */
    bool asterisk;               /* "*": meant for OPTIONS; that the method is OPTIONS is the caller's to check */
};

/*
 * Parses `size` bytes. Everything in *ret_target is in the arena. -EINVAL for what is to be answered with 400, with a
 * constant text in *ret_reason that says why; -ENOMEM. The query is only checked for bytes that may not stand in a
 * target: query.h decodes it.
 */
int target_parse(const char *raw, size_t size, struct arena *arena, struct target *ret_target, const char **ret_reason);

/* Whether it is a mount's ("" or "/x"), or below it. An asterisk-form target is below nothing. */
bool target_is_below(const struct target *target, const char *mount);

#endif
