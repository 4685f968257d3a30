/*
 * A route's path as it was written, taken apart: "/notes/{id}", or with a "*" as its last segment. The router's own.
 */
#ifndef BERTH_HTTP_PATTERN_H
#define BERTH_HTTP_PATTERN_H

#include <stddef.h>

#include "common/error.h"
#include "http/router.h"

enum pattern_kind { PATTERN_FIXED, PATTERN_PARAMETER, PATTERN_REST };

struct pattern_segment {
    enum pattern_kind kind;
    const char *text; /* in pattern->text, without its slash; not ended by a NUL */
    size_t size;
};

struct pattern {
    char *text; /* mount and path */
    struct pattern_segment *segments;
    size_t segment_count;
    const char *names[ROUTER_PARAMETERS_MAX]; /* in name_text; "*" for the rest */
    size_t name_count;
    char *name_text;
};

/* Checks and takes apart mount and path; the path begins with a slash, or is empty below a mount. -EINVAL, -E2BIG and
 * `error` as router_add says; -ENOMEM. */
int pattern_new(const char *mount, const char *path, struct pattern **ret_pattern, struct error *error);
void pattern_free(struct pattern *pattern); /* NULL is allowed */

#endif
