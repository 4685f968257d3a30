/*
 * Replies that go on (berth.h, chapter 6).
 *
 * libmicrohttpd sends the head and asks for the body (stream_read), which suspends the connection and gives nothing.
 * From then on the worker writes to the descriptor itself: one sendmsg for each write, no turn of libmicrohttpd, no
 * wait. To end, the connection is resumed and asked for its body once more: then libmicrohttpd adds the last chunk, and
 * goes on with the connection as after any reply.
 *
 *   berth_reply_stream ── kept ──▶ head is out ── sent at once, or kept ──▶ all is out ──▶ last chunk ──▶ gone(0)
 *                                     │ suspended: in the hang-up watch        │
 *                                     └── the client leaves, it is cut ────────┴──▶ connection closed ──▶ gone(-EPIPE)
 *
 * A stream lives from berth_reply_stream until `gone` was called, which happens on the way out of the loop's callbacks
 * alone, never in a function that an application calls: so those may be called from any callback.
 */
#ifndef BERTH_HTTP_STREAM_H
#define BERTH_HTTP_STREAM_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include <berth.h>

#include "http/stream_buffer.h"

struct connection;
struct http_server;

/* All of a server's; and those that get a heartbeat, in the order of their last writes. One timer serves all. */
struct streams {
    struct berth_stream *first;
    struct berth_stream *first_idle, *last_idle;
    uint64_t heartbeat_ms; /* 0: none */
    uv_timer_t timer;
    uint64_t timer_due;
};

struct berth_stream {
    struct connection *connection;
    struct berth_stream *previous, *next;
    struct stream_buffer buffer;
    size_t limit;
    enum berth_stream_full full;
    struct berth_stream_events events;
    void *data;
    uint64_t dropped;
    struct stream_timer *timer; /* berth_stream_every's; NULL: none yet */
    struct stream_work *work;   /* berth_stream_offload's; NULL: none runs */

    const char *heartbeat; /* NULL: none for its type */
    struct berth_stream *previous_idle, *next_idle;
    uint64_t heartbeat_due;

    bool idles;        /* is in the list of those that get a heartbeat */
    bool bodiless;     /* a reply to HEAD */
    bool begun;        /* its head is out */
    bool in_line;      /* what was written last did not end a line */
    bool wants_room;   /* a write returned -EAGAIN */
    bool watches_room; /* the hang-up watch also looks for room */
    bool drained;      /* was told that the server ends */
    bool ended;        /* takes no more writes; what is kept is still sent */
    bool broken;       /* nothing will be sent any more */
};

void streams_init(struct streams *streams, uv_loop_t *loop, uint64_t heartbeat_ms);
void streams_done(struct streams *streams);

/* The server ends: each may say a last word. */
void streams_drain(struct streams *streams);

/* The hang-up watch found room for a suspended connection. */
void stream_continue(struct connection *connection);

/* Its reply is over, or its connection: tells the application, and frees it. */
void stream_over(struct berth_stream *stream, int r);

/* ---- between the files of the stream ---- */

/* Nothing can be sent any more: `gone` follows, on the loop. */
void stream_fail(struct berth_stream *stream);

/* Sends what is kept as far as the client takes it, and does what follows from that. */
void stream_flush(struct berth_stream *stream);

/* Has the hang-up watch look for room while something is kept. For one whose connection is suspended. */
void stream_watch_room(struct berth_stream *stream);

/* The heartbeat: something was written, or the stream has begun; and it will get none any more. */
void stream_idle_start(struct berth_stream *stream);
void stream_idle_stop(struct berth_stream *stream);

/* The timer: fires no more; and is freed. */
void stream_timer_stop(struct berth_stream *stream);
void stream_later_done(struct berth_stream *stream);

#endif
