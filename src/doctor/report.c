#include "doctor/report.h"

#include <stdarg.h>

#include "common/line.h"

/* What came from outside may hold a terminal's commands, or be no UTF-8: such bytes are shown as in the logs, and each
 * takes four at most. */
static void put_text(FILE *stream, const char *format, va_list arguments)
{
    char text[REPORT_LINE_MAX], bytes[4 * REPORT_LINE_MAX];
    struct line line = { .bytes = bytes, .limit = sizeof(bytes) };

    vsnprintf(text, sizeof(text), format, arguments);
    line_add_escaped(&line, text, LINE_PLAIN, sizeof(bytes));
    fwrite(bytes, 1, line.size, stream);
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
