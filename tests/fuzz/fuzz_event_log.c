/*
 * The log of events, with anything in it: a good one, over which the input is written in pieces. A piece is a byte that
 * says where, two bytes of place, one of length, and the bytes. Neither a reader nor a writer that opens it may crash
 * or go on for ever, and what readers get are records, in order.
 */
#include <errno.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "events/log.h"

#include "property.h"

#define RECORD ((size_t)1000)
#define SIZE   ((size_t)EVENT_LOG_SIZE_MIN)
/* So often can be read at most: a record each time, and the end. */
#define READS (SIZE / sizeof(struct event_record) + 2)

enum { HEADER, INDEX, RING, NEAR_OLDEST, NEAR_NEWEST, PLACES };

static int log_fd;
static size_t file_size, ring_offset;
static uint8_t *file, *good;

static size_t make_record(char *to, uint64_t id)
{
    const struct event_record head = { .size = RECORD,
                                       .text_size = RECORD - sizeof(head),
                                       .type_size = 1,
                                       .data_offset = 2,
                                       .data_size = 3,
                                       .id = id,
                                       .time_us = id };

    memset(to, 'x', RECORD);
    memcpy(to, &head, sizeof(head));
    return RECORD;
}

/* One that has gone around once. */
static void make_log(void)
{
    struct event_log_writer *writer;
    struct stat status;
    char record[RECORD];

    PROPERTY(event_log_make(SIZE, &log_fd) == 0);
    PROPERTY(event_log_writer_open(log_fd, &writer) == 0);
    event_log_start(writer, 1000);
    for (int i = 0; i < 1500; i++)
        PROPERTY(event_log_append(writer, record, make_record(record, event_log_next_id(writer))) == 0);
    event_log_writer_close(writer);
    PROPERTY(fstat(log_fd, &status) == 0);
    file_size = (size_t)status.st_size;
    ring_offset = file_size - SIZE;
    file = mmap(NULL, file_size, PROT_READ | PROT_WRITE, MAP_SHARED, log_fd, 0);
    good = malloc(file_size);
    PROPERTY(file != MAP_FAILED && good);
    memcpy(good, file, file_size);
}

/* Where a piece goes: among the words of the header but the first two, which say that it is a log and how large; in the
 * index; in the ring, anywhere or at the first or last of its records. */
static size_t find_place(unsigned int where, size_t place)
{
    switch (where % PLACES) {
    case HEADER:
        return 16 + place % 128;
    case INDEX:
        return (size_t)sysconf(_SC_PAGESIZE) + place % 128;
    case RING:
        return ring_offset + place * 16;
    case NEAR_OLDEST:
        return ring_offset + ((1500 - SIZE / RECORD) * RECORD + place) % SIZE;
    default:
        return ring_offset + (1499 * RECORD + place) % SIZE;
    }
}

static void write_pieces(const uint8_t *data, size_t size)
{
    while (size > 4) {
        size_t place = find_place(data[0], (size_t)data[1] << 8 | data[2]), length = data[3];

        data += 4;
        size -= 4;
        if (length > size)
            length = size;
        if (length > file_size - place)
            length = file_size - place;
        memcpy(file + place, data, length);
        data += length;
        size -= length;
    }
}

/* Returns the id of the last. */
static uint64_t check_records(const char *bytes, size_t size, uint64_t after_id)
{
    for (size_t offset = 0; offset < size;) {
        struct event_record head;

        PROPERTY(event_record_valid(bytes + offset, size - offset));
        memcpy(&head, bytes + offset, sizeof(head));
        PROPERTY(offset == 0 ? head.id > after_id : head.id == after_id + 1);
        after_id = head.id;
        offset += head.size;
    }
    return after_id;
}

static void read_all(const struct event_log *log, struct event_cursor cursor, size_t room)
{
    char *buffer = malloc(room);
    size_t reads = 0;

    PROPERTY(buffer);
    while (event_log_has_more(log, &cursor)) {
        struct event_cursor before = cursor;
        uint64_t missed;
        size_t size = event_log_read(log, &cursor, buffer, room, &missed);
        uint64_t last = check_records(buffer, size, before.after_id);

        PROPERTY(size <= room && cursor.position > before.position && reads++ < READS);
        PROPERTY(size == 0 || last == cursor.after_id);
        PROPERTY(size > 0 || !event_log_has_more(log, &cursor));
    }
    free(buffer);
}

static void read_as_any(const struct event_log *log)
{
    static const uint64_t ids[] = { 0, 1, 999, 1000, 1451, 1452, 1700, 2498, 2499, 2500, UINT64_MAX };
    struct event_cursor cursor = { 0 };

    read_all(log, cursor, EVENT_RECORD_MAX);
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        event_log_seek_id(log, ids[i], &cursor);
        event_log_seek_time(log, ids[i], &cursor);
    }
    event_log_seek_end(log, &cursor);
    PROPERTY(!event_log_has_more(log, &cursor));
    event_log_seek_id(log, 1700, &cursor);
    read_all(log, cursor, 3 * SIZE + 5);
}

/* A writer that believes it can be believed: what it adds is read. */
static void write_more(bool jumps)
{
    struct event_log_writer *writer;
    struct event_cursor cursor;
    char record[RECORD], buffer[EVENT_RECORD_MAX];
    uint64_t missed;
    int r = event_log_writer_open(log_fd, &writer);

    PROPERTY(r == 0 || r == -EBADMSG);
    if (r < 0)
        return;
    if (event_log_is_fresh(writer))
        event_log_start(writer, 5);
    event_log_seek_end(event_log_writer_view(writer), &cursor);
    if (jumps)
        PROPERTY(event_log_skip_to(writer, event_log_next_id(writer) + 10) == 0 ||
                 event_log_next_id(writer) >= UINT64_MAX - 10);
    r = event_log_append(writer, record, make_record(record, event_log_next_id(writer)));
    PROPERTY(r == 0 || event_log_last_time(writer) > event_log_next_id(writer) || r == -EOVERFLOW);
    if (r == 0) {
        PROPERTY(event_log_read(event_log_writer_view(writer), &cursor, buffer, sizeof(buffer), &missed) == RECORD);
        PROPERTY(memcmp(buffer, record, RECORD) == 0 && missed == 0);
        PROPERTY(cursor.after_id + 1 == event_log_next_id(writer));
    }
    event_log_writer_close(writer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct event_log *log;

    if (!file)
        make_log();
    memcpy(file, good, file_size);
    write_pieces(data, size);
    PROPERTY(event_log_open(log_fd, &log) == 0);
    read_as_any(log);
    write_more(false);
    read_as_any(log);
    write_more(true);
    read_as_any(log);
    event_log_close(log);
    return 0;
}
