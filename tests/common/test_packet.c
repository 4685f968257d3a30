#include "common/packet.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/packets.h"
#include "socket/scratch.h"

Suite *suite_packet(void);

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* Room for seven bytes, in two parts. */
static int ends[2];
static char first[3], second[4];
static struct iovec parts[2];
static struct packet packet;

static void setup(void)
{
    ends_open(ends);
    parts[0] = (struct iovec){ first, sizeof(first) };
    parts[1] = (struct iovec){ second, sizeof(second) };
    packet = (struct packet){ .parts = parts, .part_count = 2, .size = 77, .fds = { 77, 77 }, .fd_count = 77 };
}

static void teardown(void)
{
    ends_close(ends);
}

static void check_untouched(void)
{
    ck_assert_uint_eq(packet.size, 77);
    ck_assert_uint_eq(packet.fd_count, 77);
    ck_assert_int_eq(packet.fds[0], 77);
    ck_assert_int_eq(packet.fds[1], 77);
}

/* ---- what comes ---- */

static const struct {
    size_t size, fd_count;
    int result;
} packets[] = {
    { 1, 0, 1 },       { 3, 0, 1 },       { 4, 0, 1 },      { 7, 0, 1 }, { 8, 0, -EPROTO }, /* truncated */
    { 8, 1, -EPROTO }, { 8, 2, -EPROTO }, { 7, 1, 1 },      { 1, 2, 1 }, { 1, 3, -EPROTO },
    { 1, 4, -EPROTO }, { 1, 5, -EPROTO },                   /* more than there is room for */
    { 1, 8, -EPROTO }, { 8, 8, -EPROTO }, { 0, 0, -EPIPE }, /* an empty packet looks like the end */
    { 0, 1, -EPIPE },  { 0, 4, -EPIPE },  { 0, 8, -EPIPE },
};

START_TEST(judges_raw_packets)
{
    size_t before = fds_open();

    raw_send(ends[1], "abcdefgh", packets[_i].size, packets[_i].fd_count);
    ck_assert_int_eq(packet_receive(ends[0], &packet), packets[_i].result);
    if (packets[_i].result == 1) {
        ck_assert_uint_eq(packet.size, packets[_i].size);
        ck_assert_mem_eq(first, "abc", packet.size < 3 ? packet.size : 3);
        ck_assert_mem_eq(second, "defg", packet.size < 3 ? 0 : packet.size - 3);
        ck_assert_uint_eq(packet.fd_count, packets[_i].fd_count);
        ck_assert_uint_eq(fds_open(), before + packet.fd_count);
        for (size_t i = 0; i < packet.fd_count; i++)
            ck_assert_int_eq(fcntl(packet.fds[i], F_GETFD), FD_CLOEXEC);
        packet_close(&packet);
        ck_assert_uint_eq(packet.fd_count, 0);
    } else {
        check_untouched();
    }
    ck_assert_uint_eq(fds_open(), before);
    ck_assert_int_eq(packet_receive(ends[0], &packet), 0);
}
END_TEST

/* There is a number left for one of two: the kernel then hands over that one alone. Valgrind keeps the limit to itself,
 * and the kernel does not know it. */
START_TEST(closes_half_of_what_came)
{
    size_t before = fds_open();
    struct rlimit limit, lower;

    if (under_valgrind())
        return;
    raw_send(ends[1], "a", 1, 2);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    lower = limit;
    lower.rlim_cur = (rlim_t)dup(ends[0]) + 1;
    close((int)lower.rlim_cur - 1);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &lower), 0);
    ck_assert_int_eq(packet_receive(ends[0], &packet), -EPROTO);
    ck_assert_uint_eq(fds_open(), before);
    check_untouched();
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}
END_TEST

/* ---- what is sent ---- */

static void give(size_t fd_count)
{
    memcpy(first, "abc", sizeof(first));
    memcpy(second, "defg", sizeof(second));
    packet.fd_count = fd_count;
    packet.fds[0] = STDERR_FILENO;
    packet.fds[1] = ends[0];
}

static bool is_same_file(int a, int b)
{
    struct stat x, y;

    return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

START_TEST(carries_bytes_and_descriptors_in_order)
{
    size_t before = fds_open();

    give((size_t)_i);
    ck_assert_int_eq(packet_send(ends[1], &packet), 0);
    ck_assert_uint_eq(fds_open(), before);
    memset(first, 0, sizeof(first));
    memset(second, 0, sizeof(second));
    ck_assert_int_eq(packet_receive(ends[0], &packet), 1);
    ck_assert_uint_eq(packet.size, 7);
    ck_assert_mem_eq(first, "abc", 3);
    ck_assert_mem_eq(second, "defg", 4);
    ck_assert_uint_eq(packet.fd_count, (size_t)_i);
    ck_assert(_i < 1 || is_same_file(packet.fds[0], STDERR_FILENO));
    ck_assert(_i < 2 || is_same_file(packet.fds[1], ends[0]));
    packet_close(&packet);
    ck_assert_uint_eq(fds_open(), before);
}
END_TEST

START_TEST(sends_no_more_descriptors_than_come_through)
{
    give(PACKET_FDS_MAX + 1);
    ck_assert_int_eq(packet_send(ends[1], &packet), -EINVAL);
    ck_assert_int_eq(packet_receive(ends[0], &packet), 0);
}
END_TEST

START_TEST(does_not_wait_for_who_does_not_read)
{
    int r = 0;

    give(0);
    for (int i = 0; i < 100000 && r == 0; i++)
        r = packet_send(ends[1], &packet);
    ck_assert_int_eq(r, -EAGAIN);
}
END_TEST

/* With an address, as a service manager's socket is told things. */
START_TEST(reaches_an_address)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    socklen_t size = sizeof(address);
    int reader = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), writer = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    /* The kernel chooses a name. */
    ck_assert_int_eq(bind(reader, (struct sockaddr *)&address, sizeof(address.sun_family)), 0);
    ck_assert_int_eq(getsockname(reader, (struct sockaddr *)&address, &size), 0);
    give(1);
    packet.to = (struct sockaddr *)&address;
    packet.to_size = size;
    ck_assert_int_eq(packet_send(writer, &packet), 0);
    ck_assert_int_eq(packet_receive(reader, &packet), 1);
    ck_assert_uint_eq(packet.size, 7);
    ck_assert_uint_eq(packet.fd_count, 1);
    packet_close(&packet);
    close(reader);
    ck_assert_int_eq(packet_send(writer, &packet), -ECONNREFUSED);
    close(writer);
}
END_TEST

/* ---- ends ---- */

/* What was sent before the end is there; then the end is. */
START_TEST(sees_the_end)
{
    give(1);
    ck_assert_int_eq(packet_send(ends[1], &packet), 0);
    close(ends[1]);
    ck_assert_int_eq(packet_receive(ends[0], &packet), 1);
    packet_close(&packet);
    ck_assert_int_eq(packet_receive(ends[0], &packet), -EPIPE);
    ck_assert_int_eq(packet_receive(ends[0], &packet), -EPIPE);
    ck_assert_int_eq(packet_send(ends[0], &packet), -EPIPE);
    ends[1] = dup(ends[0]);
}
END_TEST

/* The other end is closed with something unread in it: that is a reset for the kernel, and the end for us. */
START_TEST(takes_a_reset_for_the_end)
{
    give(0);
    ck_assert_int_eq(packet_send(ends[0], &packet), 0);
    close(ends[1]);
    ck_assert_int_eq(_i == 0 ? packet_receive(ends[0], &packet) : packet_send(ends[0], &packet), -EPIPE);
    ends[1] = dup(ends[0]);
}
END_TEST

START_TEST(says_what_else_is_wrong)
{
    int file = open("/dev/null", O_RDWR | O_CLOEXEC), alone = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(packet_receive(file, &packet), -ENOTSOCK);
    check_untouched();
    give(0);
    ck_assert_int_eq(packet_send(file, &packet), -ENOTSOCK);
    ck_assert_int_eq(packet_send(alone, &packet), -EPIPE); /* never connected */
    close(file);
    close(alone);
}
END_TEST

Suite *suite_packet(void)
{
    Suite *suite = suite_create("packet");
    TCase *tcase = tcase_create("packet");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, judges_raw_packets, 0, COUNT(packets));
    tcase_add_test(tcase, closes_half_of_what_came);
    tcase_add_loop_test(tcase, carries_bytes_and_descriptors_in_order, 0, PACKET_FDS_MAX + 1);
    tcase_add_test(tcase, sends_no_more_descriptors_than_come_through);
    tcase_add_test(tcase, does_not_wait_for_who_does_not_read);
    tcase_add_test(tcase, reaches_an_address);
    tcase_add_test(tcase, sees_the_end);
    tcase_add_loop_test(tcase, takes_a_reset_for_the_end, 0, 2);
    tcase_add_test(tcase, says_what_else_is_wrong);
    suite_add_tcase(suite, tcase);
    return suite;
}
