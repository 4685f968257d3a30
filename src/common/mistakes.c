#include "common/mistakes.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/line.h"

/* As one line of text that a terminal shows and does not obey. */
static char *escape(const char *text)
{
    size_t limit = 4 * strlen(text) + LINE_CUT_SIZE; /* \xNN for each byte */
    struct line line = { .bytes = malloc(limit + 1), .limit = limit };

    if (!line.bytes)
        return NULL;
    line_add_escaped(&line, text, LINE_PLAIN, limit);
    line.bytes[line.size] = '\0';
    return line.bytes;
}

static int add(struct mistakes *mistakes, const struct mistake *mistake, const char *text)
{
    struct mistake *items;

    if (mistakes->count >= MISTAKES_MAX) {
        mistakes->left_out++;
        return 0;
    }
    items = reallocarray(mistakes->items, mistakes->count + 1, sizeof(*items));
    if (!items)
        return -ENOMEM;
    mistakes->items = items;
    items[mistakes->count] = *mistake;
    items[mistakes->count].text = escape(text);
    if (!items[mistakes->count].text)
        return -ENOMEM;
    mistakes->count++;
    return 0;
}

int mistakes_add(struct mistakes *mistakes, int r, unsigned int line, const char *format, ...)
{
    struct mistake mistake = { .line = line };
    struct error error = { "" };
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(error.text, sizeof(error.text), format, arguments);
    va_end(arguments);
    if (mistakes->r == 0)
        mistakes->r = r;
    if (add(mistakes, &mistake, error.text) < 0)
        mistakes->left_out++;
    return r;
}

void mistakes_warn(struct mistakes *mistakes, unsigned int line, const char *format, ...)
{
    struct mistake mistake = { .line = line, .warning = true };
    struct error error = { "" };
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(error.text, sizeof(error.text), format, arguments);
    va_end(arguments);
    add(mistakes, &mistake, error.text);
}

/* An insertion sort: it is stable, and there are few. */
void mistakes_sort(struct mistakes *mistakes)
{
    for (size_t i = 1; i < mistakes->count; i++) {
        struct mistake this = mistakes->items[i];
        size_t j = i;

        for (; j > 0 && mistakes->items[j - 1].line > this.line; j--)
            mistakes->items[j] = mistakes->items[j - 1];
        mistakes->items[j] = this;
    }
}

void mistakes_done(struct mistakes *mistakes)
{
    for (size_t i = 0; i < mistakes->count; i++)
        free(mistakes->items[i].text);
    free(mistakes->items);
    *mistakes = (struct mistakes){ 0 };
}
