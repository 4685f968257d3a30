/* Server-Sent Events: whatever id, event and data are, a reader as the standard has it gets back just these. */
#include "http/stream_format.h"

#include <stdbool.h>

#include "property.h"

struct seen {
    char *id, *event, *data;
    size_t count;
};

/* \n, \r\n and \r all end a line; readers join lines with \n. */
static char *normal(const char *text)
{
    char *copy = strdup(text), *to = copy;

    if (!copy)
        abort();
    for (const char *at = text; *at; at++) {
        if (at[0] == '\r' && at[1] == '\n')
            continue;
        *to++ = *at == '\r' ? '\n' : *at;
    }
    *to = '\0';
    return copy;
}

/* The part of an event stream's reader that there is a use for; lines end in \n alone here. */
static void read_line(char *line, struct seen *seen)
{
    char *value = strchr(line, ':');

    PROPERTY(value && value != line && value[1] == ' ');
    *value = '\0';
    value += 2;
    if (strcmp(line, "id") == 0) {
        PROPERTY(!seen->id);
        seen->id = value;
    } else if (strcmp(line, "event") == 0) {
        PROPERTY(!seen->event);
        seen->event = value;
    } else if (strcmp(line, "data") == 0) {
        char *data;

        if (asprintf(&data, "%s%s%s", seen->data ? seen->data : "", seen->count++ > 0 ? "\n" : "", value) < 0)
            abort();
        free(seen->data);
        seen->data = data;
    } else {
        PROPERTY(strcmp(line, "retry") == 0);
    }
}

static void read_back(const struct berth_stream_event *event, char *text, size_t size)
{
    struct seen seen = { 0 };
    char *expected = event->data ? normal(event->data) : NULL;

    PROPERTY(size >= 1 && text[size - 1] == '\n' && !memchr(text, '\r', size) && !memchr(text, '\0', size));
    PROPERTY(size == 1 || text[size - 2] == '\n');
    for (char *line = text, *end = text + size - 1; line < end;) {
        char *next = memchr(line, '\n', (size_t)(end - line));

        PROPERTY(next && next > line); /* an empty line would end the event early */
        *next = '\0';
        read_line(line, &seen);
        line = next + 1;
    }
    PROPERTY(!seen.id == !event->id && (!event->id || strcmp(seen.id, event->id) == 0));
    PROPERTY(!seen.event == !event->event && (!event->event || strcmp(seen.event, event->event) == 0));
    PROPERTY(!seen.data == !expected && (!expected || strcmp(seen.data, expected) == 0));
    free(seen.data);
    free(expected);
}

/* Three texts, each up to a NUL, after a byte that says which of them there are. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct berth_stream_event event = { .retry_ms = size > 0 && data[0] & 8 ? 1000 : 0 };
    const char **fields[] = { &event.id, &event.event, &event.data };
    char *texts[3] = { NULL }, *text;
    size_t at = 1;
    ssize_t needed;

    for (size_t i = 0; i < 3; i++) {
        texts[i] = text_new(data + (at < size ? at : size), at < size ? size - at : 0);
        at += strlen(texts[i]) + 1;
        if (size > 0 && data[0] & 1U << i)
            *fields[i] = texts[i];
    }
    needed = stream_format_event(&event, NULL, 0);
    if ((event.id && strpbrk(event.id, "\r\n")) || (event.event && strpbrk(event.event, "\r\n"))) {
        PROPERTY(needed < 0);
    } else {
        PROPERTY(needed > 0);
        text = malloc((size_t)needed);
        if (!text)
            abort();
        PROPERTY(stream_format_event(&event, text, (size_t)needed) == needed);
        read_back(&event, text, (size_t)needed);
        free(text);
    }
    for (size_t i = 0; i < 3; i++)
        free(texts[i]);
    return 0;
}
