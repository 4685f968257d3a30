/*
 * The journal when its writer is killed: at every step of what takes several, and at random. And at every such step
 * another one finds it taken.
 */
#include "events/journals.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "socket/scratch.h"
#include "socket/steps.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

Suite *suite_journal_kills(void);

static void empty_folder(void)
{
    DIR *list = opendir(scratch_path(""));
    struct dirent *entry;

    ck_assert_ptr_nonnull(list);
    while ((entry = readdir(list)))
        if (entry->d_name[0] != '.')
            ck_assert_int_eq(unlink(scratch_path(entry->d_name)), 0);
    closedir(list);
}

/* Whether a file in the folder, whatever its name, consists of these bytes. */
static bool is_kept(const char *bytes, size_t size)
{
    DIR *list = opendir(scratch_path(""));
    struct dirent *entry;
    bool found = false;

    ck_assert_ptr_nonnull(list);
    while (!found && (entry = readdir(list))) {
        size_t size_now;
        char *now;

        if (entry->d_name[0] == '.')
            continue;
        now = file_read(scratch_path(entry->d_name), &size_now);
        found = size_now == size && memcmp(now, bytes, size) == 0;
        free(now);
    }
    closedir(list);
    return found;
}

struct shared {
    _Atomic uint64_t acknowledged;
    _Atomic bool open;
};
static struct shared *shared;

/* What is stepped through, from what it begins with, and what must hold wherever it ended. */
struct walk {
    void (*prepare)(void);
    void (*body)(void);
    void (*check)(void);
    bool owner; /* who is not to be joined while it is open */
};

enum { WALK_LIMIT = 3 * RECORD };

static void rotating_prepare(void)
{
    open_journal(WALK_LIMIT);
    ck_assert_int_eq(journal_start(journal, 1), 0);
    for (uint64_t id = 1; id <= 5; id++)
        ck_assert_int_eq(append(id, 1, RECORD), 0);
    close_journal();
    shared->acknowledged = 5;
}

static void rotating_body(void)
{
    uint64_t id = 6;

    if (try_open(WALK_LIMIT, NULL) < 0)
        _exit(1);
    shared->open = true;
    for (; id <= 14; id++) {
        if (append(id, 1, RECORD) < 0 || (id % 4 == 0 && journal_sync(journal) < 0))
            _exit(2);
        shared->acknowledged = id;
    }
    shared->open = false;
}

static void rotating_check(void)
{
    struct replayed replayed;

    open_journal(WALK_LIMIT);
    replayed = replay();
    ck_assert_uint_ge(replayed.last, shared->acknowledged);
    ck_assert_uint_le(replayed.last, shared->acknowledged + 1);
    ck_assert_uint_ge(replayed.bytes, WALK_LIMIT);
    ck_assert_uint_eq(journal_first_id(journal), 1);
    goes_on(WALK_LIMIT);
    ck_assert_ptr_null(strstr(scratch_list(), "damaged"));
    ck_assert_ptr_null(strstr(scratch_list(), "new"));
}

static char *walk_bytes, *walk_old;
static size_t walk_size, walk_old_size;

static void mending_prepare(void)
{
    walk_bytes = small_make(&walk_size);
    walk_bytes[small_ends[2] + 3] ^= 1;
    file_write("j", walk_bytes, walk_size);
}

static void mending_body(void)
{
    if (try_open(ROOM, NULL) < 0)
        _exit(1);
}

static void mending_check(void)
{
    open_journal(ROOM);
    ck_assert_uint_eq(replay().count, 4);
    ck_assert(is_kept(walk_bytes, walk_size));
    goes_on(ROOM);
    free(walk_bytes);
}

static void starting_prepare(void)
{
    pair_make();
    walk_bytes = file_read(scratch_path("j"), &walk_size);
    walk_old = file_read(scratch_path("j.old"), &walk_old_size);
    shared->acknowledged = 0;
}

static void starting_body(void)
{
    if (try_open(ROOM, NULL) < 0)
        _exit(1);
    shared->open = true;
    if (journal_start(journal, 9 * FIRST) < 0 || append(9 * FIRST, 1, RECORD) < 0)
        _exit(2);
    shared->acknowledged = 9 * FIRST;
    shared->open = false;
}

static void starting_check(void)
{
    open_journal(ROOM);
    ck_assert_uint_ge(journal_last_id(journal), shared->acknowledged);
    ck_assert(is_kept(walk_bytes, walk_size));
    ck_assert(is_kept(walk_old, walk_old_size));
    goes_on(ROOM);
    free(walk_bytes);
    free(walk_old);
}

static const struct walk walks[] = {
    { rotating_prepare, rotating_body, rotating_check, true },
    { mending_prepare, mending_body, mending_check, false },
    { starting_prepare, starting_body, starting_check, true },
};

static void walk_body(void *data)
{
    const struct walk *walk = data;

    steps_start();
    walk->body();
}

/* Starts the body, which stops at its first system call. */
static pid_t walk_begin(const struct walk *walk)
{
    empty_folder();
    walk->prepare();
    journal_said();
    shared->open = false;
    return steps_begin(walk_body, (void *)(uintptr_t)walk);
}

/* To the next system call's beginning or end; false when it has ended, as it should. */
static bool walk_on(pid_t pid)
{
    int status;

    if (steps_next(pid, &status))
        return true;
    ck_assert_int_eq(status, 0);
    return false;
}

START_TEST(survives_a_kill_at_every_step)
{
    bool ended = false;
    int steps = 0;

    shared = shared_new(sizeof(*shared));
    for (; !ended; steps++) {
        pid_t pid = walk_begin(&walks[_i]);

        for (int step = 0; !ended && step < steps; step++)
            ended = !walk_on(pid);
        if (!ended) {
            ck_assert_int_eq(kill(pid, SIGKILL), 0);
            ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        }
        walks[_i].check();
    }
    ck_assert_int_gt(steps, 30);
}
END_TEST

/* Another berth that starts at any moment finds it taken, and changes nothing. */
START_TEST(is_never_had_by_two)
{
    int tries = 0;
    pid_t pid;

    if (!walks[_i].owner)
        return;
    shared = shared_new(sizeof(*shared));
    pid = walk_begin(&walks[_i]);
    while (walk_on(pid)) {
        if (!shared->open)
            continue;
        is_busy();
        tries++;
    }
    ck_assert_int_gt(tries, 10);
    walks[_i].check();
}
END_TEST

static void find_it_taken(void *data)
{
    (void)data;
    steps_start();
    _exit(try_open(RECORD, NULL) == -EBUSY ? 0 : 1);
}

/* FILE is set aside, and let go, after another one has opened it, and before he asks for its lock. */
START_TEST(notices_a_file_that_lost_its_name)
{
    bool dropped = false;
    pid_t pid = steps_begin(find_it_taken, NULL);

    open_journal(RECORD);
    ck_assert_int_eq(journal_start(journal, 1), 0);
    ck_assert_int_eq(append(1, 1, RECORD), 0);
    while (walk_on(pid)) {
        if (dropped || !steps_has_open(pid, scratch_path("j")))
            continue;
        dropped = true;
        ck_assert_int_eq(journal_start(journal, FIRST), 0);
    }
    ck_assert(dropped);
    ck_assert_int_eq(append(FIRST, 1, RECORD), 0);
}
END_TEST

static void append_always(int reports)
{
    uint64_t id = journal_last_id(journal) + 1, state = id * 7919 + 1;

    for (;;) {
        int count = (int)(next_random(&state) % 20) + 1;

        if (append(id, count, RECORD + 8 * (next_random(&state) % 100)) < 0)
            _exit(1);
        id += (uint64_t)count;
        uint64_t last = id - 1;
        if (write(reports, &last, sizeof(last)) != sizeof(last))
            _exit(2);
    }
}

/* Reads so many reports, kills, and reads what else was reported. */
static uint64_t kill_after(pid_t pid, int reports, uint64_t count)
{
    uint64_t last = 0;

    while (count-- > 0)
        ck_assert_int_eq(read(reports, &last, sizeof(last)), sizeof(last));
    child_kill(pid);
    while (read(reports, &last, sizeof(last)) == sizeof(last))
        ;
    return last;
}

START_TEST(has_all_that_was_acknowledged)
{
    const char *text = getenv("ROUNDS");
    uint64_t state = 4711;
    int rounds = text ? (int)strtol(text, NULL, 10) : 30;

    open_journal(100000);
    ck_assert_int_eq(journal_start(journal, 1), 0);
    ck_assert_int_eq(append(1, 1, RECORD), 0);
    close_journal();
    for (int round = 0; round < rounds && round < 1000; round++) {
        struct replayed replayed;
        uint64_t last;
        int ends[2];
        pid_t pid;

        ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
            close(ends[0]);
            if (try_open(100000, NULL) < 0)
                _exit(3);
            append_always(ends[1]);
        }
        close(ends[1]);
        last = kill_after(pid, ends[0], 1 + next_random(&state) % 100);
        close(ends[0]);
        open_journal(100000);
        replayed = replay();
        ck_assert_uint_ge(replayed.last, last);
        ck_assert_uint_lt(replayed.last, last + 21);
        if (replayed.first > 1)
            ck_assert_uint_ge(replayed.bytes, 100000);
        close_journal();
        ck_assert_ptr_null(strstr(scratch_list(), "damaged"));
    }
}
END_TEST

Suite *suite_journal_kills(void)
{
    Suite *suite = suite_create("journal_kills");
    TCase *tests = tcase_create("journal_kills");

    tcase_add_checked_fixture(tests, journal_setup, journal_teardown);
    tcase_set_timeout(tests, 240);
    tcase_add_loop_test(tests, survives_a_kill_at_every_step, 0, COUNT(walks));
    tcase_add_loop_test(tests, is_never_had_by_two, 0, COUNT(walks));
    tcase_add_test(tests, notices_a_file_that_lost_its_name);
    tcase_add_test(tests, has_all_that_was_acknowledged);
    suite_add_tcase(suite, tests);
    return suite;
}
