#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "common/contract.h"
#include "common/packets.h"
#include "socket/scratch.h"

Suite *suite_control(void);

static int ends[2]; /* ends[0] is the supervisor's, ends[1] the worker's */

/* ---- who may send what ---- */

static const struct {
    enum control_type type;
    enum control_side sender;
    bool body, fd;
} permitted[] = {
    { CONTROL_PING, CONTROL_SUPERVISOR, false, false },      { CONTROL_DRAIN, CONTROL_SUPERVISOR, false, false },
    { CONTROL_STOP, CONTROL_SUPERVISOR, false, false },      { CONTROL_LOG, CONTROL_SUPERVISOR, true, true },
    { CONTROL_READY, CONTROL_WORKER, true, false },          { CONTROL_PONG, CONTROL_WORKER, false, false },
    { CONTROL_FAILED, CONTROL_WORKER, true, false },         { CONTROL_BUSY, CONTROL_WORKER, false, false },
    { CONTROL_IDLE, CONTROL_WORKER, false, false },          { CONTROL_RETIRE, CONTROL_WORKER, false, false },
    { CONTROL_EVENTS, CONTROL_WORKER, false, false },        { CONTROL_EVENT_LOG, CONTROL_SUPERVISOR, false, true },
    { CONTROL_RENDEZVOUS, CONTROL_SUPERVISOR, false, true },
};
enum { TYPES = sizeof(permitted) / sizeof(permitted[0]) };

/* Each type from each side, with and without a body and a descriptor: one case in eight is what the table says. */
START_TEST(passes_what_is_permitted_and_nothing_else)
{
    enum control_type type = permitted[_i / 8].type;
    enum control_side sender = _i & 1 ? CONTROL_WORKER : CONTROL_SUPERVISOR;
    bool with_body = _i & 2, with_fd = _i & 4;
    bool allowed =
        sender == permitted[_i / 8].sender && (!with_body || permitted[_i / 8].body) && with_fd == permitted[_i / 8].fd;
    struct control_message message = { .fd = 77, .size = 77 };
    uint32_t wire[2] = { type, 0x2e2e2e2e };
    size_t before;
    int r;

    ends_open(ends);
    before = fds_open();
    r = control_send(ends[sender], sender, type, with_body ? "...." : NULL, with_fd ? STDERR_FILENO : -1);
    ck_assert_int_eq(r, allowed ? 0 : -EINVAL);
    if (r < 0) /* and a sender that does not know the table is not believed */
        raw_send(ends[sender], wire, with_body ? 8 : 4, with_fd);
    r = control_receive(ends[!sender], !sender, &message);
    ck_assert_int_eq(r, allowed ? 1 : -EPROTO);
    if (!allowed) {
        ck_assert_int_eq(message.fd, 77);
        ck_assert_uint_eq(message.size, 77);
    } else {
        ck_assert_int_eq(message.type, type);
        ck_assert_str_eq(message.body, with_body ? "...." : "");
        ck_assert_uint_eq(message.size, strlen(message.body));
        ck_assert_int_eq(message.fd >= 0, with_fd);
    }
    ck_assert_uint_eq(fds_open(), before + (allowed && with_fd));
    if (allowed && with_fd) {
        ck_assert_int_eq(fcntl(message.fd, F_GETFD), FD_CLOEXEC);
        close(message.fd);
    }
    ck_assert_int_eq(control_receive(ends[!sender], !sender, &message), 0);
    ends_close(ends);
}
END_TEST

/* ---- packets that are none ---- */

static const struct {
    size_t size;
    uint32_t type;
    size_t fd_count;
    int result;
} packets[] = {
    { 0, 0, 0, -EPIPE }, /* an empty packet looks like the end */
    { 0, 0, 3, -EPIPE },
    { 0, 0, 4, -EPIPE },
    { 1, CONTROL_READY, 0, -EPROTO },
    { 3, CONTROL_READY, 0, -EPROTO },
    { 3, CONTROL_READY, 2, -EPROTO },
    { 4, CONTROL_READY, 0, 1 },
    { 4, CONTROL_READY, 1, -EPROTO },
    { 4, CONTROL_READY, 4, -EPROTO },
    { 4, CONTROL_READY, 8, -EPROTO }, /* more than there is room for */
    { 5, CONTROL_READY, 0, 1 },
    { 5, CONTROL_PONG, 0, -EPROTO },
    { 4, 0, 0, -EPROTO },
    { 4, CONTROL_RENDEZVOUS + 1, 0, -EPROTO },
    { 4, UINT32_MAX, 0, -EPROTO },
    { 4, (uint32_t)CONTROL_READY << 24, 0, -EPROTO },
    { 4, CONTROL_FAILED, 0, 1 },
    { 4 + CONTROL_BODY_MAX, CONTROL_FAILED, 0, 1 },
    { 4 + CONTROL_BODY_MAX + 1, CONTROL_FAILED, 0, -EPROTO },
    { 4000, CONTROL_FAILED, 0, -EPROTO },
    { 4000, CONTROL_FAILED, 8, -EPROTO },
};

START_TEST(judges_raw_packets)
{
    char bytes[4096];
    struct control_message message = { .fd = -1 };
    size_t before;

    ends_open(ends);
    before = fds_open();
    memset(bytes, 'x', sizeof(bytes));
    memcpy(bytes, &packets[_i].type, sizeof(packets[_i].type));
    raw_send(ends[1], bytes, packets[_i].size, packets[_i].fd_count);
    ck_assert_int_eq(control_receive(ends[0], CONTROL_SUPERVISOR, &message), packets[_i].result);
    ck_assert_uint_eq(fds_open(), before);
    if (packets[_i].result == 1) {
        ck_assert_uint_eq(message.size, packets[_i].size - 4);
        ck_assert_uint_eq(strlen(message.body), message.size);
    }
    ends_close(ends);
}
END_TEST

START_TEST(log_takes_exactly_one_descriptor)
{
    uint32_t type = CONTROL_LOG;
    struct control_message message = { .fd = -1 };
    size_t before;

    ends_open(ends);
    before = fds_open();
    raw_send(ends[0], &type, sizeof(type), (size_t)_i);
    ck_assert_int_eq(control_receive(ends[1], CONTROL_WORKER, &message), _i == 1 ? 1 : -EPROTO);
    ck_assert_uint_eq(fds_open(), before + (_i == 1));
    if (_i == 1)
        close(message.fd);
    ends_close(ends);
}
END_TEST

/* ---- the channel's ends ---- */

START_TEST(says_nothing_then_what_was_sent_then_the_end)
{
    struct control_message message;

    ends_open(ends);
    ck_assert_int_eq(control_receive(ends[0], CONTROL_SUPERVISOR, &message), 0);
    ck_assert_int_eq(control_send(ends[1], CONTROL_WORKER, CONTROL_FAILED, "no luck", -1), 0);
    close(ends[1]);
    ck_assert_int_eq(control_receive(ends[0], CONTROL_SUPERVISOR, &message), 1);
    ck_assert_str_eq(message.body, "no luck");
    ck_assert_int_eq(control_receive(ends[0], CONTROL_SUPERVISOR, &message), -EPIPE);
    ck_assert_int_eq(control_receive(ends[0], CONTROL_SUPERVISOR, &message), -EPIPE);
    close(ends[0]);
}
END_TEST

/* The other end is closed with something unread in it: that is a reset for the kernel, and the end for us. */
START_TEST(takes_a_reset_for_the_end)
{
    struct control_message message;

    ends_open(ends);
    ck_assert_int_eq(control_send(ends[0], CONTROL_SUPERVISOR, CONTROL_PING, NULL, -1), 0);
    close(ends[1]);
    ck_assert_int_eq(control_receive(ends[0], CONTROL_SUPERVISOR, &message), -EPIPE);
    ck_assert_int_eq(control_send(ends[0], CONTROL_SUPERVISOR, CONTROL_PING, NULL, -1), -EPIPE);
    close(ends[0]);
}
END_TEST

START_TEST(does_not_wait_for_who_does_not_read)
{
    int r = 0;

    ends_open(ends);
    for (int i = 0; i < 100000 && r == 0; i++)
        r = control_send(ends[0], CONTROL_SUPERVISOR, CONTROL_PING, NULL, -1);
    ck_assert_int_eq(r, -EAGAIN);
    ends_close(ends);
}
END_TEST

START_TEST(refuses_a_body_that_is_too_long)
{
    char body[CONTROL_BODY_MAX + 2];
    struct control_message message;

    ends_open(ends);
    memset(body, 'x', sizeof(body));
    body[CONTROL_BODY_MAX + 1] = '\0';
    ck_assert_int_eq(control_send(ends[1], CONTROL_WORKER, CONTROL_FAILED, body, -1), -EMSGSIZE);
    body[CONTROL_BODY_MAX] = '\0';
    ck_assert_int_eq(control_send(ends[1], CONTROL_WORKER, CONTROL_FAILED, body, -1), 0);
    ck_assert_int_eq(control_receive(ends[0], CONTROL_SUPERVISOR, &message), 1);
    ck_assert_str_eq(message.body, body);
    ends_close(ends);
}
END_TEST

Suite *suite_control(void)
{
    Suite *suite = suite_create("control");
    TCase *tcase = tcase_create("control");

    tcase_add_loop_test(tcase, passes_what_is_permitted_and_nothing_else, 0, TYPES * 8);
    tcase_add_loop_test(tcase, judges_raw_packets, 0, sizeof(packets) / sizeof(packets[0]));
    tcase_add_loop_test(tcase, log_takes_exactly_one_descriptor, 0, 3);
    tcase_add_test(tcase, says_nothing_then_what_was_sent_then_the_end);
    tcase_add_test(tcase, takes_a_reset_for_the_end);
    tcase_add_test(tcase, does_not_wait_for_who_does_not_read);
    tcase_add_test(tcase, refuses_a_body_that_is_too_long);
    suite_add_tcase(suite, tcase);
    return suite;
}
