#include "http/query.h"

#include <errno.h>
#include <string.h>

#include "http/percent.h"

/* How many pieces between '&' are not empty. */
static size_t pieces_count(const char *raw)
{
    size_t count = 0;

    for (char before = '&'; *raw != '\0'; before = *raw++)
        count += before == '&' && *raw != '&';
    return count;
}

/* Decodes `size` bytes to *text with a NUL behind them, and moves *text past that. Never gets longer than it was. */
static int piece_decode(const char *raw, size_t size, char **text)
{
    char *out = *text;

    for (size_t i = 0; i < size; i++) {
        int byte = (unsigned char)raw[i];

        if (raw[i] == '+') {
            byte = ' ';
        } else if (raw[i] == '%') {
            byte = percent_byte(raw + i, size - i);
            if (byte <= 0)
                return -EINVAL;
            i += 2;
        }
        *out++ = (char)byte;
    }
    *out++ = '\0';
    *text = out;
    return 0;
}

static int pair_decode(const char *raw, size_t size, char **text, struct query_pair *ret_pair)
{
    const char *equals = memchr(raw, '=', size);
    size_t name_size = equals ? (size_t)(equals - raw) : size;
    int r;

    ret_pair->name = *text;
    r = piece_decode(raw, name_size, text);
    if (r < 0 || !equals) {
        ret_pair->value = "";
        return r;
    }
    ret_pair->value = *text;
    return piece_decode(equals + 1, size - name_size - 1, text);
}

int query_parse(const char *raw, struct arena *arena, struct query *ret_query)
{
    struct query query = { 0 };
    size_t count = raw ? pieces_count(raw) : 0;
    char *text;

    if (count > QUERY_PAIRS_MAX)
        return -EINVAL;
    if (count == 0) {
        *ret_query = query;
        return 0;
    }
    query.pairs = arena_alloc(arena, count * sizeof(*query.pairs));
    text = arena_alloc(arena, strlen(raw) + 1); /* each separator makes room for the NUL of what it ends */
    if (!query.pairs || !text)
        return -ENOMEM;
    while (*raw != '\0') {
        size_t size = strcspn(raw, "&");

        if (size > 0) {
            int r = pair_decode(raw, size, &text, &query.pairs[query.count]);

            if (r < 0)
                return r;
            query.count++;
        }
        raw += size + (raw[size] == '&');
    }
    *ret_query = query;
    return 0;
}

const char *query_get(const struct query *query, const char *name, size_t index)
{
    for (size_t i = 0; i < query->count; i++)
        if (strcmp(query->pairs[i].name, name) == 0 && index-- == 0)
            return query->pairs[i].value;
    return NULL;
}
