/*
 * GET /events to very many. Every client is a connection that was taken over (http/takeover.h) and a place in the log.
 * Those who have read all that there is are "live": they stand together by what they want to see, and each piece of
 * news is formatted once for all of them and sent with one call to each. Who takes less than that reads the log on its
 * own until it has caught up.
 */
#ifndef BERTH_EVENTS_FEED_H
#define BERTH_EVENTS_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include <berth.h>

/* The worker's, once, before the first reply. A client to whom nothing was sent for heartbeat_ms gets a sign of life;
 * 0: none. `gauge`, which may be NULL, is told how many clients there are. */
void feed_init(uv_loop_t *loop, unsigned int heartbeat_ms, void (*gauge)(void *data, size_t count), void *data);

/* berth_reply_event_log. */
int feed_reply(struct berth_reply *reply, const struct berth_event_query *query, bool server_sent);

/* When nobody is left: http_server_close was called. */
void feed_done(void);

#endif
