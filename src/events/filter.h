/*
 * Which types of events somebody wants: names, and beginnings of names ("job.*"). Two filters that say the same are
 * equal, however they were written.
 */
#ifndef BERTH_EVENTS_FILTER_H
#define BERTH_EVENTS_FILTER_H

#include <stdbool.h>
#include <stddef.h>

struct filter;

/* As many names may be asked for at once. */
#define FILTER_TYPES_MAX 64

/* A copy. With no types at all *ret_filter is NULL, the filter that everything passes. -EINVAL for what no type can be,
 * -E2BIG for too many; -ENOMEM. */
int filter_new(const char *const *types, size_t count, struct filter **ret_filter);
void filter_free(struct filter *filter); /* NULL is allowed */

bool filter_passes(const struct filter *filter, const char *type, size_t size);
bool filter_equal(const struct filter *filter, const struct filter *other);

#endif
