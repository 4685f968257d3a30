#include "http/daemon.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "http/connection.h"
#include "http/exchange.h"
#include "http/head.h"
#include "http/library.h"
#include "http/quiet.h"

/* A daemon that goes on in so many turns in a row and gets nowhere is given one every so many milliseconds. */
#define DAEMON_IDLE_TURNS_MAX 16
#define DAEMON_STUCK_MS       50

/* Runs in a row, and the time that they may take together, before the rest of the loop has its turn. */
#define DAEMON_RUNS_MAX 8
#define DAEMON_RUNS_MS  1

#if MHD_VERSION >= 0x00097701
#define STRICTNESS MHD_OPTION_CLIENT_DISCIPLINE_LVL
#else
#define STRICTNESS MHD_OPTION_STRICT_FOR_CLIENT
#endif

/* libmicrohttpd would decode %2F into a separator and cut at %00: target.c decodes, so here nothing is. */
static size_t leave_encoded(void *context, struct MHD_Connection *mhd, char *text)
{
    size_t size = 0;

    (void)context;
    (void)mhd;
    while (text[size])
        size++;
    return size;
}

static unsigned int connections_max(const struct settings *settings)
{
    return settings->limit_connections + DAEMON_RESERVE;
}

/* A daemon looks for room only at the beginning of a run, and finds that there is some at the end. */
static void wake_full(struct http_server *server)
{
    for (struct daemon *daemon = server->daemons; daemon; daemon = daemon->next)
        if (daemon->full) {
            daemon->full = false;
            daemon_wake(daemon);
        }
}

static void connection_changed(void *context, struct MHD_Connection *mhd, void **socket_context,
                               enum MHD_ConnectionNotificationCode what)
{
    struct daemon *daemon = context;

    daemon->server->moves++;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        *socket_context = connection_new(daemon, mhd);
        if (++daemon->connection_count == connections_max(daemon->server->settings))
            daemon->full = true;
        return;
    }
    if (*socket_context) {
        library_closes(*socket_context);
        connection_free(*socket_context);
    }
    daemon->connection_count--;
    wake_full(daemon->server);
}

static unsigned int stalled_seconds(const struct settings *settings)
{
    unsigned int ms = settings->keep_alive_ms;

    if (settings->header_ms > ms)
        ms = settings->header_ms;
    if (settings->body_ms > ms)
        ms = settings->body_ms;
    ms = ms / 1000 + 2;
    return ms > DAEMON_STALLED_SECONDS ? ms : DAEMON_STALLED_SECONDS;
}

/* MHD_USE_TURBO: it closes without shutdown(2), on which takeover.c rests, and reads at once what it has accepted.
 * The worker ignores SIGPIPE. Not told so, libmicrohttpd would use neither sendfile nor one call for head and body. */
static struct MHD_Daemon *start_library(struct daemon *daemon)
{
    const struct settings *settings = daemon->server->settings;

    return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO | MHD_USE_ERROR_LOG, 0, NULL, NULL,
                            exchange_continue, daemon,                                                  //
                            MHD_OPTION_EXTERNAL_LOGGER, library_says, daemon,                           //
                            MHD_OPTION_LISTEN_SOCKET, daemon->fd,                                       //
                            MHD_OPTION_CONNECTION_LIMIT, connections_max(settings),                     //
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, head_pool_size(settings->limit_header), //
                            MHD_OPTION_CONNECTION_TIMEOUT, stalled_seconds(settings),                   //
                            MHD_OPTION_NOTIFY_CONNECTION, connection_changed, daemon,                   //
                            MHD_OPTION_NOTIFY_COMPLETED, exchange_completed, daemon,                    //
                            MHD_OPTION_URI_LOG_CALLBACK, exchange_begin, daemon,                        //
                            MHD_OPTION_UNESCAPE_CALLBACK, leave_encoded, NULL,                          //
                            MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,                                       //
                            STRICTNESS, 1, MHD_OPTION_END);
}

static void on_readable(uv_poll_t *poll, int status, int events);

static void on_timer(uv_timer_t *timer)
{
    struct daemon *daemon = timer->data;

    if (daemon->full && !uv_is_active((uv_handle_t *)&daemon->poll) && daemon->fd >= 0) {
        daemon->full = false;
        uv_poll_start(&daemon->poll, UV_READABLE, on_readable);
    }
    daemon_run(daemon);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct daemon *daemon = poll->data;
    struct http_server *server = daemon->server;
    unsigned int runs = 0;
    uint64_t answered;

    (void)status;
    (void)events;
    /* Where many ask, more have come by the time that some are answered: to look again costs less than to go back to
     * the loop, which would look at the epoll fd and then have it looked into. */
    do {
        answered = server->request_count;
        daemon_run(daemon);
    } while (server->request_count > answered + 1 && ++runs < DAEMON_RUNS_MAX &&
             server->clock / 1000000 <= uv_now(server->loop) + DAEMON_RUNS_MS);
}

static void on_idle(uv_idle_t *idle)
{
    uv_idle_stop(idle);
    daemon_run(idle->data);
}

/* In the loop's next turn, so that all else has its turn as well: a timer of no delay would be run again at once. */
void daemon_wake(struct daemon *daemon)
{
    uv_idle_start(&daemon->idle, on_idle);
}

/* Those with a timeout of their own are looked at in every run. */
void daemon_close_soon(struct daemon *daemon, struct MHD_Connection *mhd)
{
    MHD_set_connection_option(mhd, MHD_CONNECTION_OPTION_TIMEOUT, stalled_seconds(daemon->server->settings) + 1);
    daemon_wake(daemon);
}

/*
 * libmicrohttpd wants to go on at once. Over what it can do nothing about (a chunk's extension that fills its buffer)
 * it wants that for ever, until our deadline: then it gets a turn now and then.
 */
static void go_on(struct daemon *daemon)
{
    if (daemon->moves != daemon->server->moves)
        daemon->idle_turns = 0;
    daemon->moves = daemon->server->moves;
    if (++daemon->idle_turns < DAEMON_IDLE_TURNS_MAX)
        daemon_wake(daemon);
    else
        uv_timer_start(&daemon->timer, on_timer, DAEMON_STUCK_MS, 0);
}

/* Without a descriptor and without a connection whose end would bring one, libmicrohttpd would try for ever. */
static bool starves(const struct daemon *daemon)
{
    return daemon->full && daemon->connection_count == 0;
}

void daemon_run(struct daemon *daemon)
{
    MHD_UNSIGNED_LONG_LONG ms;

    daemon->server->clock = uv_hrtime();
    MHD_run(daemon->mhd);
    quiet_turn_over(daemon->server);
    if (starves(daemon)) {
        uv_poll_stop(&daemon->poll);
        uv_timer_start(&daemon->timer, on_timer, DAEMON_STUCK_MS, 0);
        return;
    }
    if (MHD_get_timeout(daemon->mhd, &ms) != MHD_YES)
        return;
    /* A timer that is due earlier than need be finds that out and starts again: cheaper than to move it at each
     * request. */
    if (ms == 0)
        go_on(daemon);
    else if (!uv_is_active((uv_handle_t *)&daemon->timer))
        uv_timer_start(&daemon->timer, on_timer, ms, 0);
}

static void handle_closed(uv_handle_t *handle)
{
    struct daemon *daemon = handle->data;

    if (--daemon->open_handles == 0)
        free(daemon);
}

static int watch(struct daemon *daemon)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon->mhd, MHD_DAEMON_INFO_EPOLL_FD);

    if (!info || uv_poll_init(daemon->server->loop, &daemon->poll, info->epoll_fd) < 0)
        return -1;
    uv_timer_init(daemon->server->loop, &daemon->timer);
    uv_idle_init(daemon->server->loop, &daemon->idle);
    daemon->poll.data = daemon->timer.data = daemon->idle.data = daemon;
    daemon->open_handles = 3;
    uv_poll_start(&daemon->poll, UV_READABLE, on_readable); /* fails for handles that are closing alone */
    return 0;
}

struct daemon *daemon_new(struct http_server *server, int fd, const char *name)
{
    struct daemon *daemon = calloc(1, sizeof(*daemon));

    if (!daemon)
        return NULL;
    daemon->server = server;
    daemon->fd = fd;
    daemon->name = name;
    daemon->mhd = start_library(daemon);
    if (!daemon->mhd)
        goto fail;
    if (watch(daemon) < 0)
        goto fail;
    daemon_wake(daemon); /* its first run puts the listener into its epoll */
    return daemon;

fail:
    if (daemon->mhd) {
        MHD_quiesce_daemon(daemon->mhd);
        MHD_stop_daemon(daemon->mhd);
    }
    free(daemon);
    return NULL;
}

void daemon_quiesce(struct daemon *daemon)
{
    uint64_t accepted;

    /* Whoever is in the queue is accepted, so that nobody who managed to connect is turned away; a run accepts a few.
     */
    do {
        accepted = daemon->server->accepted_count;
        daemon_run(daemon);
    } while (daemon->server->accepted_count != accepted);
    MHD_quiesce_daemon(daemon->mhd);
    /* Closed at once: when all who had it have closed it, connecting fails instead of waiting for nobody. */
    close(daemon->fd);
    daemon->fd = -1;
    daemon_wake(daemon);
}

void daemon_free(struct daemon *daemon)
{
    if (daemon->fd >= 0)
        daemon_quiesce(daemon);
    uv_poll_stop(&daemon->poll);
    MHD_stop_daemon(daemon->mhd);
    uv_close((uv_handle_t *)&daemon->poll, handle_closed);
    uv_close((uv_handle_t *)&daemon->timer, handle_closed);
    uv_close((uv_handle_t *)&daemon->idle, handle_closed);
}
