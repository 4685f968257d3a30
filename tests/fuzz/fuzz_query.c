/* Query parameters: all are found again by name and index, without NULs, and never longer than they were sent. */
#include "http/query.h"

#include <errno.h>

#include "property.h"

static void check_pair(const struct query *query, size_t which)
{
    const struct query_pair *pair = &query->pairs[which];
    size_t index = 0;

    for (size_t i = 0; i < which; i++)
        index += strcmp(query->pairs[i].name, pair->name) == 0;
    PROPERTY(query_get(query, pair->name, index) == pair->value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *raw = text_new(data, size);
    struct query query = { 0 };
    struct arena arena;
    size_t total = 0;
    int r;

    arena_init(&arena);
    r = query_parse(raw, &arena, &query);
    PROPERTY(r == 0 || r == -EINVAL || (r == -ENOMEM && size > ARENA_SIZE_MAX / 8));
    PROPERTY(r == 0 || query.count == 0);
    PROPERTY(query.count <= QUERY_PAIRS_MAX);
    for (size_t i = 0; i < query.count; i++) {
        total += strlen(query.pairs[i].name) + strlen(query.pairs[i].value);
        if (i < 20)
            check_pair(&query, i);
    }
    PROPERTY(total <= strlen(raw));
    PROPERTY(!query_get(&query, "n", query.count));
    arena_reset(&arena);
    free(raw);
    return 0;
}
