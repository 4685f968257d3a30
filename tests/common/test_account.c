#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/account.h"

Suite *suite_account(void);

static struct error error;

static const struct {
    const char *text;
    int r;
    uid_t id; /* of a user and of a group alike */
    const char *message;
} texts[] = {
    { "root", 0, 0, "" },
    { "0", 0, 0, "" },
    { "54321", 0, 54321, "" },
    { "4294967294", 0, 4294967294, "" },
    { "4294967295", -EINVAL, 0, "--x: \"4294967295\" is neither the name nor the number of a " },
    { "99999999999999999999", -EINVAL, 0, "is neither the name nor the number of a " },
    { "", -EINVAL, 0, "--x: \"\" is neither the name nor the number of a " },
    { "-1", -EINVAL, 0, "--x: there is no " },
    { "no-such-one", -EINVAL, 0, "\"no-such-one\" on this system" },
};

static void check_one(int i, int r, uid_t id)
{
    ck_assert_int_eq(r, texts[i].r);
    ck_assert_uint_eq(id, r == 0 ? texts[i].id : 77);
    ck_assert_msg(strstr(error.text, texts[i].message) != NULL, "no \"%s\" in: %s", texts[i].message, error.text);
}

START_TEST(reads_names_and_numbers)
{
    struct account account = { .uid = 77 };
    uid_t uid = 77;
    gid_t gid = 77;
    int r;

    r = account_uid("--x", texts[_i].text, &uid, &error);
    check_one(_i, r, uid);
    r = account_gid("--x", texts[_i].text, &gid, &error);
    check_one(_i, r, gid);
    r = account_user("--x", texts[_i].text, &account, &error);
    check_one(_i, r, account.uid);
    free(account.name);
}
END_TEST

/* Nothing is made up for a number that nobody has: 27 would be sudo's group. */
START_TEST(knows_whose_number_it_is)
{
    struct account account;

    ck_assert_int_eq(account_user("--x", "0", &account, &error), 0);
    ck_assert_str_eq(account.name, "root");
    ck_assert_uint_eq(account.gid, 0);
    free(account.name);
    ck_assert_int_eq(account_user("--x", "54321", &account, &error), 0);
    ck_assert_ptr_null(account.name);
    ck_assert_uint_eq(account.gid, (gid_t)-1);
}
END_TEST

static size_t times(const gid_t *groups, size_t count, gid_t gid)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++)
        found += groups[i] == gid;
    return found;
}

START_TEST(lists_groups)
{
    gid_t *groups;
    size_t count;

    ck_assert_int_eq(account_groups("root", 0, &groups, &count), 0);
    ck_assert_uint_eq(times(groups, count, 0), 1);
    free(groups);
    /* The primary one is whatever is said; who is in no database has nothing else. */
    ck_assert_int_eq(account_groups("nobody-has-this-name", 54321, &groups, &count), 0);
    ck_assert_uint_eq(count, 1);
    ck_assert_uint_eq(groups[0], 54321);
    free(groups);
}
END_TEST

/* A database that cannot be asked has not said no. */
START_TEST(tells_a_failure_from_a_no)
{
    struct rlimit limit, none;
    struct account account;
    uid_t uid;
    gid_t gid;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = limit;
    none.rlim_cur = 0;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    ck_assert_int_eq(account_uid("--x", "daemon", &uid, &error), -EMFILE);
    ck_assert_str_eq(error.text, "--x: cannot look up \"daemon\": Too many open files");
    ck_assert_int_eq(account_gid("--x", "daemon", &gid, &error), -EMFILE);
    ck_assert_int_eq(account_user("--x", "2", &account, &error), -EMFILE);
    ck_assert_int_eq(account_uid("--x", "2", &uid, &error), 0); /* which asks nobody */
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}
END_TEST

Suite *suite_account(void)
{
    Suite *suite = suite_create("account");
    TCase *tcase = tcase_create("account");

    tcase_add_loop_test(tcase, reads_names_and_numbers, 0, sizeof(texts) / sizeof(texts[0]));
    tcase_add_test(tcase, knows_whose_number_it_is);
    tcase_add_test(tcase, lists_groups);
    tcase_add_test(tcase, tells_a_failure_from_a_no);
    suite_add_tcase(suite, tcase);
    return suite;
}
