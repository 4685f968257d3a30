#include "http/stream_format.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LINE_BREAKS "\r\n"

static const struct {
    const char *type, *heartbeat;
} heartbeats[] = {
    { "text/event-stream", ":\n" },
    { "application/x-ndjson", "\n" },
};

const char *stream_heartbeat(const char *type)
{
    size_t size = strcspn(type, "; \t");

    for (size_t i = 0; i < sizeof(heartbeats) / sizeof(heartbeats[0]); i++)
        if (strlen(heartbeats[i].type) == size && strncasecmp(heartbeats[i].type, type, size) == 0)
            return heartbeats[i].heartbeat;
    return NULL;
}

/* Counts what has no room, too. */
struct output {
    char *bytes;
    size_t room, size;
};

static void add(struct output *output, const char *bytes, size_t size)
{
    if (output->size < output->room) {
        size_t left = output->room - output->size;

        memcpy(output->bytes + output->size, bytes, size < left ? size : left);
    }
    output->size += size;
}

static void add_field(struct output *output, const char *name, const char *value, size_t size)
{
    add(output, name, strlen(name));
    add(output, ": ", 2);
    add(output, value, size);
    add(output, "\n", 1);
}

static const char *skip_line_break(const char *at)
{
    return at + (at[0] == '\r' && at[1] == '\n' ? 2 : 1);
}

/* A field for each line: readers put \n between them. */
static void add_data(struct output *output, const char *data)
{
    for (;;) {
        size_t size = strcspn(data, LINE_BREAKS);

        add_field(output, "data", data, size);
        if (data[size] == '\0')
            return;
        data = skip_line_break(data + size);
    }
}

static bool is_one_line(const char *text)
{
    return !text || !strpbrk(text, LINE_BREAKS);
}

ssize_t stream_format_event(const struct berth_stream_event *event, char *bytes, size_t room)
{
    struct output output = { .bytes = bytes, .room = room };
    char number[16];

    if (!is_one_line(event->id) || !is_one_line(event->event))
        return -EBADMSG;
    if (event->id)
        add_field(&output, "id", event->id, strlen(event->id));
    if (event->event)
        add_field(&output, "event", event->event, strlen(event->event));
    if (event->retry_ms > 0)
        add_field(&output, "retry", number, (size_t)snprintf(number, sizeof(number), "%u", event->retry_ms));
    if (event->data)
        add_data(&output, event->data);
    add(&output, "\n", 1);
    return (ssize_t)output.size;
}

ssize_t stream_format_comment(const char *text, char *bytes, size_t room)
{
    struct output output = { .bytes = bytes, .room = room };

    if (!is_one_line(text))
        return -EBADMSG;
    add_field(&output, "", text, strlen(text));
    return (ssize_t)output.size;
}
