/*
 * How somebody becomes a subscriber, and what its connection's owner is told.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "common/log.h"
#include "events/selection.h"
#include "events/subscriber.h"

/* A browser comes back so soon: it misses nothing, and a reload of the server ends its stream. */
static const char greeting[] = "retry: 1000\n\n";

/* A reply that waits for the log to be there. */
struct early {
    struct early *next;
    struct berth_reply *reply;
    struct berth_event_query query;
    struct subscriber *subscriber;
};

/* What is there is still sent. */
static void drained(struct takeover *takeover)
{
    struct subscriber *subscriber = (struct subscriber *)takeover;
    struct event_cursor end_of_log;

    event_log_seek_end(client_log(), &end_of_log);
    if (subscriber->stop > end_of_log.position)
        subscriber->stop = end_of_log.position;
    if (subscriber->state == SUBSCRIBER_LIVE) {
        subscriber_unlive(subscriber);
        subscriber_queue(subscriber);
    }
}

static void taken(struct takeover *takeover, bool draining)
{
    struct subscriber *subscriber = (struct subscriber *)takeover;

    if (subscriber_watch(subscriber, EPOLL_CTL_ADD, 0) < 0) {
        log_warning("a client of the events is turned away: %s", strerror(errno));
        subscriber_end(subscriber, false);
        return;
    }
    if (subscriber->group->form.until_us != 0)
        feed_schedule_until();
    if (!subscriber->rest && subscriber->stop == UINT64_MAX && subscriber->cursor.position == feed.head.position)
        subscriber_live(subscriber);
    else
        subscriber_queue(subscriber);
    if (draining)
        drained(takeover);
}

static void lost(struct takeover *takeover)
{
    subscriber_end((struct subscriber *)takeover, false);
}

static const struct takeover_owner owner = { .begin = taken, .drain = drained, .lost = lost };

static int begin_with(struct subscriber *subscriber, uint64_t missed)
{
    const struct block_form *form = &subscriber->group->form;
    char text[sizeof(greeting) + 128];
    size_t size = 0;

    if (form->server_sent)
        size = (size_t)((char *)memcpy(text, greeting, sizeof(greeting) - 1) + sizeof(greeting) - 1 - text);
    if (missed > 0)
        size += block_format_missed(missed, form, text + size);
    return size > 0 ? subscriber_rest(subscriber, text, size) : 0;
}

/* Answers; from then on the subscriber is its own owner. */
static int answer(struct berth_reply *reply, const struct berth_event_query *query, struct subscriber *subscriber)
{
    const struct event_log *log = client_log();
    int r;

    if (feed.live_count == 0)
        event_log_seek_end(log, &feed.head);
    r = begin_with(subscriber, selection_seek(log, query, &subscriber->cursor));
    if (r < 0)
        return r;
    subscriber->stop = selection_stop(log, query);
    return takeover_reply(reply, subscriber->group->form.server_sent ? "text/event-stream" : "application/x-ndjson",
                          &subscriber->takeover, &owner);
}

static void early_gone(void *data)
{
    struct early *early = data, **link = &feed.early;

    while (*link != early)
        link = &(*link)->next;
    *link = early->next;
    subscriber_end(early->subscriber, false);
    free(early);
}

void feed_begin_early(void)
{
    while (feed.early) {
        struct early *early = feed.early;
        int r;

        feed.early = early->next;
        r = answer(early->reply, &early->query, early->subscriber);
        if (r < 0) {
            if (r == -EUSERS)
                berth_reply_error(early->reply, 429, "this is one more than the limit of one user's streams at a time");
            else
                berth_reply_error(early->reply, 503, "the events cannot be sent now");
            subscriber_end(early->subscriber, false);
        }
        free(early);
    }
}

void feed_drop_early(void)
{
    while (feed.early) {
        struct early *early = feed.early;

        feed.early = early->next;
        subscriber_end(early->subscriber, false);
        free(early);
    }
}

/* The head is sent when the place in the log is known: whoever has got it misses nothing. */
static int wait_for_log(struct berth_reply *reply, const struct berth_event_query *query, struct subscriber *subscriber)
{
    struct early *early = calloc(1, sizeof(*early));
    int r;

    if (!early)
        return -ENOMEM;
    early->reply = reply;
    early->query = *query; /* the types are the group's by now */
    early->subscriber = subscriber;
    r = berth_reply_hold(reply, early_gone, early);
    if (r < 0) {
        free(early);
        return r;
    }
    early->next = feed.early;
    feed.early = early;
    return 0;
}

int feed_reply(struct berth_reply *reply, const struct berth_event_query *query, bool server_sent)
{
    struct subscriber *subscriber;
    int r = client_open();

    if (r == 0)
        r = feed_open();
    if (r < 0)
        return r;
    subscriber = calloc(1, sizeof(*subscriber));
    if (!subscriber)
        return -ENOMEM;
    subscriber->takeover.fd = -1;
    r = group_join(query, server_sent, &subscriber->group);
    if (r < 0) {
        free(subscriber);
        return r;
    }
    subscriber_count(1);
    r = client_log() ? answer(reply, query, subscriber) : wait_for_log(reply, query, subscriber);
    if (r < 0)
        subscriber_end(subscriber, false);
    return r;
}
