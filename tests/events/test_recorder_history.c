/*
 * Log and journal from one recorder to the next: no number is used twice, whatever was lost, and they jump only where
 * something may have been.
 */
#include "events/journals.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "events/recorder_parts.h"
#include "socket/scratch.h"

Suite *suite_recorder_history(void);

enum end { CLOSED, KILLED };

static int log_fd;
static uint64_t *next_id; /* shared: the number that a recorder has begun with */
static uint64_t before_all, last;

static uint64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* The server has ended with all its processes, or the power went. */
static void lose_log(void)
{
    close(log_fd);
    ck_assert_int_eq(event_log_make(EVENT_LOG_SIZE_MIN, &log_fd), 0);
}

static void setup(void)
{
    journal_setup();
    next_id = shared_new(sizeof(*next_id));
    before_all = now_us();
    ck_assert_int_eq(event_log_make(EVENT_LOG_SIZE_MIN, &log_fd), 0);
}

static void teardown(void)
{
    close(log_fd);
    journal_teardown();
}

static void record_events(int count, enum end end)
{
    static struct recorder recorder;
    char bytes[RECORD];
    struct error error = { "" };

    recorder.launch.settings.event_log = strdup(scratch_path("j"));
    if (dup2(log_fd, CONTRACT_EVENT_LOG_FD) < 0 || history_open(&recorder, &error) < 0)
        _exit(1);
    *next_id = event_log_next_id(recorder.writer);
    if (journal_next_id(recorder.journal) != *next_id || !event_log_is_settled(recorder.writer))
        _exit(2);
    for (uint64_t id = *next_id; count > 0; id++, count--) {
        record_make(bytes, RECORD, id, id);
        if (journal_append(recorder.journal, bytes, RECORD) < 0 || event_log_append(recorder.writer, bytes, RECORD) < 0)
            _exit(3);
    }
    if (end == KILLED)
        raise(SIGKILL);
    journal_close(recorder.journal);
    event_log_writer_close(recorder.writer);
    free(recorder.launch.settings.event_log);
    _exit(0);
}

/* One recorder, to its end. */
static void run(int count, enum end end)
{
    pid_t pid = fork();
    int status;

    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        record_events(count, end);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, end == KILLED ? SIGKILL : 0);
    if (count > 0)
        last = *next_id + (uint64_t)count - 1;
}

static struct event_cursor seek(uint64_t id, uint64_t missed)
{
    struct event_cursor cursor;
    struct event_log *log;

    ck_assert_int_eq(event_log_open(log_fd, &log), 0);
    ck_assert_uint_eq(event_log_seek_id(log, id, &cursor), missed);
    event_log_close(log);
    return cursor;
}

/* That so many events are in the log, whole, and nothing was missed. */
static void has_all(uint64_t count)
{
    static char buffer[EVENT_LOG_SIZE_MIN];
    struct event_cursor cursor = seek(0, 0);
    struct event_log *log;
    uint64_t missed, id, found = 0;
    size_t size;

    ck_assert_int_eq(event_log_open(log_fd, &log), 0);
    while ((size = event_log_read(log, &cursor, buffer, sizeof(buffer), &missed)) > 0) {
        ck_assert_uint_eq(missed, 0);
        for (size_t offset = 0; offset < size; found++)
            offset += record_check(buffer + offset, size - offset, &id);
    }
    event_log_close(log);
    ck_assert_uint_eq(found, count);
}

static void has_jumped(uint64_t since)
{
    ck_assert_uint_ge(*next_id, since);
}

START_TEST(goes_on_when_it_was_closed)
{
    run(3, CLOSED);
    ck_assert_uint_ge(*next_id, before_all);
    for (uint64_t turn = 1; turn <= 3; turn++) {
        uint64_t due = last + 1;

        if (turn != 2)
            lose_log();
        run(3, CLOSED);
        ck_assert_uint_eq(*next_id, due);
        has_all(3 + 3 * turn);
    }
    ck_assert_str_eq(journal_said(), "");
}
END_TEST

START_TEST(goes_on_when_the_log_is_there)
{
    run(3, KILLED);
    for (uint64_t turn = 1; turn <= 3; turn++) {
        uint64_t due = last + 1;

        run(3, KILLED);
        ck_assert_uint_eq(*next_id, due);
        has_all(3 + 3 * turn);
    }
    ck_assert_str_eq(journal_said(), "");
}
END_TEST

START_TEST(jumps_when_the_log_is_lost)
{
    run(3, KILLED);
    for (uint64_t turn = 1; turn <= 3; turn++) {
        uint64_t before = last, since = now_us();

        lose_log();
        run(0, KILLED);
        has_jumped(since);
        assert_has(journal_said(), "their numbers go on with ");
        since = *next_id;
        run(0, KILLED); /* before there is an event */
        ck_assert_uint_eq(*next_id, since);
        seek(before, 0);
        run(3, KILLED);
        ck_assert_uint_eq(*next_id, since);
        has_all(3 + 3 * turn);
        ck_assert_uint_eq(seek(before, 0).after_id, since - 1);
        seek(before + 1, EVENTS_MISSED_UNKNOWN);
        seek(since - 1, EVENTS_MISSED_UNKNOWN);
    }
}
END_TEST

/* What was not on the disk is not in the journal any more: whoever has seen it is told. */
START_TEST(jumps_when_the_power_went)
{
    uint64_t seen, since;
    struct stat status;

    run(5, CLOSED);
    run(5, KILLED);
    seen = last;
    ck_assert_int_eq(stat(scratch_path("j"), &status), 0);
    ck_assert_int_eq(truncate(scratch_path("j"), status.st_size - 3 * (HEAD + RECORD)), 0);
    lose_log();
    since = now_us();
    run(1, KILLED);
    has_jumped(since);
    ck_assert_uint_gt(*next_id, seen);
    has_all(8);
    seek(seen - 3, 0);
    seek(seen - 2, EVENTS_MISSED_UNKNOWN);
    seek(seen, EVENTS_MISSED_UNKNOWN);
}
END_TEST

/* A jump that was not yet followed by an event is known in the journal as well. */
START_TEST(keeps_a_jump_without_an_event)
{
    uint64_t jumped;

    run(3, KILLED);
    lose_log();
    run(0, CLOSED);
    jumped = *next_id;
    ck_assert_uint_gt(jumped, last + 1);
    lose_log();
    run(1, CLOSED);
    ck_assert_uint_eq(*next_id, jumped);
    has_all(4);
}
END_TEST

START_TEST(jumps_when_there_is_damage)
{
    uint64_t since;
    size_t size;
    char *bytes;

    run(5, CLOSED);
    bytes = file_read(scratch_path("j"), &size);
    bytes[HEADER + 2 * (HEAD + RECORD) + HEAD + 1] ^= 1;
    file_write("j", bytes, size);
    free(bytes);
    lose_log();
    since = now_us();
    run(1, CLOSED);
    ck_assert_uint_ge(*next_id, since);
    has_all(3);
}
END_TEST

/* Killed while it copied the journal into the new log: the successor does the rest, and jumps. */
START_TEST(jumps_when_it_was_killed_before_that)
{
    struct event_log_writer *writer;
    char bytes[RECORD];
    uint64_t first, since;

    run(3, KILLED);
    first = *next_id;
    lose_log();
    ck_assert_int_eq(event_log_writer_open(log_fd, &writer), 0);
    event_log_start_at(writer, first, first, first);
    if (_i > 0)
        ck_assert_int_eq(event_log_append(writer, bytes, record_make(bytes, RECORD, first, first)), 0);
    event_log_writer_close(writer);
    since = now_us();
    run(1, KILLED);
    has_jumped(since);
    has_all(4);
}
END_TEST

Suite *suite_recorder_history(void)
{
    Suite *suite = suite_create("recorder_history");
    TCase *tests = tcase_create("recorder_history");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, goes_on_when_it_was_closed);
    tcase_add_test(tests, goes_on_when_the_log_is_there);
    tcase_add_test(tests, jumps_when_the_log_is_lost);
    tcase_add_test(tests, jumps_when_the_power_went);
    tcase_add_test(tests, keeps_a_jump_without_an_event);
    tcase_add_test(tests, jumps_when_there_is_damage);
    tcase_add_loop_test(tests, jumps_when_it_was_killed_before_that, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}
