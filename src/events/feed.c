#include "events/feed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "events/selection.h"
#include "events/subscriber.h"

/* What one subscriber that is behind may read of the log in a turn of the loop, and what all of them may. */
#define SUBSCRIBER_TURN (256 * 1024)
#define TURN            (2 * 1024 * 1024)
/* How many pieces of news the live ones get in a turn, and how much it may be for all of them together: the more there
 * are, the smaller a piece is, down to one event. */
#define NEWS_TURN   4
#define NEWS_SIZE   (32 * 1024 * 1024)
#define EVENTS_TURN 64

struct feed feed;

static void on_idle(uv_idle_t *idle);

/* ---- sending ---- */

/* How much the socket takes of it; -errno when it is no more. */
static ssize_t send_some(int fd, const char *text, size_t size)
{
    ssize_t n = send(fd, text, size, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == ENOBUFS ? 0 : -errno;
    return n;
}

/* feed.text was sent up to `sent`: what must follow is kept, to the end of a frame. */
static int remember(struct subscriber *subscriber, const struct block *news, size_t sent)
{
    size_t frame_end = block_resume(news, &subscriber->group->form, sent, &subscriber->cursor);

    return frame_end > sent ? subscriber_rest(subscriber, feed.text + sent, frame_end - sent) : 0;
}

/* What a live one did not take, or took in part: it reads on by itself. */
static void fall_behind(struct subscriber *subscriber, const struct block *news, ssize_t sent)
{
    subscriber_unlive(subscriber);
    subscriber->state = SUBSCRIBER_STARTING;
    if (sent < 0 || remember(subscriber, news, (size_t)sent) < 0) {
        subscriber_end(subscriber, false);
        return;
    }
    subscriber->takeover.bytes += (size_t)sent;
    subscriber_block(subscriber);
}

/* One call for each: this is where the time goes. */
static void group_send(struct group *group, const struct block *news)
{
    bool over;
    size_t size = block_format(news, &group->form, feed.text, &over);

    group->members++; /* so that it stays, whoever ends */
    if (size > 0) {
        for (size_t i = 0; i < group->live_count;) {
            ssize_t sent = send_some(group->fds[i], feed.text, size);

            if (sent == (ssize_t)size)
                i++;
            else
                fall_behind(group->live[i], news, sent); /* another one has its place now */
        }
        group->bytes += size;
        group->sent_at = uv_now(feed.loop);
    }
    while (over && group->live_count > 0)
        subscriber_end(group->live[group->live_count - 1], true);
    group_leave(group);
}

/* Brings the live ones up to what there is; returns whether there is more. */
static bool deliver(const struct event_log *log)
{
    size_t room = NEWS_SIZE;
    struct group *next;
    struct block news;

    for (int turn = 0; turn < NEWS_TURN && room > 0; turn++) {
        size_t count = feed.live_count;

        if (count == 0) {
            event_log_seek_end(log, &feed.head);
            return false;
        }
        if (!block_read(log, &feed.head, feed.head.position + room / count + 1, feed.records, &news))
            return false;
        room -= news.size < room / count ? news.size * count : room;
        for (struct group *group = feed.groups; group; group = next) {
            next = group->next;
            if (group->live_count > 0)
                group_send(group, &news);
        }
    }
    return event_log_has_more(log, &feed.head);
}

/* ---- catching up ---- */

/* Whether all of it was sent; otherwise the subscriber is blocked, or ended. */
static bool send_rest(struct subscriber *subscriber)
{
    struct rest *rest = subscriber->rest;
    ssize_t sent;

    if (!rest)
        return true;
    sent = send_some(subscriber->takeover.fd, rest->text + rest->sent, rest->size - rest->sent);
    if (sent < 0) {
        subscriber_end(subscriber, false);
        return false;
    }
    subscriber->takeover.bytes += (size_t)sent;
    rest->sent += (size_t)sent;
    if (rest->sent < rest->size) {
        subscriber_block(subscriber);
        return false;
    }
    free(rest);
    subscriber->rest = NULL;
    return true;
}

/* The same for a piece of the log, which was read and is to be seen. */
static bool send_block(struct subscriber *subscriber, const struct block *piece)
{
    bool over;
    size_t size = block_format(piece, &subscriber->group->form, feed.text, &over);
    ssize_t sent = size > 0 ? send_some(subscriber->takeover.fd, feed.text, size) : 0;

    if (sent < 0 || ((size_t)sent < size && remember(subscriber, piece, (size_t)sent) < 0)) {
        subscriber_end(subscriber, false);
        return false;
    }
    subscriber->takeover.bytes += (size_t)sent;
    if ((size_t)sent < size) {
        subscriber_block(subscriber);
        return false;
    }
    if (over)
        subscriber_end(subscriber, true);
    return !over;
}

/* It has caught up, and nothing will come for it any more. */
static bool is_over(const struct subscriber *subscriber)
{
    return subscriber->cursor.position == feed.head.position && selection_is_past(subscriber->group->form.until_us);
}

/* It is in no state now, and gets one. Returns how much of the log was read for it. */
static size_t catch_up(const struct event_log *log, struct subscriber *subscriber)
{
    size_t done = 0;

    while (done < SUBSCRIBER_TURN && send_rest(subscriber)) {
        uint64_t stop = subscriber->stop < feed.head.position ? subscriber->stop : feed.head.position;
        struct block piece;

        if (subscriber->cursor.position >= subscriber->stop || is_over(subscriber)) {
            subscriber_end(subscriber, true);
            return done;
        }
        if (subscriber->cursor.position == feed.head.position && subscriber->stop == UINT64_MAX) {
            subscriber_live(subscriber);
            return done;
        }
        if (subscriber->cursor.position >= stop || !block_read(log, &subscriber->cursor, stop, feed.records, &piece)) {
            subscriber_queue(subscriber);
            return SUBSCRIBER_TURN; /* the live ones have first to be brought up */
        }
        done += piece.size + 1;
        if (!send_block(subscriber, &piece))
            return done;
    }
    if (done >= SUBSCRIBER_TURN)
        subscriber_queue(subscriber);
    return done;
}

void feed_turn(const struct event_log *log)
{
    bool more = deliver(log);
    struct subscriber *last = feed.last_behind, *subscriber;
    bool is_last;
    size_t done = 0;

    while ((subscriber = feed.first_behind) && done < TURN) {
        subscriber_unqueue(subscriber);
        subscriber->state = SUBSCRIBER_STARTING;
        is_last = subscriber == last;
        done += catch_up(log, subscriber) + 1;
        if (is_last)
            break; /* each of them once */
    }
    if (more || feed.first_behind)
        feed_soon();
    else
        uv_idle_stop(&feed.idle);
}

static void on_idle(uv_idle_t *idle)
{
    (void)idle;
    feed_turn(client_log());
}

void feed_soon(void)
{
    uv_idle_start(&feed.idle, on_idle);
}

/* ---- the loop ---- */

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct epoll_event found[EVENTS_TURN];
    int count;

    (void)poll;
    (void)status;
    (void)events;
    count = epoll_wait(feed.epoll_fd, found, EVENTS_TURN, 0);
    for (int i = 0; i < count; i++) {
        struct subscriber *subscriber = found[i].data.ptr;

        if (found[i].events & (EPOLLHUP | EPOLLERR)) {
            subscriber_end(subscriber, false);
        } else if (subscriber->state == SUBSCRIBER_BLOCKED) {
            subscriber_watch(subscriber, EPOLL_CTL_MOD, 0);
            subscriber_queue(subscriber);
        }
    }
}

/* A full socket needs no sign of life, and who is gone is told by epoll. */
static void on_heartbeat(uv_timer_t *timer)
{
    uint64_t now = uv_now(timer->loop), next = UINT64_MAX;

    for (struct group *group = feed.groups; group; group = group->next) {
        const char *sign = group->form.server_sent ? ":\n" : "\n";
        size_t size = strlen(sign);

        if (group->live_count == 0)
            continue;
        if (group->sent_at + feed.heartbeat_ms <= now) {
            for (size_t i = 0; i < group->live_count; i++)
                if (send_some(group->fds[i], sign, size) > 0)
                    group->live[i]->takeover.bytes += size;
            group->sent_at = now;
        }
        if (group->sent_at + feed.heartbeat_ms < next)
            next = group->sent_at + feed.heartbeat_ms;
    }
    if (next != UINT64_MAX)
        uv_timer_start(timer, on_heartbeat, next - now, 0);
}

void feed_start_heartbeat(void)
{
    if (feed.heartbeat_ms > 0 && !uv_is_active((uv_handle_t *)&feed.heartbeat))
        uv_timer_start(&feed.heartbeat, on_heartbeat, feed.heartbeat_ms, 0);
}

/* No event that comes now is from before: those who are live have seen all. */
static void on_until(uv_timer_t *timer)
{
    struct group *next;

    (void)timer;
    feed_turn(client_log());
    for (struct group *group = feed.groups; group; group = next) {
        size_t count = group->live_count;

        next = group->next;
        if (selection_is_past(group->form.until_us))
            while (count-- > 0)
                subscriber_end(group->live[count], true); /* the last one perhaps ends the group */
    }
    feed_schedule_until();
}

/* Those of a group that is past end when they have caught up. */
void feed_schedule_until(void)
{
    uint64_t first = UINT64_MAX;

    for (struct group *group = feed.groups; group; group = group->next)
        if (group->form.until_us != 0 && group->form.until_us < first && !selection_is_past(group->form.until_us))
            first = group->form.until_us;
    if (first != UINT64_MAX)
        uv_timer_start(&feed.until, on_until, selection_wait_ms(first), 0);
}

static void on_news(struct client_waiter *waiter)
{
    const struct event_log *log = client_log();

    (void)waiter;
    if (!log)
        return;
    feed_begin_early();
    feed_turn(log);
}

int feed_open(void)
{
    int r;

    if (feed.open)
        return 0;
    if (!feed.loop)
        return -ENOTSUP;
    feed.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (feed.epoll_fd < 0)
        return -errno;
    r = uv_poll_init(feed.loop, &feed.poll, feed.epoll_fd);
    if (r < 0) {
        close(feed.epoll_fd);
        return r;
    }
    uv_poll_start(&feed.poll, UV_READABLE, on_poll);
    uv_idle_init(feed.loop, &feed.idle);
    uv_timer_init(feed.loop, &feed.heartbeat);
    uv_timer_init(feed.loop, &feed.until);
    feed.waiter.news = on_news;
    client_wait(&feed.waiter);
    feed.open = true;
    return 0;
}

void feed_init(uv_loop_t *loop, unsigned int heartbeat_ms, void (*gauge)(void *data, size_t count), void *data)
{
    feed.loop = loop;
    feed.heartbeat_ms = heartbeat_ms;
    feed.gauge = gauge;
    feed.data = data;
}

void feed_done(void)
{
    feed.loop = NULL;
    if (!feed.open)
        return;
    feed.open = false;
    feed_drop_early();
    client_leave(&feed.waiter);
    uv_close((uv_handle_t *)&feed.poll, NULL);
    uv_close((uv_handle_t *)&feed.idle, NULL);
    uv_close((uv_handle_t *)&feed.heartbeat, NULL);
    uv_close((uv_handle_t *)&feed.until, NULL);
    close(feed.epoll_fd);
    feed.epoll_fd = -1;
}
