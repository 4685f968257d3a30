#include "events/filter.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <berth.h>
#include "events/input.h"

struct filter {
    size_t count, size; /* of the texts, all of them, with their NULs */
    struct {
        const char *text;
        size_t size;
        bool beginning; /* a * followed; it is not in the text */
    } items[FILTER_TYPES_MAX];
    char texts[];
};

/* A beginning is a type but for its length: what follows may be what "berth." lacks to be one of ours. */
static bool is_pattern(const char *text)
{
    static const char characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:/-";
    size_t size = strspn(text, characters);

    if (text[size] == '*')
        return text[size + 1] == '\0' && size <= BERTH_EVENT_TYPE_MAX;
    return text[size] == '\0' && size > 0 && size <= BERTH_EVENT_TYPE_MAX;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* In order, and each once. */
static size_t sort(const char **types, size_t count)
{
    size_t kept = 1;

    qsort(types, count, sizeof(*types), compare);
    for (size_t i = 1; i < count; i++)
        if (strcmp(types[i], types[kept - 1]) != 0)
            types[kept++] = types[i];
    return kept;
}

static void add(struct filter *filter, const char *type)
{
    size_t size = strlen(type);
    char *copy = memcpy(filter->texts + filter->size, type, size + 1);

    filter->size += size + 1;
    filter->items[filter->count].text = copy;
    filter->items[filter->count].beginning = type[size - 1] == '*';
    filter->items[filter->count].size = size - filter->items[filter->count].beginning;
    filter->count++;
}

int filter_new(const char *const *types, size_t count, struct filter **ret_filter)
{
    const char *sorted[FILTER_TYPES_MAX];
    size_t size = 0;
    struct filter *filter;

    if (count > FILTER_TYPES_MAX)
        return -E2BIG;
    for (size_t i = 0; i < count; i++) {
        if (!is_pattern(types[i]))
            return -EINVAL;
        size += strlen(types[i]) + 1;
        sorted[i] = types[i];
    }
    if (count == 0) {
        *ret_filter = NULL;
        return 0;
    }
    filter = calloc(1, sizeof(*filter) + size);
    if (!filter)
        return -ENOMEM;
    count = sort(sorted, count);
    for (size_t i = 0; i < count; i++)
        add(filter, sorted[i]);
    *ret_filter = filter;
    return 0;
}

void filter_free(struct filter *filter)
{
    free(filter);
}

bool filter_passes(const struct filter *filter, const char *type, size_t size)
{
    if (!filter)
        return true;
    for (size_t i = 0; i < filter->count; i++) {
        size_t wanted = filter->items[i].size;

        if ((size == wanted || (filter->items[i].beginning && size > wanted)) &&
            memcmp(type, filter->items[i].text, wanted) == 0)
            return true;
    }
    return false;
}

bool filter_equal(const struct filter *filter, const struct filter *other)
{
    if (!filter || !other)
        return filter == other;
    return filter->size == other->size && memcmp(filter->texts, other->texts, filter->size) == 0;
}
