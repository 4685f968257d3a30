/*
 * The user in whose place berth doctor looks: what modes give, and becoming that user.
 */
#include "doctor/visitor.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "doctor/private_tmp.h"
#include "socket/scratch.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

Suite *suite_visitor(void);

static gid_t more[] = { SOME_GROUP + 1, SOME_GROUP + 2 };
static const struct visitor somebody = { .uid = SOMEBODY, .gid = SOME_GROUP, .groups = more, .group_count = 2 };

/* The kernel looks at one class alone: an owner whose mode gives nothing has nothing, whatever others have. */
static const struct {
    uid_t uid;
    gid_t gid;
    mode_t mode;
    enum visitor_class class;
    bool may_write;
} files[] = {
    { SOMEBODY, 0, 0200, VISITOR_OWNER, true },         { SOMEBODY, SOME_GROUP, 0577, VISITOR_OWNER, false },
    { 0, SOME_GROUP, 0020, VISITOR_GROUP, true },       { 0, SOME_GROUP + 2, 0020, VISITOR_GROUP, true },
    { 0, SOME_GROUP, 0757, VISITOR_GROUP, false },      { 0, 0, 0002, VISITOR_OTHERS, true },
    { 0, SOME_GROUP + 3, 0775, VISITOR_OTHERS, false }, { 0, 0, 0000, VISITOR_OTHERS, false },
};

START_TEST(has_what_the_mode_gives)
{
    struct stat file = { .st_uid = files[_i].uid, .st_gid = files[_i].gid, .st_mode = S_IFSOCK | files[_i].mode };
    struct visitor root = { .uid = 0 };

    ck_assert_int_eq(visitor_class(&somebody, &file), files[_i].class);
    ck_assert_int_eq(visitor_may(&somebody, &file, W_OK), files[_i].may_write);
    ck_assert(visitor_may(&root, &file, W_OK));
}
END_TEST

START_TEST(needs_all_that_is_wanted)
{
    struct stat file = { .st_uid = SOMEBODY, .st_mode = S_IFDIR | 0300 };

    ck_assert(visitor_may(&somebody, &file, W_OK | X_OK));
    ck_assert(!visitor_may(&somebody, &file, R_OK | X_OK));
}
END_TEST

static int who(void *data)
{
    *(bool *)data = true;
    return (int)geteuid();
}

START_TEST(is_the_caller_by_default)
{
    struct visitor visitor;
    bool here = false;

    ck_assert_int_eq(visitor_init(&visitor, NULL, NULL), 0);
    ck_assert_int_eq(visitor.kind, VISITOR_SELF);
    ck_assert_uint_eq(visitor.uid, geteuid());
    ck_assert_uint_eq(visitor.gid, getegid());
    ck_assert_int_eq(visitor_try(&visitor, who, &here), (int)geteuid());
    ck_assert(here);
    visitor_done(&visitor);
}
END_TEST

static const char *const no_users[] = { "", "no-such-user", "4294967295", "99999999999" };

START_TEST(is_a_user_that_there_is)
{
    struct visitor visitor;
    struct error error = { "" };

    ck_assert_int_eq(visitor_init(&visitor, no_users[_i], &error), -EINVAL);
    ck_assert_int_eq(strncmp(error.text, "--as: ", 6), 0);
}
END_TEST

static int groups_of_child(void *data)
{
    gid_t groups[8];
    uid_t real, effective, saved;
    int count = getgroups(8, groups);

    (void)data;
    if (getresuid(&real, &effective, &saved) < 0 || real != SOMEBODY || saved != SOMEBODY)
        return -EPERM;
    return count;
}

START_TEST(becomes_another_in_a_child)
{
    struct visitor visitor;
    bool here = false;

    ck_assert_int_eq(visitor_init(&visitor, "54321", NULL), 0);
    ck_assert_int_eq(visitor.kind, VISITOR_BECOME);
    ck_assert(visitor.nobody);
    ck_assert_str_eq(visitor.name, "54321");
    ck_assert_int_eq(visitor_try(&visitor, who, &here), SOMEBODY);
    ck_assert(!here);
    ck_assert_uint_eq(geteuid(), 0);
    ck_assert_int_eq(visitor_try(&visitor, groups_of_child, NULL), 0);
    visitor_done(&visitor);
}
END_TEST

static int hang(void *data)
{
    while (pause() < 0)
        continue;
    return 0;
}

static int crash(void *data)
{
    raise(SIGKILL);
    return 0;
}

START_TEST(waits_for_no_child)
{
    size_t fds = fds_open();
    struct visitor visitor;

    ck_assert_int_eq(visitor_init(&visitor, "54321", NULL), 0);
    ck_assert_int_eq(visitor_try(&visitor, hang, NULL), -ETIME);
    ck_assert_int_eq(visitor_try(&visitor, crash, NULL), -EPROTO);
    ck_assert_uint_eq(fds_open(), fds);
    visitor_done(&visitor);
}
END_TEST

static void cannot_become(void *data)
{
    struct visitor visitor;

    become(SOMEBODY, SOME_GROUP, NULL, 0);
    ck_assert_int_eq(visitor_init(&visitor, "root", NULL), 0);
    ck_assert_int_eq(visitor.kind, VISITOR_COMPUTED);
    visitor_done(&visitor);
}

START_TEST(computes_where_it_cannot_become)
{
    child_run(cannot_become, NULL);
}
END_TEST

static const struct {
    const char *path, *folder;
} paths[] = {
    { "/tmp/x", "/tmp" }, { "/var/tmp/x/y", "/var/tmp" }, { "/tmp", NULL },
    { "/tmpx/y", NULL },  { "/run/tmp/x", NULL },         { "/var/x", NULL },
};

START_TEST(knows_private_folders)
{
    const char *folder = private_tmp_folder(paths[_i].path);

    if (paths[_i].folder)
        ck_assert_str_eq(folder, paths[_i].folder);
    else
        ck_assert_ptr_null(folder);
}
END_TEST

Suite *suite_visitor(void)
{
    Suite *suite = suite_create("visitor");
    TCase *tests = tcase_create("visitor");

    tcase_add_loop_test(tests, has_what_the_mode_gives, 0, COUNT(files));
    tcase_add_test(tests, needs_all_that_is_wanted);
    tcase_add_test(tests, is_the_caller_by_default);
    tcase_add_loop_test(tests, is_a_user_that_there_is, 0, COUNT(no_users));
    tcase_add_loop_test(tests, knows_private_folders, 0, COUNT(paths));
    if (root_for(tests, "visitor")) {
        tcase_add_test(tests, becomes_another_in_a_child);
        tcase_add_test(tests, waits_for_no_child);
        tcase_add_test(tests, computes_where_it_cannot_become);
    }
    suite_add_tcase(suite, tests);
    return suite;
}
