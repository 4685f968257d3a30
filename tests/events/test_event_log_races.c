/*
 * The log of events while others write it, and its writer killed: threads over one map (for ThreadSanitizer, which
 * knows memory by its address) and over maps of their own; a writer stopped behind each instruction of an append; and
 * writers killed at random moments, one after the other.
 */
#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "events/log.h"
#include "events/records.h"

Suite *suite_event_log_races(void);

#define FIRST  UINT64_C(1000)
#define SIZE   ((size_t)EVENT_LOG_SIZE_MIN)
#define EVENTS UINT64_C(120000)

static int log_fd;

static void setup(void)
{
    ck_assert_int_eq(event_log_make(SIZE, &log_fd), 0);
}

static void teardown(void)
{
    close(log_fd);
}

/* Of any size, mostly small ones and now and then a large one; or all of one size, which the ring's is a multiple of:
 * then one that is overwritten has the next one's header in the place of its own, and where an id lies is known. */
enum sizes { ANY_SIZE, ONE_SIZE };

#define THE_SIZE 128

static size_t choose_size(enum sizes sizes, uint64_t *state)
{
    size_t limit = next_random(state) % 256 == 0 ? EVENT_RECORD_MAX : 500;

    return sizes == ONE_SIZE ? THE_SIZE : RECORD_MIN + next_random(state) % (limit - RECORD_MIN) / 8 * 8;
}

/* Makes a batch of up to `most` records. Returns its size. */
static size_t make_batch(char *to, uint64_t id, uint64_t most, enum sizes sizes, uint64_t *state)
{
    uint64_t count = 1 + next_random(state) % 16;
    size_t size = 0;

    for (uint64_t i = 0; i < count && i < most; i++) {
        size_t one = choose_size(sizes, state);

        if (size + one > SIZE / EVENT_LOG_APPEND_PART)
            break;
        size += record_make(to + size, one, id + i, id + i);
    }
    return size;
}

/* ---- threads ---- */

static const struct {
    const char *name;
    bool own_map;
    size_t room;
    int yields; /* after each read: a slow one */
    bool seeks; /* goes on by id, as one that connects again */
} readers[] = {
    { "eager", true, 4 * SIZE, 0, false },
    { "the writer's map", false, EVENT_RECORD_MAX, 0, false },
    { "the writer's map, slow", false, 3 * EVENT_RECORD_MAX, 5, false },
    { "small room", true, EVENT_RECORD_MAX, 0, false },
    { "slow", true, EVENT_RECORD_MAX, 20, false },
    { "by id", true, EVENT_RECORD_MAX, 2, true },
};

#define READERS (sizeof(readers) / sizeof(readers[0]))

static struct event_log_writer *writer;
static _Atomic bool is_written;

struct tally {
    uint64_t last, read, missed;
};

/* What was read comes behind what there was, without a gap, but for those that were said to be missed. */
static void take(struct tally *tally, const char *bytes, size_t size, uint64_t missed)
{
    must(missed < UINT32_MAX);
    tally->last += missed;
    tally->missed += missed;
    for (size_t offset = 0; offset < size; tally->read++) {
        uint64_t id;

        offset += record_check(bytes + offset, size - offset, &id);
        must(id == tally->last + 1);
        tally->last = id;
    }
}

/* Until the writer is done and all is read. */
static void *run_reader(void *data)
{
    const size_t i = (size_t)(uintptr_t)data;
    const struct event_log *log = event_log_writer_view(writer);
    struct tally tally = { .last = FIRST - 1 };
    char *buffer = malloc(readers[i].room);
    struct event_log *own = NULL;
    struct event_cursor cursor;
    bool is_last;

    must(buffer && (!readers[i].own_map || event_log_open(log_fd, &own) == 0));
    log = own ? own : log;
    take(&tally, NULL, 0, event_log_seek_id(log, 0, &cursor));
    do {
        uint64_t missed;
        size_t size;

        is_last = atomic_load(&is_written);
        while ((size = event_log_read(log, &cursor, buffer, readers[i].room, &missed)) > 0 || missed > 0) {
            take(&tally, buffer, size, missed);
            for (int n = 0; n < readers[i].yields; n++)
                sched_yield();
            if (readers[i].seeks)
                take(&tally, NULL, 0, event_log_seek_id(log, tally.last, &cursor));
        }
        sched_yield();
    } while (!is_last);
    must(tally.last == FIRST - 1 + EVENTS && tally.read + tally.missed == EVENTS && tally.read > 0);
    event_log_close(own);
    free(buffer);
    return NULL;
}

/* Writes all of the events; now and then the others get a turn. */
static void write_all(uint64_t events, enum sizes sizes, uint64_t turn)
{
    static char batch[SIZE / EVENT_LOG_APPEND_PART];
    uint64_t state = 4711, id;

    for (uint64_t i = 1; (id = event_log_next_id(writer)) < FIRST + events; i++) {
        must(event_log_append(writer, batch, make_batch(batch, id, FIRST + events - id, sizes, &state)) == 0);
        if (i % turn == 0)
            sched_yield();
    }
    atomic_store(&is_written, true);
}

static void start_writer(void)
{
    ck_assert_int_eq(event_log_writer_open(log_fd, &writer), 0);
    event_log_start(writer, FIRST);
}

START_TEST(many_readers)
{
    pthread_t threads[READERS];

    start_writer();
    for (size_t i = 0; i < READERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, run_reader, (void *)(uintptr_t)i), 0);
    write_all(EVENTS, ANY_SIZE, 64);
    for (size_t i = 0; i < READERS; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    event_log_writer_close(writer);
}
END_TEST

static void check_place(const struct event_cursor *cursor, enum sizes sizes)
{
    must(sizes == ANY_SIZE || cursor->after_id == FIRST - 1 + cursor->position / THE_SIZE);
}

/* Reads all that there is from the oldest on: what is being overwritten, while it is. Returns the last id. */
static uint64_t read_edge(const struct event_log *log, enum sizes sizes, char *buffer)
{
    struct event_cursor cursor;
    struct tally tally = { 0 };
    uint64_t missed;
    size_t size;

    event_log_seek_id(log, 0, &cursor);
    check_place(&cursor, sizes);
    tally.last = cursor.after_id;
    size = event_log_read(log, &cursor, buffer, SIZE, &missed);
    check_place(&cursor, sizes);
    take(&tally, buffer, size, missed);
    return tally.last;
}

static void seek_edge(const struct event_log *log, enum sizes sizes, uint64_t id)
{
    struct event_cursor cursor;

    event_log_seek_id(log, id, &cursor);
    check_place(&cursor, sizes);
    event_log_seek_time(log, id, &cursor);
    check_place(&cursor, sizes);
    must(cursor.after_id + 1 >= id); /* ids are times here */
    event_log_seek_end(log, &cursor);
    check_place(&cursor, sizes);
}

static void *run_edge(void *data)
{
    const enum sizes sizes = (enum sizes)(uintptr_t)data;
    const struct event_log *log = event_log_writer_view(writer);
    char *buffer = malloc(SIZE);

    must(buffer);
    while (!atomic_load(&is_written)) {
        uint64_t last = read_edge(log, sizes, buffer);

        for (uint64_t back = 0; back < SIZE / THE_SIZE && back + FIRST < last; back += 97)
            seek_edge(log, sizes, last - back);
    }
    free(buffer);
    return NULL;
}

START_TEST(at_the_edge)
{
    pthread_t thread;

    start_writer();
    ck_assert_int_eq(pthread_create(&thread, NULL, run_edge, (void *)(uintptr_t)_i), 0);
    write_all(10 * EVENTS, _i, UINT64_MAX);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    event_log_writer_close(writer);
}
END_TEST

/* ---- a writer that stops behind each instruction ---- */

static size_t file_size(int fd)
{
    struct stat status;

    ck_assert_int_eq(fstat(fd, &status), 0);
    return (size_t)status.st_size;
}

static char *map_file(int fd, int protection)
{
    void *bytes = mmap(NULL, file_size(fd), protection, MAP_SHARED, fd, 0);

    ck_assert_ptr_ne(bytes, MAP_FAILED);
    return bytes;
}

/* That a reader who began before it all finds each event once, or is told of it; returns the last id. */
static uint64_t check_all(const struct event_log *log, uint64_t last)
{
    static char buffer[SIZE];
    struct event_cursor cursor = { .after_id = FIRST - 1 }, found;
    struct tally tally = { .last = FIRST - 1 };
    uint64_t missed;
    size_t size;

    while ((size = event_log_read(log, &cursor, buffer, sizeof(buffer), &missed)) > 0)
        take(&tally, buffer, size, missed);
    must(tally.last >= last && tally.read > 0);
    for (uint64_t id = FIRST + tally.missed; id <= tally.last; id += 1 + (id < tally.last - 10) * 16) {
        must(event_log_seek_id(log, id, &found) == 0 && found.after_id == id);
        event_log_seek_time(log, id, &found);
        must(found.after_id == id - 1);
    }
    return tally.last;
}

/* The successor of a writer that was killed leaving this: begins before the batch, or behind it, and goes on. */
static void succeed(int fd, uint64_t before, uint64_t behind)
{
    static char batch[EVENT_RECORD_MAX];
    struct event_log_writer *successor;
    uint64_t next;

    ck_assert_int_eq(event_log_writer_open(fd, &successor), 0);
    next = event_log_next_id(successor);
    must(next == before || next == behind);
    must(event_log_last_time(successor) == next - 1);
    check_all(event_log_writer_view(successor), next - 1);
    must(event_log_append(successor, batch, record_make(batch, sizeof(batch), next, next)) == 0);
    check_all(event_log_writer_view(successor), next);
    event_log_writer_close(successor);
}

/* Three records, for which more than one has to give way: the second is cut in the middle by the ring's end, and the
 * third begins a block. */
enum { BEFORE_CUT = 600, CUT = 608, BEHIND_CUT = 1400, TO_END = BEFORE_CUT + CUT / 2 };

static void append_three(struct event_log_writer *log_writer, uint64_t id)
{
    static char batch[4096];
    size_t size = record_make(batch, BEFORE_CUT, id, id);

    size += record_make(batch + size, CUT, id + 1, id + 1);
    size += record_make(batch + size, BEHIND_CUT, id + 2, id + 2);
    must(event_log_append(log_writer, batch, size) == 0);
}

static pid_t start_traced(struct event_log_writer *log_writer, uint64_t id)
{
    pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
            _exit(1);
        raise(SIGSTOP);
        append_three(log_writer, id);
        raise(SIGSTOP);
        _exit(0);
    }
    return pid;
}

#ifdef __SANITIZE_THREAD__
enum { STEP_CHECKS = 0 }; /* its run time has too many instructions, and races are not what this is about */
#else
enum { STEP_CHECKS = 1 };
#endif

START_TEST(stopped_at_each_instruction)
{
    static char filler[1000];
    struct event_log_writer *log_writer;
    char *original, *copy, *seen = malloc(file_size(log_fd));
    uint64_t id = FIRST;
    int state, copy_fd, changes = 0;
    pid_t pid;

    ck_assert_int_eq(event_log_writer_open(log_fd, &log_writer), 0);
    event_log_start(log_writer, FIRST);
    /* once around, and up to the place before the ring's end */
    for (size_t position = 0, one; position < 2 * SIZE - TO_END; position += one, id++) {
        one = 2 * SIZE - TO_END - position < 2000 ? 2 * SIZE - TO_END - position : 1000;
        if (one > sizeof(filler))
            one = one / 16 * 8;
        must(event_log_append(log_writer, filler, record_make(filler, one, id, id)) == 0);
    }
    ck_assert_int_eq(event_log_make(SIZE, &copy_fd), 0);
    original = map_file(log_fd, PROT_READ);
    copy = map_file(copy_fd, PROT_READ | PROT_WRITE);
    memset(seen, 0, file_size(log_fd));
    pid = start_traced(log_writer, id);
    ck_assert_int_eq(waitpid(pid, &state, 0), pid);
    ck_assert(WIFSTOPPED(state));
    do {
        if (memcmp(seen, original, file_size(log_fd)) != 0) {
            changes++;
            memcpy(seen, original, file_size(log_fd));
            memcpy(copy, seen, file_size(log_fd));
            succeed(copy_fd, id, id + 3);
        }
        ck_assert_int_eq(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
        ck_assert_int_eq(waitpid(pid, &state, 0), pid);
    } while (WIFSTOPPED(state) && WSTOPSIG(state) == SIGTRAP);
    ck_assert(WIFSTOPPED(state) && WSTOPSIG(state) == SIGSTOP);
    /* each word of the records, but for those that happen to be the same; the words in the header */
    ck_assert_int_ge(changes, (BEFORE_CUT + CUT + BEHIND_CUT) / 8);
    kill(pid, SIGKILL);
    waitpid(pid, &state, 0);
    event_log_writer_close(log_writer);
    close(copy_fd);
    free(seen);
}
END_TEST

/* ---- writers that are killed ---- */

/* Between the processes: how far the reader that must not miss anything is; how far the writer may go. */
struct shared {
    _Atomic uint64_t consumed;
};

/* Events are written that far ahead of it: at most half of the ring, so that what a killed writer takes with it is not
 * what was not read. */
#define AHEAD (SIZE / 2)

static struct shared *shared;

/* Goes on writing from where the log ends until it is killed. The reader's position is its own cursor's. */
static void write_until_killed(uint64_t seed)
{
    static char batch[SIZE / EVENT_LOG_APPEND_PART];
    uint64_t state = seed * 2654435761U + 1;
    struct event_log_writer *mine;
    struct event_cursor end;

    if (event_log_writer_open(log_fd, &mine) != 0)
        _exit(1);
    for (;;) {
        uint64_t id = event_log_next_id(mine);

        event_log_seek_end(event_log_writer_view(mine), &end);
        if (end.position > atomic_load(&shared->consumed) + AHEAD - sizeof(batch))
            sched_yield();
        else if (event_log_append(mine, batch, make_batch(batch, id, UINT64_MAX, ANY_SIZE, &state)) != 0)
            _exit(2);
    }
}

static _Atomic bool is_over;

/* Reads everything, each event once; nothing may be missed. Returns how many there were. */
static void *run_witness(void *data)
{
    struct tally *tally = data;
    char *buffer = malloc(EVENT_RECORD_MAX);
    struct event_cursor cursor = { 0 };
    struct event_log *log;
    bool is_last;

    must(buffer && event_log_open(log_fd, &log) == 0);
    do {
        uint64_t missed;
        size_t size;

        is_last = atomic_load(&is_over);
        while ((size = event_log_read(log, &cursor, buffer, EVENT_RECORD_MAX, &missed)) > 0) {
            must(missed == 0);
            take(tally, buffer, size, 0);
            atomic_store(&shared->consumed, cursor.position);
        }
        must(missed == 0);
        sched_yield();
    } while (!is_last);
    event_log_close(log);
    free(buffer);
    return NULL;
}

/* Waits until the writer has written something, and then for a moment more: it is somewhere in an append. */
static void kill_somewhere(pid_t pid, const struct event_log *log, uint64_t *state)
{
    struct event_cursor end;
    int status;

    event_log_seek_end(log, &end);
    for (uint64_t turns = next_random(state) % 3000; turns > 0 || !event_log_has_more(log, &end); turns -= turns > 0)
        if (waitpid(pid, &status, WNOHANG) != 0)
            ck_abort_msg("the writer ended by itself: %#x", status);
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

START_TEST(writers_are_killed)
{
    const uint64_t rounds = getenv("ROUNDS") ? strtoul(getenv("ROUNDS"), NULL, 10) : 200;
    struct tally witness = { .last = FIRST - 1 };
    uint64_t state = 42, last = FIRST - 1;
    struct event_log *log;
    pthread_t thread;

    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(shared, MAP_FAILED);
    ck_assert_int_eq(event_log_writer_open(log_fd, &writer), 0);
    event_log_start(writer, FIRST);
    event_log_writer_close(writer);
    ck_assert_int_eq(event_log_open(log_fd, &log), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, run_witness, &witness), 0);
    for (uint64_t round = 0; round < rounds; round++) {
        pid_t pid = fork();
        struct event_cursor end;

        ck_assert_int_ge(pid, 0);
        if (pid == 0)
            write_until_killed(round);
        kill_somewhere(pid, log, &state);
        event_log_seek_end(log, &end);
        must(end.after_id > last);
        last = end.after_id;
        must(check_all(log, last) == last);
    }
    atomic_store(&is_over, true);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_uint_eq(witness.last, last);
    ck_assert_uint_eq(witness.read, last - FIRST + 1);
    event_log_close(log);
}
END_TEST

Suite *suite_event_log_races(void)
{
    Suite *suite = suite_create("event_log_races");
    TCase *tests = tcase_create("races");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, many_readers);
    tcase_add_loop_test(tests, at_the_edge, ANY_SIZE, ONE_SIZE + 1);
    if (STEP_CHECKS)
        tcase_add_test(tests, stopped_at_each_instruction);
    tcase_add_test(tests, writers_are_killed);
    suite_add_tcase(suite, tests);
    return suite;
}
