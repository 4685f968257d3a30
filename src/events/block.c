#include "events/block.h"

#include <assert.h>
#include <string.h>

#include "events/batch.h"

/* "id: ", the number, "\ndata: ", the text, "\n\n" */
#define SERVER_SENT_SIZE (4 + 20 + 7 + 2)

static_assert(sizeof(struct event_record) >= SERVER_SENT_SIZE, "a frame is no longer than its record");

static const struct event_record *record_at(const struct block *block, size_t offset)
{
    return (const void *)(block->records + offset);
}

/* The record behind which `stop` is. What lies beyond is read another time. */
static void cut(struct block *block, uint64_t stop)
{
    uint64_t begin = block->end.position - block->size;
    size_t offset = 0, last = 0;

    while (offset < block->size && begin + offset < stop) {
        last = offset;
        offset += record_at(block, offset)->size;
    }
    if (offset == block->size)
        return;
    block->end.position = begin + offset;
    block->end.after_id = offset > 0 ? record_at(block, last)->id : record_at(block, 0)->id - 1;
    block->size = offset;
}

bool block_read(const struct event_log *log, struct event_cursor *cursor, uint64_t stop, void *buffer,
                struct block *ret_block)
{
    struct block block = { .records = buffer };

    block.size = event_log_read(log, cursor, buffer, BLOCK_RECORDS_MAX, &block.missed);
    block.end = *cursor;
    if (block.end.position > stop)
        cut(&block, stop);
    *cursor = block.end;
    *ret_block = block;
    return block.size > 0 || block.missed > 0;
}

static size_t put_number(char *text, uint64_t number)
{
    char digits[20];
    size_t count = 0;

    do
        digits[count++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    for (size_t i = 0; i < count; i++)
        text[i] = digits[count - 1 - i];
    return count;
}

static size_t count_digits(uint64_t number)
{
    size_t count = 1;

    while ((number /= 10) > 0)
        count++;
    return count;
}

static char *put(char *text, const void *bytes, size_t size)
{
    return (char *)memcpy(text, bytes, size) + size;
}

static char *put_frame(char *text, const struct event_record *record, bool server_sent)
{
    if (!server_sent) {
        text = put(text, record->text, record->text_size);
        *text++ = '\n';
        return text;
    }
    text = put(text, "id: ", 4);
    text += put_number(text, record->id);
    text = put(text, "\ndata: ", 7);
    text = put(text, record->text, record->text_size);
    return put(text, "\n\n", 2);
}

static size_t frame_size(const struct event_record *record, bool server_sent)
{
    return record->text_size + (server_sent ? 4 + count_digits(record->id) + 7 + 2 : 1);
}

size_t block_format_missed(uint64_t missed, const struct block_form *form, char *text)
{
    char line[EVENT_MISSED_SIZE];
    size_t size = event_missed_format(missed, line, sizeof(line));
    char *end = text;

    if (form->server_sent)
        end = put(end, "data: ", 6);
    end = put(end, line, size);
    end = put(end, "\n\n", form->server_sent ? 2 : 1);
    return (size_t)(end - text);
}

static bool is_over(const struct event_record *record, const struct block_form *form)
{
    return form->until_us != 0 && record->time_us >= form->until_us;
}

static bool passes(const struct event_record *record, const struct block_form *form)
{
    return filter_passes(form->filter, record->text + record->type_offset, record->type_size);
}

size_t block_format(const struct block *block, const struct block_form *form, char *text, bool *ret_over)
{
    char *end = text;

    *ret_over = false;
    if (block->missed > 0)
        end += block_format_missed(block->missed, form, end);
    for (size_t offset = 0; offset < block->size; offset += record_at(block, offset)->size) {
        const struct event_record *record = record_at(block, offset);

        if (is_over(record, form)) {
            *ret_over = true;
            break;
        }
        if (passes(record, form))
            end = put_frame(end, record, form->server_sent);
    }
    return (size_t)(end - text);
}

static struct event_cursor cursor_at(const struct block *block, size_t offset)
{
    struct event_cursor cursor = block->end;

    if (offset == block->size)
        return cursor;
    cursor.position -= block->size - offset;
    cursor.after_id = record_at(block, offset)->id - 1;
    return cursor;
}

size_t block_resume(const struct block *block, const struct block_form *form, size_t sent,
                    struct event_cursor *ret_cursor)
{
    char missed[128];
    size_t at = block->missed > 0 ? block_format_missed(block->missed, form, missed) : 0, offset = 0;

    while (offset < block->size && at < sent) {
        const struct event_record *record = record_at(block, offset);

        if (passes(record, form))
            at += frame_size(record, form->server_sent);
        offset += record->size;
    }
    *ret_cursor = cursor_at(block, offset);
    return at;
}
