/* Cookies: a value lies within the header, right behind its own name, and holds no separator. */
#include "http/cookie.h"

#include "property.h"

static void check_found(const char *header, const char *name)
{
    const char *end = header + strlen(header), *value;
    size_t size = 0;

    value = cookie_find(header, name, &size);
    if (!value) {
        PROPERTY(size == 0);
        return;
    }
    PROPERTY(value > header && value <= end && size <= (size_t)(end - value));
    PROPERTY(!memchr(value, ';', size));
    PROPERTY(size == 0 || (value[0] != ' ' && value[0] != '\t') || value[-1] == '"');
}

/* The input is a name, a line feed and the header; without a line feed, the header alone. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = text_new(data, size), *header = strchr(text, '\n'), *expected;
    size_t found = 0;

    if (header) {
        *header++ = '\0';
        check_found(header, text);
    } else {
        header = text;
    }
    check_found(header, "session");
    if (!strpbrk(header, ";=")) {
        if (asprintf(&expected, "other; session=\"\"; x=%s", header) < 0)
            abort();
        PROPERTY(cookie_find(expected, "session", &found) && found == 0);
        free(expected);
    }
    free(text);
    return 0;
}
