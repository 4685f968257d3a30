/*
 * A path as it is written in a route or a rule, taken apart: "/notes/{id}", or with a "*" as its last segment.
 */
#ifndef BERTH_HTTP_PATTERN_H
#define BERTH_HTTP_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "http/router.h"
#include "http/target.h"

enum pattern_kind { PATTERN_FIXED, PATTERN_PARAMETER, PATTERN_REST };

struct pattern_segment {
    enum pattern_kind kind;
    const char *text; /* in pattern->text, without its slash; not ended by a NUL */
    size_t size;
};

struct pattern {
    const char *what; /* "route" or "rule", what messages begin with; a constant */
    char *text;       /* mount and path */
    struct pattern_segment *segments;
    size_t segment_count;
    const char *names[ROUTER_PARAMETERS_MAX]; /* in name_text; "*" for the rest */
    size_t name_count;
    char *name_text;
    bool mount_itself; /* "/" of a mounted application, which answers without the slash as well */
};

/* Checks and takes apart mount and path; the path begins with a slash, or is empty below a mount. -EINVAL, -E2BIG and
 * `error` as router_add says; -ENOMEM. Messages begin with `what`, "route" or whatever else it is the path of; it must
 * outlive the pattern. */
int pattern_new(const char *what, const char *mount, const char *path, struct pattern **ret_pattern,
                struct error *error);
void pattern_free(struct pattern *pattern); /* NULL is allowed */

/* Whether it is a target's path: exactly when a router that has this mount and path alone would find it, under the same
 * method. An asterisk-form target is nobody's. Allocates nothing. */
bool pattern_matches(const struct pattern *pattern, const struct target *target);

#endif
