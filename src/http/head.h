/*
 * The head of a request: whether it is one that every reader would understand in the same way, whether it asks a host
 * that we are, and who answers it. What libmicrohttpd lets through and should not is stopped here (README.md).
 */
#ifndef BERTH_HTTP_HEAD_H
#define BERTH_HTTP_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "http/request.h"

struct head {
    bool broken;     /* its form is at fault: where it ends cannot be trusted, and the connection must close */
    bool body;       /* a body follows */
    uint64_t length; /* its size, if it was announced; else 0 */
};

/* 0, or the status that refuses it, with the detail in the request. Fills *ret_head in either case. */
unsigned int head_check(struct berth_request *request, const char *version, struct head *ret_head);

/* Finds the route, and holds the announced length against its limit. 0, or the status that refuses. */
unsigned int head_route(struct berth_request *request, const struct head *head);

#endif
