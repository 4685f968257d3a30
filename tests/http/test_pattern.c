/*
 * A rule's path means what a route of the same text means: each pattern below each mount is given to a router of its
 * own, and both are asked for each target.
 */
#include "http/pattern.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

Suite *suite_pattern(void);

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static const char *const mounts[] = { "", "/x", "/x/y", "/a b" };

static const char *const paths[] = {
    "/",      "/a",        "/a/",  "/a/b",      "/{p}",         "/{p}/",    "/a/{p}",   "/{p}/b",
    "/{p}/*", "/{p}/{q}",  "/*",   "/a/*",      "/a/b/*",       "/{p}/b/*", "/x",       "/x/",
    "/x/y",   "/x/y/{p}/", "/a b", "/\xc3\xa9", "/{p}/{q}/{r}", "/aa",      "/a/{p}/c", "/x/*",
};

static const char *const targets[] = {
    "/",      "//",      "/a",        "/a/",      "/a//",       "/a/b",   "/a/b/",  "/a/b/c",  "/b",
    "/b/",    "/b/b",    "//b",       "/a//b",    "/x",         "/x/",    "/x//",   "/x/a",    "/x/a/",
    "/x/a/b", "/x/a/b/", "/x/a/b/c",  "/x/y",     "/x/y/",      "/x/y//", "/x/y/a", "/x/y/a/", "/x/y/a/b",
    "/x/y/x", "/x/x",    "/x/x/",     "/x/x/y",   "/xx",        "/x/ya",  "/a%20b", "/a%20b/", "/a%20b/a",
    "/%61",   "/%C3%A9", "/x/%C3%A9", "/aa",      "/aaa",       "/A",     "/a?b",   "/?a",     "/x?/y",
    "/%2A",   "/x/*",    "/%7Bp%7D",  "/a/b/c/d", "/a/b/c/d/e", "*",
};

static int unused(struct berth_request *request, struct berth_reply *reply)
{
    (void)request;
    (void)reply;
    return 0;
}

static bool router_finds(const struct router *router, const struct target *target)
{
    char allow[ROUTER_ALLOW_MAX];
    struct match match;

    return router_match(router, "GET", target, &match, allow, sizeof(allow)) == ROUTER_FOUND;
}

static void compare(const char *mount, const char *path)
{
    struct berth_route route = { .method = "GET", .path = path, .handler = unused };
    struct router *router = router_new();
    struct pattern *pattern;
    struct error error;

    ck_assert_int_eq(router_add(router, mount, &route, NULL, &error), 0);
    ck_assert_int_eq(pattern_new("path", mount, path, &pattern, &error), 0);
    for (int i = 0; i < COUNT(targets); i++) {
        struct target target;
        struct arena arena;
        const char *reason;

        arena_init(&arena);
        ck_assert_int_eq(target_parse(targets[i], strlen(targets[i]), &arena, &target, &reason), 0);
        ck_assert_msg(pattern_matches(pattern, &target) == router_finds(router, &target),
                      "%s below \"%s\", asked for %s: the pattern says %s", path, mount, targets[i],
                      pattern_matches(pattern, &target) ? "yes" : "no");
        arena_reset(&arena);
    }
    pattern_free(pattern);
    router_free(router);
}

START_TEST(test_as_the_router)
{
    for (int i = 0; i < COUNT(mounts); i++)
        compare(mounts[i], paths[_i]);
}
END_TEST

/* That both say no to everything would pass above. */
static const struct {
    const char *mount, *path, *target;
    bool matches;
} known[] = {
    { "", "/", "/", true },         { "", "/a/{p}", "/a/b", true }, { "", "/a/{p}", "/a/", false },
    { "", "/a/*", "/a/", true },    { "", "/a/*", "/a", false },    { "/x", "/", "/x", true },
    { "/x", "/", "/x/", true },     { "/x", "/*", "/x", false },    { "/x", "/*", "/x/", true },
    { "/x", "/a/", "/x/a", false },
};

START_TEST(test_known)
{
    struct pattern *pattern;
    struct target target;
    struct arena arena;
    const char *reason;

    arena_init(&arena);
    ck_assert_int_eq(target_parse(known[_i].target, strlen(known[_i].target), &arena, &target, &reason), 0);
    ck_assert_int_eq(pattern_new("path", known[_i].mount, known[_i].path, &pattern, NULL), 0);
    ck_assert(pattern_matches(pattern, &target) == known[_i].matches);
    pattern_free(pattern);
    arena_reset(&arena);
}
END_TEST

START_TEST(test_messages)
{
    struct pattern *pattern;
    struct error error;

    ck_assert_int_lt(pattern_new("path", "/m", "/*/a", &pattern, &error), 0);
    ck_assert_str_eq(error.text, "path /m/*/a: \"*\" may only be the last segment");
}
END_TEST

Suite *suite_pattern(void)
{
    Suite *suite = suite_create("pattern");
    TCase *tcase = tcase_create("matching");

    tcase_add_loop_test(tcase, test_as_the_router, 0, COUNT(paths));
    tcase_add_loop_test(tcase, test_known, 0, COUNT(known));
    tcase_add_test(tcase, test_messages);
    suite_add_tcase(suite, tcase);
    return suite;
}
