/*
 * Connections that are over for us while their client still sends: the body of a request that was refused by its head.
 * Closed with bytes unread, they would fail under the client's next write, and a client that gives up then, as proxies
 * do, never reads why. So what comes is read and thrown away, for a while.
 */
#ifndef BERTH_HTTP_LINGER_H
#define BERTH_HTTP_LINGER_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define LINGER_MAX   64                 /* at a time; for one more the oldest is closed */
#define LINGER_BYTES (64 * 1024 * 1024) /* are read of each at most */
#define LINGER_MS    10000              /* and for so long */

struct linger_place {
    int fd; /* -1: free */
    size_t bytes;
    uint64_t due;
};

struct lingers {
    int epoll_fd;
    uv_poll_t poll;
    uv_timer_t timer;
    size_t next; /* the place of whoever comes next: the oldest's */
    struct linger_place places[LINGER_MAX];
};

/* 0, or a negative errno: then nothing has to be ended. */
int lingers_init(struct lingers *lingers, uv_loop_t *loop);

/* Closes all. The loop's next turn closes the handles. */
void lingers_done(struct lingers *lingers);

/* All is sent: the client sees the end, and may go on sending. `fd` stays the caller's, who closes it. */
void linger(struct lingers *lingers, int fd);

#endif
