/*
 * What one uid may have: by a clock of the test's own, in nanoseconds.
 */
#include "access/quota.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>

Suite *suite_quota(void);

#define SECOND 1000000000ULL

/* Some day; a worker's clock does not begin at 0 either. */
#define NOON (12 * 3600 * SECOND)

enum { ALICE = 1000, BOB = 1001 };

static struct quotas *quotas_of(unsigned int connections, unsigned int rate, unsigned int streams)
{
    struct quota_limits limits = { .connections = connections, .rate = rate, .streams = streams };
    struct quotas *quotas;

    ck_assert_int_eq(quotas_new(&limits, &quotas), 0);
    return quotas;
}

static struct quota_user *enter(struct quotas *quotas, uid_t uid, uint64_t now)
{
    struct quota_user *user = NULL;

    ck_assert_int_eq(quota_enter(quotas, uid, now, &user), 0);
    return user;
}

/* How many requests are let through now. */
static unsigned int ask_all(struct quota_user *user, uint64_t now)
{
    unsigned int count = 0;

    while (quota_ask(user, now) == 0 && count < 1000000)
        count++;
    return count;
}

START_TEST(costs_nothing_without_limits)
{
    struct quotas *quotas = quotas_of(0, 0, 0);
    struct quota_user *user = (struct quota_user *)&quotas;

    ck_assert_ptr_null(quotas);
    ck_assert_int_eq(quota_enter(quotas, ALICE, NOON, &user), 0);
    ck_assert_ptr_null(user);
    ck_assert_uint_eq(quota_ask(user, NOON), 0);
    ck_assert(quota_stream_begin(user));
    quota_stream_end(user);
    quota_keep(user);
    quota_leave(user);
    quotas_free(quotas);
}
END_TEST

START_TEST(counts_connections)
{
    struct quotas *quotas = quotas_of(2, 0, 0);
    struct quota_user *alice = enter(quotas, ALICE, NOON), *again, *bob;

    ck_assert_ptr_nonnull(alice);
    ck_assert_ptr_eq(enter(quotas, ALICE, NOON), alice);
    for (int i = 0; i < QUOTA_EXCESS_MAX; i++) {
        ck_assert_int_eq(quota_enter(quotas, ALICE, NOON, &again), -EUSERS);
        ck_assert_ptr_eq(again, alice);
    }
    ck_assert_int_eq(quota_enter(quotas, ALICE, NOON, &again), -EDQUOT);
    ck_assert_ptr_eq(again, alice);
    bob = enter(quotas, BOB, NOON);
    ck_assert_ptr_ne(bob, alice);
    quota_leave(bob);
    for (int i = 0; i < QUOTA_EXCESS_MAX + 1; i++)
        quota_leave(alice);
    ck_assert_int_eq(quota_enter(quotas, ALICE, NOON, &again), -EUSERS);
    quota_leave(alice);
    quota_leave(alice);
    ck_assert_ptr_eq(enter(quotas, ALICE, NOON), alice);
    quota_keep(alice); /* whatever the limit */
    quota_keep(alice);
    for (int i = 0; i < 4; i++)
        quota_leave(alice);
    ck_assert_uint_eq(quota_ask(alice, NOON), 0); /* there is no limit on these */
    quotas_free(quotas);
}
END_TEST

static const unsigned int rates[] = { 1, 2, 3, 7, 100, 999, 1000000 };

START_TEST(lets_a_rate_through)
{
    unsigned int rate = rates[_i], count = 0;
    struct quotas *quotas = quotas_of(0, rate, 0);
    struct quota_user *alice = enter(quotas, ALICE, NOON), *bob = enter(quotas, BOB, NOON);
    uint64_t next = NOON + SECOND / rate - SECOND % rate; /* a share is whole nanoseconds */

    ck_assert_uint_eq(ask_all(alice, NOON), rate);
    ck_assert_uint_eq(quota_ask(alice, NOON), 1); /* to wait */
    ck_assert_uint_eq(quota_ask(alice, next - 1), 1);
    ck_assert_uint_eq(quota_ask(alice, next), 0);
    ck_assert_uint_eq(quota_ask(alice, next), 1);
    ck_assert_uint_eq(ask_all(bob, NOON), rate);
    /* Ten seconds, asked all the time: neither more nor fewer than the rate. */
    for (unsigned int i = 1; i <= 1000; i++)
        count += ask_all(alice, next + i * SECOND / 100);
    ck_assert_uint_ge(count, 10 * rate);
    ck_assert_uint_le(count, 10 * rate + 1);
    /* And after any pause no more than that at once. */
    ck_assert_uint_eq(ask_all(alice, 2 * NOON), rate);
    quota_leave(alice);
    quota_leave(bob);
    quotas_free(quotas);
}
END_TEST

/* Or a client would get a whole second's worth with each connection. */
START_TEST(remembers_what_was_asked)
{
    struct quotas *quotas = quotas_of(0, 5, 0);
    struct quota_user *alice = enter(quotas, ALICE, NOON);

    ck_assert_uint_eq(ask_all(alice, NOON), 5);
    quota_leave(alice);
    alice = enter(quotas, ALICE, NOON);
    ck_assert_uint_eq(ask_all(alice, NOON), 0);
    ck_assert_uint_eq(ask_all(alice, NOON + SECOND / 5), 1);
    quota_leave(alice);
    quotas_free(quotas);
}
END_TEST

START_TEST(counts_streams)
{
    struct quotas *quotas = quotas_of(0, 0, 2);
    struct quota_user *alice = enter(quotas, ALICE, NOON), *bob = enter(quotas, BOB, NOON);

    ck_assert(quota_stream_begin(alice));
    ck_assert(quota_stream_begin(alice));
    ck_assert(!quota_stream_begin(alice));
    ck_assert(!quota_stream_begin(alice));
    ck_assert(quota_stream_begin(bob));
    quota_stream_end(alice);
    ck_assert(quota_stream_begin(alice));
    ck_assert(!quota_stream_begin(alice));
    quota_leave(alice);
    quota_leave(bob);
    quotas_free(quotas);
}
END_TEST

/* ---- no more than so many ---- */

static struct quota_user *users[QUOTA_USERS_MAX];

static void fill(struct quotas *quotas)
{
    for (uid_t uid = 0; uid < QUOTA_USERS_MAX; uid++) {
        users[uid] = enter(quotas, uid, NOON);
        ck_assert_ptr_nonnull(users[uid]);
    }
}

START_TEST(remembers_no_more)
{
    struct quotas *quotas = quotas_of(1, 1, 1);
    struct quota_user *again;

    fill(quotas);
    for (uid_t uid = 0; uid < QUOTA_USERS_MAX; uid++) {
        ck_assert_int_eq(quota_enter(quotas, uid, NOON, &again), -EUSERS);
        ck_assert_ptr_eq(again, users[uid]);
        quota_leave(again);
    }
    for (uid_t uid = QUOTA_USERS_MAX; uid < QUOTA_USERS_MAX + 10; uid++)
        ck_assert_ptr_null(enter(quotas, uid, NOON));
    for (uid_t uid = 0; uid < QUOTA_USERS_MAX; uid++)
        quota_leave(users[uid]);
    quotas_free(quotas);
}
END_TEST

START_TEST(makes_room)
{
    struct quotas *quotas = quotas_of(1, 2, 0);
    struct quota_user *new, *again;

    fill(quotas);
    ck_assert_uint_eq(ask_all(users[5], NOON), 2);
    ck_assert_uint_eq(quota_ask(users[7], NOON), 0);
    quota_leave(users[5]);
    quota_leave(users[7]);
    /* Neither has its whole allowance; then one has, and then the other. */
    ck_assert_ptr_null(enter(quotas, 10000, NOON + SECOND / 2 - 1));
    new = enter(quotas, 10000, NOON + SECOND / 2);
    ck_assert_ptr_nonnull(new);
    ck_assert_ptr_null(enter(quotas, 10001, NOON + SECOND - 1));
    ck_assert_ptr_eq(again = enter(quotas, 5, NOON + SECOND - 1), users[5]);
    quota_leave(again);
    again = enter(quotas, 10001, NOON + SECOND);
    ck_assert_ptr_nonnull(again);
    ck_assert_ptr_null(enter(quotas, 5, NOON + SECOND));
    ck_assert_ptr_null(enter(quotas, 7, NOON + SECOND));
    ck_assert_int_eq(quota_enter(quotas, 10000, NOON, &again), -EUSERS);
    ck_assert_ptr_eq(again, new);
    for (uid_t uid = 10000; uid <= 10001; uid++) {
        int r = quota_enter(quotas, uid, NOON, &again);

        ck_assert_int_eq(r, -EUSERS);
        quota_leave(again);
    }
    for (uid_t uid = 0; uid < QUOTA_USERS_MAX; uid++)
        if (uid != 5 && uid != 7)
            quota_leave(users[uid]);
    quota_enter(quotas, 10000, NOON, &again);
    for (int i = 0; i < 3; i++)
        quota_leave(again);
    quota_enter(quotas, 10001, NOON, &again);
    for (int i = 0; i < 2; i++)
        quota_leave(again);
    quotas_free(quotas);
}
END_TEST

/* By uids that come and go, many more than are remembered. */
START_TEST(goes_on_for_ever)
{
    struct quotas *quotas = quotas_of(2, 1, 0);

    for (uid_t uid = 0; uid < 5 * QUOTA_USERS_MAX; uid++) {
        struct quota_user *user = enter(quotas, uid, NOON + uid * SECOND);

        ck_assert_ptr_nonnull(user);
        ck_assert_uint_eq(quota_ask(user, NOON + uid * SECOND), 0);
        ck_assert_uint_eq(quota_ask(user, NOON + uid * SECOND), 1);
        quota_leave(user);
    }
    quotas_free(quotas);
}
END_TEST

Suite *suite_quota(void)
{
    Suite *suite = suite_create("quota");
    TCase *tcase = tcase_create("quota");

    tcase_add_test(tcase, costs_nothing_without_limits);
    tcase_add_test(tcase, counts_connections);
    tcase_add_loop_test(tcase, lets_a_rate_through, 0, sizeof(rates) / sizeof(rates[0]));
    tcase_add_test(tcase, remembers_what_was_asked);
    tcase_add_test(tcase, counts_streams);
    tcase_add_test(tcase, remembers_no_more);
    tcase_add_test(tcase, makes_room);
    tcase_add_test(tcase, goes_on_for_ever);
    suite_add_tcase(suite, tcase);
    return suite;
}
