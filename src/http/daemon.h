/*
 * One libmicrohttpd daemon under libuv: for one listener, single-threaded, in external mode with epoll.
 */
#ifndef BERTH_HTTP_DAEMON_H
#define BERTH_HTTP_DAEMON_H

#include <microhttpd.h>
#include <uv.h>

#include "http/server.h"

/* Above --limit-connections libmicrohttpd accepts so many more, for them to be told 503 rather than to hang. */
#define DAEMON_RESERVE 64

/* A client that takes no byte of its reply for so long is cut; so is, much later than by our own deadlines, whatever
 * they missed. */
#define DAEMON_STALLED_SECONDS 60

struct daemon {
    struct daemon *next;
    struct http_server *server;
    struct MHD_Daemon *mhd;
    int fd;                      /* the listener; -1: quiesced */
    const char *name;            /* the listener's, for rules */
    unsigned int library_status; /* what libmicrohttpd answers by itself now; 0: nothing. library.c */
    uv_poll_t poll;              /* of the daemon's epoll fd */
    uv_timer_t timer;            /* of what libmicrohttpd wants to do later */
    uv_idle_t idle;              /* active: it wants to go on in the loop's next turn */
    unsigned int idle_turns;     /* how often it has wanted so in a row without getting anywhere */
    uint64_t moves;              /* server->moves then */
    size_t connection_count;
    bool full; /* accepts nobody, for want of connections or descriptors */
    int open_handles;
};

/* NULL if libmicrohttpd refuses or memory is out; then the fd stays the caller's. */
struct daemon *daemon_new(struct http_server *server, int fd, const char *name);

/* Lets it run soon, once: for resumed connections, which make no noise in its epoll fd. */
void daemon_wake(struct daemon *daemon);

/* A connection has ended, perhaps while its body was asked for: libmicrohttpd (0.9.75) would look at it again, and
 * close it, only when all that were quiet for longer are gone. This has it look at the next run. */
void daemon_close_soon(struct daemon *daemon, struct MHD_Connection *mhd);

/* Runs it now: accepts, reads, calls handlers, writes, as far as that goes without blocking. */
void daemon_run(struct daemon *daemon);

/* Accepts all who are waiting, then closes the listener. */
void daemon_quiesce(struct daemon *daemon);

/* Stops a daemon that was quiesced and has no connections any more; it is freed when libuv has closed its handles. */
void daemon_free(struct daemon *daemon);

#endif
