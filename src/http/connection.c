#include "http/connection.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "access/quota.h"
#include "common/log.h"
#include "http/daemon.h"
#include "http/exchange.h"
#include "http/quiet.h"
#include "http/stream.h"
#include "socket/peer.h"

#define HANGUP_BATCH 64

static struct connection *waiter_connection(struct names_waiter *waiter)
{
    return (struct connection *)((char *)waiter - offsetof(struct connection, naming));
}

static void names_found(struct names_waiter *waiter)
{
    connection_resume(waiter_connection(waiter));
}

static void list_add(struct connection *connection)
{
    struct http_server *server = connection->server;

    connection->next = server->connections;
    if (server->connections)
        server->connections->previous = connection;
    server->connections = connection;
    counters_more(server->counters, COUNTERS_CONNECTIONS);
    server->accepted_count++;
    if (server->connection_count++ == 0 && server->on_activity)
        server->on_activity(server);
}

static void list_remove(struct connection *connection)
{
    struct http_server *server = connection->server;

    if (connection->previous)
        connection->previous->next = connection->next;
    else
        server->connections = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    counters_fewer(server->counters, COUNTERS_CONNECTIONS);
    if (--server->connection_count == 0 && server->on_activity)
        server->on_activity(server);
}

void connection_count_denial(struct connection *connection, enum counters_denial why)
{
    counters_add(&connection->server->counters->figures[COUNTERS_DENIED + why], 1);
}

int connection_stream_begin(struct connection *connection)
{
    if (quota_stream_begin(connection->quota))
        return 0;
    connection_count_denial(connection, COUNTERS_DENIAL_STREAMS);
    return request_fail(&connection->request, -EUSERS,
                        "the limit of one user's streams at a time is %u here; --limit-user-streams sets it",
                        connection->server->settings->limit_user_streams);
}

/* Counts it as its user's. Whether it may stay: of those who have too many, so many are told so when they ask, and the
 * others at once. A trusted proxy's are everybody's. */
static bool enter_quota(struct connection *connection)
{
    struct http_server *server = connection->server;
    int r = 0;

    if (server->quotas && !connection->peer.proxied)
        r = quota_enter(server->quotas, connection->peer.uid, server->clock, &connection->quota);
    if (r == -EUSERS || r == -EDQUOT) {
        connection->refused = connection->excess = true;
        connection_count_denial(connection, COUNTERS_DENIAL_CONNECTIONS);
    }
    if (r == -EDQUOT) {
        server->accepted_count++; /* there may be more in the queue */
        connection_last_word(connection, 503);
    }
    return r == 0 || r == -EUSERS;
}

struct connection *connection_new(struct daemon *daemon, struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct http_server *server = daemon->server;
    struct connection *connection = calloc(1, sizeof(*connection));

    if (!connection || peer_init(&connection->peer, info->connect_fd) < 0)
        goto fail;
    connection->peer.berth_names = names_take(connection->peer.uid, connection->peer.gid);
    if (!connection->peer.berth_names)
        goto fail_peer;
    connection->peer.proxied = proxies_trust(server->proxies, connection->peer.uid);
    connection->server = server;
    connection->daemon = daemon;
    connection->mhd = mhd;
    connection->fd = info->connect_fd;
    connection->naming.known = names_found;
    connection->refused = server->connection_count >= server->settings->limit_connections;
    request_init(&connection->request, connection);
    counters_add(&server->counters->figures[COUNTERS_ACCEPTED], 1);
    if (connection->refused)
        counters_add(&server->counters->figures[COUNTERS_REFUSED], 1);
    if (!enter_quota(connection))
        goto fail_quota;
    list_add(connection);
    connection->user_place = counters_user_enter(server->counters, connection->peer.uid);
    deadline_start(&server->deadlines, DEADLINE_HEAD, connection);
    return connection;

fail_quota:
    quota_leave(connection->quota);
    arena_reset(&connection->request.arena);
    names_release(connection->peer.berth_names);
fail_peer:
    peer_done(&connection->peer);
fail:
    if (!connection || !connection->excess)
        log_error("a connection is dropped: its peer is unknown, or memory is out");
    free(connection);
    shutdown(info->connect_fd, SHUT_RDWR);
    return NULL;
}

void connection_free(struct connection *connection)
{
    if (connection->lingers && !connection->cut)
        linger(&connection->server->lingers, connection->fd);
    request_reset(&connection->request);
    deadline_stop(connection);
    file_sending_stop(connection);
    quiet_forget(connection);
    list_remove(connection);
    counters_user_leave(connection->server->counters, connection->user_place);
    quota_leave(connection->quota);
    names_leave(connection->peer.berth_names, &connection->naming);
    names_release(connection->peer.berth_names);
    peer_done(&connection->peer);
    free(connection);
}

void connection_suspend(struct connection *connection)
{
    struct epoll_event event = { .events = 0,
                                 .data.ptr = connection }; /* EPOLLHUP always comes: both directions are shut */

    MHD_suspend_connection(connection->mhd);
    connection->suspended = true;
    connection->quiet = false; /* MHD enters it anew */
    if (epoll_ctl(connection->server->hangup_fd, EPOLL_CTL_ADD, connection->fd, &event) < 0)
        log_warning("a client's going away will not be noticed: %s", strerror(errno));
}

void connection_resume(struct connection *connection)
{
    if (!connection->suspended)
        return;
    connection->suspended = false;
    epoll_ctl(connection->server->hangup_fd, EPOLL_CTL_DEL, connection->fd, NULL);
    MHD_resume_connection(connection->mhd);
    daemon_wake(connection->daemon);
}

void connection_abandon(struct connection *connection)
{
    request_abandon(&connection->request);
    connection_resume(connection);
}

void connection_last_word(struct connection *connection, unsigned int status)
{
    const char *title = MHD_get_reason_phrase_for(status);
    char body[128], text[512];
    int size;

    if (connection->request.state > REQUEST_BODY)
        return;
    size =
        snprintf(body, sizeof(body), "{\"type\": \"about:blank\", \"title\": \"%s\", \"status\": %u}\n", title, status);
    size = snprintf(text, sizeof(text),
                    "HTTP/1.1 %u %s\r\nContent-Type: application/problem+json\r\nContent-Length: %d\r\n"
                    "%sConnection: close\r\n\r\n%s",
                    status, title, size, status == 503 ? "Retry-After: 1\r\n" : "", body);
    /* A client whose receive buffer is so full that this does not fit has not read what it asked for either. */
    if (send(connection->fd, text, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        log_debug("a client left before it could be told %u %s", status, title);
}

/* On a Unix socket the client's next send(2) fails with EPIPE from here on, so it knows that its request was not taken;
 * one that was sent before is still read, and answered. */
void connection_stop_reading(struct connection *connection)
{
    shutdown(connection->fd, SHUT_RD);
}

/* What is still to be read goes as well: libmicrohttpd would read on to its end, and does not watch who has more. */
void connection_cut(struct connection *connection)
{
    char rest[4096];

    connection->cut = true;
    shutdown(connection->fd, SHUT_RDWR);
    while (recv(connection->fd, rest, sizeof(rest), MSG_DONTWAIT) > 0)
        ;
    /* Whose request filled libmicrohttpd's buffer at once is not in its epoll yet: no event would tell it. */
    MHD_set_connection_option(connection->mhd, MHD_CONNECTION_OPTION_TIMEOUT, 1U);
    daemon_wake(connection->daemon);
}

static void hung_up(uv_poll_t *poll, int status, int events)
{
    struct http_server *server = poll->data;
    struct epoll_event found[HANGUP_BATCH];
    int count = epoll_wait(server->hangup_fd, found, HANGUP_BATCH, 0);

    (void)status;
    (void)events;
    /* Abandoning one takes it out of the watch and frees nothing: the others stay valid. */
    for (int i = 0; i < count; i++)
        if (found[i].events & (EPOLLHUP | EPOLLERR))
            connection_abandon(found[i].data.ptr);
        else
            stream_continue(found[i].data.ptr);
}

int hangup_init(struct http_server *server)
{
    int r;

    server->hangup_fd = epoll_create1(EPOLL_CLOEXEC);
    if (server->hangup_fd < 0)
        return -errno;
    r = uv_poll_init(server->loop, &server->hangup_poll, server->hangup_fd);
    if (r < 0) {
        close(server->hangup_fd);
        server->hangup_fd = -1;
        return r;
    }
    server->hangup_poll.data = server;
    return uv_poll_start(&server->hangup_poll, UV_READABLE, hung_up);
}

void hangup_done(struct http_server *server)
{
    uv_poll_stop(&server->hangup_poll);
    uv_close((uv_handle_t *)&server->hangup_poll, NULL);
    close(server->hangup_fd);
    server->hangup_fd = -1;
}
