/*
 * What we tell the service manager, received as it would.
 */
#include "socket/notify.h"

#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "socket/scratch.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

Suite *suite_notify(void);

static char abstract[109];

static int receiver_abstract(size_t length)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    snprintf(abstract, sizeof(abstract), "@berth-test-%d-", (int)getpid());
    memset(abstract + strlen(abstract), 'x', length - strlen(abstract));
    memcpy(address.sun_path + 1, abstract + 1, length - 1);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(
        bind(fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)), 0);
    return fd;
}

static const char *received(int fd)
{
    static char text[512];
    ssize_t size = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);

    ck_assert_int_ge(size, 0);
    text[size] = '\0';
    return text;
}

static struct notify *notify_to(const char *where)
{
    struct notify *notify = NULL;

    ck_assert_int_eq(setenv("NOTIFY_SOCKET", where, 1), 0);
    ck_assert_int_eq(notify_open(&notify), 0);
    ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
    return notify;
}

START_TEST(sends_to_a_path)
{
    int fd = socket_bound(scratch_path("n"), SOCK_DGRAM, -1);
    struct notify *notify = notify_to(scratch_path("n"));

    ck_assert_int_eq(notify_send(notify, "READY=1\nSTATUS=%d workers", 4), 0);
    ck_assert_str_eq(received(fd), "READY=1\nSTATUS=4 workers");
    notify_free(notify);
    close(fd);
}
END_TEST

START_TEST(sends_to_an_abstract_name)
{
    int fd = receiver_abstract(_i == 0 ? 40 : 108);
    struct notify *notify = notify_to(abstract);

    ck_assert_int_eq(notify_send(notify, "STOPPING=1"), 0);
    ck_assert_str_eq(received(fd), "STOPPING=1");
    notify_free(notify);
    close(fd);
}
END_TEST

START_TEST(sends_nowhere_without_an_address)
{
    struct notify *notify = NULL;

    unsetenv("NOTIFY_SOCKET");
    if (_i == 1)
        setenv("NOTIFY_SOCKET", "", 1);
    ck_assert_int_eq(notify_open(&notify), 0);
    ck_assert_int_eq(notify_send(notify, "READY=1"), 0);
    ck_assert_int_eq(notify_reloading(notify), 0);
    ck_assert_uint_eq(notify_watchdog_usec(notify), 0);
    notify_free(notify);
    notify_free(NULL);
}
END_TEST

START_TEST(refuses_what_is_no_address)
{
    static const char *const addresses[] = { "relative", "/", "@", "vsock:2:1234", "long", "@long" };
    char text[200];
    struct notify *notify = NULL;

    strcpy(text, addresses[_i]);
    if (strcmp(text, "long") == 0)
        snprintf(text, sizeof(text), "/%0107d", 0);
    if (strcmp(text, "@long") == 0)
        snprintf(text, sizeof(text), "@%0108d", 0);
    setenv("NOTIFY_SOCKET", text, 1);
    setenv("WATCHDOG_USEC", "1", 1);
    ck_assert_int_eq(notify_open(&notify), -EINVAL);
    ck_assert_ptr_null(notify);
    ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
    ck_assert_ptr_null(getenv("WATCHDOG_USEC"));
}
END_TEST

START_TEST(says_when_it_reloads)
{
    int fd = socket_bound(scratch_path("n"), SOCK_DGRAM, -1);
    struct notify *notify = notify_to(scratch_path("n"));
    struct timespec before, after;
    uint64_t usec;

    ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &before), 0);
    ck_assert_int_eq(notify_reloading(notify), 0);
    ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &after), 0);
    ck_assert_int_eq(sscanf(received(fd), "RELOADING=1\nMONOTONIC_USEC=%" SCNu64, &usec), 1);
    ck_assert_uint_ge(usec, (uint64_t)before.tv_sec * 1000000 + (uint64_t)before.tv_nsec / 1000);
    ck_assert_uint_le(usec, (uint64_t)after.tv_sec * 1000000 + (uint64_t)after.tv_nsec / 1000);
    notify_free(notify);
    close(fd);
}
END_TEST

/* Whatever becomes of the other side: no signal, no waiting; and what is there again is told again. */
START_TEST(survives_a_manager_that_goes_and_comes)
{
    int fd = socket_bound(scratch_path("n"), SOCK_DGRAM, -1);
    struct notify *notify = notify_to(scratch_path("n"));
    int r = 0;

    for (int i = 0; i < 1000000 && r == 0; i++)
        r = notify_send(notify, "WATCHDOG=1");
    ck_assert_int_eq(r, -EAGAIN);
    close(fd);
    ck_assert_int_eq(notify_send(notify, "WATCHDOG=1"), -ECONNREFUSED);
    ck_assert_int_eq(unlink(scratch_path("n")), 0);
    ck_assert_int_eq(notify_send(notify, "WATCHDOG=1"), -ENOENT);
    fd = socket_bound(scratch_path("n"), SOCK_DGRAM, -1);
    ck_assert_int_eq(notify_send(notify, "WATCHDOG=1"), 0);
    ck_assert_str_eq(received(fd), "WATCHDOG=1");
    notify_free(notify);
    close(fd);
}
END_TEST

START_TEST(gives_a_descriptor_to_the_store)
{
    int fd = socket_bound(scratch_path("n"), SOCK_DGRAM, -1);
    struct notify *notify = notify_to(scratch_path("n"));
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = { .bytes = { 0 } };
    char text[64] = "", name[200];
    struct iovec part = { .iov_base = text, .iov_len = sizeof(text) - 1 };
    struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes };
    struct stat given, received_one;
    int stored;

    header.msg_controllen = sizeof(control.bytes);
    ck_assert_int_eq(notify_store_fd(notify, "my-log", STDERR_FILENO), 0);
    ck_assert_int_gt(recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC), 0);
    ck_assert_str_eq(text, "FDSTORE=1\nFDNAME=my-log");
    ck_assert_ptr_nonnull(CMSG_FIRSTHDR(&header));
    memcpy(&stored, CMSG_DATA(CMSG_FIRSTHDR(&header)), sizeof(stored));
    ck_assert_int_eq(fstat(STDERR_FILENO, &given), 0);
    ck_assert_int_eq(fstat(stored, &received_one), 0);
    ck_assert_uint_eq(given.st_ino, received_one.st_ino);
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    ck_assert_int_eq(notify_store_fd(notify, name, STDERR_FILENO), -EINVAL);
    notify_free(notify);
    close(stored);
    close(fd);
}
END_TEST

static const struct {
    const char *usec, *pid;
    int r;
    uint64_t expected;
} watchdogs[] = {
    { "30000000", "self", 0, 30000000 }, { "30000000", NULL, 0, 30000000 },
    { "30000000", "1", 0, 0 },           { NULL, "self", 0, 0 },
    { "0", "self", -EINVAL, 0 },         { "30s", "self", -EINVAL, 0 },
    { "", "self", -EINVAL, 0 },          { "1", "", -EINVAL, 0 },
    { "1", "-1", -EINVAL, 0 },           { "18446744073709551616", NULL, -EINVAL, 0 },
};

START_TEST(knows_its_watchdog)
{
    struct notify *notify = NULL;
    char self[16];

    snprintf(self, sizeof(self), "%d", (int)getpid());
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    if (watchdogs[_i].usec != NULL)
        setenv("WATCHDOG_USEC", watchdogs[_i].usec, 1);
    if (watchdogs[_i].pid != NULL)
        setenv("WATCHDOG_PID", strcmp(watchdogs[_i].pid, "self") == 0 ? self : watchdogs[_i].pid, 1);
    ck_assert_int_eq(notify_open(&notify), watchdogs[_i].r);
    ck_assert_ptr_null(getenv("WATCHDOG_USEC"));
    ck_assert_ptr_null(getenv("WATCHDOG_PID"));
    if (notify != NULL)
        ck_assert_uint_eq(notify_watchdog_usec(notify), watchdogs[_i].expected);
    notify_free(notify);
}
END_TEST

Suite *suite_notify(void)
{
    Suite *suite = suite_create("notify");
    TCase *tests = tcase_create("notify");

    tcase_add_checked_fixture(tests, scratch_setup, scratch_teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, sends_to_a_path);
    tcase_add_loop_test(tests, sends_to_an_abstract_name, 0, 2);
    tcase_add_loop_test(tests, sends_nowhere_without_an_address, 0, 2);
    tcase_add_loop_test(tests, refuses_what_is_no_address, 0, 6);
    tcase_add_test(tests, says_when_it_reloads);
    tcase_add_test(tests, gives_a_descriptor_to_the_store);
    tcase_add_test(tests, survives_a_manager_that_goes_and_comes);
    tcase_add_loop_test(tests, knows_its_watchdog, 0, COUNT(watchdogs));
    suite_add_tcase(suite, tests);
    return suite;
}
