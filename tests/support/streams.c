/*
 * Streams on request: opened by a client under a name, and then written to, ended and cut by others.
 */
#include <berth.h>

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LINE_SIZE 1000

struct open {
    struct berth_stream *stream;
    struct berth_reply *reply; /* of a held one, before it is a stream */
    struct berth_timer *timer;
    char *name, *on_drain, *in_room, *in_every;
    uint64_t line, steps, limit;
    struct open *next, **link;
};

static struct open *all;
static struct {
    unsigned int sent, failed, room, fired, drained, worked, orphaned;
    uint64_t dropped;
} told;

static void open_free(struct open *open)
{
    *open->link = open->next;
    if (open->next)
        open->next->link = open->link;
    berth_timer_stop(open->timer);
    free(open->name);
    free(open->on_drain);
    free(open->in_room);
    free(open->in_every);
    free(open);
}

static char *query_copy(struct berth_request *request, const char *name)
{
    const char *value = berth_request_query(request, name, 0);

    return strdup(value ? value : "");
}

static struct open *open_new(struct berth_request *request)
{
    struct open *open = calloc(1, sizeof(*open));
    const char *name = berth_request_param(request, "name");

    if (!open)
        return NULL;
    open->name = strdup(name ? name : "");
    open->on_drain = query_copy(request, "drain");
    open->in_room = query_copy(request, "room");
    open->in_every = query_copy(request, "every");
    open->next = all;
    open->link = &all;
    if (all)
        all->link = &open->next;
    all = open;
    return open;
}

static struct open *open_find(struct berth_request *request)
{
    const char *name = berth_request_param(request, "name");

    for (struct open *open = all; open; open = open->next)
        if (strcmp(open->name, name) == 0)
            return open;
    return NULL;
}

/* ---- what a stream is told ---- */

/* Whatever is called here does nothing any more. */
static void on_gone(struct berth_stream *stream, int r, void *data)
{
    if (r == 0)
        told.sent++;
    else
        told.failed++;
    berth_log(BERTH_LOG_INFO, "the stream %s is gone: %d", ((struct open *)data)->name, r);
    told.dropped += berth_stream_dropped(stream);
    if (berth_stream_write(stream, "x", 1) != -EPIPE || berth_stream_every(stream, 1, NULL, NULL) != -EPIPE)
        abort();
    berth_stream_end(stream);
    berth_stream_cut(stream);
    open_free(data);
}

/* Lines of so many bytes with a number, until one is not taken. */
static void pump(struct open *open)
{
    char line[LINE_SIZE + 1];

    for (int i = 0; i < 1000; i++) {
        snprintf(line, sizeof(line), "%0*" PRIu64 "\n", LINE_SIZE - 1, open->line);
        if (berth_stream_write(open->stream, line, LINE_SIZE) < 0)
            return;
        open->line++;
    }
}

/* Half of the limit is free: a write of that size is taken. */
static void write_half(struct open *open)
{
    char *bytes = calloc(1, open->limit / 2);

    if (!bytes || berth_stream_write(open->stream, bytes, open->limit / 2) != 0)
        abort();
    free(bytes);
}

static void on_room(struct berth_stream *stream, void *data)
{
    struct open *open = data;

    told.room++;
    if (strcmp(open->in_room, "end") == 0)
        berth_stream_end(stream);
    else if (strcmp(open->in_room, "cut") == 0)
        berth_stream_cut(stream);
    else if (strcmp(open->in_room, "pump") == 0)
        pump(open);
    else if (strcmp(open->in_room, "half") == 0)
        write_half(open);
}

static void on_room_instead(struct berth_stream *stream, void *data)
{
    told.room += 1000;
    berth_stream_end(stream);
}

static bool on_drain(struct berth_stream *stream, void *data)
{
    struct open *open = data;

    told.drained++;
    if (strcmp(open->on_drain, "cut") == 0)
        berth_stream_cut(stream);
    else
        berth_stream_write(stream, "last word\n", 10);
    if (strcmp(open->on_drain, "end") == 0)
        berth_stream_end(stream);
    return open->on_drain[0] != '\0';
}

static const struct berth_stream_events events = { .room = on_room, .drain = on_drain, .gone = on_gone };
static const struct berth_stream_events other_events = { .room = on_room_instead, .drain = on_drain, .gone = on_gone };

static void on_every(struct berth_stream *stream, void *data)
{
    struct open *open = data;

    told.fired++;
    if (strcmp(open->in_every, "pump") == 0)
        pump(open);
    else if (strcmp(open->in_every, "watch") == 0)
        berth_stream_watch(stream, &other_events, open);
    else
        berth_stream_write(stream, "tick\n", 5);
    if (strcmp(open->in_every, "end") == 0)
        berth_stream_end(stream);
    else if (strcmp(open->in_every, "cut") == 0)
        berth_stream_cut(stream);
    else if (strcmp(open->in_every, "once") == 0)
        berth_stream_every(stream, 0, on_every, open);
    else if (strcmp(open->in_every, "slower") == 0)
        berth_stream_every(stream, 600000, on_every, open);
}

/* ---- opening ---- */

static enum berth_stream_full full_of(const char *text)
{
    if (text && strcmp(text, "drop") == 0)
        return BERTH_STREAM_DROP;
    return text && strcmp(text, "close") == 0 ? BERTH_STREAM_CLOSE : BERTH_STREAM_WAIT;
}

static int begin(struct berth_request *request, struct berth_reply *reply, struct open *open)
{
    const char *type = berth_request_query(request, "type", 0);
    uint64_t limit, ms;
    int r = berth_request_query_u64(request, "limit", BERTH_STREAM_LIMIT, &limit);

    if (r == 0)
        r = berth_request_query_u64(request, "ms", 0, &ms);
    if (r == 0)
        r = berth_reply_stream(reply, type ? type : "text/plain", &open->stream);
    if (r < 0) {
        open_free(open);
        return r;
    }
    berth_stream_watch(open->stream, &events, open);
    open->limit = limit;
    berth_stream_limit(open->stream, limit, full_of(berth_request_query(request, "full", 0)));
    return ms > 0 ? berth_stream_every(open->stream, ms, on_every, open) : 0;
}

/* GET /open/{name}?type=&limit=&full=&ms=&every=&room=&drain= */
static int get_open(struct berth_request *request, struct berth_reply *reply)
{
    struct open *open = open_new(request);

    return open ? begin(request, reply, open) : -ENOMEM;
}

static void held_gone(void *data)
{
    open_free(data);
}

static void held_due(void *data)
{
    struct open *open = data;

    if (berth_reply_stream(open->reply, "text/plain", &open->stream) < 0)
        abort();
    berth_stream_watch(open->stream, &events, open);
    berth_stream_write(open->stream, "later\n", 6);
    berth_stream_end(open->stream);
}

/* GET /held: a stream that begins when the handler has long returned. */
static int get_held(struct berth_request *request, struct berth_reply *reply)
{
    struct open *open = open_new(request);
    int r;

    if (!open)
        return -ENOMEM;
    open->reply = reply;
    r = berth_reply_hold(reply, held_gone, open);
    return r < 0 ? r : berth_timer_start(20, 0, held_due, open, &open->timer);
}

/* GET /lines/{count}: all of it before the head is out, and the end too. */
static int get_lines(struct berth_request *request, struct berth_reply *reply)
{
    struct open *open = open_new(request);
    uint64_t count;
    char line[32];
    int r = open ? berth_request_param_u64(request, "count", &count) : -ENOMEM;

    if (r == 0)
        r = begin(request, reply, open);
    for (uint64_t i = 0; r == 0 && i < count; i++) {
        snprintf(line, sizeof(line), "line %" PRIu64 "\n", i);
        r = berth_stream_write(open->stream, line, strlen(line));
    }
    if (r == 0)
        berth_stream_end(open->stream);
    return r;
}

/* GET /fail: the error is the answer. */
static int get_fail(struct berth_request *request, struct berth_reply *reply)
{
    int r = get_open(request, reply);

    if (r == 0)
        berth_stream_write(all->stream, "never seen\n", 11);
    return r < 0 ? r : -EBUSY;
}

/* GET /cut: cut in the handler itself. */
static int get_cut_at_once(struct berth_request *request, struct berth_reply *reply)
{
    int r = get_open(request, reply);

    if (r == 0)
        berth_stream_cut(all->stream);
    return r;
}

/* GET /formats: everything that has a form. */
static int get_formats(struct berth_request *request, struct berth_reply *reply)
{
    const struct berth_stream_event whole = { "7", "temperature", "line 1\nline 2", 5000 }, bad = { .id = "a\nb" };
    struct berth_stream *stream;
    char large[6000];
    const struct berth_stream_event long_one = { .data = large };
    json_t *json = json_pack("{s:i}", "a", 1), *text;
    int r = berth_reply_events(reply, &stream);

    memset(large, 'x', sizeof(large) - 1);
    large[sizeof(large) - 1] = '\0';
    text = json_string(large);
    if (r == 0 && (berth_stream_event(stream, &bad) != -EBADMSG || berth_stream_comment(stream, "a\rb") != -EBADMSG ||
                   berth_stream_json(stream, NULL) != -EBADMSG))
        r = -EIO;
    if (r == 0)
        r = berth_stream_event(stream, &whole);
    if (r == 0)
        r = berth_stream_comment(stream, "a comment");
    if (r == 0)
        r = berth_stream_json(stream, json);
    if (r == 0)
        r = berth_stream_event(stream, &long_one);
    if (r == 0)
        r = berth_stream_json(stream, text);
    if (r == 0)
        berth_stream_end(stream);
    json_decref(json);
    json_decref(text);
    return r;
}

/* ---- work ---- */

static void work(void *data)
{
    struct timespec length = { .tv_nsec = 20000000 };

    nanosleep(&length, NULL);
}

/* The steps are counted apart from the stream, which may be over first. */
static void worked(struct berth_stream *stream, void *data)
{
    struct open *open = data;
    char line[32];

    if (!stream) {
        told.orphaned++;
        return;
    }
    told.worked++;
    snprintf(line, sizeof(line), "step %" PRIu64 "\n", ++open->line);
    berth_stream_write(stream, line, strlen(line));
    if (open->line == open->steps)
        berth_stream_end(stream);
    else if (berth_stream_offload(stream, work, worked, open) == 0 &&
             berth_stream_offload(stream, work, worked, open) != -EALREADY)
        abort();
}

/* GET /work/{count}: so many steps, each on the thread pool. */
static int get_work(struct berth_request *request, struct berth_reply *reply)
{
    struct open *open;
    int r = get_open(request, reply);

    if (r < 0)
        return r;
    open = all;
    r = berth_request_param_u64(request, "count", &open->steps);
    return r < 0 ? r : berth_stream_offload(open->stream, work, worked, open);
}

/* Until /release: what happens to the stream meanwhile is sure to happen before the work is over. */
static sem_t released;

static void wait_for_release(void *data)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 60; /* a test that failed shall not keep the server */
    sem_timedwait(&released, &until);
}

/* GET /long: work that goes on until GET /release. */
static int get_long(struct berth_request *request, struct berth_reply *reply)
{
    int r = get_open(request, reply);

    if (r < 0)
        return r;
    all->steps = 1;
    return berth_stream_offload(all->stream, wait_for_release, worked, all);
}

static int get_release(struct berth_request *request, struct berth_reply *reply)
{
    sem_post(&released);
    return berth_reply_text(reply, 200, "\n");
}

/* ---- what others do to it ---- */

static int done(struct berth_reply *reply, int r)
{
    return berth_reply_text(reply, 200, "%d\n", r);
}

/* POST /write/{name}?times= with the bytes. */
static int post_write(struct berth_request *request, struct berth_reply *reply)
{
    struct open *open = open_find(request);
    uint64_t times;
    size_t size;
    const char *bytes = berth_request_body(request, &size);
    int r = berth_request_query_u64(request, "times", 1, &times);

    if (r < 0 || !open || !open->stream)
        return r < 0 ? r : 404;
    for (; r == 0 && times > 0; times--)
        r = berth_stream_write(open->stream, bytes, size);
    return done(reply, r);
}

static int get_end(struct berth_request *request, struct berth_reply *reply)
{
    struct open *open = open_find(request);

    if (!open)
        return 404;
    berth_stream_end(open->stream);
    berth_stream_end(open->stream);
    return done(reply, berth_stream_write(open->stream, "x", 1));
}

static int get_cut(struct berth_request *request, struct berth_reply *reply)
{
    struct open *open = open_find(request);

    if (!open)
        return 404;
    berth_stream_cut(open->stream);
    berth_stream_cut(open->stream);
    return done(reply, berth_stream_write(open->stream, "x", 1));
}

static int get_told(struct berth_request *request, struct berth_reply *reply)
{
    unsigned int count = 0;

    for (const struct open *open = all; open; open = open->next)
        count++;
    return berth_reply_text(
        reply, 200, "open %u sent %u failed %u room %u fired %u drained %u dropped %" PRIu64 " worked %u orphaned %u\n",
        count, told.sent, told.failed, told.room, told.fired, told.drained, told.dropped, told.worked, told.orphaned);
}

static int get_crash(struct berth_request *request, struct berth_reply *reply)
{
    abort();
}

static void stop(void *state)
{
    if (all)
        berth_log(BERTH_LOG_ERROR, "a stream was not told that it is gone");
    berth_log(BERTH_LOG_INFO, "streams: %u sent, %u failed, %u drained", told.sent, told.failed, told.drained);
}

static const struct berth_route routes[] = {
    { "GET", "/open/{name}", get_open },
    { "GET", "/held", get_held },
    { "GET", "/lines/{count}", get_lines },
    { "GET", "/fail", get_fail },
    { "GET", "/cut", get_cut_at_once },
    { "GET", "/formats", get_formats },
    { "GET", "/work/{count}", get_work },
    { "GET", "/long", get_long },
    { "GET", "/release", get_release },
    { "POST", "/write/{name}", post_write },
    { "GET", "/end/{name}", get_end },
    { "GET", "/cut/{name}", get_cut },
    { "GET", "/told", get_told },
    { "GET", "/crash", get_crash },
    { 0 },
};

BERTH_APP("streams", .routes = routes, .stop = stop);
