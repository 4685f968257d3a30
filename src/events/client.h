/*
 * A worker's end of the events: the channel to the recorder, the map of the log, and who waits for news. One for each
 * process, made at the first use (client_open), since most workers have none.
 */
#ifndef BERTH_EVENTS_CLIENT_H
#define BERTH_EVENTS_CLIENT_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "events/channel.h"
#include "events/log.h"

/* So many bytes of publications wait for their acknowledgement, with what it takes to remember them. */
#define CLIENT_WAITING_MAX (8 * 1024 * 1024)

/* The worker's, once. `ask` asks the supervisor for the log and the rendezvous, and is called at the first use;
 * `settled`, which may be NULL, is called when nothing is pending any more. */
void client_init(uv_loop_t *loop, void (*ask)(void *data), void (*settled)(void *data), void *data);

/* What the supervisor answered; both descriptors pass to the client, also on failure. */
int client_connect(int log_fd, int rendezvous_fd);

/* Something uses events. 0, also when it did before; -ENOTSUP in a process without client_init. */
int client_open(void);

/* Sends a batch, whose bytes pass to the client on success, as soon as there is a recorder; stored(data, r, first_id,
 * count) is called on the loop, once, later: r is 0, or what the recorder answered, or -EIO when nobody knows what
 * became of it. The batch is stored once, whatever becomes of the recorder meanwhile. `stored` may be NULL. -EAGAIN
 * when too much is waiting, -EINVAL for an empty batch. */
int client_publish(struct channel_batch *batch, void (*stored)(void *data, int r, uint64_t first_id, size_t count),
                   void *data);

/* The log; NULL until a recorder was ready: before that, what a journal has may be missing in it. */
const struct event_log *client_log(void);

/* Whoever is told, in a turn of the loop, that there is something new in the log, or that there is a log now. */
struct client_waiter {
    void (*news)(struct client_waiter *waiter);
    struct client_waiter *previous, *next; /* the client's */
};
void client_wait(struct client_waiter *waiter);
void client_leave(struct client_waiter *waiter);

/* How many publications are not acknowledged: a worker that drains waits for them. */
size_t client_pending(void);

/* Every publication that is still open ends with -EIO; closes all. */
void client_done(void);

#endif
