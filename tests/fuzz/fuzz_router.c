/* Routing: a fixed set of patterns against any method and target. It agrees with a simple matcher that tries them all.
 */
#include "http/router.h"

#include <stdbool.h>

#include "property.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int unused(struct berth_request *request, struct berth_reply *reply)
{
    (void)request;
    (void)reply;
    return 0;
}

static const struct berth_route routes[] = {
    { .method = "GET", .path = "/", .handler = unused },
    { .method = "GET", .path = "/a", .handler = unused },
    { .method = "POST", .path = "/a", .handler = unused },
    { .method = "GET", .path = "/a/", .handler = unused },
    { .method = "PUT", .path = "/a/{x}", .handler = unused },
    { .method = "GET", .path = "/a/b", .handler = unused },
    { .method = "GET", .path = "/{x}/b/{y}", .handler = unused },
    { .method = "POST", .path = "/a/{x}/c", .handler = unused },
    { .method = "HEAD", .path = "/a/{x}/{y}", .handler = unused },
    { .method = "GET", .path = "/a/{x}/{y}", .handler = unused },
    { .method = "GET", .path = "/a/b/{y}/d", .handler = unused },
    { .method = "GET", .path = "/{w}/{x}/{y}/{z}", .handler = unused },
    { .method = "DELETE", .path = "/a/*", .handler = unused },
    { .method = "GET", .path = "/{x}/*", .handler = unused },
    { .method = "PATCH", .path = "/{x}/b/*", .handler = unused },
    { .method = "PUT", .path = "/*", .handler = unused },
    { .method = "OPTIONS", .path = "/a b/{x}", .handler = unused },
};

static struct router *router;

static void router_make(void)
{
    if (router)
        return;
    router = router_new();
    for (size_t i = 0; i < COUNT(routes); i++)
        PROPERTY(router && router_add(router, "", &routes[i], NULL, NULL) == 0);
}

/* The kinds of segments that the pattern matches with, best first: 'f', 'p', 'r'; "" if it does not match. */
static const char *pattern_kinds(const char *pattern, const struct target *target, char *kinds)
{
    size_t depth = 0;

    for (; *pattern == '/'; depth++) {
        size_t size = strcspn(++pattern, "/");

        if (depth == target->segment_count)
            return "";
        kinds[depth] = *pattern == '*' ? 'r' : *pattern == '{' ? 'p' : 'f';
        kinds[depth + 1] = '\0';
        if (kinds[depth] == 'r')
            return kinds;
        if (kinds[depth] == 'p'
                ? target->segment_sizes[depth] == 0
                : size != target->segment_sizes[depth] || memcmp(pattern, target->segments[depth], size) != 0)
            return "";
        pattern += size;
    }
    return depth == target->segment_count ? kinds : "";
}

static bool method_fits(const char *route, const char *method)
{
    return strcmp(route, method) == 0 || (strcmp(method, "HEAD") == 0 && strcmp(route, "GET") == 0);
}

/* By trying every pattern; *ret_any says whether one has the path. */
static const struct berth_route *expected_route(const char *method, const struct target *target, bool *ret_any)
{
    const struct berth_route *best = NULL;
    char best_kinds[16] = "~", kinds[16];

    *ret_any = false;
    for (size_t i = 0; i < COUNT(routes); i++) {
        const char *found = pattern_kinds(routes[i].path, target, kinds);

        if (found[0] == '\0')
            continue;
        *ret_any = true;
        if (method_fits(routes[i].method, method) &&
            (strcmp(found, best_kinds) < 0 ||
             (strcmp(found, best_kinds) == 0 && strcmp(routes[i].method, method) == 0))) {
            strcpy(best_kinds, found);
            best = &routes[i];
        }
    }
    return best;
}

static void check_match(const struct match *match, const struct target *target)
{
    PROPERTY(match->count <= ROUTER_PARAMETERS_MAX);
    for (size_t i = 0; i < match->count; i++) {
        PROPERTY(strlen(match->values[i]) <= strlen(target->path));
        if (strcmp(match->names[i], "*") != 0) {
            PROPERTY(match->values[i][0] != '\0' && !strchr(match->values[i], '/'));
            continue;
        }
        PROPERTY(i == match->count - 1 && match->values[i][-1] == '/');
        PROPERTY(match->values[i] + strlen(match->values[i]) == target->path + strlen(target->path));
    }
}

/* The input is a method, a space and a target. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *method = text_new(data, size), *raw = strchr(method, ' '), allow[ROUTER_ALLOW_MAX];
    const struct berth_route *expected;
    enum router_result result;
    struct match match = { 0 };
    struct target target;
    struct arena arena;
    const char *reason;
    bool any;

    router_make();
    arena_init(&arena);
    if (raw) {
        *raw++ = '\0';
        if (target_parse(raw, strlen(raw), &arena, &target, &reason) == 0) {
            result = router_match(router, method, &target, &match, allow, sizeof(allow));
            expected = expected_route(method, &target, &any);
            PROPERTY(match.route == expected);
            PROPERTY(result == (expected ? ROUTER_FOUND : any ? ROUTER_NO_METHOD : ROUTER_NO_PATH));
            if (result == ROUTER_FOUND)
                check_match(&match, &target);
            if (result == ROUTER_NO_METHOD)
                PROPERTY(strstr(allow, "OPTIONS"));
        }
    }
    arena_reset(&arena);
    free(method);
    return 0;
}
