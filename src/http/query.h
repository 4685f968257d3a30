/*
 * Query parameters, decoded as application/x-www-form-urlencoded (the URL standard, section 5.1): '&' separates, the
 * first '=' ends the name, '+' is a space, empty pieces are skipped.
 */
#ifndef BERTH_HTTP_QUERY_H
#define BERTH_HTTP_QUERY_H

#include <stddef.h>

#include "http/arena.h"

#define QUERY_PAIRS_MAX 1000

struct query_pair {
    const char *name, *value; /* decoded, never NULL, without NULs of their own */
};

struct query {
    struct query_pair *pairs; /* in the order sent */
    size_t count;
};

/* `raw` without its "?"; NULL is a query without pairs. -EINVAL for a bad percent sequence, for %00, and past
 * QUERY_PAIRS_MAX pairs; -ENOMEM. */
int query_parse(const char *raw, struct arena *arena, struct query *ret_query);

/* The index-th value (from 0) of that very name; NULL when there are no more. */
const char *query_get(const struct query *query, const char *name, size_t index);

#endif
