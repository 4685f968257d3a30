#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "http/router.h"

Suite *suite_router(void);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct router *router;
static struct arena arena;
static struct error error;

static void setup(void)
{
    router = router_new();
    ck_assert_ptr_nonnull(router);
    arena_init(&arena);
}

static void teardown(void)
{
    arena_reset(&arena);
    router_free(router);
}

static int unused(struct berth_request *request, struct berth_reply *reply)
{
    (void)request;
    (void)reply;
    return 0;
}

static int add(const char *mount, const char *method, const char *path)
{
    static struct berth_route routes[400];
    static size_t used;
    struct berth_route *route = &routes[used++ % COUNT(routes)];

    *route = (struct berth_route){ .method = method, .path = path, .handler = unused };
    return router_add(router, mount, route, NULL, &error);
}

static struct target target_of(const char *raw)
{
    struct target target;
    const char *reason = "";

    ck_assert_int_eq(target_parse(raw, strlen(raw), &arena, &target, &reason), 0);
    return target;
}

/* The outcome of one request as a text: "GET /a/{x} x=b" or "-" or "405 GET, HEAD, OPTIONS". */
static const char *outcome(const char *method, const char *raw)
{
    static char text[1024];
    struct target target = target_of(raw);
    struct match match;
    char allow[ROUTER_ALLOW_MAX];
    int used;

    switch (router_match(router, method, &target, &match, allow, sizeof(allow))) {
    case ROUTER_NO_PATH:
        return "-";
    case ROUTER_NO_METHOD:
        snprintf(text, sizeof(text), "405 %s", allow);
        return text;
    case ROUTER_FOUND:
        break;
    }
    used = snprintf(text, sizeof(text), "%s %s", match.route->method, match.route->path);
    for (size_t i = 0; i < match.count; i++)
        used += snprintf(text + used, sizeof(text) - (size_t)used, " %s=%s", match.names[i], match.values[i]);
    return text;
}

/* ---- Matching ------------------------------------------------------------------------------------------------- */

static const char *const routes[][2] = {
    { "GET", "/" },
    { "GET", "/index" },
    { "GET", "/notes" },
    { "POST", "/notes" },
    { "GET", "/notes/{id}" },
    { "PUT", "/notes/{note}" },
    { "DELETE", "/notes/{id}" },
    { "GET", "/notes/new" },
    { "GET", "/notes/{id}/parts/{part}" },
    { "POST", "/notes/new/parts/x" },
    { "GET", "/slash/" },
    { "GET", "/files/*" },
    { "HEAD", "/files/{name}" },
    { "GET", "/both" },
    { "HEAD", "/both" },
    { "GET", "/back/{a}/x" },
    { "GET", "/back/b/y" },
    { "GET", "/back/b/{c}/z" },
    { "GET", "/back/*" },
    { "PATCH", "/back/b/y" },
    { "GET", "/mixed/one" },
    { "POST", "/mixed/{any}" },
    { "PUT", "/mixed/*" },
    { "GET", "/a b/\xc3\xa9" },
    { "OPTIONS", "/own" },
    { "GET", "/own" },
    { "GET", "/ab" },
    { "GET", "/abc" },
    { "GET", "/abd" },
    { "GET", "/b" },
};

static const struct {
    const char *method, *raw, *outcome;
} requests[] = {
    /* fixed segments */
    { "GET", "/", "GET /" },
    { "GET", "/index", "GET /index" },
    { "GET", "/index?x=/notes", "GET /index" },
    { "GET", "/%69ndex", "GET /index" },
    { "GET", "/index/", "-" },
    { "GET", "//index", "-" },
    { "GET", "/INDEX", "-" },
    { "GET", "/inde", "-" },
    { "GET", "/indexx", "-" },
    { "GET", "/a%20b/%C3%A9", "GET /a b/\xc3\xa9" },
    { "GET", "/ab", "GET /ab" },
    { "GET", "/abc", "GET /abc" },
    { "GET", "/abd", "GET /abd" },
    { "GET", "/abe", "-" },
    { "GET", "/b", "GET /b" },
    { "GET", "/slash/", "GET /slash/" },
    { "GET", "/slash", "-" },
    { "GET", "/slash//", "-" },
    { "GET", "*", "-" },
    { "OPTIONS", "*", "-" },
    /* parameters */
    { "GET", "/notes/17", "GET /notes/{id} id=17" },
    { "GET", "/notes/a%20b", "GET /notes/{id} id=a b" },
    { "GET", "/notes/%7Bid%7D", "GET /notes/{id} id={id}" },
    { "GET", "/notes/", "-" },
    { "PUT", "/notes/17", "PUT /notes/{note} note=17" },
    { "GET", "/notes/new", "GET /notes/new" },
    { "GET", "/notes/newer", "GET /notes/{id} id=newer" },
    { "GET", "/notes/1/parts/2", "GET /notes/{id}/parts/{part} id=1 part=2" },
    { "GET", "/notes/1/parts/", "-" },
    { "GET", "/notes//parts/2", "-" },
    { "GET", "/notes/1/parts", "-" },
    /* the rest */
    { "GET", "/files", "-" },
    { "GET", "/files/", "GET /files/* *=" },
    { "GET", "/files/a", "GET /files/* *=a" },
    { "GET", "/files/a/b%20c/", "GET /files/* *=a/b c/" },
    { "GET", "/files//a", "GET /files/* *=/a" },
    { "GET", "http://h/files/a/b?c", "GET /files/* *=a/b" },
    /* HEAD */
    { "HEAD", "/index", "GET /index" },
    { "HEAD", "/both", "HEAD /both" },
    { "HEAD", "/files/a", "HEAD /files/{name} name=a" },
    { "HEAD", "/files/a/b", "GET /files/* *=a/b" },
    { "HEAD", "/nowhere", "-" },
    /* backtracking: a fixed segment that leads nowhere gives way */
    { "GET", "/back/b/x", "GET /back/{a}/x a=b" },
    { "GET", "/back/b/y", "GET /back/b/y" },
    { "GET", "/back/b/c/z", "GET /back/b/{c}/z c=c" },
    { "GET", "/back/b/x/z", "GET /back/b/{c}/z c=x" },
    { "GET", "/back/b/c/q", "GET /back/* *=b/c/q" },
    { "GET", "/back/q/y", "GET /back/* *=q/y" },
    { "GET", "/back/b", "GET /back/* *=b" },
    { "GET", "/notes/new/parts/x", "GET /notes/{id}/parts/{part} id=new part=x" },
    /* method and path together */
    { "GET", "/mixed/one", "GET /mixed/one" },
    { "POST", "/mixed/one", "POST /mixed/{any} any=one" },
    { "PUT", "/mixed/one", "PUT /mixed/* *=one" },
    { "DELETE", "/notes/new", "DELETE /notes/{id} id=new" },
    { "PUT", "/mixed/one/two", "PUT /mixed/* *=one/two" },
    { "GET", "/mixed/two", "405 POST, PUT, OPTIONS" },
    { "get", "/mixed/one", "405 GET, HEAD, POST, PUT, OPTIONS" },
    /* Allow */
    { "POST", "/index", "405 GET, HEAD, OPTIONS" },
    { "PUT", "/notes", "405 GET, HEAD, POST, OPTIONS" },
    { "POST", "/notes/new", "405 GET, HEAD, PUT, DELETE, OPTIONS" },
    { "POST", "/both", "405 GET, HEAD, OPTIONS" },
    { "POST", "/files/a", "405 HEAD, GET, OPTIONS" },
    { "PUT", "/back/b/y", "405 GET, HEAD, PATCH, OPTIONS" },
    { "POST", "/own", "405 OPTIONS, GET, HEAD" },
    { "GETT", "/index", "405 GET, HEAD, OPTIONS" },
    { "GE", "/index", "405 GET, HEAD, OPTIONS" },
    { "", "/index", "405 GET, HEAD, OPTIONS" },
    /* OPTIONS */
    { "OPTIONS", "/own", "OPTIONS /own" },
    { "OPTIONS", "/notes", "405 GET, HEAD, POST, OPTIONS" },
    { "OPTIONS", "/nowhere", "-" },
};

static void add_all(size_t first, size_t step)
{
    for (size_t i = 0; i < COUNT(routes); i++) {
        const char *const *route = routes[(first + i * step) % COUNT(routes)];

        ck_assert_msg(add("", route[0], route[1]) == 0, "%s", error.text);
    }
}

START_TEST(matches)
{
    add_all(0, 1);
    ck_assert_str_eq(outcome(requests[_i].method, requests[_i].raw), requests[_i].outcome);
}
END_TEST

/* What is found does not depend on the order of adding; 7 and 30 have no common divisor. */
START_TEST(matches_in_any_order)
{
    add_all(3, 7);
    if (strncmp(requests[_i].outcome, "405", 3) != 0)
        ck_assert_str_eq(outcome(requests[_i].method, requests[_i].raw), requests[_i].outcome);
    else
        ck_assert_uint_eq(strlen(outcome(requests[_i].method, requests[_i].raw)), strlen(requests[_i].outcome));
}
END_TEST

START_TEST(nothing_added)
{
    ck_assert_str_eq(outcome("GET", "/"), "-");
    router_free(NULL);
}
END_TEST

START_TEST(owner_and_values)
{
    static const struct berth_route route = { .method = "GET", .path = "/{a}/*", .handler = unused };
    struct target target = target_of("/x/y/z");
    struct match match;
    int owner;

    ck_assert_int_eq(router_add(router, "", &route, &owner, NULL), 0);
    ck_assert_int_eq(router_match(router, "GET", &target, &match, NULL, 0), ROUTER_FOUND);
    ck_assert_ptr_eq(match.route, &route);
    ck_assert_ptr_eq(match.owner, &owner);
    ck_assert_uint_eq(match.count, 2);
    ck_assert_ptr_eq(match.values[0], target.segments[0]);
    ck_assert_ptr_eq(match.values[1], target.path + 3);
}
END_TEST

static const struct {
    size_t size;
    const char *allow;
} allow_sizes[] = {
    { 0, "?" },   { 1, "" },           { 3, "" },           { 4, "GET" },
    { 9, "GET" }, { 10, "GET, HEAD" }, { 18, "GET, HEAD" }, { 19, "GET, HEAD, OPTIONS" },
};

START_TEST(allow_is_cut_at_whole_methods)
{
    struct target target = target_of("/");
    char allow[64] = "?";
    struct match match;

    ck_assert_int_eq(add("", "GET", "/"), 0);
    ck_assert_int_eq(router_match(router, "PUT", &target, &match, allow, allow_sizes[_i].size), ROUTER_NO_METHOD);
    ck_assert_str_eq(allow, allow_sizes[_i].allow);
}
END_TEST

START_TEST(mounts)
{
    ck_assert_int_eq(add("/api", "GET", "/"), 0);
    ck_assert_int_eq(add("/api", "GET", "/x/{id}"), 0);
    ck_assert_int_eq(add("/site/deep", "GET", "/*"), 0);
    ck_assert_int_eq(add("", "GET", "/{any}"), 0);
    ck_assert_str_eq(outcome("GET", "/api"), "GET /");
    ck_assert_str_eq(outcome("GET", "/api/"), "GET /");
    ck_assert_str_eq(outcome("GET", "/api//"), "-");
    ck_assert_str_eq(outcome("GET", "/api/x/1"), "GET /x/{id} id=1");
    ck_assert_str_eq(outcome("GET", "/apix"), "GET /{any} any=apix");
    ck_assert_str_eq(outcome("GET", "/"), "-");
    ck_assert_str_eq(outcome("GET", "/site/deep"), "-");
    ck_assert_str_eq(outcome("GET", "/site/deep/"), "GET /* *=");
    ck_assert_str_eq(outcome("GET", "/site/deep/a/b"), "GET /* *=a/b");
}
END_TEST

/* ---- Adding --------------------------------------------------------------------------------------------------- */

static const struct {
    const char *mount, *method, *path;
    int r;
    const char *word; /* in the error */
} refused[] = {
    { "", "", "/", -EINVAL, "method" },
    { "", NULL, "/", -EINVAL, "method" },
    { "", "GE T", "/", -EINVAL, "\"GE T\"" },
    { "", "GET", NULL, -EINVAL, "begin" },
    { "/x", "GET", NULL, -EINVAL, "begin" },
    { "", "GET", "", -EINVAL, "begin" },
    { "/x", "GET", "", -EINVAL, "begin" },
    { "", "GET", "a", -EINVAL, "begin" },
    { "", "GET", "*", -EINVAL, "begin" },
    { "", "GET", "//", -EINVAL, "empty segment" },
    { "", "GET", "/a//b", -EINVAL, "empty segment" },
    { "", "GET", "/a/..", -EINVAL, "\"..\"" },
    { "", "GET", "/./a", -EINVAL, "\".\"" },
    { "", "GET", "/*/a", -EINVAL, "last" },
    { "", "GET", "/*/", -EINVAL, "last" },
    { "", "GET", "/a*", -EINVAL, "\"a*\"" },
    { "", "GET", "/**", -EINVAL, "\"**\"" },
    { "", "GET", "/{}", -EINVAL, "\"{}\"" },
    { "", "GET", "/{", -EINVAL, "\"{\"" },
    { "", "GET", "/{a", -EINVAL, "\"{a\"" },
    { "", "GET", "/a}", -EINVAL, "\"a}\"" },
    { "", "GET", "/x{a}", -EINVAL, "\"x{a}\"" },
    { "", "GET", "/{a}x", -EINVAL, "\"{a}x\"" },
    { "", "GET", "/{a}{b}", -EINVAL, "\"{a}{b}\"" },
    { "", "GET", "/{a b}", -EINVAL, "\"{a b}\"" },
    { "", "GET", "/{*}", -EINVAL, "\"{*}\"" },
    { "", "GET", "/{a/b}", -EINVAL, "\"{a\"" },
    { "", "GET", "/{a}/{b}/{a}", -EINVAL, "{a} is there twice" },
    { "", "GET", "/a%20b", -EINVAL, "decoded" },
    { "", "GET", "/a?b", -EINVAL, "decoded" },
    { "", "GET", "/a#b", -EINVAL, "decoded" },
    { "", "GET", "/a\n", -EINVAL, "control" },
    { "x", "GET", "/", -EINVAL, "mount \"x\"" },
    { "/", "GET", "/", -EINVAL, "mount \"/\"" },
    { "/x/", "GET", "/", -EINVAL, "mount \"/x/\"" },
    { "/{x}", "GET", "/", -EINVAL, "mount \"/{x}\"" },
    { "/*", "GET", "/", -EINVAL, "mount \"/*\"" },
    { "/..", "GET", "/", -EINVAL, "\"..\"" },
    { "/x//y", "GET", "/", -EINVAL, "empty segment" },
    /* as long as there are GET /notes/{id}, GET /all/<rest>, HEAD /head, GET /x and GET / below /api */
    { "", "GET", "/notes/{id}", -EEXIST, "GET /notes/{id}" },
    { "", "GET", "/notes/{other}", -EEXIST, "/notes/{other}: the same requests already go to GET /notes/{id}" },
    { "/notes", "GET", "/{other}", -EEXIST, "GET /notes/{id}" },
    { "", "GET", "/all/*", -EEXIST, "GET /all/*" },
    { "", "HEAD", "/head", -EEXIST, "HEAD /head" },
    { "", "GET", "/api", -EEXIST, "GET /api" },
    { "", "GET", "/api/", -EEXIST, "GET /api/" },
    { "/x", "GET", "/", -EEXIST, "GET /x" },
};

START_TEST(refuses)
{
    ck_assert_int_eq(add("", "GET", "/notes/{id}"), 0);
    ck_assert_int_eq(add("", "POST", "/notes/{name}"), 0);
    ck_assert_int_eq(add("", "GET", "/notes/id"), 0);
    ck_assert_int_eq(add("", "GET", "/all/*"), 0);
    ck_assert_int_eq(add("", "GET", "/all/{x}"), 0);
    ck_assert_int_eq(add("", "HEAD", "/head"), 0);
    ck_assert_int_eq(add("", "GET", "/head"), 0);
    ck_assert_int_eq(add("", "GET", "/x"), 0);
    ck_assert_int_eq(add("/api", "GET", "/"), 0);
    ck_assert_int_eq(add(refused[_i].mount, refused[_i].method, refused[_i].path), refused[_i].r);
    ck_assert_msg(strstr(error.text, refused[_i].word), "\"%s\" does not say \"%s\"", error.text, refused[_i].word);
}
END_TEST

START_TEST(a_route_without_a_handler)
{
    static const struct berth_route route = { .method = "GET", .path = "/a" };

    ck_assert_int_eq(router_add(router, "", &route, NULL, &error), -EINVAL);
    ck_assert_str_eq(error.text, "route GET /a: it has no handler");
}
END_TEST

START_TEST(parameters_at_most_16)
{
    static const char path[] = "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}/{j}/{k}/{l}/{m}/{n}/{o}";
    char sixteen[128], rest[128], more[128], more_rest[128];

    snprintf(sixteen, sizeof(sixteen), "%s/{p}", path);
    snprintf(rest, sizeof(rest), "%s/*", path);
    snprintf(more, sizeof(more), "%s/{p}/{q}", path);
    snprintf(more_rest, sizeof(more_rest), "%s/{p}/*", path);
    ck_assert_int_eq(add("", "GET", sixteen), 0);
    ck_assert_int_eq(add("", "PUT", rest), 0);
    ck_assert_int_eq(add("", "GET", more), -E2BIG);
    ck_assert_ptr_nonnull(strstr(error.text, "16 parameters"));
    ck_assert_int_eq(add("", "GET", more_rest), -E2BIG);
    ck_assert_ptr_nonnull(strstr(outcome("GET", "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16"), " o=15 p=16"));
    ck_assert_ptr_nonnull(strstr(outcome("PUT", "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17"), " o=15 *=16/17"));
}
END_TEST

START_TEST(segments_at_most_128)
{
    char path[2 * TARGET_SEGMENTS_MAX + 3] = "";

    for (size_t i = 0; i < TARGET_SEGMENTS_MAX; i++)
        strcat(path, "/a");
    ck_assert_int_eq(add("", "GET", path), 0);
    ck_assert_str_ne(outcome("GET", path), "-");
    strcat(path, "/a");
    ck_assert_int_eq(add("", "GET", path), -E2BIG);
    ck_assert_ptr_nonnull(strstr(error.text, "128 segments"));
}
END_TEST

/* Fixed or a parameter at each of eight depths: all 256 patterns at once. The segment "a" could always go both ways. */
START_TEST(every_mixture)
{
    static char paths[256][64];

    for (size_t mask = 0; mask < 256; mask++) {
        for (size_t depth = 0; depth < 8; depth++) {
            char parameter[] = { '/', '{', (char)('p' + depth), '}', '\0' };

            strcat(paths[mask], mask >> depth & 1 ? "/a" : parameter);
        }
        ck_assert_int_eq(add("", "GET", paths[mask]), 0);
    }
    for (size_t mask = 0; mask < 256; mask++) {
        char raw[64] = "";
        struct target target;
        struct match match;

        for (size_t depth = 0; depth < 8; depth++)
            strcat(raw, mask >> depth & 1 ? "/a" : "/b");
        target = target_of(raw);
        ck_assert_int_eq(router_match(router, "GET", &target, &match, NULL, 0), ROUTER_FOUND);
        ck_assert_str_eq(match.route->path, paths[mask]);
        ck_assert_uint_eq(match.count, (size_t)(8 - __builtin_popcountl(mask)));
    }
}
END_TEST

Suite *suite_router(void)
{
    Suite *suite = suite_create("router");
    TCase *tcase = tcase_create("router");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, matches, 0, COUNT(requests));
    tcase_add_loop_test(tcase, matches_in_any_order, 0, COUNT(requests));
    tcase_add_test(tcase, nothing_added);
    tcase_add_test(tcase, owner_and_values);
    tcase_add_loop_test(tcase, allow_is_cut_at_whole_methods, 0, COUNT(allow_sizes));
    tcase_add_test(tcase, mounts);
    tcase_add_loop_test(tcase, refuses, 0, COUNT(refused));
    tcase_add_test(tcase, a_route_without_a_handler);
    tcase_add_test(tcase, parameters_at_most_16);
    tcase_add_test(tcase, segments_at_most_128);
    tcase_add_test(tcase, every_mixture);
    suite_add_tcase(suite, tcase);
    return suite;
}
