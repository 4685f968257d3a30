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
static bool allows(const struct berth_request *request, const struct http_application *application)
{
    const struct connection *connection = request->connection;
    struct caller caller = { .peer = &connection->peer, .listener = connection->daemon->name };

    return rules_allow(application->rules, &caller, request->method, &request->target, NULL);
}

unsigned int admission_ask(struct berth_request *request)
{
    const struct http_application *application = request->match.owner;

    if (application->rules)
        return allows(request, application) ? 0 : refuse(request, NULL);
    if (request->match.route->self_only && !berth_peer_is_self(&request->connection->peer))
        return refuse(request, "this is for the server's own user and root only");
    return 0;
}

/* How much of the target is the mount: 0 for none of it, 1 for the root. */
static size_t mount_covers(const char *mount, const struct target *target)
{
    size_t size = strlen(mount);

    if (strncmp(target->path, mount, size) != 0 || (target->path[size] != '/' && target->path[size] != '\0'))
        return 0;
    return size + 1;
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
        if (mount_covers(application->mount, &request->target) == longest && !allows(request, application))
            return false;
    return true;
}

/* Whoever answers one of these methods; that is not always who has the longest mount. */
static bool answering_allow(const struct berth_request *request, const char *allow)
{
    const struct router *router = request->connection->server->router;
    char method[ROUTER_ALLOW_MAX], nothing[1];
    struct match match;

    while (*allow != '\0') {
        size_t size = strcspn(allow, ",");

        memcpy(method, allow, size);
        method[size] = '\0';
        if (router_match(router, method, &request->target, &match, nothing, sizeof(nothing)) == ROUTER_FOUND &&
            !allows(request, match.owner))
            return false;
        allow += size;
        allow += strspn(allow, ", ");
    }
    return true;
}

unsigned int admission_ask_nowhere(struct berth_request *request, const char *allow)
{
    return mounted_allow(request) && answering_allow(request, allow) ? 0 : refuse(request, NULL);
}
