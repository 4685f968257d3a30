/*
 * Who is at the other end: real credentials of real processes. TRAPS.md, "Identity and proxies".
 */
#include "socket/peer.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "socket/scratch.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

Suite *suite_peer(void);

enum { GROUPS_MAX = 1000, FIRST_GROUP = 70000 };

static int server = -1;

static void setup(void)
{
    scratch_setup();
    server = socket_bound(scratch_path("s"), SOCK_STREAM, 5);
    ck_assert_int_eq(chmod(scratch_path("s"), 0666), 0);
}

static void teardown(void)
{
    close(server);
    scratch_teardown();
}

START_TEST(knows_ourselves)
{
    gid_t groups[GROUPS_MAX];
    int count = getgroups(GROUPS_MAX, groups);
    struct berth_peer peer;
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    ck_assert_int_eq(peer_init(&peer, ends[0]), 0);
    ck_assert_uint_eq(peer.uid, geteuid());
    ck_assert_uint_eq(peer.gid, getegid());
    ck_assert_int_eq(peer.pid, getpid());
    ck_assert_int_eq((int)peer.group_count, count);
    for (int i = 0; i < count; i++)
        ck_assert_uint_eq(peer.groups[i], groups[i]);
    ck_assert(berth_peer_is_self(&peer));
    ck_assert(berth_peer_in_gid(&peer, getegid()));
    peer_done(&peer);
    peer_done(&peer);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

START_TEST(refuses_what_has_no_credentials)
{
    struct berth_peer untouched = { .uid = 77 };
    int fd = _i == 0 ? socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) : open("/dev/null", O_RDWR | O_CLOEXEC);
    int listening = socket_bound(scratch_path("l"), SOCK_STREAM, -1);

    ck_assert_int_eq(peer_init(&untouched, fd), _i == 0 ? -ENODATA : -ENOTSOCK);
    ck_assert_int_eq(peer_init(&untouched, listening), -ENODATA); /* neither listening nor connected: nobody's */
    ck_assert_int_eq(peer_init(&untouched, -1), -EBADF);
    ck_assert_uint_eq(untouched.uid, 77);
    close(fd);
    close(listening);
}
END_TEST

static const struct {
    uid_t uid;
    bool self; /* for whom runs under another uid than these */
} uids[] = { { 0, true }, { SOMEBODY, false }, { 65534, false }, { (uid_t)-1, false } };

START_TEST(knows_self_and_root)
{
    struct berth_peer peer = { .uid = uids[_i].uid };

    ck_assert_int_eq(berth_peer_is_self(&peer), uids[_i].self);
    peer.uid = geteuid();
    ck_assert(berth_peer_is_self(&peer) || geteuid() == 65534);
}
END_TEST

static const struct {
    gid_t gid;
    bool in;
} gids[] = { { 10, true }, { 11, true }, { 13, true }, { 14, false }, { 0, false }, { 65534, false } };

START_TEST(knows_all_groups)
{
    static const gid_t groups[] = { 11, 65534, 13 };
    struct berth_peer peer = { .gid = 10, .groups = groups, .group_count = 3 };
    struct berth_peer nobody = { .gid = 65534 };

    ck_assert_int_eq(berth_peer_in_gid(&peer, gids[_i].gid), gids[_i].in);
    ck_assert(!berth_peer_in_gid(&nobody, 65534));
    ck_assert(!berth_peer_in_gid(&nobody, 0));
}
END_TEST

/* More names than are remembered, twice: the second time some are looked up again. */
START_TEST(knows_groups_by_name)
{
    static const gid_t groups[] = { 11, 65534 };
    struct berth_peer peer = { .groups = groups, .group_count = 2 };
    struct berth_peer proxied = { .groups = groups, .group_count = 2, .proxied = true };
    char name[32];

    for (int round = 0; round < 200; round++) {
        ck_assert(berth_peer_in_group(&peer, "root"));
        ck_assert(berth_peer_in_group(&peer, "0"));
        ck_assert(berth_peer_in_group(&peer, "11"));
        ck_assert(!berth_peer_in_group(&peer, "12"));
        ck_assert(!berth_peer_in_group(&peer, "65534"));
        ck_assert(!berth_peer_in_group(&peer, ""));
        ck_assert(!berth_peer_in_group(&proxied, "root"));
        snprintf(name, sizeof(name), "no-such-group-%d", round % 100);
        ck_assert(!berth_peer_in_group(&peer, name));
    }
}
END_TEST

/* What comes through a proxy is nobody's of those whom the proxy is. */
START_TEST(knows_a_proxy_as_nobody)
{
    struct berth_peer peer = { .uid = 0, .gid = 10 };

    ck_assert(berth_peer_is_self(&peer));
    ck_assert(berth_peer_in_gid(&peer, 10));
    peer.proxied = true;
    ck_assert(!berth_peer_is_self(&peer));
    ck_assert(!berth_peer_in_gid(&peer, 10));
}
END_TEST

/* ---- pidfd ---------------------------------------------------------------------------------------------------- */

static void connect_and_wait(void *data)
{
    (void)data;
    if (socket_connect(scratch_path("s")) < 0)
        _exit(1);
    child_ready();
    pause();
}

static int accept_peer(struct berth_peer *ret_peer)
{
    int fd = accept4(server, NULL, NULL, SOCK_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(peer_init(ret_peer, fd), 0);
    return fd;
}

START_TEST(gives_a_pidfd)
{
    pid_t pid = child_start(connect_and_wait, NULL);
    struct berth_peer peer;
    size_t fds;
    int fd = accept_peer(&peer), pidfd;
    struct pollfd poller = { .events = POLLIN };

    ck_assert_int_eq(peer.pid, pid);
    fds = fds_open();
    pidfd = berth_peer_pidfd(&peer);
    if (pidfd == -ENOPROTOOPT) { /* a kernel before 6.5 */
        fprintf(stderr, "peer: no SO_PEERPIDFD in this kernel\n");
    } else {
        ck_assert_int_ge(pidfd, 0);
        ck_assert_int_eq(berth_peer_pidfd(&peer), pidfd);
        ck_assert_uint_eq(fds_open(), fds + 1);
        ck_assert_int_eq(fcntl(pidfd, F_GETFD), FD_CLOEXEC);
        poller.fd = pidfd;
        ck_assert_int_eq(poll(&poller, 1, 0), 0);
        child_kill(pid);
        ck_assert_int_eq(poll(&poller, 1, 0), 1);
        pid = 0;
    }
    peer_done(&peer);
    ck_assert_uint_eq(fds_open(), fds);
    if (pid != 0)
        child_kill(pid);
    close(fd);
}
END_TEST

/* Some kernels still have a pidfd for a process that is gone; none may call it alive. */
START_TEST(gives_no_pidfd_of_the_living_for_the_dead)
{
    struct berth_peer peer;
    struct pollfd poller = { .events = POLLIN };
    int fd, pidfd;

    child_kill(child_start(connect_and_wait, NULL));
    fd = accept_peer(&peer);
    pidfd = berth_peer_pidfd(&peer);
    if (pidfd >= 0) {
        poller.fd = pidfd;
        ck_assert_int_eq(poll(&poller, 1, 0), 1);
    } else {
        ck_assert(pidfd == -ESRCH || pidfd == -ENOPROTOOPT);
    }
    peer_done(&peer);
    close(fd);
}
END_TEST

/* ---- As root: other people ------------------------------------------------------------------------------------ */

static void connect_with_groups(void *data)
{
    size_t count = *(const size_t *)data;
    gid_t groups[GROUPS_MAX];

    for (size_t i = 0; i < count; i++)
        groups[i] = (gid_t)(FIRST_GROUP + i);
    if (setgroups(count, groups) < 0 || setresgid(SOME_GROUP, SOME_GROUP, SOME_GROUP) < 0 ||
        setresuid(SOMEBODY, SOMEBODY, 0) < 0)
        _exit(1);
    if (socket_connect(scratch_path("s")) < 0)
        _exit(2);
    /* What becomes of the process afterwards is another matter. */
    if (setresuid(0, 0, 0) < 0 || setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0)
        _exit(3);
    child_ready();
    pause();
}

static size_t group_counts[] = { 0, 1, 2, 32, 33, 63, 64, 65, 66, GROUPS_MAX };

START_TEST(takes_credentials_as_of_the_connect)
{
    size_t count = group_counts[_i];
    pid_t pid = child_start(connect_with_groups, &count);
    struct berth_peer peer;
    int fd = accept_peer(&peer);

    ck_assert_int_eq(peer.pid, pid);
    ck_assert_uint_eq(peer.uid, SOMEBODY);
    ck_assert_uint_eq(peer.gid, SOME_GROUP);
    ck_assert_uint_eq(peer.group_count, count);
    for (size_t i = 0; i < count; i++)
        ck_assert(berth_peer_in_gid(&peer, (gid_t)(FIRST_GROUP + i)));
    ck_assert(berth_peer_in_gid(&peer, SOME_GROUP));
    ck_assert(!berth_peer_in_gid(&peer, (gid_t)(FIRST_GROUP + count)));
    ck_assert(!berth_peer_in_gid(&peer, 0));
    ck_assert(!berth_peer_is_self(&peer));
    peer_done(&peer);
    child_kill(pid);
    close(fd);
}
END_TEST

static void ask_as_ordinary_user(void *data)
{
    struct berth_peer peer = { .uid = SOMEBODY };

    (void)data;
    become(SOMEBODY, SOMEBODY, NULL, 0);
    if (!berth_peer_is_self(&peer))
        _exit(1);
    peer.uid = 0;
    if (!berth_peer_is_self(&peer))
        _exit(2);
    peer.uid = SOMEBODY + 1;
    if (berth_peer_is_self(&peer))
        _exit(3);
}

START_TEST(knows_an_ordinary_self)
{
    child_run(ask_as_ordinary_user, NULL);
}
END_TEST

/* A server that runs as the overflow uid cannot tell its own from the strangers of other user namespaces. */
static void ask_as_overflow(void *data)
{
    struct berth_peer peer = { .uid = 65534 };

    (void)data;
    become(65534, 65534, NULL, 0);
    if (berth_peer_is_self(&peer))
        _exit(1);
}

START_TEST(takes_no_stranger_for_itself)
{
    child_run(ask_as_overflow, NULL);
}
END_TEST

Suite *suite_peer(void)
{
    Suite *suite = suite_create("peer");
    TCase *tests = tcase_create("peer");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, knows_ourselves);
    tcase_add_loop_test(tests, refuses_what_has_no_credentials, 0, 2);
    tcase_add_loop_test(tests, knows_self_and_root, 0, COUNT(uids));
    tcase_add_loop_test(tests, knows_all_groups, 0, COUNT(gids));
    tcase_add_test(tests, knows_groups_by_name);
    tcase_add_test(tests, knows_a_proxy_as_nobody);
    tcase_add_test(tests, gives_a_pidfd);
    tcase_add_test(tests, gives_no_pidfd_of_the_living_for_the_dead);
    if (root_for(tests, "peer")) {
        tcase_add_loop_test(tests, takes_credentials_as_of_the_connect, 0, COUNT(group_counts));
        tcase_add_test(tests, knows_an_ordinary_self);
        tcase_add_test(tests, takes_no_stranger_for_itself);
    }
    suite_add_tcase(suite, tests);
    return suite;
}
