#include "http/server.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "access/quota.h"
#include "common/log.h"
#include "http/connection.h"
#include "http/daemon.h"
#include "http/takeover.h"

/* A daemon closes a connection in one or two runs after it was cut; this many would be a mistake of ours. */
#define CLOSE_RUNS_MAX 100

/* While we drain, a kept connection without a request is closed after this long: a proxy keeps its own for minutes, and
 * one that is in use gets its Connection: close with the next reply. */
#define DRAIN_IDLE_MS 1000

static void run_all(struct http_server *server)
{
    for (struct daemon *daemon = server->daemons; daemon; daemon = daemon->next)
        daemon_run(daemon);
}

static void read_all(struct deadlines *deadlines)
{
    run_all((struct http_server *)((char *)deadlines - offsetof(struct http_server, deadlines)));
}

int http_server_open(struct http_server *server)
{
    const struct settings *settings = server->settings;
    struct quota_limits limits = {
        .connections = settings->limit_user_connections,
        .rate = settings->limit_user_rate,
        .streams = settings->limit_user_streams,
    };
    int r = quotas_new(&limits, &server->quotas);

    if (r < 0)
        return r;
    deadlines_init(&server->deadlines, server->loop);
    server->deadlines.look = read_all;
    server->deadlines.lists[DEADLINE_HEAD].ms = settings->header_ms;
    server->deadlines.lists[DEADLINE_IDLE].ms = settings->keep_alive_ms;
    server->deadlines.lists[DEADLINE_BODY].ms = settings->body_ms;
    server->deadlines.lists[DEADLINE_STALLED].ms = DAEMON_STALLED_SECONDS * 1000;
    streams_init(&server->streams, server->loop, settings->heartbeat_ms);
    file_watch_init(&server->files, server->loop);
    r = lingers_init(&server->lingers, server->loop);
    return r < 0 ? r : hangup_init(server);
}

int http_server_listen(struct http_server *server, int fd, const char *name)
{
    struct daemon *daemon = daemon_new(server, fd, name);

    if (!daemon)
        return -EIO;
    daemon->next = server->daemons;
    server->daemons = daemon;
    return 0;
}

void http_server_drain(struct http_server *server)
{
    if (server->draining)
        return;
    server->draining = true;
    for (struct daemon *daemon = server->daemons; daemon; daemon = daemon->next)
        daemon_quiesce(daemon);
    deadlines_shorten(&server->deadlines, DEADLINE_IDLE, DRAIN_IDLE_MS);
    streams_drain(&server->streams);
    takeover_drain_all(server);
}

const char *http_library_version(void)
{
    return MHD_get_version();
}

bool http_server_is_idle(const struct http_server *server)
{
    return server->connection_count == 0 && server->work_count == 0;
}

void http_server_end_work(struct http_server *server)
{
    if (--server->work_count == 0 && server->on_activity)
        server->on_activity(server);
}

static void abandon_all(struct http_server *server)
{
    for (struct connection *connection = server->connections; connection; connection = connection->next) {
        connection_abandon(connection);
        connection_cut(connection);
    }
    for (int run = 0; server->connections && run < CLOSE_RUNS_MAX; run++)
        run_all(server);
}

void http_server_close(struct http_server *server)
{
    http_server_drain(server);
    abandon_all(server);
    takeover_end_all(server);
    if (server->connections)
        log_error("%zu connections would not close", server->connection_count);
    while (server->daemons) {
        struct daemon *daemon = server->daemons;

        server->daemons = daemon->next;
        daemon_free(daemon);
    }
    quotas_free(server->quotas);
    hangup_done(server);
    lingers_done(&server->lingers);
    file_watch_done(&server->files);
    streams_done(&server->streams);
    deadlines_done(&server->deadlines);
}
