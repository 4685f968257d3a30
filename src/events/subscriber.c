#include "events/subscriber.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

void subscriber_count(int more)
{
    feed.count += (size_t)more;
    if (feed.gauge)
        feed.gauge(feed.data, feed.count);
}

/* ---- groups ---- */

/* Takes the filter. */
static struct group *group_find(const struct block_form *form, struct filter *filter)
{
    for (struct group *group = feed.groups; group; group = group->next)
        if (group->form.server_sent == form->server_sent && group->form.until_us == form->until_us &&
            filter_equal(group->filter, filter)) {
            filter_free(filter);
            return group;
        }
    return NULL;
}

static struct group *group_new(const struct block_form *form, struct filter *filter)
{
    struct group *group = calloc(1, sizeof(*group));

    if (!group)
        return NULL;
    group->filter = filter;
    group->form = *form;
    group->form.filter = filter;
    group->sent_at = uv_now(feed.loop);
    group->next = feed.groups;
    feed.groups = group;
    return group;
}

void group_leave(struct group *group)
{
    struct group **link = &feed.groups;

    if (--group->members > 0)
        return;
    while (*link != group)
        link = &(*link)->next;
    *link = group->next;
    filter_free(group->filter);
    free(group->fds);
    free(group->live);
    free(group);
}

/* So that joining does not fail: a client would be lost in the middle. */
static int group_reserve(struct group *group)
{
    size_t room = group->live_room ? 2 * group->live_room : 4;
    struct subscriber **live;
    int *fds;

    if (group->members < group->live_room)
        return 0;
    live = realloc(group->live, room * sizeof(struct subscriber *));
    if (!live)
        return -ENOMEM;
    group->live = live;
    fds = realloc(group->fds, room * sizeof(int));
    if (!fds)
        return -ENOMEM;
    group->fds = fds;
    group->live_room = room;
    return 0;
}

int group_join(const struct berth_event_query *query, bool server_sent, struct group **ret_group)
{
    struct block_form form = { .until_us = query->until_us, .server_sent = server_sent };
    struct filter *filter;
    struct group *group;
    int r = filter_new(query->types, query->type_count, &filter);

    if (r < 0)
        return r;
    group = group_find(&form, filter);
    if (!group)
        group = group_new(&form, filter);
    if (!group) {
        filter_free(filter);
        return -ENOMEM;
    }
    r = group_reserve(group);
    group->members++;
    if (r < 0) {
        group_leave(group);
        return r;
    }
    *ret_group = group;
    return 0;
}

/* ---- those behind, and those live ---- */

void subscriber_queue(struct subscriber *subscriber)
{
    subscriber->state = SUBSCRIBER_BEHIND;
    subscriber->next = NULL;
    subscriber->previous = feed.last_behind;
    if (feed.last_behind)
        feed.last_behind->next = subscriber;
    else
        feed.first_behind = subscriber;
    feed.last_behind = subscriber;
    feed_soon();
}

void subscriber_unqueue(struct subscriber *subscriber)
{
    if (subscriber->previous)
        subscriber->previous->next = subscriber->next;
    else
        feed.first_behind = subscriber->next;
    if (subscriber->next)
        subscriber->next->previous = subscriber->previous;
    else
        feed.last_behind = subscriber->previous;
}

/* What the live ones got is counted once for all: each knows what there was before it came. */
void subscriber_live(struct subscriber *subscriber)
{
    struct group *group = subscriber->group;

    subscriber->state = SUBSCRIBER_LIVE;
    subscriber->place = (unsigned int)group->live_count;
    subscriber->takeover.bytes -= group->bytes;
    group->fds[group->live_count] = subscriber->takeover.fd;
    group->live[group->live_count++] = subscriber;
    feed.live_count++;
    feed_start_heartbeat();
}

void subscriber_unlive(struct subscriber *subscriber)
{
    struct group *group = subscriber->group;
    struct subscriber *last = group->live[--group->live_count];

    group->live[subscriber->place] = last;
    group->fds[subscriber->place] = last->takeover.fd;
    last->place = subscriber->place;
    subscriber->takeover.bytes += group->bytes;
    subscriber->cursor = feed.head;
    feed.live_count--;
}

int subscriber_watch(struct subscriber *subscriber, int operation, uint32_t events)
{
    struct epoll_event event = { .events = events | EPOLLET, .data.ptr = subscriber };

    return epoll_ctl(feed.epoll_fd, operation, subscriber->takeover.fd, &event);
}

void subscriber_block(struct subscriber *subscriber)
{
    subscriber->state = SUBSCRIBER_BLOCKED;
    subscriber_watch(subscriber, EPOLL_CTL_MOD, EPOLLOUT);
}

static void leave_state(struct subscriber *subscriber)
{
    if (subscriber->state == SUBSCRIBER_BEHIND)
        subscriber_unqueue(subscriber);
    else if (subscriber->state == SUBSCRIBER_LIVE)
        subscriber_unlive(subscriber);
    subscriber->state = SUBSCRIBER_STARTING;
}

void subscriber_end(struct subscriber *subscriber, bool complete)
{
    leave_state(subscriber);
    /* Closing would do, if nobody else had the socket: a child that is being started has it for an instant. */
    if (subscriber->takeover.record)
        epoll_ctl(feed.epoll_fd, EPOLL_CTL_DEL, subscriber->takeover.fd, NULL);
    takeover_end(&subscriber->takeover, complete);
    group_leave(subscriber->group);
    free(subscriber->rest);
    free(subscriber);
    subscriber_count(-1);
}

int subscriber_rest(struct subscriber *subscriber, const char *text, size_t size)
{
    struct rest *rest = malloc(sizeof(*rest) + size);

    if (!rest)
        return -ENOMEM;
    rest->size = size;
    rest->sent = 0;
    memcpy(rest->text, text, size);
    subscriber->rest = rest;
    return 0;
}
