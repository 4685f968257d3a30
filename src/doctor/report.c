#include "doctor/report.h"

#include <stdarg.h>

/* What came from outside may hold a terminal's commands. */
static void put_text(FILE *stream, const char *format, va_list arguments)
{
    char text[REPORT_LINE_MAX];

    vsnprintf(text, sizeof(text), format, arguments);
    for (unsigned char *c = (unsigned char *)text; *c; c++)
        if (*c < ' ' || *c == 0x7f)
            *c = '?';
    fputs(text, stream);
    fputc('\n', stream);
}

static void put_line(FILE *stream, const char *mark, const char *check, const char *format, va_list arguments)
{
    fprintf(stream, "%-7s%-9s", mark, check);
    put_text(stream, format, arguments);
    fflush(stream); /* the next check may take a while */
}

void report_ok(FILE *stream, const char *check, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    put_line(stream, "ok", check, format, arguments);
    va_end(arguments);
}

void report_hint(FILE *stream, const char *check, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    put_line(stream, "hint", check, format, arguments);
    va_end(arguments);
}

void report_wrong(FILE *stream, const char *check, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    put_line(stream, "wrong", check, format, arguments);
    va_end(arguments);
}

int report_remedy(FILE *stream, const char *format, ...)
{
    va_list arguments;

    fputs("\nRemedy: ", stream);
    va_start(arguments, format);
    put_text(stream, format, arguments);
    va_end(arguments);
    return 1;
}
