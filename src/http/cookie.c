#include "http/cookie.h"

#include <stdbool.h>
#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void trim(const char **begin, const char **end)
{
    while (*begin < *end && is_blank(**begin))
        (*begin)++;
    while (*end > *begin && is_blank((*end)[-1]))
        (*end)--;
}

/* The value of the cookie-pair from begin to end if it is one of that name. */
static const char *pair_value(const char *begin, const char *end, const char *name, size_t name_size, size_t *ret_size)
{
    const char *equals = memchr(begin, '=', (size_t)(end - begin));
    const char *name_end = equals, *value;

    if (!equals)
        return NULL;
    trim(&begin, &name_end);
    if ((size_t)(name_end - begin) != name_size || memcmp(begin, name, name_size) != 0)
        return NULL;
    value = equals + 1;
    trim(&value, &end);
    if (end - value >= 2 && value[0] == '"' && end[-1] == '"') {
        value++;
        end--;
    }
    *ret_size = (size_t)(end - value);
    return value;
}

const char *cookie_find(const char *header, const char *name, size_t *ret_size)
{
    size_t name_size = strlen(name);

    if (name_size == 0)
        return NULL;
    while (*header != '\0') {
        size_t size = strcspn(header, ";");
        const char *value = pair_value(header, header + size, name, name_size, ret_size);

        if (value)
            return value;
        header += size + (header[size] == ';');
    }
    return NULL;
}
