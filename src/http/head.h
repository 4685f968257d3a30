/*
 * The head of a request: whether it is one that every reader would understand in the same way, whether it asks a host
 * that we are, and who answers it. What libmicrohttpd lets through and should not is stopped here (README.md).
 */
#ifndef BERTH_HTTP_HEAD_H
#define BERTH_HTTP_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "http/request.h"

/*
 * A connection's memory holds the head of its request, libmicrohttpd's notes on each field, cookie and parameter, and
 * then the head of the reply: so it is --limit-request-header and half as much again, of which the fields of a reply
 * get at least what is named second. Cookies are there twice, since libmicrohttpd copies them: at the default of 8 KiB
 * a head has room for 5 KiB of them. It is cleared after every request, which with 16 KiB cost a small request several
 * per cent of its CPU, and with the library's default of 32 KiB a seventh.
 */
#define HEAD_POOL_EXTRA_MIN   4096
#define REPLY_FIELDS_ROOM_MIN 1024

static inline size_t head_pool_size(size_t limit)
{
    return limit + (limit / 2 > HEAD_POOL_EXTRA_MIN ? limit / 2 : HEAD_POOL_EXTRA_MIN);
}

struct head {
    bool no_room;    /* not even for a reply that says so */
    bool broken;     /* its form is at fault: where it ends cannot be trusted, and the connection must close */
    bool body;       /* a body follows */
    uint64_t length; /* its size, if it was announced; else 0 */
};

/* 0, or the status that refuses it, with the detail in the request. Fills *ret_head in either case. */
unsigned int head_check(struct berth_request *request, const char *version, struct head *ret_head);

/* Finds the route, and holds the announced length against its limit. 0, or the status that refuses. */
unsigned int head_route(struct berth_request *request, const struct head *head);

#endif
