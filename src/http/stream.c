/*
 * The life of a stream: from berth_reply_stream to `gone`.
 */
#include "http/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

#include "access/quota.h"
#include "http/connection.h"
#include "http/reply.h"
#include "http/request.h"
#include "http/server.h"
#include "http/stream_format.h"

/* libmicrohttpd wants a buffer for what the reader gives; it gives nothing. */
#define READER_ROOM 1

static void list_add(struct streams *streams, struct berth_stream *stream)
{
    stream->next = streams->first;
    if (streams->first)
        streams->first->previous = stream;
    streams->first = stream;
}

static void list_remove(struct streams *streams, struct berth_stream *stream)
{
    if (stream->previous)
        stream->previous->next = stream->next;
    else
        streams->first = stream->next;
    if (stream->next)
        stream->next->previous = stream->previous;
}

/* ---- libmicrohttpd asks for the body ---- */

static void stream_drain(struct berth_stream *stream)
{
    bool goes_on;

    if (stream->drained || stream->ended || stream->broken)
        return;
    stream->drained = true;
    goes_on = stream->events.drain && stream->events.drain(stream, stream->data);
    if (!goes_on)
        berth_stream_end(stream);
}

/* The head is out. */
static void stream_begin(struct berth_stream *stream)
{
    struct connection *connection = stream->connection;

    stream->begun = true;
    stream_buffer_open(&stream->buffer, connection->fd, connection->request.http_1_1);
    stream_flush(stream);
    if (connection->server->draining)
        stream_drain(stream);
}

/* When the head is out, and after every resume. Whatever suspends gives nothing, whatever ends is not suspended. */
static ssize_t stream_read(void *context, uint64_t offset, char *buffer, size_t room)
{
    struct connection *connection = context;
    struct berth_stream *stream = connection->request.reply.stream;

    (void)offset;
    (void)buffer;
    (void)room;
    connection->server->moves++;
    if (stream && !stream->begun)
        stream_begin(stream);
    if (!stream || stream->broken)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (stream->ended && stream_buffer_is_empty(&stream->buffer))
        return MHD_CONTENT_READER_END_OF_STREAM;
    connection_suspend(connection);
    stream->watches_room = false;
    stream_watch_room(stream);
    if (!stream->ended)
        stream_idle_start(stream);
    return 0;
}

/* ---- its beginning ---- */

/* What the application has said itself stands. */
static int add_fields(struct berth_reply *reply)
{
    static const char *const fields[][2] = { { "Cache-Control", "no-store" }, { "X-Accel-Buffering", "no" } };
    int r = 0;

    for (size_t i = 0; r == 0 && i < sizeof(fields) / sizeof(fields[0]); i++)
        if (!reply_has_field(reply, fields[i][0]))
            r = berth_reply_header(reply, fields[i][0], fields[i][1]);
    return r;
}

static struct berth_stream *stream_new(struct connection *connection, const char *type)
{
    struct berth_stream *stream = calloc(1, sizeof(*stream));

    if (!stream)
        return NULL;
    stream->connection = connection;
    stream->limit = BERTH_STREAM_LIMIT;
    stream->full = BERTH_STREAM_WAIT;
    stream->heartbeat = stream_heartbeat(type);
    stream->bodiless = strcmp(connection->request.method, "HEAD") == 0;
    return stream;
}

/* Behind a head whose body would be chunked 0.9.75 sends the last chunk to HEAD as well, where the client expects the
 * next reply: there it is not chunked, and the connection ends. */
static struct MHD_Response *make_response(struct connection *connection, bool bodiless)
{
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, READER_ROOM, stream_read, connection, NULL);

    if (!response || !bodiless ||
        MHD_set_response_options(response, MHD_RF_HTTP_VERSION_1_0_ONLY, MHD_RO_END) == MHD_YES)
        return response;
    MHD_destroy_response(response);
    return NULL;
}

int berth_reply_stream(struct berth_reply *reply, const char *type, struct berth_stream **ret_stream)
{
    struct connection *connection = reply_request(reply)->connection;
    struct berth_stream *stream;
    int r;

    if (reply_is_answered(reply))
        return -EALREADY;
    if (!type)
        return -EBADMSG;
    r = add_fields(reply);
    if (r < 0)
        return r;
    r = connection_stream_begin(connection);
    if (r < 0)
        return r;
    stream = stream_new(connection, type);
    r = stream ? reply_take(reply, 200, type, make_response(connection, stream->bodiless), 0) : -ENOMEM;
    if (r < 0) {
        quota_stream_end(connection->quota);
        free(stream);
        return r;
    }
    reply->stream = stream;
    list_add(&connection->server->streams, stream);
    counters_more(connection->server->counters, COUNTERS_HELD);
    *ret_stream = stream;
    return 0;
}

int berth_reply_events(struct berth_reply *reply, struct berth_stream **ret_stream)
{
    return berth_reply_stream(reply, "text/event-stream", ret_stream);
}

void berth_stream_watch(struct berth_stream *stream, const struct berth_stream_events *events, void *data)
{
    stream->events = events ? *events : (struct berth_stream_events){ .room = NULL };
    stream->data = data;
}

void berth_stream_limit(struct berth_stream *stream, size_t bytes, enum berth_stream_full full)
{
    stream->limit = bytes > 0 ? bytes : 1;
    stream->full = full;
}

uint64_t berth_stream_dropped(const struct berth_stream *stream)
{
    return stream->dropped;
}

/* ---- its end ---- */

void berth_stream_end(struct berth_stream *stream)
{
    struct connection *connection = stream->connection;

    if (stream->ended || stream->broken)
        return;
    stream->ended = true;
    stream_idle_stop(stream);
    stream_timer_stop(stream);
    if (!connection->suspended) /* libmicrohttpd is about to ask */
        return;
    if (stream_buffer_is_empty(&stream->buffer))
        connection_resume(connection);
    else
        deadline_start(&connection->server->deadlines, DEADLINE_STALLED, connection);
}

void stream_fail(struct berth_stream *stream)
{
    stream->broken = true;
    stream_buffer_done(&stream->buffer);
    stream_idle_stop(stream);
    stream_timer_stop(stream);
    connection_resume(stream->connection);
}

void berth_stream_cut(struct berth_stream *stream)
{
    if (stream->broken)
        return;
    connection_cut(stream->connection); /* at once, wherever it is */
    stream_fail(stream);
}

void stream_over(struct berth_stream *stream, int r)
{
    struct berth_request *request = &stream->connection->request;
    struct http_server *server = stream->connection->server;

    request->reply.stream = NULL;
    request->reply.bytes = stream->buffer.sent;
    list_remove(&server->streams, stream);
    stream_idle_stop(stream);
    counters_fewer(server->counters, COUNTERS_HELD);
    quota_stream_end(stream->connection->quota);
    stream->ended = stream->broken = true; /* whatever `gone` calls does nothing */
    if (stream->events.gone)
        stream->events.gone(stream, r, stream->data);
    stream_later_done(stream);
    stream_buffer_done(&stream->buffer);
    free(stream);
}

void streams_drain(struct streams *streams)
{
    for (struct berth_stream *stream = streams->first; stream; stream = stream->next)
        stream_drain(stream);
}
