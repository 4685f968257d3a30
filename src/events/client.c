/*
 * The order of things between a worker and the recorders that it gets to know:
 *
 *   ask ──▶ log and rendezvous ──▶ HELLO ──▶ READY ──▶ PUBLISH … STORED …
 *                                    ▲                      │ the channel ends
 *                                    └──────────────────────┘
 *
 * Publications stand in one queue, oldest first: those that were sent, in whole or in part, then those that were not. A
 * recorder answers in order, so an answer is always for the first. When READY comes over a new channel, what was sent
 * over an old one is either in the log by then or will never be: the log is read from where it ended when the first of
 * them was sent, and what is found there by its token counts as answered. The rest is sent as if it had never been.
 */
#include "events/client.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"

/* A rendezvous that is full, or a channel that ends before anything was said over it, is tried again after so long. */
#define RETRY_MS 50

/* The kernel's room for packets on their way, so that a large batch goes in few turns. */
#define CHANNEL_ROOM (1024 * 1024)

/* How much of the log is read at a time. */
#define SEARCH_ROOM (4 * EVENT_RECORD_MAX)

#define ERRNO_MAX 4095

struct publication {
    struct publication *next;
    struct channel_batch batch;
    uint64_t token;
    struct event_cursor cursor; /* where the log ended when it was first sent */
    size_t sent;                /* bytes of the batch, over this channel */
    bool tried;                 /* over this channel or one before */
    uint64_t last_id;           /* of its records, as they were found in the log; 0: they were not */
    void (*stored)(void *data, int r, uint64_t first_id, size_t count);
    void *data;
};

static struct client {
    uv_loop_t *loop;
    void (*ask)(void *data);
    void (*settled)(void *data);
    void *data;
    bool asked, ready;
    bool complete; /* a recorder was ready once: what the log began with is in it */

    struct event_log *log;
    int rendezvous_fd, news_fd, channel_fd; /* -1: not there */
    uv_poll_t *news_poll, *channel_poll;
    int channel_events;
    uv_timer_t *retry;

    struct publication *first, **last;
    struct publication *unsent; /* the first that is not sent to its end */
    uint64_t next_token;
    size_t pending, waiting_size;

    struct client_waiter *waiters, *next_waiter; /* whose turn it is while they are told */
} client = { .rendezvous_fd = -1, .news_fd = -1, .channel_fd = -1, .last = &client.first };

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

/* ---- publications ---- */

static size_t cost(const struct publication *publication)
{
    return sizeof(*publication) + publication->batch.size;
}

/* It is out of the queue, and has its answer. */
static void finish(struct publication *publication, int r, uint64_t first_id)
{
    client.pending--;
    client.waiting_size -= cost(publication);
    if (publication->stored)
        publication->stored(publication->data, r, first_id, publication->batch.count);
    channel_batch_done(&publication->batch);
    free(publication);
    if (client.pending == 0 && client.settled)
        client.settled(client.data);
}

/* The same for the oldest. */
static void answer(int r, uint64_t first_id)
{
    struct publication *publication = client.first;

    client.first = publication->next;
    if (!client.first)
        client.last = &client.first;
    if (client.unsent == publication)
        client.unsent = publication->next;
    finish(publication, r, first_id);
}

static void watch_channel(int events);
static void channel_lost(void);

static int send_part(struct publication *publication)
{
    size_t left = publication->batch.size - publication->sent;
    size_t size = left < CHANNEL_BODY_MAX ? left : CHANNEL_BODY_MAX;
    struct channel_header header = {
        .type = CHANNEL_PUBLISH,
        .size = (uint32_t)size,
        .token = publication->token,
        .count = publication->batch.count,
        .last = size == left,
    };
    int r;

    if (!publication->tried)
        event_log_seek_end(client.log, &publication->cursor);
    publication->tried = true;
    r = channel_send(client.channel_fd, &header, publication->batch.bytes + publication->sent, NULL);
    if (r == 0)
        publication->sent += size;
    return r;
}

/* Sends as much as the channel takes. */
static void send_waiting(void)
{
    int r = 0;

    if (!client.ready)
        return;
    while (r == 0 && client.unsent) {
        r = send_part(client.unsent);
        if (r == 0 && client.unsent->sent == client.unsent->batch.size)
            client.unsent = client.unsent->next;
    }
    if (r < 0 && r != -EAGAIN)
        channel_lost();
    else
        watch_channel(r < 0 ? UV_READABLE | UV_WRITABLE : UV_READABLE);
}

int client_publish(struct channel_batch *batch, void (*stored)(void *data, int r, uint64_t first_id, size_t count),
                   void *data)
{
    struct publication *publication;
    int r = client_open();

    if (r < 0)
        return r;
    if (batch->count == 0)
        return -EINVAL;
    if (client.waiting_size + sizeof(*publication) + batch->size > CLIENT_WAITING_MAX)
        return -EAGAIN;
    publication = calloc(1, sizeof(*publication));
    if (!publication)
        return -ENOMEM;
    *publication =
        (struct publication){ .batch = *batch, .token = client.next_token++, .stored = stored, .data = data };
    *batch = (struct channel_batch){ 0 };
    *client.last = publication;
    client.last = &publication->next;
    if (!client.unsent)
        client.unsent = publication;
    client.pending++;
    client.waiting_size += cost(publication);
    send_waiting();
    return 0;
}

size_t client_pending(void)
{
    return client.pending;
}

/* ---- after a recorder's death ---- */

/* What was tried, by token: most of it in a row, but what was found before is gone from between. */
struct search {
    struct publication **tried;
    size_t room;
    uint64_t first_token;
    uint64_t gap_end; /* before this position something was overwritten before it was looked at */
};

static int search_begin(struct search *search)
{
    uint64_t last_token = client.first->token;

    for (struct publication *publication = client.first; publication && publication->tried;
         publication = publication->next)
        last_token = publication->token;
    search->first_token = client.first->token;
    search->room = last_token - search->first_token + 1;
    search->tried = calloc(search->room, sizeof(struct publication *));
    if (!search->tried)
        return -ENOMEM;
    for (struct publication *publication = client.first; publication && publication->tried;
         publication = publication->next)
        search->tried[publication->token - search->first_token] = publication;
    return 0;
}

static void search_records(const struct search *search, const char *records, size_t size)
{
    for (size_t offset = 0; offset < size;) {
        const struct event_record *record = (const void *)(records + offset);
        uint64_t index = record->token - search->first_token;

        if (record->token != 0 && index < search->room && search->tried[index])
            search->tried[index]->last_id = record->id;
        offset += record->size;
    }
}

static int search_log(struct search *search)
{
    struct event_cursor cursor = client.first->cursor;
    char *buffer = malloc(SEARCH_ROOM);
    uint64_t missed;
    size_t size;

    if (!buffer)
        return -ENOMEM;
    do {
        size = event_log_read(client.log, &cursor, buffer, SEARCH_ROOM, &missed);
        if (missed > 0)
            search->gap_end = cursor.position - size;
        search_records(search, buffer, size);
    } while (size > 0 || missed > 0);
    free(buffer);
    return 0;
}

/* Takes out of the queue what was found, and what nobody can know of; the rest is as if it had not been sent. */
static void search_end(const struct search *search)
{
    struct publication **link = &client.first, *settled = NULL, **last_settled = &settled;

    while (*link && (*link)->tried) {
        struct publication *publication = *link;

        if (publication->last_id == 0 && publication->cursor.position >= search->gap_end) {
            publication->tried = false;
            publication->sent = 0;
            link = &publication->next;
            continue;
        }
        *link = publication->next;
        publication->next = NULL;
        *last_settled = publication;
        last_settled = &publication->next;
    }
    if (!*link)
        client.last = link;
    client.unsent = client.first;
    while (settled) {
        struct publication *publication = settled;

        settled = publication->next;
        if (publication->last_id != 0)
            finish(publication, 0, publication->last_id - publication->batch.count + 1);
        else
            finish(publication, -EIO, 0);
    }
}

/* The new recorder has all that the one before left: what became of what was sent to it? */
static int resolve(void)
{
    struct search search = { 0 };
    int r;

    if (!client.first || !client.first->tried)
        return 0;
    r = search_begin(&search);
    if (r == 0)
        r = search_log(&search);
    if (r == 0)
        search_end(&search);
    free(search.tried);
    return r;
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
    r = resolve();
    if (r < 0)
        return r;
    client.ready = client.complete = true;
    send_waiting();
    tell_waiters(); /* the one before may have died between storing and telling */
    return 0;
}

static int take_answer(const struct channel_header *header)
{
    struct publication *first = client.first;

    if (!client.ready || !first || first == client.unsent || header->token != first->token)
        return -EPROTO;
    if (header->type == CHANNEL_STORED && header->count != first->batch.count)
        return -EPROTO;
    if (header->type == CHANNEL_REFUSED && (header->value == 0 || header->value > ERRNO_MAX))
        return -EPROTO;
    answer(header->type == CHANNEL_STORED ? 0 : -(int)header->value, header->value);
    return 0;
}

static int take_packet(const struct channel_header *header)
{
    switch (header->type) {
    case CHANNEL_READY:
        return take_ready(header);
    case CHANNEL_STORED:
    case CHANNEL_REFUSED:
        return take_answer(header);
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
    client.settled = settled;
    client.data = data;
    /* 0 is the token of what no worker sent; after 2^63 publications it would come again. */
    if (getrandom(&client.next_token, sizeof(client.next_token), 0) != (ssize_t)sizeof(client.next_token))
        client.next_token = uv_hrtime() ^ (uint64_t)getpid() << 32;
    client.next_token = (client.next_token >> 1) + 1;
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
    client.settled = NULL;
    client.ready = false;
    while (client.first)
        answer(-EIO, 0);
    undo();
    event_log_close(client.log);
    client.log = NULL;
    client.complete = false;
    client.loop = NULL;
    client.asked = false;
}
