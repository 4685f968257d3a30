/*
 * An application that calls what no example does, and calls it wrongly on request.
 */
#include <berth.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

static struct berth_constant page = BERTH_CONSTANT(203, "text/x-constant", "always the same\n");

static int constant(struct berth_request *request, struct berth_reply *reply)
{
    (void)request;
    return berth_reply_constant(reply, &page);
}

static int constant_with_a_bad_status(struct berth_request *request, struct berth_reply *reply)
{
    static struct berth_constant bad = BERTH_CONSTANT(99, "text/plain", "");

    (void)request;
    return berth_reply_text(reply, 200, "%d\n", berth_reply_constant(reply, &bad));
}

static int redirect(struct berth_request *request, struct berth_reply *reply)
{
    uint64_t status;
    int r = berth_request_param_u64(request, "status", &status);

    return r < 0 ? r : berth_reply_redirect(reply, (unsigned int)status, "/elsewhere?a=1");
}

static const char *or_none(const char *text)
{
    return text ? text : "(none)";
}

static int reads(struct berth_request *request, struct berth_reply *reply)
{
    uint64_t number = 0;
    int r = berth_request_query_u64(request, "n", 7, &number);

    if (r < 0)
        return r;
    return berth_reply_text(
        reply, 200, "%s|%s|%s|n=%" PRIu64 "|q=%s,%s,%s|h=%s,%s|c=%s\n", berth_request_target(request),
        berth_request_path(request), berth_request_root(request), number, or_none(berth_request_query(request, "q", 0)),
        or_none(berth_request_query(request, "q", 1)), or_none(berth_request_query(request, "q", 2)),
        or_none(berth_request_header(request, "x-h", 0)), or_none(berth_request_header(request, "X-H", 1)),
        or_none(berth_request_cookie(request, "session")));
}

static int integer(struct berth_request *request, struct berth_reply *reply)
{
    int64_t number;
    int r = berth_request_param_i64(request, "n", &number);

    return r < 0 ? r : berth_reply_text(reply, 200, "%" PRId64 "\n", number);
}

static int fields(struct berth_request *request, struct berth_reply *reply)
{
    uint64_t count;
    char name[32];
    int r = berth_request_param_u64(request, "count", &count);

    for (uint64_t i = 0; r == 0 && i < count; i++) {
        snprintf(name, sizeof(name), "X-Field-%" PRIu64, i);
        r = berth_reply_header(reply, name, "here");
    }
    return berth_reply_text(reply, 200, "%d\n", r);
}

static int field_mistakes(struct berth_request *request, struct berth_reply *reply)
{
    (void)request;
    return berth_reply_text(
        reply, 200, "%d %d %d %d %d %d\n", berth_reply_header(reply, "X-Empty", ""),
        berth_reply_header(reply, "X-Tab", "a\tb"), berth_reply_header(reply, "Content-Length", "3"),
        berth_reply_header(reply, "No Token", "x"), berth_reply_header(reply, "X", "a\r\nSet-Cookie: b"),
        berth_reply_header(reply, "content-type", "text/x"));
}

/* What was meant for a page must not be said of its error. */
static int fields_then_failure(struct berth_request *request, struct berth_reply *reply)
{
    (void)request;
    berth_reply_header(reply, "Cache-Control", "max-age=3600");
    return -ENOENT;
}

static int no_such_parameter(struct berth_request *request, struct berth_reply *reply)
{
    uint64_t number;

    (void)reply;
    return berth_request_param_u64(request, "typo", &number);
}

static int no_errno(struct berth_request *request, struct berth_reply *reply)
{
    (void)request;
    (void)reply;
    return 7;
}

static int long_field(struct berth_request *request, struct berth_reply *reply)
{
    static char value[65536];
    uint64_t size;
    int r = berth_request_param_u64(request, "size", &size);

    if (r < 0 || size >= sizeof(value))
        return -EINVAL;
    memset(value, 'x', size);
    value[size] = '\0';
    return berth_reply_text(reply, 200, "%d\n", berth_reply_header(reply, "X-Long", value));
}

static int twice(struct berth_request *request, struct berth_reply *reply)
{
    (void)request;
    berth_reply_text(reply, 200, "first\n");
    return berth_reply_text(reply, 200, "second\n") == -EALREADY ? 0 : 500;
}

static int nothing(struct berth_request *request, struct berth_reply *reply)
{
    (void)request;
    (void)reply;
    return 0;
}

static int gone_calls;

static void count_gone(void *data)
{
    (void)data;
    gone_calls++;
}

static int hold_then_fail(struct berth_request *request, struct berth_reply *reply)
{
    (void)request;
    gone_calls = 0;
    berth_reply_hold(reply, count_gone, NULL);
    return -EBUSY;
}

static int hold_then_reply(struct berth_request *request, struct berth_reply *reply)
{
    (void)request;
    gone_calls = 0;
    berth_reply_hold(reply, count_gone, NULL);
    return berth_reply_text(reply, 200, "at once\n");
}

static int gone(struct berth_request *request, struct berth_reply *reply)
{
    (void)request;
    return berth_reply_text(reply, 200, "%d\n", gone_calls);
}

static void pause_on_the_pool(void *data)
{
    (void)data;
    usleep(200 * 1000);
}

static int say_done(struct berth_request *request, struct berth_reply *reply, void *data)
{
    (void)request;
    return reply ? berth_reply_text(reply, 200, "done, %s\n", (const char *)data) : 0;
}

/* Work that was offloaded is the only one that may answer. */
static int offload_then_reply(struct berth_request *request, struct berth_reply *reply)
{
    static char data[] = "and nobody else could";
    int r = berth_offload(reply, pause_on_the_pool, say_done, data);

    (void)request;
    if (r == 0 && berth_reply_text(reply, 200, "overtaken\n") != -EALREADY)
        return 500;
    if (r == 0 && berth_reply_constant(reply, &page) != -EALREADY)
        return 500;
    return r == 0 && berth_reply_hold(reply, NULL, NULL) != -EALREADY ? 500 : r;
}

static int offload_then_fail(struct berth_request *request, struct berth_reply *reply)
{
    static char data[] = "too late";

    (void)request;
    berth_offload(reply, pause_on_the_pool, say_done, data);
    return -ENOSPC;
}

static int offload_again(struct berth_request *request, struct berth_reply *reply, void *data)
{
    (void)request;
    return reply ? berth_offload(reply, pause_on_the_pool, say_done, data) : 0;
}

static int offload_twice(struct berth_request *request, struct berth_reply *reply)
{
    static char data[] = "in two steps";

    (void)request;
    return berth_offload(reply, pause_on_the_pool, offload_again, data);
}

/* A timer that stops itself while it fires, and a handle on the loop. */
struct later {
    struct berth_reply *reply;
    struct berth_timer *timer;
};

static void fire(void *data)
{
    struct later *later = data;

    berth_timer_stop(later->timer);
    berth_reply_text(later->reply, 200, "%s\n", uv_loop_alive(berth_loop()) ? "the loop lives" : "no loop");
}

static int timer(struct berth_request *request, struct berth_reply *reply)
{
    static struct later later;

    (void)request;
    later.reply = reply;
    if (berth_timer_start(10, 10, fire, &later, &later.timer) < 0)
        return 500;
    return berth_reply_hold(reply, NULL, NULL);
}

static int take_piece(struct berth_request *request, const void *bytes, size_t size)
{
    (void)bytes;
    (void)size;
    berth_log(BERTH_LOG_INFO, "a piece from \"%s\"", berth_peer_user(berth_request_peer(request)));
    return 0;
}

static int pieces(struct berth_request *request, struct berth_reply *reply)
{
    return berth_reply_text(reply, 200, "%s\n", berth_peer_user(berth_request_peer(request)));
}

static const struct berth_route routes[] = {
    { "GET", "/constant", constant, 0, 0 },
    { "GET", "/constant/bad", constant_with_a_bad_status, 0, 0 },
    { "GET", "/redirect/{status}", redirect, 0, 0 },
    { "GET", "/reads/*", reads, 0, 0 },
    { "GET", "/integer/{n}", integer, 0, 0 },
    { "GET", "/fields/{count}", fields, 0, 0 },
    { "GET", "/fields/mistakes", field_mistakes, 0, 0 },
    { "GET", "/fields/failure", fields_then_failure, 0, 0 },
    { "GET", "/parameter", no_such_parameter, 0, 0 },
    { "GET", "/number", no_errno, 0, 0 },
    { "GET", "/room/{size}", long_field, 0, 0 },
    { "GET", "/twice", twice, 0, 0 },
    { "GET", "/nothing", nothing, 0, 0 },
    { "GET", "/hold/fail", hold_then_fail, 0, 0 },
    { "GET", "/hold/reply", hold_then_reply, 0, 0 },
    { "GET", "/gone", gone, 0, 0 },
    { "GET", "/offload/reply", offload_then_reply, 0, 0 },
    { "GET", "/offload/fail", offload_then_fail, 0, 0 },
    { "GET", "/offload/twice", offload_twice, 0, 0 },
    { "GET", "/timer", timer, 0, 0 },
    { "POST", "/pieces", pieces, take_piece, 0 },
    { 0 },
};

BERTH_APP("api", .routes = routes);
