/*
 * What a stream does later: by its timer, and with work on another thread.
 */
#include <errno.h>
#include <stdlib.h>

#include "http/connection.h"
#include "http/server.h"
#include "http/stream.h"

/* libuv closes it in a later turn than the stream ends in. */
struct stream_timer {
    uv_timer_t uv;
    struct berth_stream *stream;
    void (*fire)(struct berth_stream *stream, void *data);
    void *data;
};

static void timer_fired(uv_timer_t *uv)
{
    struct stream_timer *timer = (struct stream_timer *)uv;

    timer->fire(timer->stream, timer->data);
}

static void timer_closed(uv_handle_t *handle)
{
    free(handle);
}

static struct stream_timer *timer_new(struct berth_stream *stream)
{
    struct stream_timer *timer = calloc(1, sizeof(*timer));

    if (!timer)
        return NULL;
    timer->stream = stream;
    uv_timer_init(stream->connection->server->loop, &timer->uv);
    return timer;
}

void stream_timer_stop(struct berth_stream *stream)
{
    if (stream->timer)
        uv_timer_stop(&stream->timer->uv);
}

int berth_stream_every(struct berth_stream *stream, uint64_t ms, void (*fire)(struct berth_stream *stream, void *data),
                       void *data)
{
    uint64_t first =
        stream->timer ? ms : 0; /* were it 0 again, one that calls this itself would never leave the loop */

    if (stream->ended || stream->broken)
        return -EPIPE;
    if (ms == 0) {
        stream_timer_stop(stream);
        return 0;
    }
    if (!stream->timer)
        stream->timer = timer_new(stream);
    if (!stream->timer)
        return -ENOMEM;
    stream->timer->fire = fire;
    stream->timer->data = data;
    return uv_timer_start(&stream->timer->uv, timer_fired, first, ms);
}

/*
 * Work on another thread. It belongs to the thread pool until `done`, the stream to its connection: either may end
 * first, and then the other forgets it.
 */
struct stream_work {
    uv_work_t uv;
    struct http_server *server;
    struct berth_stream *stream; /* NULL: over */
    void (*run)(void *data);
    void (*done)(struct berth_stream *stream, void *data);
    void *data;
};

static void work_run(uv_work_t *uv)
{
    struct stream_work *work = (struct stream_work *)uv;

    work->run(work->data);
}

static void work_ended(uv_work_t *uv, int status)
{
    struct stream_work *work = (struct stream_work *)uv;

    (void)status;
    if (work->stream)
        work->stream->work = NULL; /* before `done`, which may begin the next */
    work->done(work->stream, work->data);
    http_server_end_work(work->server);
    free(work);
}

int berth_stream_offload(struct berth_stream *stream, void (*work)(void *data),
                         void (*done)(struct berth_stream *stream, void *data), void *data)
{
    struct http_server *server = stream->connection->server;
    struct stream_work *begun;
    int r;

    if (stream->ended || stream->broken)
        return -EPIPE;
    if (stream->work)
        return -EALREADY;
    begun = calloc(1, sizeof(*begun));
    if (!begun)
        return -ENOMEM;
    *begun = (struct stream_work){ .server = server, .stream = stream, .run = work, .done = done, .data = data };
    r = uv_queue_work(server->loop, &begun->uv, work_run, work_ended);
    if (r < 0) {
        free(begun);
        return r;
    }
    server->work_count++;
    stream->work = begun;
    return 0;
}

void stream_later_done(struct berth_stream *stream)
{
    if (stream->timer)
        uv_close((uv_handle_t *)&stream->timer->uv, timer_closed);
    if (stream->work)
        stream->work->stream = NULL;
    stream->timer = NULL;
    stream->work = NULL;
}
