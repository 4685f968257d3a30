#include "apps/accept_encoding.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

void encodings_init(struct encodings *encodings)
{
    for (int i = 0; i < ENCODING_COUNT; i++)
        encodings->weights[i] = -1;
    encodings->others = -1;
}

/* A weight (RFC 9110 section 12.4.2) up to `end`; 0 for what is none, so that junk is never preferred. */
static int weight_parse(const char *at, const char *end)
{
    int weight;

    if (at == end || (*at != '0' && *at != '1'))
        return 0;
    weight = (*at++ - '0') * 1000;
    if (at < end && *at == '.') {
        at++;
        for (int digit = 100; digit > 0 && at < end && *at >= '0' && *at <= '9'; digit /= 10)
            weight += (*at++ - '0') * digit;
    }
    at += strspn(at, " \t");
    return at < end || weight > 1000 ? 0 : weight;
}

/* The weight in what follows a coding's name up to `end`: nothing, or ";q=0.5". */
static int coding_weight(const char *at, const char *end)
{
    at += strspn(at, " \t");
    if (at >= end)
        return 1000;
    if (*at++ != ';')
        return 0;
    at += strspn(at, " \t");
    if (end - at < 2 || (at[0] | 0x20) != 'q' || at[1] != '=')
        return 0;
    return weight_parse(at + 2, end);
}

static bool named(const char *at, size_t size, const char *name)
{
    return strlen(name) == size && strncasecmp(at, name, size) == 0;
}

static int *coding_place(struct encodings *encodings, const char *name, size_t size)
{
    if (named(name, size, "gzip") || named(name, size, "x-gzip"))
        return &encodings->weights[ENCODING_GZIP];
    if (named(name, size, "br"))
        return &encodings->weights[ENCODING_BR];
    if (named(name, size, "identity"))
        return &encodings->weights[ENCODING_IDENTITY];
    return named(name, size, "*") ? &encodings->others : NULL;
}

void encodings_take(struct encodings *encodings, const char *line)
{
    while (*line) {
        const char *end;
        size_t size;
        int *place;

        line += strspn(line, ", \t");
        end = line + strcspn(line, ",");
        size = strcspn(line, ",; \t");
        place = coding_place(encodings, line, size);
        if (place)
            *place = coding_weight(line + size, end);
        line = end;
    }
}

enum encoding encodings_choose(const struct encodings *encodings, const bool there[ENCODING_COUNT])
{
    /* Not named, the original is what is left when nothing better is wanted. */
    int best = encodings->weights[ENCODING_IDENTITY];
    enum encoding chosen = ENCODING_IDENTITY;

    for (enum encoding i = ENCODING_GZIP; i < ENCODING_COUNT; i++) {
        int weight = encodings->weights[i] >= 0 ? encodings->weights[i] : encodings->others;

        if (there[i] && weight > 0 && weight >= best) {
            best = weight;
            chosen = i;
        }
    }
    return chosen;
}
