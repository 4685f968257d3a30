#include "socket/names.h"

#include <check.h>
#include <semaphore.h>
#include <stdlib.h>
#include <unistd.h>

#include <berth.h>

#define NOBODY_HAS 4242424 /* a uid and gid without a name */
#define POOL_SIZE  4       /* libuv's threads, unless UV_THREADPOOL_SIZE says otherwise */

static uv_loop_t loop;

struct counted {
    struct names_waiter waiter;
    int calls;
};

static void count(struct names_waiter *waiter)
{
    ((struct counted *)waiter)->calls++;
}

static void set_up(void)
{
    unsetenv("UV_THREADPOOL_SIZE");
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    ck_assert_int_eq(names_init(&loop), 0);
}

static void tear_down(void)
{
    names_done();
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}

static void run_until_known(const struct peer_names *names)
{
    while (!names_known(names))
        ck_assert(uv_run(&loop, UV_RUN_ONCE) != 0 || names_known(names));
}

START_TEST(our_own_names_are_known_at_once)
{
    struct peer_names *names = names_take(geteuid(), getegid());

    ck_assert(names_known(names));
    if (geteuid() == 0)
        ck_assert_str_eq(names_user(names), "root");
    names_release(names);
}
END_TEST

START_TEST(others_are_waited_for)
{
    struct peer_names *names = names_take(1, 1);
    struct counted counted = { .waiter.known = count };

    ck_assert(!names_known(names));
    names_wait(names, &counted.waiter);
    run_until_known(names);
    ck_assert_int_eq(counted.calls, 1);
    ck_assert_str_eq(names_user(names), "daemon");
    ck_assert_str_eq(names_group(names), "daemon");
    names_release(names);
}
END_TEST

START_TEST(without_a_name_the_number_stands)
{
    struct peer_names *names = names_take(NOBODY_HAS, NOBODY_HAS);

    run_until_known(names);
    ck_assert_str_eq(names_user(names), "4242424");
    ck_assert_str_eq(names_group(names), "4242424");
    names_release(names);
}
END_TEST

START_TEST(the_last_name_is_there_without_a_lookup)
{
    struct peer_names *names;

    ck_assert_ptr_null(names_last_user(1));
    names = names_take(1, 1);
    if (!names_known(names))
        ck_assert_ptr_null(names_last_user(1));
    run_until_known(names);
    names_release(names);
    ck_assert_str_eq(names_last_user(1), "daemon");
    ck_assert_ptr_nonnull(names_last_user(geteuid()));
}
END_TEST

START_TEST(who_leaves_is_not_called)
{
    struct peer_names *names = names_take(1, 1);
    struct counted stays = { .waiter.known = count }, leaves = { .waiter.known = count };

    names_wait(names, &stays.waiter);
    names_wait(names, &leaves.waiter);
    names_leave(names, &leaves.waiter);
    run_until_known(names);
    ck_assert_int_eq(stays.calls, 1);
    ck_assert_int_eq(leaves.calls, 0);
    names_release(names);
}
END_TEST

START_TEST(one_lookup_serves_all)
{
    struct peer_names *one = names_take(1, 1), *other = names_take(1, 1);

    ck_assert_ptr_eq(one, other);
    run_until_known(one);
    names_release(one);
    ck_assert_str_eq(names_user(other), "daemon"); /* still held */
    names_release(other);
    other = names_take(1, 1);
    ck_assert(names_known(other)); /* kept though nobody held it */
    names_release(other);
}
END_TEST

static sem_t blocked;

static void block(uv_work_t *work)
{
    (void)work;
    while (sem_wait(&blocked) != 0)
        ;
}

static void unblocked(uv_work_t *work, int status)
{
    (void)work;
    ck_assert_int_eq(status, 0);
}

/* As when NSS asks a directory that does not answer: the pool's threads are all busy. */
START_TEST(a_slow_database_is_given_up)
{
    uv_work_t works[POOL_SIZE];
    struct peer_names *names;

    ck_assert_int_eq(sem_init(&blocked, 0, 0), 0);
    for (int i = 0; i < POOL_SIZE; i++)
        ck_assert_int_eq(uv_queue_work(&loop, &works[i], block, unblocked), 0);
    names = names_take(1, 1);
    run_until_known(names);
    ck_assert_str_eq(names_user(names), "1");
    names_release(names);
    for (int i = 0; i < POOL_SIZE; i++)
        sem_post(&blocked);
    uv_run(&loop, UV_RUN_DEFAULT); /* the late answer is nobody's any more */
    sem_destroy(&blocked);
}
END_TEST

START_TEST(what_nobody_uses_is_bounded)
{
    struct peer_names *first;

    for (uid_t uid = NOBODY_HAS; uid < NOBODY_HAS + 2 * NAMES_MAX_UNUSED; uid++) {
        struct peer_names *names = names_take(uid, uid);

        run_until_known(names);
        names_release(names);
    }
    first = names_take(NOBODY_HAS, NOBODY_HAS);
    ck_assert(!names_known(first)); /* it was forgotten */
    run_until_known(first);
    names_release(first);
}
END_TEST

Suite *suite_names(void);
Suite *suite_names(void)
{
    Suite *suite = suite_create("names");
    TCase *tcase = tcase_create("names");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, our_own_names_are_known_at_once);
    tcase_add_test(tcase, others_are_waited_for);
    tcase_add_test(tcase, without_a_name_the_number_stands);
    tcase_add_test(tcase, the_last_name_is_there_without_a_lookup);
    tcase_add_test(tcase, who_leaves_is_not_called);
    tcase_add_test(tcase, one_lookup_serves_all);
    tcase_add_test(tcase, a_slow_database_is_given_up);
    tcase_add_test(tcase, what_nobody_uses_is_bounded);
    suite_add_tcase(suite, tcase);
    return suite;
}
