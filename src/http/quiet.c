#include "http/quiet.h"

#include <sys/epoll.h>

#include "http/connection.h"
#include "http/daemon.h"
#include "http/server.h"

#define EVENTS_QUIET (EPOLLIN | EPOLLPRI | EPOLLET)

/* After so many prompt replies in a row: a change of events costs as much as a few of them save. */
#define QUIET_AFTER 8

/* Not there is not wrong: libmicrohttpd enters a new or resumed connection, with all events, once it has read it empty.
 * An edge that was missed meanwhile is not: the kernel looks anew. */
static int set_events(const struct connection *connection, uint32_t events)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(connection->daemon->mhd, MHD_DAEMON_INFO_EPOLL_FD);
    struct epoll_event event = { .events = events, .data.ptr = connection->mhd };

    return info ? epoll_ctl(info->epoll_fd, EPOLL_CTL_MOD, connection->fd, &event) : -1;
}

void quiet_break(struct connection *connection)
{
    connection->prompt_replies = 0;
    if (!connection->quiet)
        return;
    connection->quiet = false;
    if (set_events(connection, EVENTS_QUIET | EPOLLOUT) < 0)
        connection_cut(connection);
}

void quiet_turn_over(struct http_server *server)
{
    if (server->answering)
        quiet_break(server->answering);
    server->answering = NULL;
}

/* libmicrohttpd goes through its connections one by one: when the next one is answered, the turn of the last is over.
 */
void quiet_answered(struct connection *connection)
{
    struct http_server *server = connection->server;

    if (server->answering != connection)
        quiet_turn_over(server);
    server->answering = connection;
}

void quiet_forget(struct connection *connection)
{
    if (connection->server->answering == connection)
        connection->server->answering = NULL;
}

void quiet_completed(struct connection *connection)
{
    quiet_forget(connection);
    if (!connection->quiet && ++connection->prompt_replies >= QUIET_AFTER)
        connection->quiet = set_events(connection, EVENTS_QUIET) == 0;
}
