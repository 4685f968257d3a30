/*
 * Writing to a stream: what has room, what waits, and a heartbeat where nothing is written.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include <jansson.h>

#include "http/connection.h"
#include "http/server.h"
#include "http/stream.h"
#include "http/stream_format.h"

/* What is formatted into so many bytes needs no memory. */
#define TEXT_FIRST 4096

/* ---- the heartbeat ---- */

static void heartbeats_due(uv_timer_t *timer);

static void timer_start(struct streams *streams, uint64_t due)
{
    streams->timer_due = due;
    uv_timer_start(&streams->timer, heartbeats_due, due - uv_now(streams->timer.loop), 0);
}

void stream_idle_stop(struct berth_stream *stream)
{
    struct streams *streams = &stream->connection->server->streams;

    if (!stream->idles)
        return;
    if (stream->previous_idle)
        stream->previous_idle->next_idle = stream->next_idle;
    else
        streams->first_idle = stream->next_idle;
    if (stream->next_idle)
        stream->next_idle->previous_idle = stream->previous_idle;
    else
        streams->last_idle = stream->previous_idle;
    stream->idles = false;
}

/* The timer is left alone while it is due earlier: it then finds what is next. So a write costs no timer. */
void stream_idle_start(struct berth_stream *stream)
{
    struct streams *streams = &stream->connection->server->streams;

    if (!stream->heartbeat || streams->heartbeat_ms == 0)
        return;
    stream_idle_stop(stream);
    stream->heartbeat_due = uv_now(streams->timer.loop) + streams->heartbeat_ms;
    stream->previous_idle = streams->last_idle;
    stream->next_idle = NULL;
    if (streams->last_idle)
        streams->last_idle->next_idle = stream;
    else
        streams->first_idle = stream;
    streams->last_idle = stream;
    stream->idles = true;
    if (stream->heartbeat_due < streams->timer_due)
        timer_start(streams, stream->heartbeat_due);
}

/* A client that does not read has no use for one, and in the middle of a line it would be a part of that. */
static void stream_beat(struct berth_stream *stream)
{
    if (stream_buffer_is_empty(&stream->buffer) && !stream->in_line)
        berth_stream_write(stream, stream->heartbeat, strlen(stream->heartbeat));
    if (stream->idles)
        stream_idle_start(stream);
}

static void heartbeats_due(uv_timer_t *timer)
{
    struct streams *streams = timer->data;
    uint64_t now = uv_now(timer->loop);

    while (streams->first_idle && streams->first_idle->heartbeat_due <= now)
        stream_beat(streams->first_idle);
    streams->timer_due = UINT64_MAX;
    if (streams->first_idle)
        timer_start(streams, streams->first_idle->heartbeat_due);
}

void streams_init(struct streams *streams, uv_loop_t *loop, uint64_t heartbeat_ms)
{
    streams->heartbeat_ms = heartbeat_ms;
    streams->timer_due = UINT64_MAX;
    streams->timer.data = streams;
    uv_timer_init(loop, &streams->timer);
}

void streams_done(struct streams *streams)
{
    uv_close((uv_handle_t *)&streams->timer, NULL);
}

/* ---- room ---- */

void stream_watch_room(struct berth_stream *stream)
{
    struct connection *connection = stream->connection;
    bool wanted = !stream_buffer_is_empty(&stream->buffer);
    struct epoll_event event = { .events = wanted ? EPOLLOUT : 0, .data.ptr = connection };

    if (!connection->suspended || stream->watches_room == wanted)
        return;
    stream->watches_room = wanted;
    if (epoll_ctl(connection->server->hangup_fd, EPOLL_CTL_MOD, connection->fd, &event) < 0)
        stream_fail(stream);
}

static void tell_of_room(struct berth_stream *stream)
{
    if (!stream->wants_room || stream->ended || stream->buffer.size > stream->limit / 2)
        return;
    stream->wants_room = false;
    if (stream->events.room)
        stream->events.room(stream, stream->data);
}

void stream_flush(struct berth_stream *stream)
{
    struct connection *connection = stream->connection;

    if (stream_buffer_flush(&stream->buffer) < 0) {
        stream_fail(stream);
        return;
    }
    tell_of_room(stream);
    if (stream->broken)
        return;
    if (stream->ended && stream_buffer_is_empty(&stream->buffer))
        connection_resume(connection);
    else if (stream->ended)
        deadline_start(&connection->server->deadlines, DEADLINE_STALLED, connection);
    stream_watch_room(stream);
}

void stream_continue(struct connection *connection)
{
    struct berth_stream *stream = connection->request.reply.stream;

    if (stream && stream->begun && !stream->broken && connection->suspended)
        stream_flush(stream);
}

/* ---- writing ---- */

static bool has_room(const struct berth_stream *stream, size_t size)
{
    size_t kept = stream->buffer.size;

    return kept == 0 || (kept < stream->limit && size <= stream->limit - kept);
}

static int refuse(struct berth_stream *stream)
{
    switch (stream->full) {
    case BERTH_STREAM_DROP:
        stream->dropped++;
        return 0;
    case BERTH_STREAM_CLOSE:
        berth_stream_cut(stream);
        return -EPIPE;
    case BERTH_STREAM_WAIT:
        break;
    }
    stream->wants_room = true;
    return -EAGAIN;
}

int berth_stream_write(struct berth_stream *stream, const void *bytes, size_t size)
{
    int r;

    if (stream->ended || stream->broken)
        return -EPIPE;
    if (stream->bodiless || size == 0)
        return 0;
    if (!has_room(stream, size))
        return refuse(stream);
    r = stream_buffer_write(&stream->buffer, bytes, size);
    if (r == -EPIPE)
        stream_fail(stream);
    if (r < 0)
        return r;
    stream->in_line = ((const char *)bytes)[size - 1] != '\n';
    if (stream->idles)
        stream_idle_start(stream);
    stream_watch_room(stream);
    return stream->broken ? -EPIPE : 0;
}

/* ---- in its forms ---- */

/* Writes what `format` makes of `data`: into room on the stack, or, where that says it takes more, once more. */
static int write_text(struct berth_stream *stream, ssize_t (*format)(const void *data, char *bytes, size_t room),
                      const void *data)
{
    char first[TEXT_FIRST], *text;
    ssize_t size = format(data, first, sizeof(first));
    int r;

    if (size < 0)
        return (int)size;
    if ((size_t)size <= sizeof(first))
        return berth_stream_write(stream, first, (size_t)size);
    text = malloc((size_t)size);
    if (!text)
        return -ENOMEM;
    format(data, text, (size_t)size);
    r = berth_stream_write(stream, text, (size_t)size);
    free(text);
    return r;
}

static ssize_t format_event(const void *data, char *bytes, size_t room)
{
    return stream_format_event(data, bytes, room);
}

static ssize_t format_comment(const void *data, char *bytes, size_t room)
{
    return stream_format_comment(data, bytes, room);
}

/* jansson writes nothing that it has not the room for, and then says how much it would take. */
static ssize_t format_json(const void *data, char *bytes, size_t room)
{
    size_t size = json_dumpb(data, bytes, room, JSON_COMPACT | JSON_ENCODE_ANY);

    if (size == 0)
        return -EBADMSG;
    if (size < room)
        bytes[size] = '\n';
    return (ssize_t)size + 1;
}

int berth_stream_json(struct berth_stream *stream, const struct json_t *json)
{
    return json ? write_text(stream, format_json, json) : -EBADMSG;
}

int berth_stream_event(struct berth_stream *stream, const struct berth_stream_event *event)
{
    return write_text(stream, format_event, event);
}

int berth_stream_comment(struct berth_stream *stream, const char *text)
{
    return write_text(stream, format_comment, text);
}
