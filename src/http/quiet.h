/*
 * Connections of which libmicrohttpd's epoll does not say that they can be written to.
 *
 * libmicrohttpd asks for both directions at once, edge-triggered. A client that takes its reply makes room, and that is
 * an event: with small replies one for each request, with nothing left to write, and often a wake-up for it alone. So
 * a connection whose replies leave in one turn is asked for its requests only: it is quiet. One whose reply does
 * not leave in its turn needs the event, and gets it back before anybody goes to sleep.
 *
 * What this rests on, on every libmicrohttpd that we build with: the epoll entry of a connection carries the pointer to
 * its MHD_Connection, and it is made with all events and not touched again until it goes. tests/system/63-quiet.sh.
 */
#ifndef BERTH_HTTP_QUIET_H
#define BERTH_HTTP_QUIET_H

struct connection;
struct http_server;

/* Its reply was handed to libmicrohttpd. */
void quiet_answered(struct connection *connection);

/* And has left. */
void quiet_completed(struct connection *connection);

/* libmicrohttpd has ended its turn with all connections. */
void quiet_turn_over(struct http_server *server);

/* It is closed. */
void quiet_forget(struct connection *connection);

/* libmicrohttpd may have something to write to it that is no reply: it is not quiet until its request is over. */
void quiet_break(struct connection *connection);

#endif
