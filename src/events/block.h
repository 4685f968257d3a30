/*
 * A block: some records of the log, as text for all who want the same of them. A frame is one event's text: a line, or
 * a Server-Sent Event.
 */
#ifndef BERTH_EVENTS_BLOCK_H
#define BERTH_EVENTS_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "events/filter.h"
#include "events/log.h"

/* So much of the log is read at a time; a text is never longer than its records and the line for missing ones. */
#define BLOCK_RECORDS_MAX (4 * EVENT_RECORD_MAX)
#define BLOCK_TEXT_MAX    (BLOCK_RECORDS_MAX + 128)

/* What somebody wants to see of the log. */
struct block_form {
    const struct filter *filter; /* NULL: everything */
    uint64_t until_us;           /* only what is before it; 0: all */
    bool server_sent;            /* as Server-Sent Events, not as NDJSON */
};

struct block {
    const char *records; /* borrowed */
    size_t size;
    uint64_t missed;         /* that were overwritten before these */
    struct event_cursor end; /* behind the last one */
};

/* Records from the cursor on, into a buffer of BLOCK_RECORDS_MAX bytes, but none behind position `stop`; the cursor
 * goes behind them. Returns false if there is nothing, and nothing missing. */
bool block_read(const struct event_log *log, struct event_cursor *cursor, uint64_t stop, void *buffer,
                struct block *ret_block);

/* The text of a block, into BLOCK_TEXT_MAX bytes; its length. *ret_over: what comes behind it is at or past
 * until_us. */
size_t block_format(const struct block *block, const struct block_form *form, char *text, bool *ret_over);

/* The line for missing events alone; at most 128 bytes. */
size_t block_format_missed(uint64_t missed, const struct block_form *form, char *text);

/* Of a text of which `sent` bytes were sent: where the frame that was cut ends (`sent` itself, if none was), and the
 * place in the log behind it. */
size_t block_resume(const struct block *block, const struct block_form *form, size_t sent,
                    struct event_cursor *ret_cursor);

#endif
