/*
 * Taking a connection away from libmicrohttpd: it sends a head and a body without bytes, and closes its descriptor;
 * ours, a duplicate, stays open, and the rest of the body is written to it by whoever took it. What libmicrohttpd has
 * for a connection, kilobytes, is freed; what is left is this.
 *
 * It rests on two things that tests hold on every version (tests/http/test_takeover.c): under MHD_USE_TURBO
 * libmicrohttpd closes without shutdown(2), which would reach through to the duplicate; and it takes its descriptor out
 * of its epoll set before it closes it, since what stays open would go on making events there.
 */
#ifndef BERTH_HTTP_TAKEOVER_H
#define BERTH_HTTP_TAKEOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct berth_reply;
struct http_server;
struct quota_user;
struct takeover;
struct takeover_record;

/* What its owner is told. */
struct takeover_owner {
    void (*begin)(struct takeover *takeover, bool draining); /* the head is out: from now on `fd` may be written to;
                                                              * `draining`: as if `drain` followed */
    void (*drain)(struct takeover *takeover);                /* the server drains: say a last word and end it, soon */
    void (*lost)(struct takeover *takeover);                 /* it never begins, or must end at once: end it now */
};

/* One connection, inside something of its owner's. It counts as one of the server's from `begin` to takeover_end. */
struct takeover {
    const struct takeover_owner *owner;
    struct http_server *server;
    struct quota_user *quota;       /* whose stream it is, and connection once it has begun */
    struct takeover_record *record; /* for the access log; NULL: not begun */
    struct takeover *previous, *next;
    uint64_t bytes; /* of the body: the owner's to count */
    int fd;         /* -1: none */
};

/* Whether the reply to this request would have no body: then there is nothing to take over. */
bool takeover_is_head(const struct berth_reply *reply);

/* Answers with such a body, of the given type; `owner` is called for it from then on. Errors of chapter 3 of berth.h,
 * and -errno of dup(2), -EUSERS as of berth_reply_stream; then nothing was taken. On a request with HEAD it answers
 * with the head alone, and `lost` is called. */
int takeover_reply(struct berth_reply *reply, const char *type, struct takeover *takeover,
                   const struct takeover_owner *owner);

/* Closes the descriptor and writes the line of the access log. The memory is the owner's. */
void takeover_end(struct takeover *takeover, bool complete);

/* ---- for the rest of this folder ---- */

struct berth_request;

/* The request is over for libmicrohttpd: whether it was taken, so that it is not yet to be counted and logged. */
bool takeover_settle(struct berth_request *request, bool complete);

void takeover_drain_all(struct http_server *server);
void takeover_end_all(struct http_server *server);

#endif
