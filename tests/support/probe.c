/*
 * The application that the system tests ask for trouble: it blocks, crashes, holds and reveals on request.
 */
#include <berth.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

struct held {
    struct berth_reply *reply;
    struct berth_timer *timer;
    struct held *next, **link;
};

static struct held *all_held;
static unsigned int gone_count;

static void pause_ms(uint64_t ms)
{
    struct timespec length = { .tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000 * 1000000) };

    while (nanosleep(&length, &length) < 0 && errno == EINTR)
        ;
}

/* ---- what the worker is ---- */

static int get_pid(struct berth_request *request, struct berth_reply *reply)
{
    return berth_reply_text(reply, 200, "%d\n", (int)getpid());
}

static int get_environment(struct berth_request *request, struct berth_reply *reply)
{
    char text[16384] = "";
    size_t used = 0;

    for (char **variable = environ; *variable && used < sizeof(text); variable++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s\n", *variable);
    return berth_reply_text(reply, 200, "%s", text);
}

static int get_user(struct berth_request *request, struct berth_reply *reply)
{
    return berth_reply_text(reply, 200, "%u %u\n", geteuid(), getegid());
}

/* ---- trouble ---- */

/* Leaves a process behind that ends later as nobody's child. */
static int get_stranger(struct berth_request *request, struct berth_reply *reply)
{
    pid_t child = fork();

    if (child == 0) {
        if (fork() == 0)
            pause_ms(100);
        _exit(0);
    }
    if (child < 0 || waitpid(child, NULL, 0) < 0)
        return -errno;
    return get_pid(request, reply);
}

static int get_block(struct berth_request *request, struct berth_reply *reply)
{
    uint64_t ms;
    int r = berth_request_param_u64(request, "ms", &ms);

    if (r < 0)
        return r;
    pause_ms(ms);
    return get_pid(request, reply);
}

static int get_crash(struct berth_request *request, struct berth_reply *reply)
{
    abort();
}

static int get_nothing(struct berth_request *request, struct berth_reply *reply)
{
    return 0;
}

static int get_return(struct berth_request *request, struct berth_reply *reply)
{
    int64_t value;
    int r = berth_request_param_i64(request, "value", &value);

    return r < 0 ? r : (int)value;
}

/* ---- answering later ---- */

static void held_free(struct held *held)
{
    *held->link = held->next;
    if (held->next)
        held->next->link = held->link;
    berth_timer_stop(held->timer);
    free(held);
}

static void held_gone(void *data)
{
    gone_count++;
    held_free(data);
}

static void held_due(void *data)
{
    struct held *held = data;

    berth_reply_text(held->reply, 200, "%d\n", (int)getpid());
    held_free(held);
}

/* /hold is answered by /release, /later/{ms} by its timer. */
static int get_hold(struct berth_request *request, struct berth_reply *reply)
{
    struct held *held;
    uint64_t ms;
    int r;

    held = calloc(1, sizeof(*held));
    if (!held)
        return -ENOMEM;
    held->reply = reply;
    held->next = all_held;
    held->link = &all_held;
    if (held->next)
        held->next->link = &held->next;
    all_held = held;
    r = berth_reply_hold(reply, held_gone, held);
    if (r < 0) {
        held_free(held);
        return r;
    }
    if (!berth_request_param(request, "ms"))
        return 0;
    r = berth_request_param_u64(request, "ms", &ms);
    if (r == 0)
        r = berth_timer_start(ms, 0, held_due, held, &held->timer);
    if (r < 0) {
        held_free(held);
        berth_reply_error(reply, 400, "ms is a number");
    }
    return 0;
}

static int get_release(struct berth_request *request, struct berth_reply *reply)
{
    unsigned int count = 0;

    for (; all_held; count++)
        held_due(all_held);
    return berth_reply_text(reply, 200, "%u\n", count);
}

static int get_held(struct berth_request *request, struct berth_reply *reply)
{
    unsigned int count = 0;

    for (struct held *held = all_held; held; held = held->next)
        count++;
    return berth_reply_text(reply, 200, "held %u gone %u\n", count, gone_count);
}

static void offload_work(void *data)
{
    pause_ms(*(uint64_t *)data);
}

static int offload_done(struct berth_request *request, struct berth_reply *reply, void *data)
{
    free(data);
    if (!reply) {
        gone_count++;
        return 0;
    }
    return get_pid(request, reply);
}

static int get_offload(struct berth_request *request, struct berth_reply *reply)
{
    uint64_t *ms = malloc(sizeof(*ms));
    int r = ms ? berth_request_param_u64(request, "ms", ms) : -ENOMEM;

    if (r == 0)
        r = berth_offload(reply, offload_work, offload_done, ms);
    if (r < 0)
        free(ms);
    return r;
}

/* ---- what a request carries ---- */

static int get_echo(struct berth_request *request, struct berth_reply *reply)
{
    const char *field = berth_request_header(request, "X-Field", 0);
    const char *query = berth_request_query(request, "q", 0);
    const char *rest = berth_request_param(request, "*");

    return berth_reply_text(reply, 200, "root=%s path=%s rest=%s q=%s field=%s\n", berth_request_root(request),
                            berth_request_path(request), rest, query ? query : "-", field ? field : "-");
}

static int post_body(struct berth_request *request, struct berth_reply *reply)
{
    size_t size;

    berth_request_body(request, &size);
    return berth_reply_text(reply, 200, "%zu bytes\n", size);
}

struct pieces {
    size_t count, size;
};

static int take_piece(struct berth_request *request, const void *bytes, size_t size)
{
    struct pieces *pieces = berth_request_data(request);

    if (!pieces) {
        pieces = calloc(1, sizeof(*pieces));
        if (!pieces)
            return -ENOMEM;
        berth_request_set_data(request, pieces, free);
    }
    pieces->count++;
    pieces->size += size;
    return 0;
}

static int post_pieces(struct berth_request *request, struct berth_reply *reply)
{
    const struct pieces *pieces = berth_request_data(request);

    return berth_reply_text(reply, 200, "%zu bytes in %s\n", pieces ? pieces->size : 0,
                            pieces && pieces->count > 1 ? "pieces" : "one piece");
}

static int get_bytes(struct berth_request *request, struct berth_reply *reply)
{
    uint64_t size;
    char *bytes;
    int r = berth_request_param_u64(request, "size", &size);

    if (r < 0)
        return r;
    bytes = malloc(size + 1);
    if (!bytes)
        return -ENOMEM;
    memset(bytes, 'x', size);
    r = berth_reply_bytes(reply, 200, "application/octet-stream", bytes, size);
    free(bytes);
    return r;
}

static int get_file(struct berth_request *request, struct berth_reply *reply)
{
    const char *path = berth_request_query(request, "path", 0);

    return path ? berth_reply_file(reply, 200, "application/octet-stream", path) : 400;
}

/* ---- start and stop ---- */

/* Refuses while the file that PROBE_REFUSE names exists. */
static int start(const struct berth_settings *settings, void **ret_state)
{
    const char *refuse = getenv("PROBE_REFUSE");

    if (refuse && access(refuse, F_OK) == 0) {
        berth_log(BERTH_LOG_ERROR, "probe: told to refuse by %s", refuse);
        return -EBUSY;
    }
    return 0;
}

/* Adds a line to the file that PROBE_STOPPED names. */
static void stop(void *state)
{
    const char *stopped = getenv("PROBE_STOPPED");
    FILE *file = stopped ? fopen(stopped, "ae") : NULL;

    if (file) {
        fprintf(file, "%d\n", (int)getpid());
        fclose(file);
    }
    while (all_held)
        held_free(all_held);
}

/* What a request is told to be, and every field that the application sees. */
static int add_field(void *data, const char *name, const char *value)
{
    char *text = data;
    size_t size = strlen(text);

    snprintf(text + size, 4096 - size, "%s: %s\n", name, value);
    return 0;
}

static int get_asked(struct berth_request *request, struct berth_reply *reply)
{
    const char *by_name = berth_request_header(request, "x-forwarded-for", 0);
    const struct berth_peer *peer = berth_request_peer(request);
    char fields[4096] = "";
    int r = berth_request_each_header(request, add_field, fields);

    if (r != 0)
        return r;
    return berth_reply_text(reply, 200, "client=%s\nscheme=%s\nhost=%s\nroot=%s\nproxied=%d\nself=%d\nby name=%s\n\n%s",
                            berth_request_client(request), berth_request_scheme(request), berth_request_host(request),
                            berth_request_root(request), peer->proxied, berth_peer_is_self(peer),
                            by_name ? by_name : "(none)", fields);
}

static const struct berth_route routes[] = {
    { "GET", "/pid", get_pid },
    { "GET", "/environment", get_environment },
    { "GET", "/user", get_user },
    { "GET", "/asked", get_asked },
    { "POST", "/asked", get_asked },
    { "GET", "/block/{ms}", get_block },
    { "GET", "/crash", get_crash },
    { "GET", "/stranger", get_stranger },
    { "GET", "/nothing", get_nothing },
    { "GET", "/return/{value}", get_return },
    { "GET", "/hold", get_hold },
    { "GET", "/later/{ms}", get_hold },
    { "GET", "/release", get_release },
    { "GET", "/held", get_held },
    { "GET", "/offload/{ms}", get_offload },
    { "GET", "/echo/*", get_echo },
    { "POST", "/body", post_body },
    { "POST", "/small", post_body, .body_limit = 10 },
    { "POST", "/pieces", post_pieces, .body = take_piece },
    { "GET", "/bytes/{size}", get_bytes },
    { "GET", "/file", get_file },
    { 0 },
};

BERTH_APP("probe", .routes = routes, .start = start, .stop = stop);
