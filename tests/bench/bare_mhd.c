/*
 * Bare libmicrohttpd under libuv, driven as berth drives it and with nothing around it: one daemon in external mode
 * with epoll, its epoll descriptor watched by a libuv loop, one prepared response for every request. What berth costs
 * more than this is what routing, strictness, limits and identity cost.
 *
 * Usage: bare_mhd SOCKET | bare_mhd --version
 */
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "bare.h"

static struct MHD_Daemon *daemon_;
static struct MHD_Response *page;
static uv_timer_t timer;

static void on_timer(uv_timer_t *handle);

static void run(void)
{
    MHD_UNSIGNED_LONG_LONG timeout;

    MHD_run(daemon_);
    if (MHD_get_timeout(daemon_, &timeout) == MHD_YES)
        uv_timer_start(&timer, on_timer, timeout, 0);
    else
        uv_timer_stop(&timer);
}

static void on_timer(uv_timer_t *handle)
{
    (void)handle;
    run();
}

static void on_readable(uv_poll_t *handle, int status, int events)
{
    (void)handle;
    (void)status;
    (void)events;
    run();
}

static enum MHD_Result answer(void *data, struct MHD_Connection *connection, const char *target, const char *method,
                              const char *version, const char *body, size_t *body_size, void **request)
{
    static int seen;

    (void)data;
    (void)target;
    (void)method;
    (void)version;
    (void)body;
    /* A reply queued on the first call would close the connection. */
    if (!*request) {
        *request = &seen;
        return MHD_YES;
    }
    *body_size = 0;
    return MHD_queue_response(connection, MHD_HTTP_OK, page);
}

static void start(int listener)
{
    page = MHD_create_response_from_buffer(sizeof(BARE_PAGE) - 1, (void *)(uintptr_t)BARE_PAGE, MHD_RESPMEM_PERSISTENT);
    if (!page || MHD_add_response_header(page, MHD_HTTP_HEADER_CONTENT_TYPE, BARE_TYPE) != MHD_YES)
        bare_fail("response");
    daemon_ = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_ERROR_LOG, 0, NULL, NULL, answer, NULL, MHD_OPTION_LISTEN_SOCKET,
                               listener, MHD_OPTION_END);
    if (!daemon_)
        bare_fail("MHD_start_daemon");
}

int main(int argc, char **argv)
{
    const union MHD_DaemonInfo *info;
    uv_poll_t poll;

    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("libmicrohttpd %s, libuv %s\n", MHD_get_version(), uv_version_string());
        return EXIT_SUCCESS;
    }
    start(bare_listen(argc, argv));
    info = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD);
    if (!info || uv_timer_init(uv_default_loop(), &timer) < 0 ||
        uv_poll_init(uv_default_loop(), &poll, info->epoll_fd) < 0 ||
        uv_poll_start(&poll, UV_READABLE, on_readable) < 0)
        bare_fail("libuv");
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
