/*
 * HTTP as the worker sees it: one server for all listeners of this process, on one loop. Everything else in this
 * folder is behind it, libmicrohttpd included.
 */
#ifndef BERTH_HTTP_SERVER_H
#define BERTH_HTTP_SERVER_H

#include <stdbool.h>
#include <uv.h>

#include "access/proxies.h"
#include "access/rules.h"
#include "common/counters.h"
#include "common/settings.h"
#include "http/deadline.h"
#include "http/file.h"
#include "http/linger.h"
#include "http/router.h"
#include "http/stream.h"

struct connection;
struct daemon;
struct quotas;
struct takeover;

/* A request that is over, for the access log and the counters. Texts are valid during the call. */
struct http_record {
    const struct berth_peer *peer;
    const struct berth_route *route; /* NULL: none matched */
    const char *root;                /* of the route's application; NULL without a route */
    const char *method, *target;     /* "" where the head was not understood */
    const char *user_agent;          /* NULL: none */
    const char *client;              /* the address that the peer, a trusted proxy, told of; "": none */
    unsigned int status;             /* 0: ended without a reply */
    uint64_t bytes;                  /* of the reply's body */
    uint64_t nanoseconds;            /* from the request line to the end of the reply */
    bool complete;                   /* the reply was sent to its end */
};

struct http_server {
    /* the worker's to set before http_server_open; the callbacks may be NULL */
    uv_loop_t *loop;
    const struct settings *settings;
    const struct proxies *proxies;
    const struct router *router;                     /* owners are struct http_application */
    const struct http_application *ruled;            /* all of them, if any has rules; else NULL */
    struct counters_slot *counters;                  /* what this folder counts goes there */
    void (*on_activity)(struct http_server *server); /* http_server_is_idle may have changed */
    void (*on_request)(struct http_server *server, const struct http_record *record); /* a request is over */
    /* libmicrohttpd refused something by itself before it was a request of ours, so that on_request is not called for
     * it. Status 0: it closed the connection without an answer. */
    void (*on_library_error)(struct http_server *server, const struct berth_peer *peer, unsigned int status);

    /* to be read */
    size_t connection_count;
    uint64_t accepted_count;
    uint64_t moves;    /* grows with everything that a client or a handler does: whoever spins does not make it grow */
    size_t work_count; /* berth_offload's that are not done */
    uint64_t request_count; /* completed ones */
    bool draining;

    /* this folder's */
    struct connection *connections;
    struct quotas *quotas; /* NULL: no user has limits */
    struct takeover *takeovers;
    struct daemon *daemons;
    uint64_t clock;               /* uv_hrtime, when libmicrohttpd's turn began or when the last request was over */
    struct connection *answering; /* its reply is with libmicrohttpd, in this turn, and was not completed; quiet.c */
    struct streams streams;
    struct deadlines deadlines;
    struct file_watch files;
    struct lingers lingers;
    int hangup_fd;
    uv_poll_t hangup_poll;
};

/* What a route's owner is: where its application is mounted, and what its `start` stored. */
struct http_application {
    const struct http_application *next; /* in the worker */
    const char *mount;                   /* "" or "/x" */
    struct rules *rules;                 /* NULL: it has none */
    const char *root;                    /* --root-path and the mount */
    void *state;
    const struct berth_route *routes; /* the application's own, and the first one's row among the counters' */
    unsigned int first_row;
};

int http_server_open(struct http_server *server);

/* libmicrohttpd's version. */
const char *http_library_version(void);

/* Serves a listener: one libmicrohttpd daemon for it. `name` is what rules call it ("": nothing), and must outlive the
 * server. The fd passes to the server, unless it fails. */
int http_server_listen(struct http_server *server, int fd, const char *name);

/* Accepts all that is waiting, then closes the listeners. What is open goes on: every reply from now on closes its
 * connection. Over when http_server_is_idle. */
void http_server_drain(struct http_server *server);

/* No connection, and no offloaded work. */
bool http_server_is_idle(const struct http_server *server);

/* Offloaded work has ended, and its `done` was called. */
void http_server_end_work(struct http_server *server);

/* At once: abandons what is open and closes the daemons. The loop's next turns close its handles. */
void http_server_close(struct http_server *server);

#endif
