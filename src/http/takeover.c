#include "http/takeover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "access/quota.h"
#include "common/log.h"
#include "http/connection.h"
#include "http/exchange.h"
#include "http/reply.h"
#include "http/server.h"
#include "socket/names.h"

/* So much is kept of a target and of a User-Agent: more than the access log shows. */
#define TEXT_MAX 1100

/* What the client sent although nobody reads it is thrown away before closing, since the client would see a reset in
 * place of the end. */
#define DISCARD_SIZE  4096
#define DISCARD_TURNS 16

/* The access log's line is written when all is over, and the request has gone long before: a copy of what it needs. */
struct takeover_record {
    const struct berth_route *route; /* these two live as long as the router */
    const struct http_application *application;
    struct peer_names *names;
    uint64_t started_at;
    uid_t uid;
    gid_t gid;
    pid_t pid;
    unsigned int status;
    unsigned int user_place; /* as the connection's */
    bool proxied;
    unsigned short method, client, user_agent; /* where in `texts`; 0, where the target begins: no User-Agent */
    char texts[];
};

bool takeover_is_head(const struct berth_reply *reply)
{
    return strcmp(reply_request_const(reply)->method, "HEAD") == 0;
}

/* A body of unknown size that has already ended. */
static ssize_t ends_at_once(void *context, uint64_t offset, char *buffer, size_t room)
{
    (void)context;
    (void)offset;
    (void)buffer;
    (void)room;
    return MHD_CONTENT_READER_END_OF_STREAM;
}

/* Not chunked, and ending with its connection: what is still called HTTP/1.1 in the status line. */
static struct MHD_Response *make_response(void)
{
    struct MHD_Response *response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 1024, ends_at_once, NULL, NULL);

    if (!response)
        return NULL;
    if (MHD_set_response_options(response, MHD_RF_HTTP_VERSION_1_0_ONLY, MHD_RO_END) == MHD_YES &&
        MHD_add_response_header(response, "Cache-Control", "no-store") == MHD_YES &&
        MHD_add_response_header(response, "X-Accel-Buffering", "no") == MHD_YES)
        return response;
    MHD_destroy_response(response);
    return NULL;
}

int takeover_reply(struct berth_reply *reply, const char *type, struct takeover *takeover,
                   const struct takeover_owner *owner)
{
    struct connection *connection = reply_request(reply)->connection;
    int fd, r;

    if (reply_is_answered(reply))
        return -EALREADY;
    r = connection_stream_begin(connection);
    if (r < 0)
        return r;
    fd = fcntl(connection->fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0) {
        r = -errno;
        quota_stream_end(connection->quota);
        return r;
    }
    *takeover = (struct takeover){ .owner = owner, .server = connection->server, .quota = connection->quota, .fd = fd };
    reply->takeover = takeover;
    r = reply_take(reply, 200, type, make_response(), 0);
    if (r < 0) {
        reply->takeover = NULL;
        quota_stream_end(connection->quota);
        close(fd);
        takeover->fd = -1;
    }
    return r;
}

static size_t copy_text(char *to, const char *text)
{
    size_t size = strnlen(text, TEXT_MAX);

    memcpy(to, text, size);
    to[size] = '\0';
    return size + 1;
}

static struct takeover_record *make_record(const struct berth_request *request)
{
    const struct berth_peer *peer = &request->connection->peer;
    const char *target = request->target.raw, *agent = request->user_agent;
    const char *client = berth_request_client(request);
    size_t size = strnlen(target, TEXT_MAX) + strnlen(request->method, TEXT_MAX) + strnlen(client, TEXT_MAX) + 3 +
                  (agent ? strnlen(agent, TEXT_MAX) + 1 : 0);
    struct takeover_record *record = malloc(sizeof(*record) + size);
    size_t end;

    if (!record)
        return NULL;
    *record = (struct takeover_record){
        .route = request->match.route,
        .application = request->match.owner,
        .names = names_take(peer->uid, peer->gid),
        .started_at = request->started_at,
        .uid = peer->uid,
        .gid = peer->gid,
        .pid = peer->pid,
        .proxied = peer->proxied,
        .status = request->reply.status,
    };
    if (!record->names) {
        free(record);
        return NULL;
    }
    end = copy_text(record->texts, target);
    record->method = (unsigned short)end;
    end += copy_text(record->texts + end, request->method);
    record->client = (unsigned short)end;
    end += copy_text(record->texts + end, client);
    if (agent) {
        record->user_agent = (unsigned short)end;
        copy_text(record->texts + end, agent);
    }
    return record;
}

/* Between libmicrohttpd's letting go of the connection and our taking it, it counts as two: never as none. */
static void list_add(struct takeover *takeover)
{
    struct http_server *server = takeover->server;

    takeover->next = server->takeovers;
    takeover->previous = NULL;
    if (server->takeovers)
        server->takeovers->previous = takeover;
    server->takeovers = takeover;
    server->connection_count++;
    counters_more(server->counters, COUNTERS_CONNECTIONS);
    quota_keep(takeover->quota);
    takeover->record->user_place = counters_user_enter(server->counters, takeover->record->uid);
}

static void list_remove(struct takeover *takeover)
{
    struct http_server *server = takeover->server;

    if (takeover->previous)
        takeover->previous->next = takeover->next;
    else
        server->takeovers = takeover->next;
    if (takeover->next)
        takeover->next->previous = takeover->previous;
    counters_fewer(server->counters, COUNTERS_CONNECTIONS);
    if (--server->connection_count == 0 && server->on_activity)
        server->on_activity(server);
}

bool takeover_settle(struct berth_request *request, bool complete)
{
    struct takeover *takeover = request->reply.takeover;

    if (!takeover)
        return false;
    request->reply.takeover = NULL;
    if (complete && !takeover_is_head(&request->reply))
        takeover->record = make_record(request);
    if (!takeover->record) {
        takeover->owner->lost(takeover);
        return false;
    }
    list_add(takeover);
    takeover->owner->begin(takeover, takeover->server->draining);
    return true;
}

static void write_record(const struct takeover *takeover, bool complete)
{
    const struct takeover_record *copy = takeover->record;
    struct berth_peer peer = {
        .uid = copy->uid,
        .gid = copy->gid,
        .pid = copy->pid,
        .proxied = copy->proxied,
        .berth_fd = -1,
        .berth_pidfd = -1,
        .berth_names = copy->names,
    };
    struct http_record record = {
        .peer = &peer,
        .route = copy->route,
        .root = copy->application->root,
        .method = copy->texts + copy->method,
        .target = copy->texts,
        .client = copy->texts + copy->client,
        .user_agent = copy->user_agent ? copy->texts + copy->user_agent : NULL,
        .status = copy->status,
        .bytes = takeover->bytes,
        .nanoseconds = uv_hrtime() - copy->started_at,
        .complete = complete,
    };

    exchange_record(takeover->server, &record, copy->application);
}

static void close_quietly(int fd)
{
    char bytes[DISCARD_SIZE];

    for (int turn = 0; turn < DISCARD_TURNS && recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0; turn++)
        ;
    close(fd);
}

void takeover_end(struct takeover *takeover, bool complete)
{
    if (takeover->fd < 0)
        return;
    quota_stream_end(takeover->quota);
    if (!takeover->record) {
        close(takeover->fd);
        takeover->fd = -1;
        return;
    }
    close_quietly(takeover->fd);
    takeover->fd = -1;
    write_record(takeover, complete);
    counters_user_leave(takeover->server->counters, takeover->record->user_place);
    quota_leave(takeover->quota);
    names_release(takeover->record->names);
    free(takeover->record);
    takeover->record = NULL;
    list_remove(takeover);
}

/* Ending one takes it out of the list, and may end no other. */
void takeover_drain_all(struct http_server *server)
{
    struct takeover *next;

    for (struct takeover *takeover = server->takeovers; takeover; takeover = next) {
        next = takeover->next;
        takeover->owner->drain(takeover);
    }
}

void takeover_end_all(struct http_server *server)
{
    while (server->takeovers)
        server->takeovers->owner->lost(server->takeovers);
}
