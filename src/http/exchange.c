#include "http/exchange.h"

#include <errno.h>
#include <string.h>

#include "common/log.h"
#include "http/connection.h"
#include "http/daemon.h"
#include "http/head.h"
#include "http/hold.h"
#include "http/library.h"
#include "http/problem.h"
#include "http/quiet.h"
#include "http/reply.h"
#include "http/stream.h"
#include "http/takeover.h"

/* So much of a body that was refused half-way is still read, so that the client gets to read why. */
#define DISCARD_MAX (4 * 1024 * 1024)

void *exchange_begin(void *daemon, const char *target, struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct connection *connection = info->socket_context;

    (void)daemon;
    if (!connection)
        return NULL;
    connection->server->moves++;
    if (connection->kept)
        deadline_start(&connection->server->deadlines, DEADLINE_HEAD, connection);
    request_begin(&connection->request, target);
    return &connection->request;
}

/* HEAD, 204 and 304 announce a body and send none. */
static bool reply_has_body(const struct berth_request *request)
{
    unsigned int status = request->reply.status;

    return status != 204 && status != 304 && strcmp(request->method, "HEAD") != 0;
}

/* Hands the reply to libmicrohttpd. */
static enum MHD_Result send_reply(struct berth_request *request)
{
    struct berth_reply *reply = &request->reply;
    enum MHD_Result result;

    request->state = REQUEST_ANSWERED;
    result = MHD_queue_response(request->connection->mhd, reply->status, reply->response);
    if (reply->file_fd >= 0 && reply_has_body(request))
        file_sending_start(request->connection, reply->file_fd, reply->file_end);
    quiet_answered(request->connection);
    reply_release(reply);
    return result;
}

/* Answers with an error; without memory for that, the connection is closed. */
static enum MHD_Result refuse(struct berth_request *request, unsigned int status)
{
    reply_forget_fields(&request->reply);
    if (problem_reply(&request->reply, status, request->detail) < 0) {
        log_error("a connection is closed without an answer: there is no memory for a %u", status);
        return MHD_NO;
    }
    return send_reply(request);
}

static enum MHD_Result exchange_head(struct berth_request *request, const char *method, const char *version)
{
    struct connection *connection = request->connection;
    struct head head;
    unsigned int status;

    request->method = method;
    request->http_1_1 = strcmp(version, MHD_HTTP_VERSION_1_1) == 0;
    request->state = REQUEST_BODY;
    deadline_stop(connection);
    status = head_check(request, version, &head);
    if (status == 0)
        status = head_route(request, &head);

    /*
     * Refused now, before an upload, libmicrohttpd closes the connection behind the reply. So only what is refused for
     * its form, or has a body still to come, is answered here; the rest waits for its turn and keeps the connection.
     */
    connection->lingers = status != 0 && head.body;
    if (status != 0 && head.no_room) {
        connection_last_word(connection, status);
        request->reply.status = status; /* for the record */
        return MHD_NO;
    }
    if (status != 0 && (head.broken || head.body))
        return refuse(request, status);
    request->refusal = status;
    if (head.body) {
        deadline_start(&connection->server->deadlines, DEADLINE_BODY, connection);
        quiet_break(connection); /* a 100 (Continue) */
    }
    return MHD_YES;
}

static int body_take(struct berth_request *request, const char *bytes, size_t size)
{
    const struct berth_route *route = request->match.route;
    int r;

    if (size > request->body_limit - request->body_size)
        return -EMSGSIZE;
    r = route->body ? route->body(request, bytes, size) : buffer_add(&request->body, bytes, size, request->body_limit);
    if (r == 0)
        request->body_size += size;
    return r;
}

/*
 * A piece of the body. libmicrohttpd takes no reply in the middle of an upload: one that is refused here is told so
 * past it, at once, and then read on for a while, since closing with bytes unread could take the answer with it.
 */
static enum MHD_Result exchange_body(struct berth_request *request, const char *bytes, size_t size)
{
    int r;

    if (request->refusal == 0) {
        r = body_take(request, bytes, size);
        if (r == 0)
            return MHD_YES;
        request->refusal = problem_status(r);
        connection_last_word(request->connection, request->refusal);
        request->body_refused = true;
    }
    request->body_discarded += size;
    if (request->body_discarded <= DISCARD_MAX)
        return MHD_YES;
    request->connection->lingers = true;
    return MHD_NO;
}

static enum MHD_Result hold(struct berth_request *request, enum request_state state)
{
    request->state = state;
    if (state == REQUEST_HELD)
        counters_more(request->connection->server->counters, COUNTERS_HELD);
    connection_suspend(request->connection);
    return MHD_YES;
}

/* What a handler returned that is nobody's fault but its own. */
static void log_failure(const struct berth_request *request, int r)
{
    const char *target = request->target.raw, *path = request->match.route->path;

    if (request->reply.response)
        log_warning("%s %s: the handler of %s replied, and then returned %d: the reply stands", request->method, target,
                    path, r);
    else if (r < 0 && problem_status(r) >= 500)
        log_error("%s %s: the handler of %s failed: %s", request->method, target, path, strerror(-r));
    else if (r > 0 && problem_status(r) != (unsigned int)r)
        log_error("%s %s: the handler of %s returned %d, which is neither an errno nor an error's status",
                  request->method, target, path, r);
}

static enum MHD_Result call_handler(struct berth_request *request)
{
    struct berth_reply *reply = &request->reply;
    int r = request->match.route->handler(request, reply);

    if (r != 0 && reply->stream) { /* nothing of it was sent yet: the error is the answer */
        stream_over(reply->stream, -EPIPE);
        reply_release(reply);
    }
    if (r != 0)
        log_failure(request, r);
    if (reply->response)
        return send_reply(request);
    if (r != 0) {
        reply_unhold(reply); /* it may have asked to answer later before it failed: the error is the answer */
        return refuse(request, problem_status(r));
    }
    if (reply->held)
        return hold(request, REQUEST_HELD);
    log_error("%s %s: the handler of %s returned 0 without a reply", request->method, request->target.path,
              request->match.route->path);
    return refuse(request, 500);
}

/* The request is complete, and it is its turn to be answered. */
static enum MHD_Result exchange_answer(struct berth_request *request)
{
    struct connection *connection = request->connection;

    deadline_stop(connection);
    if (request->body_refused)
        return MHD_NO;
    if (!names_known(connection->peer.berth_names)) { /* a refusal waits as well: its line says who it was */
        names_wait(connection->peer.berth_names, &connection->naming);
        return hold(request, REQUEST_NAMING);
    }
    return request->refusal != 0 ? refuse(request, request->refusal) : call_handler(request);
}

enum MHD_Result exchange_continue(void *daemon, struct MHD_Connection *mhd, const char *url, const char *method,
                                  const char *version, const char *bytes, size_t *size, void **context)
{
    struct berth_request *request = *context;

    (void)daemon;
    (void)mhd;
    (void)url;
    if (!request)
        return MHD_NO;
    request->connection->server->moves++;
    switch (request->state) {
    case REQUEST_HEAD:
        return exchange_head(request, method, version);
    case REQUEST_BODY:
        if (*size > 0) {
            size_t piece = *size;

            *size = 0;
            return exchange_body(request, bytes, piece);
        }
        return exchange_answer(request);
    case REQUEST_NAMING:
        return exchange_answer(request);
    case REQUEST_ANSWERED:
        return send_reply(request);
    case REQUEST_NONE:
    case REQUEST_HELD:
    case REQUEST_ABANDONED:
        break;
    }
    return MHD_NO;
}

static uint64_t sent_bytes(const struct berth_request *request)
{
    return reply_has_body(request) ? request->reply.bytes : 0;
}

/* Each application's routes have rows of their own, in their order. */
static void count(struct http_server *server, const struct http_record *record, const struct http_application *owner)
{
    unsigned int row = COUNTERS_ROW_NONE;

    if (record->route)
        row = owner->first_row + (unsigned int)(record->route - owner->routes);
    counters_request(server->counters, row, record->status, record->bytes, record->nanoseconds);
}

void exchange_record(struct http_server *server, const struct http_record *record,
                     const struct http_application *application)
{
    server->request_count++;
    count(server, record, application);
    if (server->on_request)
        server->on_request(server, record);
}

static void record(struct http_server *server, const struct berth_request *request, bool complete)
{
    const struct berth_route *route = request->match.route;
    struct http_record record;

    server->clock = uv_hrtime();
    record = (struct http_record){
        .peer = &request->connection->peer,
        .route = route,
        .root = route ? berth_request_root(request) : NULL,
        .method = request->method ? request->method : "",
        .target = request->target.raw && !request->target_fault ? request->target.raw : "",
        .user_agent = request->user_agent,
        .client = berth_request_client(request),
        .status = request->reply.status,
        .bytes = request->method ? sent_bytes(request) : 0,
        .nanoseconds = server->clock - request->started_at,
        .complete = complete,
    };

    exchange_record(server, &record, request->match.owner);
}

void exchange_completed(void *context, struct MHD_Connection *mhd, void **request_context,
                        enum MHD_RequestTerminationCode how)
{
    struct daemon *daemon = context;
    struct http_server *server = daemon->server;
    struct berth_request *request = *request_context;
    bool complete = how == MHD_REQUEST_TERMINATED_COMPLETED_OK;

    if (!request)
        return;
    file_sending_stop(request->connection);
    if (!complete || request->reply.takeover || (request->reply.stream && !request->http_1_1))
        daemon_close_soon(daemon, mhd);
    if (request->reply.stream)
        stream_over(request->reply.stream, complete ? 0 : -EPIPE);
    if (request->reply.status == 0)
        request->reply.status = library_take_status(daemon);
    if (!takeover_settle(request, complete))
        record(server, request, complete);
    request_reset(request);
    quiet_completed(request->connection);
    request->connection->kept = true;
    deadline_start(&server->deadlines, DEADLINE_IDLE, request->connection);
}
