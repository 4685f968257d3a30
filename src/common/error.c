#include "common/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *error, int r, const char *format, ...)
{
    /* Formatted aside, so that the old text may be among the arguments: error_set(error, r, "%s: %s", name,
     * error->text). */
    char text[sizeof(error->text)];
    va_list arguments;

    if (!error)
        return r;
    va_start(arguments, format);
    if (vsnprintf(text, sizeof(text), format, arguments) < 0)
        text[0] = '\0';
    va_end(arguments);
    memcpy(error->text, text, strlen(text) + 1);
    return r;
}
