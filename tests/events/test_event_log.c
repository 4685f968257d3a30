#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "events/log.h"
#include "events/records.h"

Suite *suite_event_log(void);

#define FIRST UINT64_C(1000)
#define START UINT64_C(1700000000000000) /* the time of the first */
#define SIZE  ((size_t)EVENT_LOG_SIZE_MIN)
#define MOST  (SIZE / EVENT_LOG_APPEND_PART)

/* Where the words lie that say what is in the log, for tests that write nonsense there. */
enum { CAPACITY = 1, FIRST_ID = 2, NEXT_ID = 3, RUN_ID = 12, OLDEST = 16, NEWEST = 17 };

#define INDEX     ((size_t)sysconf(_SC_PAGESIZE) / sizeof(uint64_t))
#define BLOCK     UINT64_C(131072)
#define LAST_BITS 14

static int log_fd;
static struct event_log_writer *writer;
static struct event_log *reader;
static char batch[2 * MOST], buffer[2 * SIZE];

static void open_writer(void)
{
    ck_assert_int_eq(event_log_writer_open(log_fd, &writer), 0);
}

static void setup(void)
{
    ck_assert_int_eq(event_log_make(SIZE, &log_fd), 0);
    open_writer();
    ck_assert_int_eq(event_log_open(log_fd, &reader), 0);
}

static void setup_started(void)
{
    setup();
    event_log_start(writer, FIRST);
}

static void teardown(void)
{
    event_log_writer_close(writer);
    event_log_close(reader);
    close(log_fd);
}

static uint64_t *map_words(void)
{
    struct stat status;
    void *words;

    ck_assert_int_eq(fstat(log_fd, &status), 0);
    words = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, log_fd, 0);
    ck_assert_ptr_ne(words, MAP_FAILED);
    return words;
}

static uint64_t *map_ring(void)
{
    struct stat status;

    ck_assert_int_eq(fstat(log_fd, &status), 0);
    return map_words() + ((size_t)status.st_size - SIZE) / sizeof(uint64_t);
}

static void append(size_t size)
{
    must(event_log_append(writer, batch, size) == 0);
}

/* One record; its time is START and a microsecond for each id. */
static void put(size_t size)
{
    uint64_t id = event_log_next_id(writer);

    append(record_make(batch, size, id, START + id - FIRST));
}

static void put_many(size_t count, size_t size)
{
    while (count-- > 0)
        put(size);
}

static uint64_t last_id(void)
{
    return event_log_next_id(writer) - 1;
}

static uint64_t oldest_id(void)
{
    struct event_cursor cursor;

    event_log_seek_id(reader, 0, &cursor);
    return cursor.after_id + 1;
}

/* Reads all that there is, with that much room at a time: from that id to that one, and so many missed before. */
static void expect_room(struct event_cursor cursor, uint64_t from, uint64_t to, uint64_t missed, size_t room)
{
    uint64_t next = from, count, id;
    size_t size;

    for (bool begun = false; (size = event_log_read(reader, &cursor, buffer, room, &count)) > 0; begun = true) {
        must(size <= room);
        must(count == (begun ? 0 : missed));
        for (size_t offset = 0; offset < size; next++) {
            offset += record_check(buffer + offset, size - offset, &id);
            must(id == next);
        }
        must(cursor.after_id == next - 1);
        must(event_log_has_more(reader, &cursor) == (next <= to));
    }
    must(next == to + 1);
    must(count == 0);
}

static void expect(struct event_cursor cursor, uint64_t from, uint64_t to, uint64_t missed)
{
    expect_room(cursor, from, to, missed, EVENT_RECORD_MAX);
    expect_room(cursor, from, to, missed, EVENT_RECORD_MAX + 12345);
    expect_room(cursor, from, to, missed, sizeof(buffer));
}

static void expect_end(struct event_cursor cursor, uint64_t after_id)
{
    uint64_t missed = 1;

    ck_assert_uint_eq(cursor.after_id, after_id);
    ck_assert(!event_log_has_more(reader, &cursor));
    ck_assert_uint_eq(event_log_read(reader, &cursor, buffer, sizeof(buffer), &missed), 0);
    ck_assert_uint_eq(missed, 0);
}

/* ---- records ---- */

static struct {
    struct event_record head;
    char text[64];
} record;

static void setup_record(void)
{
    record.head = (struct event_record){
        .size = sizeof(record.head) + 16, .text_size = 10, .type_size = 1, .data_offset = 9, .data_size = 1, .id = 1
    };
}

static bool is_valid(void)
{
    return event_record_valid(&record, sizeof(record));
}

START_TEST(record_whole)
{
    ck_assert(is_valid());
    ck_assert(event_record_valid(&record, record.head.size));
    ck_assert(!event_record_valid(&record, record.head.size - 1));
    ck_assert(!event_record_valid(&record, sizeof(struct event_record) - 1));
    ck_assert(!event_record_valid(&record, 0));
}
END_TEST

START_TEST(record_broken)
{
    struct event_record *head = &record.head;

#define BROKEN(change)                                                                                                 \
    do {                                                                                                               \
        setup_record();                                                                                                \
        head->change;                                                                                                  \
        ck_assert_msg(!is_valid(), "%s", #change);                                                                     \
    } while (0)
    BROKEN(size = 0);
    BROKEN(size -= 8);
    BROKEN(size += 8);
    BROKEN(size = UINT32_MAX);
    BROKEN(text_size = UINT32_MAX);
    BROKEN(text_size = 17);
    BROKEN(text_size = 8);
    BROKEN(type_size = 0);
    BROKEN(type_size = 11);
    BROKEN(type_offset = 10);
    BROKEN(type_offset = UINT16_MAX);
    BROKEN(data_size = 0);
    BROKEN(data_size = 2);
    BROKEN(data_size = UINT32_MAX);
    BROKEN(data_offset = 10);
    BROKEN(data_offset = UINT32_MAX);
    BROKEN(reserved = 1);
    BROKEN(id = 0);
    BROKEN(id = UINT64_MAX);
}
END_TEST

/* ---- the memfd ---- */

START_TEST(memfd_is_sealed)
{
    struct stat status;

    ck_assert_int_eq(fstat(log_fd, &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0400);
    ck_assert_int_eq(fcntl(log_fd, F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    ck_assert_int_eq(fcntl(log_fd, F_GETFD), FD_CLOEXEC);
    ck_assert_int_eq(ftruncate(log_fd, status.st_size - 4096), -1);
    ck_assert_int_eq(ftruncate(log_fd, status.st_size + 4096), -1);
    ck_assert_int_eq(fcntl(log_fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
}
END_TEST

START_TEST(memfd_sizes)
{
    static const struct {
        size_t size;
        int r;
    } sizes[] = {
        { 0, -EINVAL }, { EVENT_LOG_SIZE_MIN - 1, -EINVAL },   { EVENT_LOG_SIZE_MIN, 0 },         { 16777217, 0 },
        { 1234567, 0 }, { EVENT_LOG_SIZE_MAX + 1UL, -EINVAL }, { (size_t)EVENT_LOG_SIZE_MAX, 0 }, { SIZE_MAX, -EINVAL },
    };

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        int fd = -2;

        ck_assert_int_eq(event_log_make(sizes[i].size, &fd), sizes[i].r);
        if (sizes[i].r == 0) {
            size_t size = event_log_size(fd), page = (size_t)sysconf(_SC_PAGESIZE);

            ck_assert(size >= sizes[i].size && size < sizes[i].size + page && size % page == 0);
            close(fd);
        } else {
            ck_assert_int_eq(fd, -2);
        }
    }
}
END_TEST

/* It is no log, for all who might open it. */
static void refuse(int fd)
{
    struct event_log_writer *no_writer = NULL;
    struct event_log *no_log = NULL;

    ck_assert_uint_eq(event_log_size(fd), 0);
    ck_assert_int_eq(event_log_writer_open(fd, &no_writer), -EBADMSG);
    ck_assert_int_eq(event_log_open(fd, &no_log), -EBADMSG);
    ck_assert_ptr_null(no_writer);
    ck_assert_ptr_null(no_log);
}

START_TEST(memfd_foreign)
{
    int foreign = memfd_create("foreign", MFD_CLOEXEC | MFD_ALLOW_SEALING), null = open("/dev/null", O_RDWR);
    struct stat status;

    refuse(-1);
    refuse(null);
    refuse(foreign);
    /* all of a log but that nobody sealed it */
    ck_assert_int_eq(fstat(log_fd, &status), 0);
    ck_assert_int_eq(ftruncate(foreign, status.st_size), 0);
    ck_assert_int_eq(pwrite(foreign, map_words(), 4096, 0), 4096);
    refuse(foreign);
    ck_assert_int_eq(fcntl(foreign, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
    ck_assert_uint_eq(event_log_size(foreign), SIZE);
    /* another size than it says */
    map_words()[CAPACITY] += 4096;
    refuse(log_fd);
    map_words()[CAPACITY] = 1;
    refuse(log_fd);
    map_words()[CAPACITY] = SIZE;
    ck_assert_uint_eq(event_log_size(log_fd), SIZE);
    map_words()[0]++;
    refuse(log_fd);
    close(foreign);
    close(null);
}
END_TEST

START_TEST(memfd_for_reading)
{
    struct event_log_writer *no_writer = NULL;
    struct event_log *log;
    char path[64];
    int fd;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", log_fd);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(event_log_open(fd, &log), 0);
    ck_assert_int_eq(event_log_writer_open(fd, &no_writer), -EACCES);
    event_log_close(log);
    close(fd);
    event_log_close(NULL);
    event_log_writer_close(NULL);
}
END_TEST

/* ---- appending and reading ---- */

START_TEST(empty)
{
    struct event_cursor cursor;

    ck_assert(event_log_is_fresh(writer));
    ck_assert_int_eq(event_log_append(writer, batch, record_make(batch, 64, FIRST, START)), -EBADMSG);
    event_log_seek_end(reader, &cursor);
    expect_end(cursor, 0);
    ck_assert_uint_eq(event_log_seek_id(reader, 0, &cursor), 0);
    expect_end(cursor, 0);
    ck_assert_uint_eq(event_log_seek_id(reader, FIRST, &cursor), EVENTS_MISSED_UNKNOWN);
    expect_end(cursor, 0);
    event_log_seek_time(reader, START, &cursor);
    expect_end(cursor, 0);

    event_log_start(writer, FIRST);
    ck_assert(!event_log_is_fresh(writer));
    ck_assert_uint_eq(event_log_next_id(writer), FIRST);
    ck_assert_uint_eq(event_log_last_time(writer), 0);
    expect_end(cursor, 0);
    event_log_seek_end(reader, &cursor);
    expect_end(cursor, FIRST - 1);
    ck_assert_uint_eq(event_log_seek_id(reader, 0, &cursor), 0);
    expect_end(cursor, FIRST - 1);
    ck_assert_uint_eq(event_log_seek_id(reader, FIRST - 1, &cursor), 0);
    ck_assert_uint_eq(event_log_seek_id(reader, FIRST, &cursor), EVENTS_MISSED_UNKNOWN);
    expect_end(cursor, FIRST - 1);
    ck_assert_uint_eq(event_log_seek_id(reader, FIRST - 2, &cursor), EVENTS_MISSED_UNKNOWN);
}
END_TEST

/* A cursor from before the log began gets all, or learns what was overwritten. */
START_TEST(empty_then_begun)
{
    struct event_cursor cursor;

    event_log_seek_end(reader, &cursor);
    event_log_start_at(writer, FIRST - 100, FIRST - 100, FIRST);
    put(64);
    ck_assert(event_log_has_more(reader, &cursor));
    expect(cursor, FIRST, FIRST, 0);
    put_many(40, 65536);
    expect(cursor, oldest_id(), last_id(), oldest_id() - FIRST);
}
END_TEST

START_TEST(first_and_last)
{
    struct event_cursor start, end;

    event_log_seek_end(reader, &start);
    put(RECORD_MIN);
    expect(start, FIRST, FIRST, 0);
    event_log_seek_end(reader, &end);
    expect_end(end, FIRST);
    put(RECORD_MIN);
    expect(start, FIRST, FIRST + 1, 0);
    expect(end, FIRST + 1, FIRST + 1, 0);
    ck_assert_uint_eq(event_log_last_time(writer), START + 1);
    ck_assert_uint_eq(event_log_next_id(writer), FIRST + 2);
}
END_TEST

START_TEST(append_whole)
{
    size_t size = 0;
    struct event_cursor cursor;

    event_log_seek_end(reader, &cursor);
    append(0);
    for (uint64_t id = FIRST; id < FIRST + 100; id++)
        size += record_make(batch + size, 64 + id % 7 * 8, id, START);
    append(size);
    expect(cursor, FIRST, FIRST + 99, 0);
}
END_TEST

static void refuse_batch(size_t size, int expected)
{
    struct event_cursor end;

    ck_assert_int_eq(event_log_append(writer, batch, size), expected);
    ck_assert_uint_eq(event_log_next_id(writer), FIRST + 1);
    ck_assert_uint_eq(event_log_last_time(writer), START);
    event_log_seek_end(reader, &end);
    expect_end(end, FIRST);
}

START_TEST(append_refused)
{
    const uint64_t id = FIRST + 1;
    size_t size;

    put(64);
    refuse_batch(record_make(batch, 64, FIRST, START), -EBADMSG);
    refuse_batch(record_make(batch, 64, id + 1, START), -EBADMSG);
    refuse_batch(record_make(batch, 64, id, START - 1), -EBADMSG);
    refuse_batch(record_make(batch, 64, id, START) - 8, -EBADMSG);
    refuse_batch(record_make(batch, 64, id, START) + 8, -EBADMSG);
    size = record_make(batch, 64, id, START + 1);
    refuse_batch(size + record_make(batch + size, 64, id + 1, START), -EBADMSG);
    refuse_batch(size + record_make(batch + size, 64, id, START + 1), -EBADMSG);
    refuse_batch(size + record_make(batch + size, 64, id + 2, START + 1), -EBADMSG);
    refuse_batch(MOST + 1, -EMSGSIZE);
    refuse_batch(MOST + RECORD_MIN, -EMSGSIZE);
    memset(batch, 0, sizeof(batch));
    refuse_batch(64, -EBADMSG);
    put(64);
}
END_TEST

START_TEST(largest)
{
    const uint64_t id = FIRST + 1;
    struct event_cursor cursor;

    event_log_seek_end(reader, &cursor);
    put(EVENT_RECORD_MAX);
    expect(cursor, FIRST, FIRST, 0);
    ck_assert_int_eq(event_log_append(writer, batch, record_make(batch, EVENT_RECORD_MAX + 8, id, START + 1)),
                     -EBADMSG);
    ck_assert_int_eq(event_log_append(writer, batch, record_make(batch, EVENT_RECORD_MAX, id, START + 1) + 1),
                     -EBADMSG);
    ck_assert_uint_eq(event_log_next_id(writer), id);
    put_many(50, EVENT_RECORD_MAX);
    ck_assert_uint_eq(last_id() - oldest_id() + 1, SIZE / EVENT_RECORD_MAX);
    expect(cursor, oldest_id(), last_id(), oldest_id() - FIRST);
}
END_TEST

/* A quarter of the ring at once: all of it, and what remains of the older ones. */
START_TEST(largest_batch)
{
    struct event_cursor cursor;

    event_log_seek_end(reader, &cursor);
    for (int i = 0; i < 9; i++) {
        for (size_t size = 0; size < MOST; size += 64)
            record_make(batch + size, 64, event_log_next_id(writer) + size / 64, START);
        append(MOST);
    }
    ck_assert_uint_eq(last_id() - oldest_id() + 1, SIZE / 64);
    expect(cursor, oldest_id(), last_id(), 5 * MOST / 64);
}
END_TEST

/* Sizes that do not divide the ring: every wrap cuts a record, at another place. */
START_TEST(wrap_inside_a_record)
{
    struct event_cursor cursor;

    event_log_seek_end(reader, &cursor);
    for (int i = 0; i < 300; i++) {
        put(40 * 1024 + 8 * (size_t)(i % 100));
        expect_room(cursor, last_id(), last_id(), 0, EVENT_RECORD_MAX);
        event_log_seek_end(reader, &cursor);
        ck_assert_uint_eq(event_log_seek_id(reader, oldest_id() - 1, &cursor), 0);
        expect_room(cursor, oldest_id(), last_id(), 0, EVENT_RECORD_MAX);
        event_log_seek_end(reader, &cursor);
    }
}
END_TEST

/* The oldest that is there, the one that was just overwritten, and the one behind: by cursors from before, and by id.
 */
START_TEST(just_overwritten)
{
    enum { COUNT = 1000 };
    static struct event_cursor before[COUNT];
    uint64_t oldest;

    for (size_t i = 0; i < COUNT; i++) {
        event_log_seek_end(reader, &before[i]);
        put(1200 + i % 5 * 8);
    }
    oldest = oldest_id();
    ck_assert_uint_gt(oldest, FIRST + 2);
    ck_assert_uint_lt(oldest, last_id() - 2);
    for (uint64_t id = FIRST; id <= last_id(); id++) {
        const uint64_t missed = id < oldest ? oldest - id : 0;
        struct event_cursor cursor;

        ck_assert_uint_eq(before[id - FIRST].after_id, id - 1);
        expect_room(before[id - FIRST], id + missed, last_id(), missed, sizeof(buffer));
        ck_assert_uint_eq(event_log_seek_id(reader, id - 1, &cursor), missed);
        expect_room(cursor, id + missed, last_id(), 0, sizeof(buffer));
    }
    /* and the very next append */
    put(1200);
    ck_assert_uint_gt(oldest_id(), oldest);
    expect(before[oldest - FIRST], oldest_id(), last_id(), oldest_id() - oldest);
}
END_TEST

START_TEST(missed_is_exact)
{
    struct event_cursor cursor;

    event_log_seek_end(reader, &cursor);
    for (int round = 0; round < 50; round++) {
        struct event_cursor end;

        put_many(10 + (size_t)round * 3, 8000);
        expect(cursor, cursor.after_id + 1 > oldest_id() ? cursor.after_id + 1 : oldest_id(), last_id(),
               cursor.after_id + 1 > oldest_id() ? 0 : oldest_id() - cursor.after_id - 1);
        event_log_seek_end(reader, &end);
        if (round % 3 == 0)
            cursor = end;
    }
}
END_TEST

/* ---- seeking ---- */

static const struct {
    uint64_t after_id, missed, next; /* FIRST is 1000 */
} by_id_whole[] = {
    { 0, 0, 1000 },
    { 1, EVENTS_MISSED_UNKNOWN, 1000 },
    { 998, EVENTS_MISSED_UNKNOWN, 1000 },
    { 999, 0, 1000 },
    { 1000, 0, 1001 },
    { 1001, 0, 1002 },
    { 1049, 0, 1050 },
    { 1098, 0, 1099 },
    { 1099, 0, 1100 },
    { 1100, EVENTS_MISSED_UNKNOWN, 1100 },
    { 1101, EVENTS_MISSED_UNKNOWN, 1100 },
    { UINT64_MAX - 1, EVENTS_MISSED_UNKNOWN, 1100 },
    { UINT64_MAX, EVENTS_MISSED_UNKNOWN, 1100 },
};

START_TEST(by_id)
{
    struct event_cursor cursor;

    put_many(100, 104);
    ck_assert_uint_eq(event_log_seek_id(reader, by_id_whole[_i].after_id, &cursor), by_id_whole[_i].missed);
    ck_assert_uint_eq(cursor.after_id, by_id_whole[_i].next - 1);
    if (by_id_whole[_i].next <= 1099)
        expect(cursor, by_id_whole[_i].next, 1099, 0);
    else
        expect_end(cursor, 1099);
}
END_TEST

START_TEST(by_id_overwritten)
{
    uint64_t oldest, last;
    struct event_cursor cursor;

    put_many(2000, 1000);
    oldest = oldest_id();
    last = last_id();
    for (uint64_t id = FIRST - 1; id <= last; id++) {
        const uint64_t missed = id + 1 < oldest ? oldest - id - 1 : 0;

        ck_assert_uint_eq(event_log_seek_id(reader, id, &cursor), missed);
        ck_assert_uint_eq(cursor.after_id, id + missed);
    }
    ck_assert_uint_eq(event_log_seek_id(reader, 0, &cursor), oldest - FIRST);
    ck_assert_uint_eq(event_log_seek_id(reader, FIRST - 2, &cursor), EVENTS_MISSED_UNKNOWN);
    ck_assert_uint_eq(cursor.after_id, oldest - 1);
    ck_assert_uint_eq(event_log_seek_id(reader, last + 1, &cursor), EVENTS_MISSED_UNKNOWN);
    expect_end(cursor, last);
}
END_TEST

/* Ten each have the same time, and the times are ten apart. */
START_TEST(by_time)
{
    struct event_cursor cursor;

    for (uint64_t i = 0; i < 100; i++)
        append(record_make(batch, 64, FIRST + i, START + i / 10 * 10));
    event_log_seek_time(reader, 0, &cursor);
    expect(cursor, FIRST, FIRST + 99, 0);
    for (uint64_t i = 0; i <= 90; i++) {
        event_log_seek_time(reader, START + i, &cursor);
        ck_assert_uint_eq(cursor.after_id, FIRST - 1 + (i + 9) / 10 * 10);
    }
    event_log_seek_time(reader, START + 91, &cursor);
    expect_end(cursor, FIRST + 99);
    event_log_seek_time(reader, UINT64_MAX, &cursor);
    expect_end(cursor, FIRST + 99);
}
END_TEST

/* One time for more than several blocks hold. */
START_TEST(by_time_all_equal)
{
    struct event_cursor cursor;
    uint64_t from;

    put_many(10, 64);
    from = event_log_next_id(writer);
    for (uint64_t i = 0; i < 8000; i++)
        append(record_make(batch, 64 + i % 3 * 8, from + i, START + 1000));
    append(record_make(batch, 64, from + 8000, START + 2000));
    event_log_seek_time(reader, START + 9, &cursor);
    ck_assert_uint_eq(cursor.after_id, from - 2);
    event_log_seek_time(reader, START + 10, &cursor);
    ck_assert_uint_eq(cursor.after_id, from - 1);
    event_log_seek_time(reader, START + 1000, &cursor);
    ck_assert_uint_eq(cursor.after_id, from - 1);
    event_log_seek_time(reader, START + 1001, &cursor);
    ck_assert_uint_eq(cursor.after_id, from + 7999);
    event_log_seek_time(reader, START + 2001, &cursor);
    expect_end(cursor, from + 8000);
}
END_TEST

/* All sizes, also such that no record begins in most of a block, beside a list of what was appended. */
START_TEST(by_id_and_time_at_random)
{
    enum { COUNT = 20000 };
    static uint64_t times[COUNT];
    uint64_t state = 88172645463325252U + (uint64_t)_i, time_us = START, count = 0;

    while (count < COUNT) {
        size_t size = 0;

        for (uint64_t n = 1 + next_random(&state) % 20; n > 0 && count < COUNT; n--) {
            size_t most = next_random(&state) % 32 == 0 ? EVENT_RECORD_MAX : 400;
            size_t one = RECORD_MIN + next_random(&state) % (most - RECORD_MIN) / 8 * 8;

            if (size + one > MOST)
                break;
            times[count] = time_us += next_random(&state) % 4;
            size += record_make(batch + size, one, FIRST + count++, time_us);
        }
        append(size);
        for (int i = 0; i < 4; i++) {
            uint64_t oldest = oldest_id() - FIRST, k = oldest + next_random(&state) % (count - oldest), j = k;
            struct event_cursor cursor;

            must(event_log_seek_id(reader, FIRST + k, &cursor) == 0);
            must(cursor.after_id == FIRST + k);
            while (j > oldest && times[j - 1] >= times[k])
                j--;
            event_log_seek_time(reader, times[k], &cursor);
            must(cursor.after_id == FIRST + j - 1);
            if (i == 0 && count % 8 == 0)
                expect_room(cursor, FIRST + j, FIRST + count - 1, 0, EVENT_RECORD_MAX);
        }
    }
}
END_TEST

/* ---- jumps ---- */

/* Ten from FIRST on, ten from 5000 on, ten from 9000 on. */
static void put_three_runs(void)
{
    put_many(10, 104);
    ck_assert_int_eq(event_log_skip_to(writer, 5000), 0);
    put_many(10, 104);
    ck_assert_int_eq(event_log_skip_to(writer, 9000), 0);
    put_many(10, 104);
}

/* What comes next from there on, and from there, to the end: that nothing is missed by reading over a jump. */
static void expect_runs(struct event_cursor cursor, uint64_t next)
{
    uint64_t missed, id;
    size_t size;

    while ((size = event_log_read(reader, &cursor, buffer, sizeof(buffer), &missed)) > 0) {
        must(missed == 0);
        for (size_t offset = 0; offset < size; next = id == 1009 ? 5000 : id == 5009 ? 9000 : id + 1) {
            offset += record_check(buffer + offset, size - offset, &id);
            must(id == next);
        }
        must(cursor.after_id == id);
    }
    must(missed == 0 && next == 9010);
}

static const struct {
    uint64_t after_id, missed, next;
} by_id_jumps[] = {
    { 0, 0, 1000 },
    { 998, EVENTS_MISSED_UNKNOWN, 1000 },
    { 999, 0, 1000 },
    { 1000, 0, 1001 },
    { 1008, 0, 1009 },
    { 1009, 0, 5000 }, /* the last before a jump */
    { 1010, EVENTS_MISSED_UNKNOWN, 5000 },
    { 3000, EVENTS_MISSED_UNKNOWN, 5000 },
    { 4999, EVENTS_MISSED_UNKNOWN, 5000 },
    { 5000, 0, 5001 },
    { 5009, 0, 9000 },
    { 5010, EVENTS_MISSED_UNKNOWN, 9000 },
    { 8999, EVENTS_MISSED_UNKNOWN, 9000 },
    { 9000, 0, 9001 },
    { 9008, 0, 9009 },
    { 9009, 0, 9010 },
    { 9010, EVENTS_MISSED_UNKNOWN, 9010 },
};

START_TEST(jumps_by_id)
{
    struct event_cursor cursor;

    put_three_runs();
    ck_assert_uint_eq(event_log_seek_id(reader, by_id_jumps[_i].after_id, &cursor), by_id_jumps[_i].missed);
    ck_assert_uint_eq(cursor.after_id, by_id_jumps[_i].next - 1);
    expect_runs(cursor, by_id_jumps[_i].next);
    event_log_writer_close(writer);
    open_writer();
    ck_assert_uint_eq(event_log_next_id(writer), 9010);
    ck_assert_uint_eq(event_log_seek_id(reader, by_id_jumps[_i].after_id, &cursor), by_id_jumps[_i].missed);
}
END_TEST

/* The first and the last of each run, and beside them, while one after the other is overwritten. */
START_TEST(jumps_overwritten)
{
    static const uint64_t ends[][2] = { { 1000, 1009 }, { 5000, 5009 }, { 9000, UINT64_MAX } };
    struct event_cursor cursor, before_all;
    uint64_t missed;

    event_log_seek_end(reader, &before_all);
    put_three_runs();
    while (last_id() < 11500) {
        uint64_t oldest = oldest_id(), run = oldest >= 9000 ? 2 : oldest >= 5000 ? 1 : 0;

        for (uint64_t i = 0; i <= run; i++)
            for (uint64_t id = ends[i][0]; id < oldest && id <= ends[i][1]; id++) {
                uint64_t count = oldest - 1 - id;

                if (i < run) /* but for who has had the last one before the last jump, while what follows is there */
                    count = oldest == 9000 && id == 5009 ? 0 : EVENTS_MISSED_UNKNOWN;
                else if (run == 0) /* older than the last two */
                    count = EVENTS_MISSED_UNKNOWN;
                must(event_log_seek_id(reader, id, &cursor) == count);
                must(cursor.after_id == oldest - 1);
            }
        must(event_log_seek_id(reader, 4999, &cursor) == EVENTS_MISSED_UNKNOWN);
        must(event_log_seek_id(reader, 8999, &cursor) == EVENTS_MISSED_UNKNOWN);
        must(event_log_seek_id(reader, 0, &cursor) == (oldest == FIRST ? 0 : EVENTS_MISSED_UNKNOWN));
        cursor = before_all;
        must(event_log_read(reader, &cursor, buffer, sizeof(buffer), &missed) > 0);
        must(missed == (oldest == FIRST ? 0 : EVENTS_MISSED_UNKNOWN));
        put(last_id() < 9139 ? 8000 : 104); /* then each overwrites one */
    }
    ck_assert_uint_gt(oldest_id(), 9000);
}
END_TEST

/* Cursors: of who reads on, was overtaken, and has a jump between; or has not. */
START_TEST(jumps_for_a_slow_reader)
{
    struct event_cursor first, end, in_run;

    put_many(10, 8000);
    event_log_seek_id(reader, FIRST + 4, &first);
    event_log_seek_end(reader, &end);
    ck_assert_int_eq(event_log_skip_to(writer, 5000), 0);
    expect_end(end, FIRST + 9);
    put(8000);
    event_log_seek_end(reader, &in_run);
    expect(end, 5000, 5000, 0);
    while (oldest_id() < FIRST + 8)
        put(8000);
    ck_assert_uint_eq(event_log_seek_id(reader, FIRST + 4, &end), oldest_id() - FIRST - 5); /* within the run before */
    while (oldest_id() < 5000)
        put(8000);
    ck_assert_uint_eq(event_log_seek_id(reader, FIRST + 9, &end), 0);
    expect(end, 5000, last_id(), 0);
    expect(first, 5000, last_id(), EVENTS_MISSED_UNKNOWN);
    put(8000);
    ck_assert_uint_eq(event_log_seek_id(reader, FIRST + 9, &end), EVENTS_MISSED_UNKNOWN);
    put(8000);
    expect(in_run, oldest_id(), last_id(), oldest_id() - 5001);
    expect(first, oldest_id(), last_id(), EVENTS_MISSED_UNKNOWN);
}
END_TEST

/* Killed before there is a record; jumping once more; and to what is no id. */
START_TEST(jumps_without_a_record)
{
    struct event_cursor cursor;

    ck_assert_int_eq(event_log_skip_to(writer, 2000), 0); /* before the first */
    ck_assert_uint_eq(event_log_seek_id(reader, FIRST - 1, &cursor), 0);
    put_many(2, 64);
    expect(cursor, 2000, 2001, 0);
    ck_assert_uint_eq(event_log_seek_id(reader, FIRST - 1, &cursor), 0);
    ck_assert_int_eq(event_log_skip_to(writer, 2001), -EINVAL);
    ck_assert_int_eq(event_log_skip_to(writer, UINT64_MAX), -EINVAL);
    ck_assert_int_eq(event_log_skip_to(writer, 2002), 0); /* what is due: no jump */
    ck_assert_int_eq(event_log_skip_to(writer, 5000), 0);
    ck_assert(!event_log_is_settled(writer));
    event_log_settle(writer);
    event_log_writer_close(writer);
    open_writer();
    ck_assert(event_log_is_settled(writer));
    ck_assert_uint_eq(event_log_next_id(writer), 5000);
    ck_assert_int_eq(event_log_skip_to(writer, 6000), 0);
    ck_assert_uint_eq(event_log_seek_id(reader, 2001, &cursor), 0);
    expect_end(cursor, 2001);
    put(8000);
    expect(cursor, 6000, 6000, 0);
    ck_assert_uint_eq(event_log_seek_id(reader, 2001, &cursor), 0);
    ck_assert_uint_eq(event_log_seek_id(reader, 5000, &cursor), EVENTS_MISSED_UNKNOWN);
    expect(cursor, 6000, 6000, 0);
    ck_assert_int_eq(event_log_append(writer, batch, record_make(batch, 64, 6002, START + 9000)), -EBADMSG);
    while (oldest_id() < 6000)
        put(last_id() < 6129 ? 8000 : 64);
    ck_assert_uint_eq(oldest_id(), 6000);
    ck_assert_uint_eq(event_log_seek_id(reader, 2001, &cursor), 0);
    ck_assert_uint_eq(event_log_seek_id(reader, 2000, &cursor), EVENTS_MISSED_UNKNOWN);
}
END_TEST

/* The journal's first record is of a run that began before it. */
START_TEST(goes_on_from_a_journal_with_a_jump)
{
    struct event_cursor cursor;

    event_log_start_at(writer, 500, 900, FIRST);
    put_many(3, 64);
    ck_assert_uint_eq(event_log_seek_id(reader, 0, &cursor), EVENTS_MISSED_UNKNOWN);
    ck_assert_uint_eq(event_log_seek_id(reader, 499, &cursor), EVENTS_MISSED_UNKNOWN);
    ck_assert_uint_eq(event_log_seek_id(reader, 700, &cursor), EVENTS_MISSED_UNKNOWN);
    ck_assert_uint_eq(event_log_seek_id(reader, 899, &cursor), EVENTS_MISSED_UNKNOWN);
    ck_assert_uint_eq(event_log_seek_id(reader, 900, &cursor), 99);
    ck_assert_uint_eq(event_log_seek_id(reader, FIRST - 1, &cursor), 0);
    expect(cursor, FIRST, FIRST + 2, 0);
}
END_TEST

/* And the run began with that record. */
START_TEST(goes_on_from_a_journal_behind_a_jump)
{
    struct event_cursor cursor;

    event_log_start_at(writer, 500, FIRST, FIRST);
    put_many(3, 64);
    ck_assert_uint_eq(event_log_seek_id(reader, 0, &cursor), EVENTS_MISSED_UNKNOWN);
    ck_assert_uint_eq(event_log_seek_id(reader, 499, &cursor), EVENTS_MISSED_UNKNOWN);
    ck_assert_uint_eq(event_log_seek_id(reader, FIRST - 1, &cursor), EVENTS_MISSED_UNKNOWN);
    ck_assert_uint_eq(event_log_seek_id(reader, FIRST, &cursor), 0);
    expect(cursor, FIRST + 1, FIRST + 2, 0);
}
END_TEST

/* ---- the next writer ---- */

START_TEST(reopened)
{
    struct event_cursor start;

    event_log_writer_close(writer);
    open_writer();
    ck_assert(event_log_is_fresh(writer));
    event_log_start(writer, FIRST);
    event_log_seek_end(reader, &start);
    event_log_writer_close(writer);
    open_writer();
    ck_assert(!event_log_is_fresh(writer));
    ck_assert_uint_eq(event_log_next_id(writer), FIRST);
    for (int i = 0; i < 400; i++) {
        uint64_t next = event_log_next_id(writer), last_time = event_log_last_time(writer);

        event_log_writer_close(writer);
        open_writer();
        ck_assert_uint_eq(event_log_next_id(writer), next);
        ck_assert_uint_eq(event_log_last_time(writer), last_time);
        put(7000 + (size_t)i * 8);
        expect_room(start, oldest_id(), last_id(), oldest_id() - FIRST, sizeof(buffer));
        ck_assert_uint_eq(event_log_seek_id(reader, last_id(), &start), 0);
        event_log_seek_id(reader, 0, &start);
        start = (struct event_cursor){ .after_id = FIRST - 1 };
    }
}
END_TEST

/* What a writer leaves that was killed before it published: `oldest` further on, records behind `newest`, and entries
 * of the index that tell of them. */
START_TEST(reopened_after_a_kill)
{
    struct event_cursor start;
    uint64_t *words, oldest, last, end;

    put_many(3000, 1000);
    oldest = oldest_id();
    last = last_id();
    words = map_words();
    event_log_seek_id(reader, oldest + 99, &start);
    words[OLDEST] = start.position;
    end = (words[NEWEST] >> LAST_BITS) * 8;
    memset((char *)map_ring() + end % SIZE, 0x55, 50000);
    for (uint64_t block = end / BLOCK + 1; block < end / BLOCK + 3; block++)
        words[INDEX + block % (SIZE / BLOCK + 2)] = block * BLOCK + 8;
    event_log_writer_close(writer);
    open_writer();
    ck_assert_uint_eq(event_log_next_id(writer), last + 1);
    ck_assert_uint_eq(oldest_id(), oldest + 100);
    for (uint64_t id = oldest; id <= last; id++) {
        ck_assert_uint_eq(event_log_seek_id(reader, id, &start), id < oldest + 99 ? oldest + 99 - id : 0);
        ck_assert_uint_eq(start.after_id, id < oldest + 99 ? oldest + 99 : id);
    }
    /* then past what the killed one's entries told of */
    for (int i = 0; i < 5; i++) {
        put(EVENT_RECORD_MAX);
        for (uint64_t id = oldest_id(); id <= last_id(); id++) {
            ck_assert_uint_eq(event_log_seek_id(reader, id, &start), 0);
            ck_assert_uint_eq(start.after_id, id);
        }
    }
}
END_TEST

static const struct {
    const char *what;
    int word;
    uint64_t and, add;
} damages[] = {
    { "oldest is no record", OLDEST, UINT64_MAX, 8 },
    { "oldest is behind newest", OLDEST, 0, SIZE * 100 },
    { "oldest is newest", OLDEST, 0, 1792 * 1000 },
    { "oldest is too old", OLDEST, 0, 0 },
    { "newest is no end", NEWEST, UINT64_MAX, UINT64_C(1) << LAST_BITS },
    { "newest is too far", NEWEST, UINT64_MAX, UINT64_C(1) << 40 },
    { "newest is before oldest", NEWEST, 0, UINT64_C(1000) << LAST_BITS },
    { "the last has another size", NEWEST, UINT64_MAX, 1 },
    { "the last has no size", NEWEST, ~(uint64_t)((1 << LAST_BITS) - 1), 0 },
    { "nothing is in it but a size", NEWEST, 0, 7 },
    { "nothing was ever in it", NEWEST, 0, 0 },
    { "it never began", FIRST_ID, 0, 0 },
    { "a run begins at no id", RUN_ID, 0, UINT64_MAX },
    { "it began later", NEXT_ID, UINT64_MAX, 1000000 },
};

START_TEST(reopened_damaged)
{
    struct event_log_writer *no_writer = NULL;
    uint64_t *words = map_words();

    put_many(1792, 1000);
    words[damages[_i].word] = (words[damages[_i].word] & damages[_i].and) + damages[_i].add;
    ck_assert_msg(event_log_writer_open(log_fd, &no_writer) == -EBADMSG, "%s", damages[_i].what);
    ck_assert_ptr_null(no_writer);
}
END_TEST

/* In the records: the size, an id, a time, of one in the middle. */
START_TEST(reopened_damaged_record)
{
    static const size_t offsets[] = { 0, offsetof(struct event_record, id), offsetof(struct event_record, time_us) };
    struct event_log_writer *no_writer = NULL;
    struct event_cursor cursor;
    uint64_t *place, was;

    put_many(1792, 1000);
    event_log_seek_id(reader, last_id() - 100, &cursor);
    place = map_ring() + (cursor.position + offsets[_i]) % SIZE / 8;
    was = *place;
    *place -= 8;
    ck_assert_int_eq(event_log_writer_open(log_fd, &no_writer), -EBADMSG);
    *place = was;
    ck_assert_int_eq(event_log_writer_open(log_fd, &no_writer), 0);
    event_log_writer_close(no_writer);
}
END_TEST

/* While it is open, a writer finds out at the latest when it has to give up what it cannot believe. */
START_TEST(damaged_below_a_writer)
{
    struct event_cursor cursor;
    uint64_t missed = 0;

    put_many(2000, 1000);
    event_log_seek_id(reader, 0, &cursor);
    map_ring()[cursor.position % SIZE / 8] = 0;
    ck_assert_int_eq(event_log_append(writer, batch, record_make(batch, 1000, last_id() + 1, START + 2000)), -EIO);
    ck_assert_uint_eq(event_log_read(reader, &cursor, buffer, sizeof(buffer), &missed), 0);
    ck_assert_uint_eq(missed, last_id() - cursor.after_id + SIZE / 1000);
    expect_end(cursor, last_id());
}
END_TEST

/* A reader that finds nothing but nonsense goes to the end, and does not say that nothing was missed. */
START_TEST(damaged_below_a_reader)
{
    struct event_cursor cursor;
    uint64_t missed = 0;

    put_many(2000, 1000);
    event_log_seek_id(reader, 0, &cursor);
    memset(map_ring(), 0xff, SIZE);
    ck_assert_uint_eq(event_log_read(reader, &cursor, buffer, sizeof(buffer), &missed), 0);
    ck_assert_uint_eq(missed, EVENTS_MISSED_UNKNOWN);
    ck_assert(!event_log_has_more(reader, &cursor));
    event_log_seek_id(reader, FIRST, &cursor);
    ck_assert(!event_log_has_more(reader, &cursor));
}
END_TEST

/* ---- more ---- */

START_TEST(goes_on_from_a_journal)
{
    struct event_cursor cursor;

    event_log_start_at(writer, FIRST - 500, FIRST - 500, FIRST);
    ck_assert_uint_eq(event_log_next_id(writer), FIRST);
    ck_assert_uint_eq(event_log_seek_id(reader, 0, &cursor), 500);
    expect_end(cursor, FIRST - 1);
    put_many(3, 64);
    ck_assert_uint_eq(event_log_seek_id(reader, 0, &cursor), 500);
    expect(cursor, FIRST, FIRST + 2, 0);
    ck_assert_uint_eq(event_log_seek_id(reader, FIRST - 502, &cursor), EVENTS_MISSED_UNKNOWN);
    ck_assert_uint_eq(event_log_seek_id(reader, FIRST - 501, &cursor), 500);
    ck_assert_uint_eq(event_log_seek_id(reader, FIRST - 2, &cursor), 1);
    ck_assert_uint_eq(event_log_seek_id(reader, FIRST - 1, &cursor), 0);
    event_log_writer_close(writer);
    open_writer();
    ck_assert_uint_eq(event_log_next_id(writer), FIRST + 3);
}
END_TEST

/* The last bytes that a log can have are years away: so it is taken there. */
START_TEST(highest_position)
{
    const uint64_t limit = (UINT64_MAX >> LAST_BITS) * 8, shift = (limit - 2 * SIZE) / SIZE * SIZE;
    uint64_t *words = map_words();
    struct event_cursor cursor;
    int r;

    put_many(1500, 1000);
    words[OLDEST] += shift;
    words[NEWEST] += shift / 8 << LAST_BITS;
    event_log_writer_close(writer);
    open_writer();
    event_log_seek_id(reader, last_id() - 100, &cursor);
    expect(cursor, last_id() - 99, last_id(), 0);
    do {
        uint64_t id = event_log_next_id(writer);

        r = event_log_append(writer, batch, record_make(batch, 1000, id, START + id));
    } while (r == 0);
    ck_assert_int_eq(r, -EOVERFLOW);
    ck_assert_uint_lt(limit - (words[NEWEST] >> LAST_BITS) * 8, 1000);
    event_log_seek_id(reader, last_id() - 100, &cursor);
    expect(cursor, last_id() - 99, last_id(), 0);
}
END_TEST

START_TEST(figures)
{
    for (int i = 0; i < EVENT_LOG_FIGURES; i++) {
        ck_assert_uint_eq(event_log_figure(reader, i), 0);
        event_log_count(writer, i, (uint64_t)i + 1);
        event_log_count(writer, i, 10);
    }
    event_log_writer_close(writer);
    open_writer();
    for (int i = 0; i < EVENT_LOG_FIGURES; i++)
        ck_assert_uint_eq(event_log_figure(reader, i), (uint64_t)i + 11);
}
END_TEST

START_TEST(view)
{
    const struct event_log *log = event_log_writer_view(writer);
    struct event_cursor cursor;
    uint64_t missed, id;

    event_log_seek_end(log, &cursor);
    put(64);
    ck_assert_uint_eq(event_log_read(log, &cursor, buffer, sizeof(buffer), &missed), 64);
    ck_assert_uint_eq(record_check(buffer, 64, &id), 64);
    ck_assert_uint_eq(id, FIRST);
}
END_TEST

static TCase *add_case(Suite *suite, const char *name, void (*prepare)(void))
{
    TCase *tests = tcase_create(name);

    tcase_add_checked_fixture(tests, prepare, prepare == setup_record ? NULL : teardown);
    suite_add_tcase(suite, tests);
    return tests;
}

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

Suite *suite_event_log(void)
{
    Suite *suite = suite_create("event_log");
    TCase *records = add_case(suite, "records", setup_record), *fresh = add_case(suite, "fresh", setup);
    TCase *started = add_case(suite, "started", setup_started);

    tcase_add_test(records, record_whole);
    tcase_add_test(records, record_broken);

    tcase_add_test(fresh, memfd_is_sealed);
    tcase_add_test(fresh, memfd_sizes);
    tcase_add_test(fresh, memfd_foreign);
    tcase_add_test(fresh, memfd_for_reading);
    tcase_add_test(fresh, empty);
    tcase_add_test(fresh, empty_then_begun);
    tcase_add_test(fresh, goes_on_from_a_journal);
    tcase_add_test(fresh, goes_on_from_a_journal_with_a_jump);
    tcase_add_test(fresh, goes_on_from_a_journal_behind_a_jump);
    tcase_add_test(fresh, reopened);

    tcase_add_test(started, first_and_last);
    tcase_add_test(started, append_whole);
    tcase_add_test(started, append_refused);
    tcase_add_test(started, largest);
    tcase_add_test(started, largest_batch);
    tcase_add_test(started, wrap_inside_a_record);
    tcase_add_test(started, just_overwritten);
    tcase_add_test(started, missed_is_exact);
    tcase_add_loop_test(started, by_id, 0, COUNT(by_id_whole));
    tcase_add_test(started, by_id_overwritten);
    tcase_add_test(started, by_time);
    tcase_add_test(started, by_time_all_equal);
    tcase_add_loop_test(started, by_id_and_time_at_random, 0, 3);
    tcase_add_loop_test(started, jumps_by_id, 0, COUNT(by_id_jumps));
    tcase_add_test(started, jumps_overwritten);
    tcase_add_test(started, jumps_for_a_slow_reader);
    tcase_add_test(started, jumps_without_a_record);
    tcase_add_test(started, reopened_after_a_kill);
    tcase_add_loop_test(started, reopened_damaged, 0, COUNT(damages));
    tcase_add_loop_test(started, reopened_damaged_record, 0, 3);
    tcase_add_test(started, damaged_below_a_writer);
    tcase_add_test(started, damaged_below_a_reader);
    tcase_add_test(started, highest_position);
    tcase_add_test(started, figures);
    tcase_add_test(started, view);
    return suite;
}
