/*
 * A batch: records one behind the other, as journal and log take them.
 */
#ifndef BERTH_EVENTS_BATCH_H
#define BERTH_EVENTS_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buffer.h"
#include "events/event.h"

struct event_batch {
    struct buffer buffer;
    size_t count;
};

/* More than the records of any publication (CHANNEL_BATCH_MAX) take. */
#define EVENT_BATCH_MAX (64 * 1024 * 1024)

/* Formats the event as a record and adds it. The user's name is escaped as JSON wants it; bytes of it that are no UTF-8
 * become U+FFFD. -EMSGSIZE: the event is larger than events are, or the batch than EVENT_BATCH_MAX; -ENOMEM. */
int event_batch_add(struct event_batch *batch, const struct event *event, uint64_t id, uint64_t time_us,
                    uint64_t token);

/* Empties it and keeps its memory for the next; frees it. */
void event_batch_clear(struct event_batch *batch);
void event_batch_done(struct event_batch *batch);

/* The record that readers get where some are missing: {"type":"berth.missed","data":{"missed":N}}, N null for
 * EVENTS_MISSED_UNKNOWN. Returns its length. */
size_t event_missed_format(uint64_t missed, char *text, size_t room);

/* As long as the longest of these. */
enum { EVENT_MISSED_SIZE = 80 };

#endif
