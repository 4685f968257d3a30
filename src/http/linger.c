#include "http/linger.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH  16
#define PIECES 16 /* of one client at a time, so that the others have their turn */

static void end(struct linger_place *place)
{
    close(place->fd); /* which takes it out of the epoll: nobody else has this description, once MHD has closed its */
    place->fd = -1;
}

static void discard(struct linger_place *place)
{
    char bytes[16384];
    ssize_t n = 0;

    for (int i = 0; i < PIECES; i++) {
        n = recv(place->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (n <= 0)
            break;
        place->bytes += (size_t)n;
    }
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR) || place->bytes > LINGER_BYTES)
        end(place);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct lingers *lingers = poll->data;
    struct epoll_event found[BATCH];
    int count = epoll_wait(lingers->epoll_fd, found, BATCH, 0);

    (void)status;
    (void)events;
    for (int i = 0; i < count; i++)
        discard(found[i].data.ptr);
}

/* They all have the same time, so the oldest is the next to end. */
static void on_due(uv_timer_t *timer)
{
    struct lingers *lingers = timer->data;
    uint64_t now = uv_now(timer->loop), next = UINT64_MAX;

    for (size_t i = 0; i < LINGER_MAX; i++) {
        struct linger_place *place = &lingers->places[i];

        if (place->fd >= 0 && place->due <= now)
            end(place);
        else if (place->fd >= 0 && place->due < next)
            next = place->due;
    }
    if (next < UINT64_MAX)
        uv_timer_start(timer, on_due, next - now, 0);
}

int lingers_init(struct lingers *lingers, uv_loop_t *loop)
{
    int r;

    for (size_t i = 0; i < LINGER_MAX; i++)
        lingers->places[i].fd = -1;
    lingers->next = 0;
    lingers->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (lingers->epoll_fd < 0)
        return -errno;
    r = uv_poll_init(loop, &lingers->poll, lingers->epoll_fd);
    if (r < 0) {
        close(lingers->epoll_fd);
        return r;
    }
    uv_timer_init(loop, &lingers->timer);
    lingers->poll.data = lingers->timer.data = lingers;
    return uv_poll_start(&lingers->poll, UV_READABLE, on_readable);
}

void lingers_done(struct lingers *lingers)
{
    for (size_t i = 0; i < LINGER_MAX; i++)
        if (lingers->places[i].fd >= 0)
            end(&lingers->places[i]);
    uv_poll_stop(&lingers->poll);
    uv_close((uv_handle_t *)&lingers->poll, NULL);
    uv_close((uv_handle_t *)&lingers->timer, NULL);
    close(lingers->epoll_fd);
}

void linger(struct lingers *lingers, int fd)
{
    struct linger_place *place = &lingers->places[lingers->next];
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = place };
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);

    if (own < 0)
        return; /* as if it had been closed at once */
    shutdown(own, SHUT_WR);
    if (place->fd >= 0)
        end(place);
    if (epoll_ctl(lingers->epoll_fd, EPOLL_CTL_ADD, own, &event) < 0) {
        close(own);
        return;
    }
    uv_update_time(lingers->timer.loop);
    *place = (struct linger_place){ .fd = own, .due = uv_now(lingers->timer.loop) + LINGER_MS };
    lingers->next = (lingers->next + 1) % LINGER_MAX;
    if (!uv_is_active((uv_handle_t *)&lingers->timer))
        uv_timer_start(&lingers->timer, on_due, LINGER_MS, 0);
}
