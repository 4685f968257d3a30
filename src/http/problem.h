/*
 * Errors that we make: problem+json (RFC 9457), or a small page for a browser that asks for one.
 */
#ifndef BERTH_HTTP_PROBLEM_H
#define BERTH_HTTP_PROBLEM_H

#include <berth.h>

/* The status for what a handler returned: a negative errno, or a number that is a status already. */
unsigned int problem_status(int r);

/* Answers with that status; detail NULL: none. With Allow where the request has one to tell, and Retry-After for 429
 * and 503, unless the reply has one.
 * 204, which answers OPTIONS, has no body. The errors of reply_take. */
int problem_reply(struct berth_reply *reply, unsigned int status, const char *detail);

#endif
