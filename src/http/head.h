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
 * then the head of the reply: so it is a multiple of --limit-request-header, of which the fields of a reply get at
 * least what is named second. It is cleared after every request, half of it twice; at the library's default of 32 KiB
 * that would be a seventh of a small request's CPU.
 */
#define HEAD_POOL_FACTOR      2
#define REPLY_FIELDS_ROOM_MIN 1024

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
