#include "events/outbox.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>
#include <uv.h>

#include "events/client.h"

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
    outbox_stored *stored;
    void *data;
};

static struct outbox {
    struct publication *first, **last;
    struct publication *unsent; /* the first that is not sent to its end */
    uint64_t next_token;
    size_t pending, waiting_size;
    void (*settled)(void *data);
    void *data;
} outbox = { .last = &outbox.first };

void outbox_init(void (*settled)(void *data), void *data)
{
    outbox.settled = settled;
    outbox.data = data;
    /* 0 is the token of what no worker sent; after 2^63 publications it would come again. */
    if (getrandom(&outbox.next_token, sizeof(outbox.next_token), 0) != (ssize_t)sizeof(outbox.next_token))
        outbox.next_token = uv_hrtime() ^ (uint64_t)getpid() << 32;
    outbox.next_token = (outbox.next_token >> 1) + 1;
}

size_t outbox_pending(void)
{
    return outbox.pending;
}

static size_t cost(const struct publication *publication)
{
    return sizeof(*publication) + publication->batch.buffer.size;
}

/* It is out of the queue, and has its answer. */
static void finish(struct publication *publication, int r, uint64_t first_id)
{
    outbox.pending--;
    outbox.waiting_size -= cost(publication);
    if (publication->stored)
        publication->stored(publication->data, r, first_id, publication->batch.count);
    channel_batch_done(&publication->batch);
    free(publication);
    if (outbox.pending == 0 && outbox.settled)
        outbox.settled(outbox.data);
}

/* The same for the oldest. */
static void answer(int r, uint64_t first_id)
{
    struct publication *publication = outbox.first;

    outbox.first = publication->next;
    if (!outbox.first)
        outbox.last = &outbox.first;
    if (outbox.unsent == publication)
        outbox.unsent = publication->next;
    finish(publication, r, first_id);
}

int outbox_add(struct channel_batch *batch, outbox_stored *stored, void *data)
{
    struct publication *publication;

    if (batch->count == 0)
        return -EINVAL;
    if (outbox.waiting_size + sizeof(*publication) + batch->buffer.size > CLIENT_WAITING_MAX)
        return -EAGAIN;
    publication = calloc(1, sizeof(*publication));
    if (!publication)
        return -ENOMEM;
    *publication =
        (struct publication){ .batch = *batch, .token = outbox.next_token++, .stored = stored, .data = data };
    *batch = (struct channel_batch){ 0 };
    *outbox.last = publication;
    outbox.last = &publication->next;
    if (!outbox.unsent)
        outbox.unsent = publication;
    outbox.pending++;
    outbox.waiting_size += cost(publication);
    return 0;
}

static int send_part(struct publication *publication, int channel, const struct event_log *log)
{
    size_t left = publication->batch.buffer.size - publication->sent;
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
        event_log_seek_end(log, &publication->cursor);
    publication->tried = true;
    r = channel_send(channel, &header, publication->batch.buffer.bytes + publication->sent, NULL);
    if (r == 0)
        publication->sent += size;
    return r;
}

int outbox_send(int channel, const struct event_log *log)
{
    int r = 0;

    while (r == 0 && outbox.unsent) {
        r = send_part(outbox.unsent, channel, log);
        if (r == 0 && outbox.unsent->sent == outbox.unsent->batch.buffer.size)
            outbox.unsent = outbox.unsent->next;
    }
    return r;
}

int outbox_answer(const struct channel_header *header)
{
    struct publication *first = outbox.first;

    if (!first || first == outbox.unsent || header->token != first->token)
        return -EPROTO;
    if (header->type == CHANNEL_STORED && header->count != first->batch.count)
        return -EPROTO;
    if (header->type == CHANNEL_REFUSED && (header->value == 0 || header->value > ERRNO_MAX))
        return -EPROTO;
    answer(header->type == CHANNEL_STORED ? 0 : -(int)header->value, header->value);
    return 0;
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
    uint64_t last_token = outbox.first->token;

    for (struct publication *publication = outbox.first; publication && publication->tried;
         publication = publication->next)
        last_token = publication->token;
    search->first_token = outbox.first->token;
    search->room = last_token - search->first_token + 1;
    search->tried = calloc(search->room, sizeof(struct publication *));
    if (!search->tried)
        return -ENOMEM;
    for (struct publication *publication = outbox.first; publication && publication->tried;
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

static int search_log(struct search *search, const struct event_log *log)
{
    struct event_cursor cursor = outbox.first->cursor;
    char *buffer = malloc(SEARCH_ROOM);
    uint64_t missed;
    size_t size;

    if (!buffer)
        return -ENOMEM;
    do {
        size = event_log_read(log, &cursor, buffer, SEARCH_ROOM, &missed);
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
    struct publication **link = &outbox.first, *settled = NULL, **last_settled = &settled;

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
        outbox.last = link;
    outbox.unsent = outbox.first;
    while (settled) {
        struct publication *publication = settled;

        settled = publication->next;
        if (publication->last_id != 0)
            finish(publication, 0, publication->last_id - publication->batch.count + 1);
        else
            finish(publication, -EIO, 0);
    }
}

int outbox_resolve(const struct event_log *log)
{
    struct search search = { 0 };
    int r;

    if (!outbox.first || !outbox.first->tried)
        return 0;
    r = search_begin(&search);
    if (r == 0)
        r = search_log(&search, log);
    if (r == 0)
        search_end(&search);
    free(search.tried);
    return r;
}

void outbox_done(void)
{
    outbox.settled = NULL;
    while (outbox.first)
        answer(-EIO, 0);
}
