#include "http/field.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

/* What a byte may be part of. */
enum { TOKEN = 1, VALUE = 2 };

#define T (TOKEN | VALUE)
#define V VALUE

/* A byte that is left out is part of neither. */
static const unsigned char kinds[256] = {
    ['\t'] = V,        [' '] = V,         ['!'] = T, ['"'] = V,  ['#'] = T, ['$'] = T,           ['%'] = T, ['&'] = T,
    ['\''] = T,        ['('] = V,         [')'] = V, ['*'] = T,  ['+'] = T, [','] = V,           ['-'] = T, ['.'] = T,
    ['/'] = V,         ['0' ... '9'] = T, [':'] = V, [';'] = V,  ['<'] = V, ['='] = V,           ['>'] = V, ['?'] = V,
    ['@'] = V,         ['A' ... 'Z'] = T, ['['] = V, ['\\'] = V, [']'] = V, ['^'] = T,           ['_'] = T, ['`'] = T,
    ['a' ... 'z'] = T, ['{'] = V,         ['|'] = T, ['}'] = V,  ['~'] = T, [0x80 ... 0xff] = V, /* obs-text */
};

#undef T
#undef V

/* Looks at every byte, without a branch for each: almost every one is valid. */
static bool all_of_kind(const char *text, size_t size, unsigned char kind)
{
    unsigned char common = kind;

    for (size_t i = 0; i < size; i++)
        common &= kinds[(unsigned char)text[i]];
    return common == kind;
}

bool field_name_valid(const char *name, size_t size)
{
    return size > 0 && all_of_kind(name, size, TOKEN);
}

bool method_valid(const char *method)
{
    return field_name_valid(method, strlen(method));
}

bool field_value_valid(const char *value, size_t size)
{
    return all_of_kind(value, size, VALUE);
}

int content_length_parse(const char *value, uint64_t *ret_length)
{
    uint64_t length = 0;
    bool overflow = false;

    if (*value == '\0')
        return -EINVAL;
    for (; *value != '\0'; value++) {
        if (*value < '0' || *value > '9')
            return -EINVAL;
        overflow |= __builtin_mul_overflow(length, (uint64_t)10, &length);
        overflow |= __builtin_add_overflow(length, (uint64_t)(*value - '0'), &length);
    }
    if (overflow)
        return -ERANGE;
    *ret_length = length;
    return 0;
}

bool transfer_encoding_chunked(const char *value)
{
    return strcasecmp(value, "chunked") == 0;
}
