/*
 * A request and its reply, as the parts of this folder see them. One of each lives inside every connection, since
 * HTTP/1.1 answers one request after the other: a request costs no allocation of its own.
 */
#ifndef BERTH_HTTP_REQUEST_H
#define BERTH_HTTP_REQUEST_H

#include <berth.h>
#include <microhttpd.h>

#include "common/buffer.h"
#include "http/arena.h"
#include "http/query.h"
#include "http/router.h"
#include "http/target.h"

struct connection;

enum request_state {
    REQUEST_NONE,      /* waiting for a request line */
    REQUEST_HEAD,      /* the request line is here, the fields are not */
    REQUEST_BODY,      /* the head was accepted; the body, if any, is coming */
    REQUEST_NAMING,    /* complete; suspended until the peer's names are known */
    REQUEST_HELD,      /* the handler returned without a reply; suspended */
    REQUEST_ANSWERED,  /* a reply is queued, or about to be */
    REQUEST_ABANDONED, /* nothing may be sent any more: the connection is to be closed */
};

struct reply_field {
    const char *name, *value;
    struct reply_field *next;
};

struct berth_reply {
    unsigned int status;             /* stays after the response was handed to libmicrohttpd, as do the bytes */
    uint64_t bytes;                  /* of its body */
    struct MHD_Response *response;   /* NULL: not answered; owned unless `shared` */
    bool shared;                     /* a constant's or a prepared reply's, which keeps it */
    struct berth_prepared *prepared; /* used until libmicrohttpd has the response */
    int file_fd;                     /* what the kernel sends it from; -1: no file */
    uint64_t file_end;
    struct reply_field *fields; /* what berth_reply_header added, in order */
    struct reply_field **last_field;
    size_t field_count, fields_size; /* and the bytes that they take in the reply's head */
    size_t room;                     /* how many they may take */

    bool held; /* berth_reply_hold or berth_offload was called; hold.c */
    void (*gone)(void *data);
    void *gone_data;
    struct offload *offload;
    struct takeover *takeover;   /* of the connection, once libmicrohttpd has sent the head; takeover.c */
    struct berth_stream *stream; /* the body, while it goes on; stream.c */
};

struct berth_request {
    struct connection *connection;
    enum request_state state;
    const char *method;
    bool http_1_1;       /* not 1.0 */
    uintptr_t target_at; /* where it lay in libmicrohttpd's memory: an address, not to be followed. layout.h */
    size_t target_size;  /* as it came */
    uint64_t started_at; /* by uv_hrtime */
    struct target target;
    const char *target_fault; /* why it is none; NULL: it is one */
    struct match match;
    struct query query;

    const char *user_agent;

    /* What was asked for, as the client saw it (forwarded.h); NULL: not said. */
    const char *host;                     /* by a trusted proxy, or else by the request itself */
    const char *client, *scheme, *prefix; /* by a trusted proxy */
    const char *root;                     /* the prefix and the application's mount */

    unsigned int refusal; /* a status that was decided with the head, sent once the request is complete */
    const char *detail;   /* what the failed call had to say, for the error reply; NULL: the status' own */
    const char *allow;    /* for 405 and OPTIONS */

    uint64_t body_limit;
    struct buffer body;      /* unless the route takes its bytes as they come */
    uint64_t body_size;      /* in both cases */
    bool body_refused;       /* half-way; the client was told */
    uint64_t body_discarded; /* what came after that */
    struct json_t *json;

    void *data;
    void (*destroy_data)(void *data);

    struct arena arena;
    struct berth_reply reply;
};

/* For a new connection. */
void request_init(struct berth_request *request, struct connection *connection);

/* A request line is here. */
void request_begin(struct berth_request *request, const char *target);

/* Ends it, whatever its state, and makes it ready for the connection's next one. */
void request_reset(struct berth_request *request);

/* No reply will be sent any more. Who holds it is told. */
void request_abandon(struct berth_request *request);

/* Sets what an error reply will say; the text is copied into the request's arena. Returns `r`. */
int request_fail(struct berth_request *request, int r, const char *format, ...) __attribute__((format(printf, 3, 4)));

static inline const struct berth_request *reply_request_const(const struct berth_reply *reply)
{
    return (const struct berth_request *)((const char *)reply - offsetof(struct berth_request, reply));
}

static inline struct berth_request *reply_request(struct berth_reply *reply)
{
    return (struct berth_request *)((char *)reply - offsetof(struct berth_request, reply));
}

#endif
