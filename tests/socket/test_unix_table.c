/*
 * /proc/net/unix: tables as the kernel prints them, and its own held against a socket of ours.
 */
#include "socket/unix_table.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "socket/scratch.h"

#define HEADING "Num       RefCount Protocol Flags    Type St Inode Path\n"

Suite *suite_unix_table(void);

struct found {
    struct inspected sockets[4];
    size_t count;
};

static int take(const struct inspected *socket, void *data)
{
    struct found *found = data;

    ck_assert_uint_lt(found->count, 4);
    found->sockets[found->count++] = *socket;
    return 0;
}

static struct found parse(const char *text)
{
    struct found found = { .count = 0 };

    ck_assert_int_eq(unix_table_parse(text, strlen(text), take, &found), 0);
    return found;
}

START_TEST(reads_lines)
{
    struct found found = parse(HEADING "000000004ce2394b: 00000002 00000000 00010000 0001 01 64645756 /run/x y.sock\n"
                                       "0000000089c15807: 00000003 00000000 00000000 0005 03 64644976\n"
                                       "00000000c5f43cc5: 00000003 00000000 00000000 0002 01  1121 @ab@c\n");

    ck_assert_uint_eq(found.count, 3);
    ck_assert_str_eq(found.sockets[0].name, "/run/x y.sock");
    ck_assert(found.sockets[0].listening && !found.sockets[0].connected);
    ck_assert_int_eq(found.sockets[0].type, SOCK_STREAM);
    ck_assert_uint_eq(found.sockets[0].inode, 64645756);
    ck_assert_uint_eq(found.sockets[1].raw_name_size, 0);
    ck_assert(!found.sockets[1].listening && found.sockets[1].connected);
    ck_assert_int_eq(found.sockets[1].type, SOCK_SEQPACKET);
    ck_assert_str_eq(found.sockets[2].name, "@ab@c");
    ck_assert_int_eq(found.sockets[2].raw_name[0], '\0');
    ck_assert_uint_eq(found.sockets[2].inode, 1121);
}
END_TEST

START_TEST(reads_names_with_newlines)
{
    struct found found = parse(HEADING "0: 2 0 10000 0001 01 7 /a\n\nb: 2\n1: 2 0 0 0002 01 8 /c\n\n");

    ck_assert_uint_eq(found.count, 2);
    ck_assert_str_eq(found.sockets[0].name, "/a\n\nb: 2");
    ck_assert_str_eq(found.sockets[1].name, "/c\n");
}
END_TEST

static const char *const no_tables[] = { "",
                                         "\n",
                                         HEADING,
                                         HEADING "0: 2 0 0 1 1 4294967296 /x\n",
                                         HEADING "0: 2 0 0 1 1 x /x\n",
                                         HEADING "0 2 0 0 1 1 7 /x\n",
                                         HEADING "fffffffffffffffffff: 2 0 0 1 1 7 /x\n" };

START_TEST(takes_nothing_else)
{
    ck_assert_uint_eq(parse(no_tables[_i]).count, 0);
}
END_TEST

struct wanted {
    const char *path;
    struct inspected found;
};

static int take_wanted(const struct inspected *socket, void *data)
{
    struct wanted *wanted = data;

    if (strcmp(socket->name, wanted->path) != 0)
        return 0;
    wanted->found = *socket;
    return -ECANCELED;
}

START_TEST(finds_a_socket_of_ours)
{
    struct wanted wanted = { .path = scratch_path("s\nt") };
    int fd = socket_bound(wanted.path, SOCK_SEQPACKET, 3);

    ck_assert_int_eq(unix_table_each(take_wanted, &wanted), -ECANCELED);
    ck_assert(wanted.found.listening);
    ck_assert_int_eq(wanted.found.type, SOCK_SEQPACKET);
    close(fd);
    ck_assert_int_eq(unix_table_each(take_wanted, &wanted), 0);
}
END_TEST

Suite *suite_unix_table(void)
{
    Suite *suite = suite_create("unix_table");
    TCase *tests = tcase_create("unix_table");

    tcase_add_checked_fixture(tests, scratch_setup, scratch_teardown);
    tcase_add_test(tests, reads_lines);
    tcase_add_test(tests, reads_names_with_newlines);
    tcase_add_loop_test(tests, takes_nothing_else, 0, sizeof(no_tables) / sizeof(no_tables[0]));
    tcase_add_test(tests, finds_a_socket_of_ours);
    suite_add_tcase(suite, tests);
    return suite;
}
