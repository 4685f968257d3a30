#include "access/proxies.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

Suite *suite_proxies(void);

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

START_TEST(test_trusts_who_is_named)
{
    char *items[] = { (char[]){ "54321" }, (char[]){ "root" }, (char[]){ "54322" }, NULL };
    struct text_list users = { .items = items, .count = 3 };
    struct proxies proxies;

    ck_assert_int_eq(proxies_init(&users, &proxies, NULL), 0);
    ck_assert(proxies_trust(&proxies, 0));
    ck_assert(proxies_trust(&proxies, 54321));
    ck_assert(proxies_trust(&proxies, 54322));
    ck_assert(!proxies_trust(&proxies, 54323));
    ck_assert(!proxies_trust(&proxies, 65534));
    ck_assert(!proxies_trust(&proxies, (uid_t)-1));
    proxies_done(&proxies);
    ck_assert(!proxies_trust(&proxies, 0));
}
END_TEST

START_TEST(test_trusts_nobody)
{
    struct text_list users = { .count = 0 };
    struct proxies proxies;

    ck_assert_int_eq(proxies_init(&users, &proxies, NULL), 0);
    ck_assert(!proxies_trust(&proxies, 0));
    ck_assert(!proxies_trust(&proxies, 65534));
    proxies_done(&proxies);
}
END_TEST

static const struct {
    const char *user, *message;
} refused[] = {
    { "no-such-user", "there is no user \"no-such-user\"" },
    { "", "\"\" is neither the name nor the number of a user" },
    { "4294967295", "\"4294967295\" is neither" },
    { "65534", "\"65534\" has the number 65534, which the kernel shows for every user who has none here" },
};

/* Also behind one that is right; and then nothing is given. */
START_TEST(test_refuses)
{
    char user[32], *items[] = { (char[]){ "root" }, user, NULL };
    struct text_list users = { .items = items, .count = 2 };
    struct proxies proxies = { .count = 77 };
    struct error error = { "" };

    snprintf(user, sizeof(user), "%s", refused[_i].user);
    ck_assert_int_eq(proxies_init(&users, &proxies, &error), -EINVAL);
    ck_assert_uint_eq(proxies.count, 77);
    ck_assert_int_eq(strncmp(error.text, "--trust-proxy: ", strlen("--trust-proxy: ")), 0);
    ck_assert_ptr_nonnull(strstr(error.text, refused[_i].message));
}
END_TEST

Suite *suite_proxies(void)
{
    Suite *suite = suite_create("proxies");
    TCase *tcase = tcase_create("proxies");

    tcase_add_test(tcase, test_trusts_who_is_named);
    tcase_add_test(tcase, test_trusts_nobody);
    tcase_add_loop_test(tcase, test_refuses, 0, COUNT(refused));
    suite_add_tcase(suite, tcase);
    return suite;
}
