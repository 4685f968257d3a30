/*
 * Replies that come later: berth_reply_hold, and berth_offload on top of it.
 */
#include <errno.h>
#include <stdlib.h>
#include <uv.h>

#include "common/log.h"
#include "http/connection.h"
#include "http/hold.h"
#include "http/problem.h"
#include "http/reply.h"
#include "http/request.h"
#include "http/server.h"

int berth_reply_hold(struct berth_reply *reply, void (*gone)(void *data), void *data)
{
    if (reply_is_answered(reply) || reply->held)
        return -EALREADY;
    reply->held = true;
    reply->gone = gone;
    reply->gone_data = data;
    return 0;
}

/*
 * Work on another thread. It belongs to the thread pool until `done`, the request to its connection: either may end
 * first, and then the other forgets it.
 */
struct offload {
    uv_work_t work;
    struct http_server *server;
    struct berth_request *request; /* NULL: over */
    void (*run)(void *data);
    berth_offload_done *done;
    void *data;
};

void reply_unhold(struct berth_reply *reply)
{
    void (*gone)(void *data) = reply->gone;

    if (reply->offload)
        reply->offload->request = NULL;
    reply->offload = NULL;
    reply->held = false;
    reply->gone = NULL;
    if (gone)
        gone(reply->gone_data);
}

static void offload_run(uv_work_t *work)
{
    struct offload *offload = (struct offload *)work;

    offload->run(offload->data);
}

static void offload_answer(struct offload *offload, struct berth_request *request)
{
    struct berth_reply *reply = &request->reply;
    int r;

    /* As before a handler: it may reply, fail, or hold once more. */
    reply->offload = NULL;
    reply->held = false;
    r = offload->done(request, reply, offload->data);
    if (r != 0 && reply->stream)
        berth_stream_cut(reply->stream);
    if (request->state != REQUEST_HELD || (r == 0 && reply->held))
        return;
    reply_unhold(reply);
    if (r == 0)
        log_error("%s %s: the work that was offloaded ended without a reply", request->method, request->target.path);
    reply_forget_fields(reply);
    if (problem_reply(reply, r == 0 ? 500 : problem_status(r), request->detail) < 0)
        connection_abandon(request->connection);
}

static void offload_ended(uv_work_t *work, int status)
{
    struct offload *offload = (struct offload *)work;

    (void)status;
    if (offload->request)
        offload_answer(offload, offload->request);
    else
        offload->done(NULL, NULL, offload->data);
    http_server_end_work(offload->server);
    free(offload);
}

int berth_offload(struct berth_reply *reply, void (*work)(void *data), berth_offload_done *done, void *data)
{
    struct berth_request *request = reply_request(reply);
    struct offload *offload;
    int r;

    if (reply_is_answered(reply) || reply->held)
        return -EALREADY;
    offload = calloc(1, sizeof(*offload));
    if (!offload)
        return -ENOMEM;
    *offload = (struct offload){
        .server = request->connection->server, .request = request, .run = work, .done = done, .data = data
    };
    r = uv_queue_work(offload->server->loop, &offload->work, offload_run, offload_ended);
    if (r < 0) {
        free(offload);
        return r;
    }
    offload->server->work_count++;
    reply->held = true;
    reply->offload = offload;
    return 0;
}
