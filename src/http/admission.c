#include "http/admission.h"

#include <string.h>

#include "access/rules.h"
#include "http/connection.h"
#include "http/daemon.h"

static unsigned int refuse(struct berth_request *request, const char *detail)
{
    connection_count_denial(request->connection, COUNTERS_DENIAL_RULE);
    request->detail = detail;
    return 403;
}

/* Without rules an application allows everything. */
static bool allows(const struct berth_request *request, const struct http_application *application, const char *method)
{
    const struct connection *connection = request->connection;
    struct caller caller = { .peer = &connection->peer, .listener = connection->daemon->name };

    return rules_allow(application->rules, &caller, method, &request->target, NULL);
}

unsigned int admission_ask(struct berth_request *request)
{
    const struct http_application *application = request->match.owner;

    if (application->rules)
        return allows(request, application, request->method) ? 0 : refuse(request, NULL);
    if (request->match.route->self_only && !berth_peer_is_self(&request->connection->peer))
        return refuse(request, "this is for the server's own user and root only");
    return 0;
}

/* How much of the target is the mount: 0 for none of it, 1 for the root. */
static size_t mount_covers(const char *mount, const struct target *target)
{
    return target_is_below(target, mount) ? strlen(mount) + 1 : 0;
}

/* Several may share the longest mount: each of them might have had a route there. */
static bool mounted_allow(const struct berth_request *request)
{
    const struct http_application *first = request->connection->server->ruled;
    size_t longest = 0;

    for (const struct http_application *application = first; application; application = application->next) {
        size_t size = mount_covers(application->mount, &request->target);

        if (size > longest)
            longest = size;
    }
    for (const struct http_application *application = first; longest > 0 && application;
         application = application->next)
        if (mount_covers(application->mount, &request->target) == longest &&
            !allows(request, application, request->method))
            return false;
    return true;
}

/* Who answers that method here: perhaps not who has the longest mount. NULL: nobody, but berth itself. */
static const struct http_application *method_owner(const struct berth_request *request, const char *method)
{
    const struct router *router = request->connection->server->router;
    char nothing[1];
    struct match match;

    if (router_match(router, method, &request->target, &match, nothing, sizeof(nothing)) != ROUTER_FOUND)
        return NULL;
    return match.owner;
}

/* Leaves what the peer may ask for. Whether that is anything but the OPTIONS that berth answers, which stands last. */
static bool filter_methods(const struct berth_request *request, char *allow)
{
    char *to = allow, *next = allow, *method;
    bool any = false;

    while ((method = strsep(&next, ","))) {
        const struct http_application *owner;
        size_t size;

        method += strspn(method, " ");
        owner = method_owner(request, method);
        if (owner ? !allows(request, owner, method) : !any)
            continue;
        any = true;
        size = strlen(method);
        if (to > allow)
            to = mempcpy(to, ", ", 2);
        memmove(to, method, size);
        to += size;
    }
    *to = '\0';
    return any;
}

unsigned int admission_ask_nowhere(struct berth_request *request, char *allow)
{
    if (!mounted_allow(request))
        return refuse(request, NULL);
    return filter_methods(request, allow) ? 0 : 404;
}
