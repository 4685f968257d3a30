/*
 * A connection: its peer, the request that is on it, its deadline. One is made when MHD accepts and freed when MHD
 * closes; it never outlives its MHD_Connection.
 */
#ifndef BERTH_HTTP_CONNECTION_H
#define BERTH_HTTP_CONNECTION_H

#include <microhttpd.h>

#include "common/counters.h"
#include "http/file.h"
#include "http/request.h"
#include "socket/names.h"

struct daemon;
struct deadline;
struct http_server;
struct quota_user;

struct connection {
    struct http_server *server;
    struct daemon *daemon;
    struct MHD_Connection *mhd;
    int fd;         /* MHD's */
    bool refused;   /* one more than --limit-connections, or than its user may have: it is answered with 503 */
    bool excess;    /* the latter */
    bool kept;      /* has had a reply before */
    bool cut;       /* by us, before its time */
    bool lingers;   /* once it is over its client may still be sending: linger.h */
    bool suspended; /* out of MHD's hands, in those of the hang-up watch */
    bool roomy;     /* with a send buffer for large files; file.c */
    bool quiet;     /* MHD's epoll does not say when it can be written to; quiet.c */

    struct quota_user *quota;    /* its user's, or NULL: no limits for it */
    unsigned int user_place;     /* where it is counted among its user's; counters.h */
    unsigned int prompt_replies; /* in a row, since one that was not sent in a single turn */

    struct deadline *deadline; /* the list that it waits in, or NULL */
    uint64_t due;              /* when its time there is over, by uv_now */
    struct connection *previous_waiting, *next_waiting;

    struct connection *previous, *next; /* of all the server's */

    struct file_sending sending;
    struct names_waiter naming;
    struct berth_peer peer;
    struct berth_request request;
};

/* NULL: the peer is unknown, or there is no memory; whoever calls closes. */
struct connection *connection_new(struct daemon *daemon, struct MHD_Connection *mhd);
/* Ends its request, and leaves every list. */
void connection_free(struct connection *connection);

/* Takes it from MHD until connection_resume; meanwhile connection_abandon is called if the client goes away. */
void connection_suspend(struct connection *connection);
void connection_resume(struct connection *connection);

/* Nothing will be sent any more: a held request's `gone` is called, and MHD closes the connection at its next run. */
void connection_abandon(struct connection *connection);

/* Its user was refused something. */
void connection_count_denial(struct connection *connection, enum counters_denial why);

/* One more stream of its user's, until quota_stream_end. -EUSERS, with the detail in the request: there is no room. */
int connection_stream_begin(struct connection *connection);

/* Writes a constant error reply past MHD, for a connection that is about to be cut before a reply has begun. */
void connection_last_word(struct connection *connection, unsigned int status);

/* Takes no more requests on it: MHD notices at its next run, and closes behind what has come. */
void connection_stop_reading(struct connection *connection);

/* Shuts it down: MHD notices at its next run, and closes. */
void connection_cut(struct connection *connection);

/* The watch for clients that go away while their connection is suspended: MHD does not look at it then. */
int hangup_init(struct http_server *server);
void hangup_done(struct http_server *server);

#endif
