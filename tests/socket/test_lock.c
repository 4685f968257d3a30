/*
 * The lock file beside a socket: one holder at a time, though every holder removes it.
 */
#include "socket/lock.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "socket/scratch.h"
#include "socket/steps.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

Suite *suite_lock(void);

static int folder = -1;

static void setup(void)
{
    scratch_setup();
    folder = open(scratch_path(""), O_PATH | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(folder, 0);
}

static void teardown(void)
{
    close(folder);
    scratch_teardown();
}

START_TEST(takes_and_releases)
{
    struct lock lock = LOCK_NONE, other = LOCK_NONE;

    lock_release(&lock);
    ck_assert_int_eq(lock_take(folder, "l", &lock, NULL), 0);
    ck_assert_int_eq(fcntl(lock.fd, F_GETFD), FD_CLOEXEC);
    ck_assert_int_eq(lock_holder(folder, "l"), getpid());
    ck_assert_int_eq(lock_take(folder, "l", &other, NULL), -EWOULDBLOCK);
    ck_assert_int_eq(other.fd, -1);
    lock_release(&lock);
    ck_assert_int_eq(lock.fd, -1);
    ck_assert_str_eq(scratch_list(), "");
    ck_assert_int_eq(lock_take(folder, "l", &lock, NULL), 0);
    lock_release(&lock);
}
END_TEST

/* Somebody took the file away and another holds one of the same name: that one is not ours to remove. */
START_TEST(leaves_its_successor_alone)
{
    struct lock lock = LOCK_NONE, successor = LOCK_NONE;

    ck_assert_int_eq(lock_take(folder, "l", &lock, NULL), 0);
    ck_assert_int_eq(unlink(scratch_path("l")), 0);
    ck_assert_int_eq(lock_take(folder, "l", &successor, NULL), 0);
    lock_release(&lock);
    ck_assert_str_eq(scratch_list(), "l ");
    lock_release(&successor);
    ck_assert_str_eq(scratch_list(), "");
}
END_TEST

static const char *const leftovers[] = { "", "1\n", "2147483647\n" };

START_TEST(takes_over_what_was_left_behind)
{
    struct lock lock = LOCK_NONE;

    scratch_write("l", leftovers[_i]);
    ck_assert_int_eq(lock_take(folder, "l", &lock, NULL), 0);
    ck_assert_int_eq(lock_holder(folder, "l"), getpid());
    lock_release(&lock);
    ck_assert_str_eq(scratch_list(), "");
}
END_TEST

static void make_text(void)
{
    scratch_write("l", "precious");
}

static void make_number(void)
{
    scratch_write("l", "123");
}

static void make_large_number(void)
{
    scratch_write("l", "99999999999999999\n");
}

static void make_hard_link(void)
{
    scratch_write("target", "1\n");
    ck_assert_int_eq(link(scratch_path("target"), scratch_path("l")), 0);
}

static void make_link(void)
{
    scratch_write("target", "1\n");
    ck_assert_int_eq(symlink("target", scratch_path("l")), 0);
}

static void make_dangling_link(void)
{
    ck_assert_int_eq(symlink("target", scratch_path("l")), 0);
}

static void make_folder(void)
{
    ck_assert_int_eq(mkdir(scratch_path("l"), 0755), 0);
}

static void make_fifo(void)
{
    ck_assert_int_eq(mkfifo(scratch_path("l"), 0600), 0);
}

static const struct {
    void (*make)(void);
    int r;
} strangers[] = {
    { make_text, -EEXIST }, { make_number, -EEXIST },       { make_large_number, -EEXIST }, { make_hard_link, -EEXIST },
    { make_link, -ELOOP },  { make_dangling_link, -ELOOP }, { make_folder, -EISDIR },       { make_fifo, -EEXIST },
};

START_TEST(leaves_alone_what_is_no_lock_file)
{
    struct lock lock = LOCK_NONE;
    struct error error = { "" };
    struct stat before, after;
    char entries[256];
    size_t fds = fds_open();

    strangers[_i].make();
    strcpy(entries, scratch_list());
    ck_assert_int_eq(lstat(scratch_path("l"), &before), 0);
    ck_assert_int_eq(lock_take(folder, "l", &lock, &error), strangers[_i].r);
    ck_assert_str_ne(error.text, "");
    ck_assert_int_eq(lock.fd, -1);
    ck_assert_int_eq(lstat(scratch_path("l"), &after), 0);
    ck_assert_uint_eq(before.st_ino, after.st_ino);
    ck_assert_uint_eq(before.st_mode, after.st_mode);
    ck_assert_int_eq(before.st_size, after.st_size);
    ck_assert_str_eq(scratch_list(), entries);
    ck_assert_uint_eq(fds_open(), fds);
}
END_TEST

START_TEST(knows_no_holder_where_there_is_none)
{
    ck_assert_int_eq(lock_holder(folder, "l"), 0);
    scratch_write("l", "precious");
    ck_assert_int_eq(lock_holder(folder, "l"), 0);
}
END_TEST

/* Exit code 0 if the lock was had, and is the file that has the name; 1 if another has it. */
static void take_in_steps(void *data)
{
    struct lock *inherited = data;
    struct stat held, named;
    struct lock lock;
    int r;

    close(inherited->fd); /* a copy would hold the lock for as long as we live */
    steps_start();
    r = lock_take(folder, "l", &lock, NULL);
    if (r == -EWOULDBLOCK)
        _exit(1);
    if (r < 0 || fstat(lock.fd, &held) < 0 || fstatat(folder, "l", &named, 0) < 0 || held.st_ino != named.st_ino)
        _exit(3);
    lock_release(&lock);
}

/* Its holder removes the file just after another process has opened it, which then locks a file without a name. */
START_TEST(notices_a_file_that_lost_its_name)
{
    struct lock lock = LOCK_NONE, successor = LOCK_NONE;
    bool released = false;
    int state;
    pid_t pid;

    ck_assert_int_eq(lock_take(folder, "l", &lock, NULL), 0);
    pid = steps_begin(take_in_steps, &lock);
    while (steps_next(pid, &state)) {
        if (released || !steps_has_open(pid, scratch_path("l")))
            continue;
        released = true;
        lock_release(&lock);
        if (_i == 1)
            ck_assert_int_eq(lock_take(folder, "l", &successor, NULL), 0);
    }
    ck_assert(released);
    ck_assert_int_eq(WEXITSTATUS(state), _i);
    lock_release(&successor);
    ck_assert_str_eq(scratch_list(), "");
}
END_TEST

enum { CONTENDERS = 4, TURNS = 300 };

struct contest {
    int inside, collisions, turns;
};

static void contend(struct contest *contest)
{
    struct lock lock = LOCK_NONE;

    while (__atomic_load_n(&contest->turns, __ATOMIC_SEQ_CST) < TURNS) {
        if (lock_take(folder, "l", &lock, NULL) < 0)
            continue;
        if (__atomic_add_fetch(&contest->inside, 1, __ATOMIC_SEQ_CST) != 1)
            __atomic_add_fetch(&contest->collisions, 1, __ATOMIC_SEQ_CST);
        __atomic_add_fetch(&contest->turns, 1, __ATOMIC_SEQ_CST);
        __atomic_sub_fetch(&contest->inside, 1, __ATOMIC_SEQ_CST);
        lock_release(&lock);
    }
    _exit(0);
}

/* Whoever opened the file before its holder removed it gets the lock of a file without a name: that must not count. */
START_TEST(has_one_holder_at_a_time)
{
    struct contest *contest = shared_new(sizeof(*contest));
    pid_t pids[CONTENDERS];
    int status;

    for (int i = 0; i < CONTENDERS; i++) {
        pids[i] = fork();
        ck_assert_int_ge(pids[i], 0);
        if (pids[i] == 0)
            contend(contest);
    }
    for (int i = 0; i < CONTENDERS; i++) {
        ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
        ck_assert_int_eq(status, 0);
    }
    ck_assert_int_ge(contest->turns, TURNS);
    ck_assert_int_eq(contest->collisions, 0);
    ck_assert_str_eq(scratch_list(), "");
}
END_TEST

Suite *suite_lock(void)
{
    Suite *suite = suite_create("lock");
    TCase *tests = tcase_create("lock");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, takes_and_releases);
    tcase_add_test(tests, leaves_its_successor_alone);
    tcase_add_loop_test(tests, takes_over_what_was_left_behind, 0, COUNT(leftovers));
    tcase_add_loop_test(tests, leaves_alone_what_is_no_lock_file, 0, COUNT(strangers));
    tcase_add_test(tests, knows_no_holder_where_there_is_none);
    tcase_add_loop_test(tests, notices_a_file_that_lost_its_name, 0, 2);
    tcase_add_test(tests, has_one_holder_at_a_time);
    suite_add_tcase(suite, tests);
    return suite;
}
