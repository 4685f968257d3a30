/*
 * The parts of the feed: who subscribes, and what they share. feed.c sends, feed_begin.c lets them in.
 *
 * A subscriber is in one of these states:
 *
 *   starting   its head is being sent by libmicrohttpd
 *   behind     there is something for it to read, or to be sent: it gets a turn
 *   blocked    the same, but its socket is full: epoll tells when it has room
 *   live       it has all that `head` has behind it, and no place in the log of its own
 *
 * `head` is where the live ones are. Those behind read up to it, never beyond, and join them when they are there: so
 * past and live join by the place in the log alone.
 *
 * All sockets are in one epoll set, for hang-ups, which are always told; only a blocked one's is watched for room as
 * well, since a reader that takes what it is sent makes room each time, and each would be an event. With EPOLLET, one
 * that has hung up is told of once.
 */
#ifndef BERTH_EVENTS_SUBSCRIBER_H
#define BERTH_EVENTS_SUBSCRIBER_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "events/block.h"
#include "events/client.h"
#include "events/feed.h"
#include "http/takeover.h"

enum subscriber_state {
    SUBSCRIBER_STARTING,
    SUBSCRIBER_BEHIND,
    SUBSCRIBER_BLOCKED,
    SUBSCRIBER_LIVE,
};

/* The end of a frame that was cut, or what comes before the first. */
struct rest {
    size_t size, sent;
    char text[];
};

struct subscriber {
    struct takeover takeover;
    struct group *group;
    struct subscriber *previous, *next; /* of those behind */
    struct event_cursor cursor;         /* not while it is live */
    uint64_t stop;                      /* the position at which it ends; UINT64_MAX: it goes on */
    struct rest *rest;
    unsigned int place; /* among the live ones of its group */
    enum subscriber_state state;
};

static_assert(sizeof(struct subscriber) <= 128, "there may be very many");

/* All who want to see the same. */
struct group {
    struct group *next;
    struct filter *filter;
    struct block_form form;
    size_t members;   /* in whatever state */
    uint64_t bytes;   /* that a live one got since the group began */
    uint64_t sent_at; /* when they last got something, by uv_now */
    size_t live_count, live_room;
    int *fds; /* of the live ones; apart, since they are all that sending needs */
    struct subscriber **live;
};

struct early;

struct feed {
    uv_loop_t *loop;
    unsigned int heartbeat_ms;
    void (*gauge)(void *data, size_t count);
    void *data;

    bool open;
    int epoll_fd;
    uv_poll_t poll;
    uv_idle_t idle; /* active: there is more to do in the loop's next turn */
    uv_timer_t heartbeat;
    uv_timer_t until;
    struct client_waiter waiter;

    struct event_cursor head;
    struct group *groups;
    size_t live_count, count;
    struct subscriber *first_behind, *last_behind;
    struct early *early;

    _Alignas(8) char records[BLOCK_RECORDS_MAX];
    char text[BLOCK_TEXT_MAX];
};
extern struct feed feed;

/* ---- subscriber.c ---- */

/* Finds or makes the group, with room for one more among its live ones, so that joining them cannot fail. */
int group_join(const struct berth_event_query *query, bool server_sent, struct group **ret_group);
void group_leave(struct group *group);

/* More or fewer of them. */
void subscriber_count(int more);

/* The states: of one that is in none, but subscriber_unlive and subscriber_unqueue. */
void subscriber_queue(struct subscriber *subscriber);
void subscriber_unqueue(struct subscriber *subscriber);
void subscriber_live(struct subscriber *subscriber);
void subscriber_unlive(struct subscriber *subscriber);
void subscriber_block(struct subscriber *subscriber);

/* Its entry in the epoll set: `events` besides hang-ups. -errno. */
int subscriber_watch(struct subscriber *subscriber, int operation, uint32_t events);

/* In whatever state; frees it. */
void subscriber_end(struct subscriber *subscriber, bool complete);

/* `size` bytes to be sent before anything else. -ENOMEM. */
int subscriber_rest(struct subscriber *subscriber, const char *text, size_t size);

/* ---- feed.c ---- */

int feed_open(void);

/* Sends what there is, as much as is good for one turn of the loop. */
void feed_turn(const struct event_log *log);

/* Called in the loop's next turn. */
void feed_soon(void);

/* After the time for the last one has come: they end. */
void feed_schedule_until(void);
void feed_start_heartbeat(void);

/* ---- feed_begin.c ---- */

/* The log is there. */
void feed_begin_early(void);
void feed_drop_early(void);

#endif
