/*
 * Deadlines of connections. Connections that wait for the same thing wait equally long, so a list in order of arrival
 * is in order of time: a new deadline is an append, and only each list's first can be over. One timer serves all.
 */
#ifndef BERTH_HTTP_DEADLINE_H
#define BERTH_HTTP_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct connection;

struct deadline {
    uint64_t ms;
    struct connection *first, *last;
};

/* Stalled: the rest of a stream that has ended, for a client that takes nothing of it. */
enum { DEADLINE_HEAD, DEADLINE_IDLE, DEADLINE_BODY, DEADLINE_STALLED, DEADLINE_COUNT };

struct deadlines {
    uv_timer_t timer;
    uint64_t timer_due;
    void (*look)(struct deadlines *deadlines); /* reads what has arrived, before anybody is told that time is over */
    struct deadline lists[DEADLINE_COUNT];
};

void deadlines_init(struct deadlines *deadlines, uv_loop_t *loop);
void deadlines_done(struct deadlines *deadlines);

/* Starts to wait, in the place of whatever the connection waited for before. */
void deadline_start(struct deadlines *deadlines, unsigned int which, struct connection *connection);
void deadline_stop(struct connection *connection);

/* Whoever waits for this waits at most so long from now on, those who wait already included. */
void deadlines_shorten(struct deadlines *deadlines, unsigned int which, uint64_t ms);

#endif
