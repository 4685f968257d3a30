/*
 * Which route answers: a trie of path segments. A fixed segment beats {name}, which beats a trailing *; method and path
 * are matched together, so that a less specific route with the right method is found. Each node is visited at most
 * once per walk, and a match allocates nothing.
 */
#ifndef BERTH_HTTP_ROUTER_H
#define BERTH_HTTP_ROUTER_H

#include <stddef.h>

#include <berth.h>
#include "common/error.h"
#include "http/target.h"

#define ROUTER_PARAMETERS_MAX 16
#define ROUTER_ALLOW_MAX      512 /* enough room for ret_allow; methods that do not fit are left out, whole */

struct router;

struct match {
    const struct berth_route *route;
    void *owner;
    /* The path parameters in the pattern's order; "*" is the name of the rest. Names belong to the router, values to
     * the target. */
    const char *const *names;
    const char *values[ROUTER_PARAMETERS_MAX];
    size_t count;
};

enum router_result { ROUTER_FOUND, ROUTER_NO_PATH, ROUTER_NO_METHOD };

/* NULL without memory. */
struct router *router_new(void);
void router_free(struct router *router); /* NULL is allowed */

/*
 * Adds a route below a mount ("" or "/x"). Route and owner must outlive the router. The path "/" of a mounted
 * application answers at the mount itself, with and without a slash at its end: "/x" and "/x/"; but a site below "/x"
 * that has only a trailing * only answers at "/x/" and below it.
 *
 * -EINVAL for a method that is no token, or a mount or path that is no pattern; -E2BIG past ROUTER_PARAMETERS_MAX
 * parameters or TARGET_SEGMENTS_MAX segments; -EEXIST for a second route of the same method and shape; `error` says it
 * in words. -ENOMEM.
 */
int router_add(struct router *router, const char *mount, const struct berth_route *route, void *owner,
               struct error *error);

/*
 * ROUTER_FOUND fills *ret_match. HEAD finds a GET route where the same path has no HEAD route of its own.
 * ROUTER_NO_METHOD fills ret_allow with the value for the Allow field: the methods of every route that matches the
 * path, HEAD where there is GET, and OPTIONS. So an OPTIONS request that no route answers is ROUTER_NO_METHOD too. An
 * asterisk-form target is ROUTER_NO_PATH.
 */
enum router_result router_match(const struct router *router, const char *method, const struct target *target,
                                struct match *ret_match, char *ret_allow, size_t allow_size);

#endif
