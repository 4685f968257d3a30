#include "http/router.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "http/field.h"
#include "http/pattern.h"

struct endpoint {
    const char *method;
    size_t method_size;
    const struct berth_route *route;
    void *owner;
    struct pattern *pattern; /* ours; as it was written, and its parameters' names */
};

/* What ends at one place of the trie: an endpoint for each method. */
struct leaf {
    struct endpoint *endpoints;
    size_t count;
};

struct node {
    char *text; /* of a fixed segment; else NULL */
    size_t size;
    struct node **fixed; /* sorted by node_compare */
    size_t fixed_count;
    struct node *parameter; /* any segment that is not empty */
    struct leaf here;       /* the path ends with this node */
    struct leaf rest;       /* a "*" follows it */
};

struct router {
    struct node root;
};

/* ---- Adding --------------------------------------------------------------------------------------------------- */

static int node_compare(const struct node *node, const char *text, size_t size)
{
    if (node->size != size)
        return node->size < size ? -1 : 1;
    return memcmp(node->text, text, size);
}

/* Where in node->fixed the segment is, or would be. */
static size_t node_place(const struct node *node, const char *text, size_t size)
{
    size_t low = 0, high = node->fixed_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (node_compare(node->fixed[middle], text, size) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct node *node_fixed(const struct node *node, const char *text, size_t size)
{
    size_t place = node_place(node, text, size);

    if (place == node->fixed_count || node_compare(node->fixed[place], text, size) != 0)
        return NULL;
    return node->fixed[place];
}

static struct node *node_add_fixed(struct node *node, const char *text, size_t size)
{
    struct node *child = node_fixed(node, text, size), **fixed;
    size_t place = node_place(node, text, size);

    if (child)
        return child;
    fixed = realloc(node->fixed, (node->fixed_count + 1) * sizeof(struct node *));
    if (!fixed)
        return NULL;
    node->fixed = fixed;
    child = calloc(1, sizeof(*child));
    if (!child)
        return NULL;
    child->text = strndup(text, size);
    child->size = size;
    if (!child->text) {
        free(child);
        return NULL;
    }
    memmove(fixed + place + 1, fixed + place, (node->fixed_count - place) * sizeof(struct node *));
    fixed[place] = child;
    node->fixed_count++;
    return child;
}

/* The leaf where the pattern ends; nodes that are missing on the way are made. NULL without memory. */
static struct leaf *router_leaf(struct router *router, const struct pattern *pattern)
{
    struct node *node = &router->root;

    for (size_t i = 0; i < pattern->segment_count; i++) {
        const struct pattern_segment *segment = &pattern->segments[i];

        if (segment->kind == PATTERN_REST)
            return &node->rest;
        if (segment->kind == PATTERN_FIXED) {
            node = node_add_fixed(node, segment->text, segment->size);
        } else {
            if (!node->parameter)
                node->parameter = calloc(1, sizeof(*node));
            node = node->parameter;
        }
        if (!node)
            return NULL;
    }
    return &node->here;
}

static const struct endpoint *leaf_find(const struct leaf *leaf, const char *method, size_t size)
{
    for (size_t i = 0; i < leaf->count; i++)
        if (leaf->endpoints[i].method_size == size && memcmp(leaf->endpoints[i].method, method, size) == 0)
            return &leaf->endpoints[i];
    return NULL;
}

/* Takes `pattern` if it succeeds. */
static int endpoint_add(struct router *router, struct pattern *pattern, const struct berth_route *route, void *owner,
                        struct error *error)
{
    struct leaf *leaf = router_leaf(router, pattern);
    const struct endpoint *other;
    struct endpoint *endpoints;

    if (!leaf)
        return error_set(error, -ENOMEM, "out of memory");
    other = leaf_find(leaf, route->method, strlen(route->method));
    if (other)
        return error_set(error, -EEXIST, "route %s %s: the same requests already go to %s %s", route->method,
                         pattern->text, other->method, other->pattern->text);
    endpoints = realloc(leaf->endpoints, (leaf->count + 1) * sizeof(*endpoints));
    if (!endpoints)
        return error_set(error, -ENOMEM, "out of memory");
    leaf->endpoints = endpoints;
    endpoints[leaf->count++] = (struct endpoint){
        .method = route->method,
        .method_size = strlen(route->method),
        .route = route,
        .owner = owner,
        .pattern = pattern,
    };
    return 0;
}

static int router_add_path(struct router *router, const char *mount, const char *path, const struct berth_route *route,
                           void *owner, struct error *error)
{
    struct pattern *pattern;
    int r = pattern_new("route", mount, path, &pattern, error);

    if (r < 0)
        return r;
    r = endpoint_add(router, pattern, route, owner, error);
    if (r < 0)
        pattern_free(pattern);
    return r;
}

int router_add(struct router *router, const char *mount, const struct berth_route *route, void *owner,
               struct error *error)
{
    int r;

    if (!route->method || !method_valid(route->method))
        return error_set(error, -EINVAL, "route %s: \"%s\" is not a method such as GET",
                         route->path ? route->path : "without a path", route->method ? route->method : "");
    if (!route->path || route->path[0] != '/')
        return error_set(error, -EINVAL, "route \"%s\": it must begin with \"/\"", route->path ? route->path : "");
    if (!route->handler)
        return error_set(error, -EINVAL, "route %s %s: it has no handler", route->method, route->path);
    r = router_add_path(router, mount, route->path, route, owner, error);
    if (r < 0 || mount[0] == '\0' || strcmp(route->path, "/") != 0)
        return r;
    return router_add_path(router, mount, "", route, owner, error);
}

/* ---- Matching ------------------------------------------------------------------------------------------------- */

struct walk {
    const struct target *target;
    const char *method;
    size_t method_size;
    bool head;
    size_t taken[ROUTER_PARAMETERS_MAX]; /* the segment that each parameter of the route found begins at */
    /* In a walk that collects methods instead: nothing is found, and so all that matches is seen. */
    bool collecting, any;
    char *allow;
    size_t allow_size, allow_used;
};

static bool allow_has(const struct walk *walk, const char *method, size_t size)
{
    const char *at = walk->allow;

    while (*at != '\0') {
        size_t length = strcspn(at, ",");

        if (length == size && memcmp(at, method, size) == 0)
            return true;
        at += length;
        at += strspn(at, ", ");
    }
    return false;
}

static void allow_add(struct walk *walk, const char *method, size_t size)
{
    size_t comma = walk->allow_used > 0 ? 2 : 0;

    if (walk->allow_used + comma + size + 1 > walk->allow_size || allow_has(walk, method, size))
        return;
    memcpy(walk->allow + walk->allow_used, ", ", comma);
    memcpy(walk->allow + walk->allow_used + comma, method, size);
    walk->allow_used += comma + size;
    walk->allow[walk->allow_used] = '\0';
}

static void leaf_collect(const struct leaf *leaf, struct walk *walk)
{
    for (size_t i = 0; i < leaf->count; i++) {
        const struct endpoint *endpoint = &leaf->endpoints[i];

        walk->any = true;
        allow_add(walk, endpoint->method, endpoint->method_size);
        if (strcmp(endpoint->method, "GET") == 0)
            allow_add(walk, "HEAD", 4);
    }
}

static const struct endpoint *leaf_pick(const struct leaf *leaf, struct walk *walk)
{
    const struct endpoint *endpoint;

    if (leaf->count == 0)
        return NULL;
    if (walk->collecting) {
        leaf_collect(leaf, walk);
        return NULL;
    }
    endpoint = leaf_find(leaf, walk->method, walk->method_size);
    if (!endpoint && walk->head)
        endpoint = leaf_find(leaf, "GET", 3);
    return endpoint;
}

/*
 * The best endpoint below `node` for the segments from `depth` on, after `parameters` of them were taken. A node is
 * reached by one way only and so at one depth only: this visits each at most once, whatever the path is.
 */
static const struct endpoint *walk_node(struct walk *walk, const struct node *node, size_t depth, size_t parameters)
{
    const struct target *target = walk->target;
    const struct endpoint *found;
    const struct node *child;

    if (depth == target->segment_count)
        return leaf_pick(&node->here, walk);
    child = node_fixed(node, target->segments[depth], target->segment_sizes[depth]);
    if (child) {
        found = walk_node(walk, child, depth + 1, parameters);
        if (found)
            return found;
    }
    if (node->parameter && target->segment_sizes[depth] > 0) {
        found = walk_node(walk, node->parameter, depth + 1, parameters + 1);
        if (found) {
            walk->taken[parameters] = depth;
            return found;
        }
    }
    found = leaf_pick(&node->rest, walk);
    if (found)
        walk->taken[parameters] = depth;
    return found;
}

static void match_fill(const struct walk *walk, const struct endpoint *endpoint, struct match *ret_match)
{
    const struct target *target = walk->target;
    const struct pattern *pattern = endpoint->pattern;

    ret_match->route = endpoint->route;
    ret_match->owner = endpoint->owner;
    ret_match->names = pattern->names;
    ret_match->count = pattern->name_count;
    for (size_t i = 0; i < pattern->name_count; i++)
        ret_match->values[i] = target->segments[walk->taken[i]];
    /* The rest, with its slashes, is the end of the decoded path. */
    if (pattern->segments[pattern->segment_count - 1].kind == PATTERN_REST)
        ret_match->values[pattern->name_count - 1] =
            target->path + 1 + (target->segments[walk->taken[pattern->name_count - 1]] - target->segments[0]);
}

enum router_result router_match(const struct router *router, const char *method, const struct target *target,
                                struct match *ret_match, char *ret_allow, size_t allow_size)
{
    struct walk walk = { .target = target, .method = method, .method_size = strlen(method) };
    const struct endpoint *found;
    char nothing[1];

    if (target->segment_count == 0)
        return ROUTER_NO_PATH;
    walk.head = strcmp(method, "HEAD") == 0;
    found = walk_node(&walk, &router->root, 0, 0);
    if (found) {
        match_fill(&walk, found, ret_match);
        return ROUTER_FOUND;
    }
    walk.collecting = true;
    walk.allow = allow_size > 0 ? ret_allow : nothing;
    walk.allow_size = allow_size;
    walk.allow[0] = '\0';
    walk_node(&walk, &router->root, 0, 0);
    if (!walk.any)
        return ROUTER_NO_PATH;
    allow_add(&walk, "OPTIONS", 7);
    return ROUTER_NO_METHOD;
}

/* ---- Beginning and end ---------------------------------------------------------------------------------------- */

struct router *router_new(void)
{
    return calloc(1, sizeof(struct router));
}

static void leaf_done(struct leaf *leaf)
{
    for (size_t i = 0; i < leaf->count; i++)
        pattern_free(leaf->endpoints[i].pattern);
    free(leaf->endpoints);
}

/* The recursion is as deep as the longest pattern: TARGET_SEGMENTS_MAX. */
static void node_done(struct node *node)
{
    for (size_t i = 0; i < node->fixed_count; i++) {
        node_done(node->fixed[i]);
        free(node->fixed[i]);
    }
    if (node->parameter) {
        node_done(node->parameter);
        free(node->parameter);
    }
    leaf_done(&node->here);
    leaf_done(&node->rest);
    free(node->fixed);
    free(node->text);
}

void router_free(struct router *router)
{
    if (!router)
        return;
    node_done(&router->root);
    free(router);
}
