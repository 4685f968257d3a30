/*
 * Whether a request is let in: by the rules of its application (access/rules.h), or, where there are none, by what the
 * route says itself. Whoever is refused learns nothing of what there is.
 */
#ifndef BERTH_HTTP_ADMISSION_H
#define BERTH_HTTP_ADMISSION_H

#include "http/connection.h"
#include "http/request.h"
#include "http/server.h"

/* For one whose route may not be for everybody. 0 or 403. */
unsigned int admission_ask(struct berth_request *request);

/* For one that no route answers, whatever its method ("" for `allow`), or none with its method (then `allow` has those
 * that are answered, with OPTIONS at the end, and keeps those that the peer may ask for): 403, 404, or 0 where methods
 * are left. */
unsigned int admission_ask_nowhere(struct berth_request *request, char *allow);

/* The same two for all, at next to no cost where there are no rules. */
static inline unsigned int admission_check(struct berth_request *request)
{
    const struct http_application *application = request->match.owner;

    return application->rules || request->match.route->self_only ? admission_ask(request) : 0;
}

static inline unsigned int admission_check_nowhere(struct berth_request *request, char *allow)
{
    if (!request->connection->server->ruled)
        return allow[0] != '\0' ? 0 : 404;
    return admission_ask_nowhere(request, allow);
}

#endif
