/*
 * What taking a connection over rests on in libmicrohttpd, with nothing of ours between: a head without framing goes
 * out, NOTIFY_COMPLETED comes when it is out, and then the descriptor is closed without shutdown(2) and after it was
 * taken out of the epoll set, so that a duplicate goes on and makes no events there.
 */
#include <check.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/bare.h"

Suite *suite_takeover(void);

static int duplicate;
static char reply[4096];
static size_t reply_size, size_when_completed;
static unsigned int completed;

static ssize_t ends_at_once(void *context, uint64_t offset, char *buffer, size_t room)
{
    (void)context;
    (void)offset;
    (void)buffer;
    (void)room;
    return MHD_CONTENT_READER_END_OF_STREAM;
}

static struct MHD_Response *answer(struct MHD_Connection *connection)
{
    struct MHD_Response *response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 1024, ends_at_once, NULL, NULL);

    duplicate =
        fcntl(MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd, F_DUPFD_CLOEXEC, 0);
    MHD_set_response_options(response, MHD_RF_HTTP_VERSION_1_0_ONLY, MHD_RO_END);
    MHD_add_response_header(response, "Content-Type", "application/x-ndjson");
    return response;
}

static void client_reads(void)
{
    ssize_t n = recv(client, reply + reply_size, sizeof(reply) - 1 - reply_size, MSG_DONTWAIT);

    if (n > 0)
        reply_size += (size_t)n;
    reply[reply_size] = '\0';
}

static void request_completed(void *context, struct MHD_Connection *connection, void **request,
                              enum MHD_RequestTerminationCode how)
{
    (void)context;
    (void)connection;
    (void)request;
    ck_assert_int_eq(how, MHD_REQUEST_TERMINATED_COMPLETED_OK);
    client_reads();
    size_when_completed = reply_size;
    completed++;
}

static void setup(void)
{
    const struct MHD_OptionItem options[] = {
        { MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)request_completed, NULL },
        { MHD_OPTION_END, 0, NULL },
    };

    duplicate = -1;
    reply_size = size_when_completed = completed = 0;
    bare_start(answer, options);
}

static void teardown(void)
{
    close(duplicate);
    bare_stop();
}

/* The connection is read from epoll, so that it is in the set: first it has nothing to say. */
static void ask(void)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

    bare_run();
    ck_assert_int_eq(send(client, request, sizeof(request) - 1, 0), sizeof(request) - 1);
    bare_run();
    client_reads();
    ck_assert_uint_eq(completed, 1);
    ck_assert_uint_eq(closed, 1);
}

START_TEST(sends_a_head_without_framing_before_it_completes)
{
    ask();
    ck_assert_uint_eq(size_when_completed, reply_size);
    ck_assert_msg(strncmp(reply, "HTTP/1.1 200 OK\r\n", 17) == 0, "%s", reply);
    ck_assert_ptr_nonnull(strstr(reply, "\r\nConnection: close\r\n"));
    ck_assert_ptr_nonnull(strstr(reply, "\r\nContent-Type: application/x-ndjson\r\n"));
    ck_assert_ptr_null(strcasestr(reply, "transfer-encoding"));
    ck_assert_ptr_null(strcasestr(reply, "content-length"));
    ck_assert_str_eq(reply + reply_size - 4, "\r\n\r\n");
}
END_TEST

START_TEST(closes_without_shutdown)
{
    char byte;
    struct pollfd watched = { .fd = client, .events = POLLIN | POLLRDHUP };

    ask();
    ck_assert_int_eq(poll(&watched, 1, 0), 0);
    ck_assert_int_eq(send(duplicate, "x", 1, MSG_NOSIGNAL), 1);
    ck_assert_int_eq(recv(client, &byte, 1, MSG_DONTWAIT), 1);
    ck_assert_int_eq(send(client, "y", 1, MSG_NOSIGNAL), 1);
    ck_assert_int_eq(recv(duplicate, &byte, 1, MSG_DONTWAIT), 1);
    /* Our closing is what ends it. */
    close(duplicate);
    duplicate = -1;
    ck_assert_int_eq(recv(client, &byte, 1, MSG_DONTWAIT), 0);
}
END_TEST

START_TEST(leaves_nothing_in_its_epoll)
{
    struct pollfd epoll = { .fd = MHD_get_daemon_info(library, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, .events = POLLIN };

    ask();
    ck_assert_int_eq(poll(&epoll, 1, 0), 0);
    ck_assert_int_eq(send(client, "more", 4, MSG_NOSIGNAL), 4);
    ck_assert_int_eq(poll(&epoll, 1, 0), 0);
    close(client);
    client = -1;
    ck_assert_int_eq(poll(&epoll, 1, 0), 0);
    bare_run();
    ck_assert_uint_eq(MHD_get_daemon_info(library, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)->num_connections, 0);
}
END_TEST

Suite *suite_takeover(void)
{
    Suite *suite = suite_create("takeover");
    TCase *tcase = tcase_create("what it rests on");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, sends_a_head_without_framing_before_it_completes);
    tcase_add_test(tcase, closes_without_shutdown);
    tcase_add_test(tcase, leaves_nothing_in_its_epoll);
    suite_add_tcase(suite, tcase);
    return suite;
}
