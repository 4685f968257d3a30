/*
 * Percent-encoded bytes (RFC 3986 section 2.1), for those parts of src/http/ that decode them.
 */
#ifndef BERTH_HTTP_PERCENT_H
#define BERTH_HTTP_PERCENT_H

#include <stddef.h>

static inline int percent_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

/* The byte that "%XX" at `text` stands for; -1 if that is not what `left` bytes from there begin with. */
static inline int percent_byte(const char *text, size_t left)
{
    int high, low;

    if (left < 3 || text[0] != '%')
        return -1;
    high = percent_digit(text[1]);
    low = percent_digit(text[2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

#endif
