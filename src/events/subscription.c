/*
 * Applications that read the events: berth_event_subscribe, on the loop, from the log by a place of their own.
 */
#include <berth.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "events/batch.h"
#include "events/block.h"
#include "events/client.h"
#include "events/filter.h"
#include "events/selection.h"

struct berth_event_subscription {
    struct client_waiter waiter;
    uv_idle_t idle;   /* active: there is more */
    uv_timer_t until; /* looks whether until_us is past */
    int open_handles;

    struct berth_event_query query; /* its types are the filter's */
    struct filter *filter;
    bool begun;
    struct event_cursor cursor;
    uint64_t stop, missed;

    void (*take)(void *data, const struct berth_event *event);
    void *data;
    bool over, ended; /* nothing will come any more; it was unsubscribed */
};

static void begin(struct berth_event_subscription *subscription, const struct event_log *log)
{
    subscription->begun = true;
    subscription->missed = selection_seek(log, &subscription->query, &subscription->cursor);
    subscription->stop = selection_stop(log, &subscription->query);
}

/* Each of these returns whether the subscription is still there. */
static bool hand_over(struct berth_event_subscription *subscription, const struct berth_event *event)
{
    subscription->take(subscription->data, event);
    return !subscription->ended;
}

static bool hand_over_missed(struct berth_event_subscription *subscription, uint64_t missed)
{
    char text[EVENT_MISSED_SIZE], data[EVENT_MISSED_SIZE];
    size_t size = event_missed_format(missed, text, sizeof(text));
    static const char key[] = "\"data\":";
    const char *begin = memmem(text, size, key, sizeof(key) - 1);
    struct berth_event event = { .type = "berth.missed", .text = text, .text_size = size };

    if (begin) {
        begin += sizeof(key) - 1;
        event.data_size = (size_t)(text + size - 1 - begin);
        event.data = memcpy(data, begin, event.data_size);
    }
    return hand_over(subscription, &event);
}

static bool hand_over_record(struct berth_event_subscription *subscription, const struct event_record *record)
{
    char type[BERTH_EVENT_TYPE_MAX + 1];
    struct berth_event event = {
        .id = record->id,
        .time_us = record->time_us,
        .type = type,
        .data = record->text + record->data_offset,
        .data_size = record->data_size,
        .text = record->text,
        .text_size = record->text_size,
    };

    if (record->type_size > BERTH_EVENT_TYPE_MAX)
        return true;
    memcpy(type, record->text + record->type_offset, record->type_size);
    type[record->type_size] = '\0';
    return hand_over(subscription, &event);
}

static void finish(struct berth_event_subscription *subscription)
{
    subscription->over = true;
    hand_over(subscription, NULL);
}

static bool hand_over_block(struct berth_event_subscription *subscription, const struct block *block, bool *ret_over)
{
    *ret_over = false;
    if (block->missed > 0 && !hand_over_missed(subscription, block->missed))
        return false;
    for (size_t offset = 0; offset < block->size;) {
        const struct event_record *record = (const void *)(block->records + offset);

        offset += record->size;
        if (subscription->query.until_us != 0 && record->time_us >= subscription->query.until_us) {
            *ret_over = true;
            return true;
        }
        if (filter_passes(subscription->filter, record->text + record->type_offset, record->type_size) &&
            !hand_over_record(subscription, record))
            return false;
    }
    return true;
}

/* Hands over a piece of the log; returns whether there may be more now. */
static bool advance(struct berth_event_subscription *subscription, const struct event_log *log, void *buffer)
{
    const struct berth_event_query *query = &subscription->query;
    uint64_t missed = subscription->missed;
    struct block block;
    bool over = selection_is_past(query->until_us);

    subscription->missed = 0;
    if (missed > 0 && !hand_over_missed(subscription, missed))
        return false;
    if (subscription->cursor.position < subscription->stop &&
        block_read(log, &subscription->cursor, subscription->stop, buffer, &block)) {
        if (!hand_over_block(subscription, &block, &over))
            return false;
        if (!over && subscription->cursor.position < subscription->stop)
            return true;
        over = true;
    }
    if (over || subscription->cursor.position >= subscription->stop)
        finish(subscription);
    return false;
}

/* A handle that is closing stays until the loop's next turn, and with it the subscription. */
static void on_idle(uv_idle_t *idle)
{
    struct berth_event_subscription *subscription = idle->data;
    void *buffer = malloc(BLOCK_RECORDS_MAX);
    bool more = buffer && advance(subscription, client_log(), buffer);

    if (!more && !subscription->ended)
        uv_idle_stop(idle); /* without memory the next news tries again */
    free(buffer);
}

static void look(struct berth_event_subscription *subscription)
{
    const struct event_log *log = client_log();

    if (!log || subscription->over)
        return;
    if (!subscription->begun)
        begin(subscription, log);
    uv_idle_start(&subscription->idle, on_idle);
}

static void on_news(struct client_waiter *waiter)
{
    look((struct berth_event_subscription *)waiter);
}

static void on_until(uv_timer_t *timer)
{
    struct berth_event_subscription *subscription = timer->data;

    look(subscription);
    if (!selection_is_past(subscription->query.until_us))
        uv_timer_start(timer, on_until, selection_wait_ms(subscription->query.until_us), 0);
}

static void handle_closed(uv_handle_t *handle)
{
    struct berth_event_subscription *subscription = handle->data;

    if (--subscription->open_handles > 0)
        return;
    filter_free(subscription->filter);
    free(subscription);
}

int berth_event_subscribe(const struct berth_event_query *query,
                          void (*take)(void *data, const struct berth_event *event), void *data,
                          struct berth_event_subscription **ret_subscription)
{
    struct berth_event_subscription *subscription;
    int r = client_open();

    if (r < 0)
        return r;
    subscription = calloc(1, sizeof(*subscription));
    if (!subscription)
        return -ENOMEM;
    r = filter_new(query->types, query->type_count, &subscription->filter);
    if (r < 0) {
        free(subscription);
        return r;
    }
    subscription->query = *query;
    subscription->query.types = NULL;
    subscription->take = take;
    subscription->data = data;
    subscription->waiter.news = on_news;
    subscription->idle.data = subscription->until.data = subscription;
    subscription->open_handles = 2;
    uv_idle_init(berth_loop(), &subscription->idle);
    uv_timer_init(berth_loop(), &subscription->until);
    client_wait(&subscription->waiter);
    if (query->until_us != 0)
        uv_timer_start(&subscription->until, on_until, selection_wait_ms(query->until_us), 0);
    look(subscription);
    *ret_subscription = subscription;
    return 0;
}

void berth_event_unsubscribe(struct berth_event_subscription *subscription)
{
    if (!subscription)
        return;
    subscription->ended = true;
    client_leave(&subscription->waiter);
    uv_close((uv_handle_t *)&subscription->idle, handle_closed);
    uv_close((uv_handle_t *)&subscription->until, handle_closed);
}

int berth_events_open(void)
{
    return client_open();
}
