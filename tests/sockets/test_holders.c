/*
 * Who holds which socket: the texts of /proc, and the sockets that we hold ourselves.
 */
#include "sockets/holders.h"

#include <check.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

Suite *suite_holders(void);

static const struct {
    const char *link;
    int r;
    uint32_t inode;
} links[] = {
    { "socket:[7]", 0, 7 },
    { "socket:[4294967295]", 0, UINT32_MAX },
    { "socket:[4294967296]", -EINVAL, 0 },
    { "socket:[]", -EINVAL, 0 },
    { "socket:[7", -EINVAL, 0 },
    { "socket:[-7]", -EINVAL, 0 },
    { "pipe:[7]", -EINVAL, 0 },
    { "/tmp/socket:[7]", -EINVAL, 0 },
    { "", -EINVAL, 0 },
};

START_TEST(reads_links)
{
    uint32_t inode = 0;

    ck_assert_int_eq(holder_link_parse(links[_i].link, strlen(links[_i].link), &inode), links[_i].r);
    ck_assert_uint_eq(inode, links[_i].inode);
}
END_TEST

static const struct {
    const char *text;
    int r;
    uid_t uid;
} statuses[] = {
    { "Name:\tx\nUid:\t0\t33\t0\t0\n", 0, 33 },
    { "Name:\tx\nUid:\t0\t4294967294\t0\t0\n", 0, 4294967294 },
    { "Name:\tx\nUid:\t0\t4294967296\t0\t0\n", -EINVAL, 0 },
    { "Name:\tUid:\t5\t5\nGid:\t0\n", -EINVAL, 0 },
    { "Name:\tx\nUid:\t0", -EINVAL, 0 },
    { "Name:\tx\nUid:\t0\t", -EINVAL, 0 },
    { "", -EINVAL, 0 },
};

START_TEST(reads_the_effective_user)
{
    uid_t uid = 0;

    ck_assert_int_eq(holder_status_parse(statuses[_i].text, &uid), statuses[_i].r);
    ck_assert_uint_eq(uid, statuses[_i].uid);
}
END_TEST

START_TEST(finds_ours)
{
    int ends[2], copy;
    struct stat number;
    struct holders holders;
    const struct holder *found;
    size_t count;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    copy = dup(ends[0]);
    ck_assert_int_eq(fstat(ends[0], &number), 0);
    ck_assert_int_eq(holders_look(&holders), 0);
    found = holders_of(&holders, (uint32_t)number.st_ino, &count);
    ck_assert_uint_eq(count, 2);
    ck_assert_int_eq(found[0].fd, ends[0]);
    ck_assert_int_eq(found[1].fd, copy);
    ck_assert_int_eq(holders.processes[found[0].process].pid, getpid());
    ck_assert_uint_eq(holders.processes[found[0].process].uid, geteuid());
    ck_assert_ptr_null(holders_of(&holders, 0, &count));
    ck_assert_uint_eq(count, 0);
    ck_assert_ptr_null(holders_of(&holders, UINT32_MAX, &count));
    holders_done(&holders);
    close(copy);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

Suite *suite_holders(void)
{
    Suite *suite = suite_create("holders");
    TCase *tests = tcase_create("holders");

    tcase_add_loop_test(tests, reads_links, 0, sizeof(links) / sizeof(links[0]));
    tcase_add_loop_test(tests, reads_the_effective_user, 0, sizeof(statuses) / sizeof(statuses[0]));
    tcase_add_test(tests, finds_ours);
    suite_add_tcase(suite, tests);
    return suite;
}
