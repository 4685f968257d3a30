/*
 * The application of the tests behind a proxy: shows what came through it, and when.
 */
#define _GNU_SOURCE /* memfd_create */
#include <berth.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static uint64_t arrived;
static unsigned int listening;

/* ---- uploads ---- */

static void upload_free(void *data)
{
    int *fd = data;

    if (*fd >= 0)
        close(*fd);
    free(fd);
}

static int upload_begin(struct berth_request *request, int **ret_fd)
{
    int *fd = malloc(sizeof(*fd));

    if (!fd)
        return -ENOMEM;
    *fd = memfd_create("upload", MFD_CLOEXEC);
    arrived = 0;
    berth_request_set_data(request, fd, upload_free);
    *ret_fd = fd;
    return *fd < 0 ? -errno : 0;
}

static int take_piece(struct berth_request *request, const void *bytes, size_t size)
{
    int *fd = berth_request_data(request), r = fd ? 0 : upload_begin(request, &fd);
    const char *rest = bytes;

    while (r == 0 && size > 0) {
        ssize_t n = write(*fd, rest, size);

        if (n < 0)
            return -errno;
        arrived += (uint64_t)n;
        rest += n;
        size -= (size_t)n;
    }
    return r;
}

/* POST /mirror: answers with what it got. */
static int mirror(struct berth_request *request, struct berth_reply *reply)
{
    int *fd = berth_request_data(request), taken = fd ? *fd : -1;

    if (!fd)
        return berth_reply_bytes(reply, 200, "application/octet-stream", "", 0);
    *fd = -1;
    return berth_reply_fd(reply, 200, "application/octet-stream", taken, 0, arrived);
}

/* GET /arrived: how many bytes of the last upload are here, complete or not */
static int show_arrived(struct berth_request *request, struct berth_reply *reply)
{
    return berth_reply_text(reply, 200, "%llu\n", (unsigned long long)arrived);
}

static int take_little(struct berth_request *request, struct berth_reply *reply)
{
    return berth_reply_text(reply, 200, "taken\n");
}

/* ---- what the proxy says ---- */

static const char *field(struct berth_request *request, const char *name)
{
    const char *value = berth_request_header(request, name, 0);

    if (value && berth_request_header(request, name, 1))
        return "several";
    return value ? value : "-";
}

static int show_seen(struct berth_request *request, struct berth_reply *reply)
{
    const struct berth_peer *peer = berth_request_peer(request);

    return berth_reply_text(
        reply, 200,
        "client=%s scheme=%s host=%s root=%s proxied=%d self=%d\n"
        "target=%s for=%s proto=%s for-host=%s prefix=%s forwarded=%s "
        "others=%s%s%s connection=%s\n",
        berth_request_client(request), berth_request_scheme(request), berth_request_host(request),
        berth_request_root(request), peer->proxied, berth_peer_is_self(peer), berth_request_target(request),
        field(request, "X-Forwarded-For"), field(request, "X-Forwarded-Proto"), field(request, "X-Forwarded-Host"),
        field(request, "X-Forwarded-Prefix"), field(request, "Forwarded"), field(request, "X-Forwarded-Port"),
        field(request, "X-Forwarded-Server"), field(request, "X-Real-IP"), field(request, "Connection"));
}

/* ---- streams ---- */

static void on_gone(struct berth_stream *stream, int r, void *data)
{
    listening--;
}

/* GET /listen: one line, and then nothing but heartbeats */
static int listen_to_it(struct berth_request *request, struct berth_reply *reply)
{
    static const struct berth_stream_events events = { .gone = on_gone };
    struct berth_stream *stream;
    int r = berth_reply_stream(reply, "application/x-ndjson", &stream);

    if (r < 0)
        return r;
    listening++;
    berth_stream_watch(stream, &events, NULL);
    return berth_stream_write(stream, "{}\n", 3);
}

static int show_listening(struct berth_request *request, struct berth_reply *reply)
{
    return berth_reply_text(reply, 200, "%u\n", listening);
}

static const struct berth_route routes[] = {
    { "POST", "/mirror", mirror, .body = take_piece },
    { "POST", "/little", take_little, .body_limit = 10 },
    { "GET", "/arrived", show_arrived },
    { "GET", "/seen/*", show_seen },
    { "GET", "/listen", listen_to_it },
    { "GET", "/listening", show_listening },
    { 0 },
};

BERTH_APP("behind", .routes = routes);
