/*
 * What the kernel tells of Unix sockets, held against sockets of our own.
 */
#include "socket/inspect.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "socket/address.h"
#include "socket/scratch.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

Suite *suite_inspect(void);

struct wanted {
    const char *name;
    struct inspected found;
    size_t count;
};

static int take(const struct inspected *socket, void *data)
{
    struct wanted *wanted = data;

    if (strcmp(socket->name, wanted->name) != 0)
        return 0;
    /* Of a listening socket and its connections, the first is wanted. */
    if (!socket->connected)
        wanted->found = *socket;
    wanted->count++;
    return 0;
}

static struct wanted look(const char *name)
{
    struct wanted wanted = { .name = name };

    ck_assert_int_eq(inspect_each(take, &wanted), 0);
    return wanted;
}

static const struct {
    int type, backlog; /* -1: does not listen */
} kinds[] = { { SOCK_STREAM, 3 }, { SOCK_STREAM, -1 }, { SOCK_SEQPACKET, 0 }, { SOCK_DGRAM, -1 } };

START_TEST(tells_type_and_file)
{
    const char *path = scratch_path("s");
    int fd = socket_bound(path, kinds[_i].type, kinds[_i].backlog);
    struct wanted wanted = look(path);
    struct stat file, other, number;

    ck_assert_uint_eq(wanted.count, 1);
    ck_assert_int_eq(wanted.found.type, kinds[_i].type);
    ck_assert_int_eq(wanted.found.listening, kinds[_i].backlog >= 0);
    ck_assert(!wanted.found.connected);
    ck_assert_int_eq(fstat(fd, &number), 0);
    ck_assert_uint_eq(wanted.found.inode, (uint32_t)number.st_ino);
    ck_assert_int_eq(stat(path, &file), 0);
    ck_assert_int_eq(stat("/", &other), 0);
    ck_assert(inspected_is_file(&wanted.found, &file));
    ck_assert(!inspected_is_file(&wanted.found, &other));
    close(fd);
    ck_assert_uint_eq(look(path).count, 0);
}
END_TEST

START_TEST(tells_the_queue)
{
    const char *path = scratch_path("s");
    int fd = socket_bound(path, SOCK_STREAM, 3), clients[2], accepted;
    struct wanted wanted;

    for (size_t i = 0; i < COUNT(clients); i++) {
        wanted = look(path);
        ck_assert(wanted.found.has_queue);
        ck_assert_uint_eq(wanted.found.queued, i);
        ck_assert_uint_eq(wanted.found.limit, 3);
        clients[i] = socket_connect(path);
        ck_assert_int_ge(clients[i], 0);
    }
    accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    wanted = look(path);
    ck_assert_uint_eq(wanted.found.queued, 1);
    ck_assert(wanted.found.listening);
    ck_assert_uint_eq(wanted.count, 2); /* with the end that was accepted */
    for (size_t i = 0; i < COUNT(clients); i++)
        close(clients[i]);
    close(accepted);
    close(fd);
}
END_TEST

START_TEST(tells_abstract_names)
{
    char name[64];
    struct address address;
    struct wanted wanted;
    int fd = address_socket(SOCK_STREAM);

    snprintf(name, sizeof(name), "@berth-inspect-%d", (int)getpid());
    ck_assert_int_eq(address_make(name, &address, NULL), 0);
    /* Without the NUL at its end, which would be one more byte of the name. */
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address.un, (socklen_t)(sizeof(sa_family_t) + strlen(name))), 0);
    wanted = look(name);
    ck_assert_uint_eq(wanted.count, 1);
    ck_assert(!wanted.found.has_file);
    close(fd);
}
END_TEST

static int stop(const struct inspected *socket, void *data)
{
    ++*(int *)data;
    return -ECANCELED;
}

START_TEST(stops_when_told)
{
    int fd = socket_bound(scratch_path("s"), SOCK_STREAM, 1), count = 0;
    size_t fds = fds_open();

    ck_assert_int_eq(inspect_each(stop, &count), -ECANCELED);
    ck_assert_int_eq(count, 1);
    ck_assert_uint_eq(fds_open(), fds);
    close(fd);
}
END_TEST

Suite *suite_inspect(void)
{
    Suite *suite = suite_create("inspect");
    TCase *tests = tcase_create("inspect");

    tcase_add_checked_fixture(tests, scratch_setup, scratch_teardown);
    tcase_add_loop_test(tests, tells_type_and_file, 0, COUNT(kinds));
    tcase_add_test(tests, tells_the_queue);
    tcase_add_test(tests, tells_abstract_names);
    tcase_add_test(tests, stops_when_told);
    suite_add_tcase(suite, tests);
    return suite;
}
