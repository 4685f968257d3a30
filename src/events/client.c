/*
 * The order of things between a worker and the recorders that it gets to know:
 *
 *   ask ──▶ log and rendezvous ──▶ HELLO ──▶ READY ──▶ PUBLISH … STORED …
 *                                    ▲                      │ the channel ends
 *                                    └──────────────────────┘
 */
#include "events/client.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "events/outbox.h"

/* A rendezvous that is full, or a channel that ends before anything was said over it, is tried again after so long. */
#define RETRY_MS 50

/* The kernel's room for packets on their way, so that a large batch goes in few turns. */
#define CHANNEL_ROOM (1024 * 1024)

static struct client {
    uv_loop_t *loop;
    void (*ask)(void *data);
    void *data;
    bool asked, ready;
    bool complete; /* a recorder was ready once: what the log began with is in it */

    struct event_log *log;
    int rendezvous_fd, news_fd, channel_fd; /* -1: not there */
    uv_poll_t *news_poll, *channel_poll;
    int channel_events;
    uv_timer_t *retry;

    struct client_waiter *waiters, *next_waiter; /* whose turn it is while they are told */
} client = { .rendezvous_fd = -1, .news_fd = -1, .channel_fd = -1 };

/* Handles end in the loop's next turn. */
static void free_handle(uv_handle_t *handle)
{
    free(handle);
}

static void close_poll(uv_poll_t **poll)
{
    if (*poll)
        uv_close((uv_handle_t *)*poll, free_handle);
    *poll = NULL;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static int open_poll(int fd, int events, uv_poll_cb called, uv_poll_t **ret_poll)
{
    uv_poll_t *poll = malloc(sizeof(*poll));
    int r;

    if (!poll)
        return -ENOMEM;
    r = uv_poll_init(client.loop, poll, fd);
    if (r < 0) {
        free(poll);
        return r;
    }
    *ret_poll = poll;
    return uv_poll_start(poll, events, called);
}

static void watch_channel(int events);
static void channel_lost(void);

/* Sends as much as the channel takes. */
static void send_waiting(void)
{
    int r;

    if (!client.ready)
        return;
    r = outbox_send(client.channel_fd, client.log);
    if (r < 0 && r != -EAGAIN)
        channel_lost();
    else
        watch_channel(r < 0 ? UV_READABLE | UV_WRITABLE : UV_READABLE);
}

int client_publish(struct channel_batch *batch, void (*stored)(void *data, int r, uint64_t first_id, size_t count),
                   void *data)
{
    int r = client_open();

    if (r == 0)
        r = outbox_add(batch, stored, data);
    if (r == 0)
        send_waiting();
    return r;
}

size_t client_pending(void)
{
    return outbox_pending();
}

/* ---- the channel ---- */

static void tell_waiters(void)
{
    for (struct client_waiter *waiter = client.waiters; waiter; waiter = client.next_waiter) {
        client.next_waiter = waiter->next;
        waiter->news(waiter);
    }
    client.next_waiter = NULL;
}

static void begin_channel(void);

static void retry_due(uv_timer_t *timer)
{
    (void)timer;
    if (client.channel_fd < 0)
        begin_channel();
}

static void close_channel(void)
{
    close_poll(&client.channel_poll);
    close_fd(&client.channel_fd);
    client.ready = false;
}

/* At once where it has served, so that a recorder that was replaced is found soon; otherwise a little later. */
static void channel_lost(void)
{
    bool served = client.ready;

    close_channel();
    uv_timer_start(client.retry, retry_due, served ? 0 : RETRY_MS, 0);
}

static int take_ready(const struct channel_header *header)
{
    int r;

    if (client.ready || header->value != CHANNEL_VERSION)
        return -EPROTO;
    r = outbox_resolve(client.log);
    if (r < 0)
        return r;
    client.ready = client.complete = true;
    send_waiting();
    tell_waiters(); /* the one before may have died between storing and telling */
    return 0;
}

static int take_packet(const struct channel_header *header)
{
    switch (header->type) {
    case CHANNEL_READY:
        return take_ready(header);
    case CHANNEL_STORED:
    case CHANNEL_REFUSED:
        return client.ready ? outbox_answer(header) : -EPROTO;
    default:
        return -EPROTO;
    }
}

static void on_channel(uv_poll_t *poll, int status, int events)
{
    static char body[CHANNEL_BODY_MAX];
    struct channel_header header;
    int descriptors[2], r;

    (void)status;
    if (events & UV_WRITABLE)
        send_waiting();
    do {
        if (poll != client.channel_poll)
            return; /* lost, or replaced, by what was called */
        r = channel_receive(client.channel_fd, &header, body, descriptors);
        if (r <= 0)
            break;
        close_fd(&descriptors[0]);
        close_fd(&descriptors[1]);
        r = take_packet(&header);
        if (r == 0)
            r = 1;
    } while (r > 0);
    if (r == 0 || poll != client.channel_poll)
        return;
    if (r == -EPROTO)
        log_error("the recorder of events said what it may not: making a new channel");
    channel_lost();
}

static void watch_channel(int events)
{
    if (events == client.channel_events || !client.channel_poll)
        return;
    client.channel_events = events;
    uv_poll_start(client.channel_poll, events, on_channel);
}

static int say_hello(int other_end)
{
    const struct channel_header hello = { .type = CHANNEL_HELLO, .value = CHANNEL_VERSION };
    const int descriptors[2] = { other_end, client.news_fd };

    return channel_send(client.rendezvous_fd, &hello, NULL, descriptors);
}

static int make_channel(void)
{
    const int room = CHANNEL_ROOM;
    int ends[2], r;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        return -errno;
    setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    r = say_hello(ends[1]);
    close(ends[1]);
    if (r < 0) {
        close(ends[0]);
        return r;
    }
    client.channel_fd = ends[0];
    client.channel_events = UV_READABLE;
    return open_poll(ends[0], UV_READABLE, on_channel, &client.channel_poll);
}

static void begin_channel(void)
{
    int r = make_channel();

    if (r == 0)
        return;
    if (r != -EAGAIN)
        log_warning("no channel to the recorder of events: %s", strerror(-r));
    close_channel();
    uv_timer_start(client.retry, retry_due, RETRY_MS, 0);
}

/* ---- the log ---- */

static void on_news(uv_poll_t *poll, int status, int events)
{
    uint64_t count;

    (void)poll;
    (void)status;
    (void)events;
    if (read(client.news_fd, &count, sizeof(count)) == (ssize_t)sizeof(count))
        tell_waiters();
}

static int begin(int log_fd)
{
    int r;

    client.news_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (client.news_fd < 0)
        return -errno;
    r = open_poll(client.news_fd, UV_READABLE, on_news, &client.news_poll);
    if (r < 0)
        return r;
    client.retry = malloc(sizeof(*client.retry));
    if (!client.retry)
        return -ENOMEM;
    uv_timer_init(client.loop, client.retry);
    return event_log_open(log_fd, &client.log);
}

static void undo(void)
{
    close_channel();
    close_poll(&client.news_poll);
    close_fd(&client.news_fd);
    close_fd(&client.rendezvous_fd);
    if (client.retry)
        uv_close((uv_handle_t *)client.retry, free_handle);
    client.retry = NULL;
}

int client_connect(int log_fd, int rendezvous_fd)
{
    int r;

    if (client.log || !client.asked) {
        close(log_fd);
        close(rendezvous_fd);
        return -EALREADY;
    }
    client.rendezvous_fd = rendezvous_fd;
    r = begin(log_fd);
    close(log_fd);
    if (r < 0) {
        undo();
        return r;
    }
    begin_channel();
    return 0;
}

void client_init(uv_loop_t *loop, void (*ask)(void *data), void (*settled)(void *data), void *data)
{
    client.loop = loop;
    client.ask = ask;
    client.data = data;
    outbox_init(settled, data);
}

int client_open(void)
{
    if (!client.loop)
        return -ENOTSUP;
    if (!client.asked) {
        client.asked = true;
        client.ask(client.data);
    }
    return 0;
}

const struct event_log *client_log(void)
{
    return client.complete ? client.log : NULL;
}

void client_wait(struct client_waiter *waiter)
{
    waiter->previous = NULL;
    waiter->next = client.waiters;
    if (client.waiters)
        client.waiters->previous = waiter;
    client.waiters = waiter;
}

void client_leave(struct client_waiter *waiter)
{
    if (client.next_waiter == waiter)
        client.next_waiter = waiter->next;
    if (waiter->previous)
        waiter->previous->next = waiter->next;
    else
        client.waiters = waiter->next;
    if (waiter->next)
        waiter->next->previous = waiter->previous;
}

void client_done(void)
{
    client.ready = false;
    outbox_done();
    undo();
    event_log_close(client.log);
    client.log = NULL;
    client.complete = false;
    client.loop = NULL;
    client.asked = false;
}
