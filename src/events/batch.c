#include "events/batch.h"

#include <errno.h>
#include <string.h>

#include "berth.h"
#include "common/line.h"
#include "events/character.h"
#include "events/json_text.h"
#include "events/log.h"

/* What a record's text has besides the four texts and numbers: the names, and the numbers' digits at their longest. */
#define FRAME_MAX                                                                                                      \
    (sizeof(                                                                                                           \
         "{\"id\":,\"time\":.,\"type\":\"\",\"peer\":{\"uid\":,\"user\":\"\",\"pid\":,\"client\":\"\"},\"data\":}") +  \
     20 + 20 + 10 + 10)

/* Of the user's name and the client's address, where every byte has to be escaped. */
#define USER_TEXT_MAX ((EVENT_USER_MAX + EVENT_CLIENT_MAX) * CHARACTER_ENCODED_MAX)

_Static_assert(sizeof(struct event_record) + FRAME_MAX + USER_TEXT_MAX + BERTH_EVENT_SIZE_MAX + 8 <= EVENT_RECORD_MAX,
               "no record is larger than EVENT_RECORD_MAX");

/* All up to the type, whose place it notes. */
static void format_head(struct line *line, struct event_record *record, const struct event *event)
{
    line_add_text(line, "{\"id\":");
    line_add_number(line, record->id);
    line_add_text(line, ",\"time\":");
    line_add_number(line, record->time_us / 1000000);
    line_add(line, ".", 1);
    line_add_padded(line, record->time_us % 1000000, 6);
    line_add_text(line, ",\"type\":\"");
    record->type_offset = (uint16_t)line->size;
    record->type_size = (uint16_t)event->type_size;
    line_add(line, event->type, event->type_size);
}

/* Who it was. A name comes from wherever the system has its users from, and may be any bytes. */
static void format_peer(struct line *line, const struct event *event)
{
    line_add_text(line, "\",\"peer\":{\"uid\":");
    line_add_number(line, event->uid);
    line_add_text(line, ",\"user\":\"");
    line->size += json_text_escape(event->user, event->user_size, line->bytes + line->size);
    line_add_text(line, "\",\"pid\":");
    line_add_number(line, event->pid > 0 ? (uint64_t)event->pid : 0);
    if (!event->client)
        return;
    line_add_text(line, ",\"client\":");
    if (event->client_size == 0) {
        line_add_text(line, "null");
    } else {
        line_add(line, "\"", 1);
        line->size += json_text_escape(event->client, event->client_size, line->bytes + line->size);
        line_add(line, "\"", 1);
    }
}

static void format_data(struct line *line, struct event_record *record, const struct event *event)
{
    line_add_text(line, "},\"data\":");
    record->data_offset = (uint32_t)line->size;
    record->data_size = (uint32_t)event->data_size;
    line_add(line, event->data, event->data_size);
    line_add(line, "}", 1);
}

int event_batch_add(struct event_batch *batch, const struct event *event, uint64_t id, uint64_t time_us, uint64_t token)
{
    size_t room =
        (size_t)event_record_size(FRAME_MAX + (event->user_size + event->client_size) * CHARACTER_ENCODED_MAX +
                                  event->type_size + event->data_size);
    struct event_record *record;
    struct line line;
    int r;

    if (event->user_size > EVENT_USER_MAX || event->client_size > EVENT_CLIENT_MAX ||
        event->type_size > BERTH_EVENT_TYPE_MAX || event->data_size > BERTH_EVENT_SIZE_MAX - event->type_size)
        return -EMSGSIZE;
    r = buffer_reserve(&batch->buffer, room, EVENT_BATCH_MAX);
    if (r < 0)
        return r;
    record = (struct event_record *)(void *)(batch->buffer.bytes + batch->buffer.size);
    *record = (struct event_record){ .id = id, .time_us = time_us, .token = token };
    line = (struct line){ .bytes = record->text, .limit = room - sizeof(*record) };
    format_head(&line, record, event);
    format_peer(&line, event);
    format_data(&line, record, event);
    record->text_size = (uint32_t)line.size;
    record->size = (uint32_t)event_record_size(line.size);
    memset(record->text + line.size, 0, record->size - sizeof(*record) - line.size);
    batch->buffer.size += record->size;
    batch->count++;
    return 0;
}

void event_batch_clear(struct event_batch *batch)
{
    batch->buffer.size = 0;
    batch->count = 0;
}

void event_batch_done(struct event_batch *batch)
{
    buffer_done(&batch->buffer);
    batch->count = 0;
}

size_t event_missed_format(uint64_t missed, char *text, size_t room)
{
    struct line line = { .bytes = text, .limit = room };

    line_add_text(&line, "{\"type\":\"berth.missed\",\"data\":{\"missed\":");
    if (missed == EVENTS_MISSED_UNKNOWN)
        line_add_text(&line, "null");
    else
        line_add_number(&line, missed);
    line_add_text(&line, "}}");
    return line.size;
}
