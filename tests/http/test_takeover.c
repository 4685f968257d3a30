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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FOLDER "/tmp/berth-takeover-XXXXXX"

Suite *suite_takeover(void);

/* Runs in which libmicrohttpd has to have done what it can. */
#define RUNS 10

static struct MHD_Daemon *library;
static int client, duplicate;
static char folder[sizeof(FOLDER)];
static struct sockaddr_un address = { .sun_family = AF_UNIX };
static char reply[4096];
static size_t reply_size, size_when_completed;
static unsigned int completed, closed;

static ssize_t ends_at_once(void *context, uint64_t offset, char *buffer, size_t room)
{
    (void)context;
    (void)offset;
    (void)buffer;
    (void)room;
    return MHD_CONTENT_READER_END_OF_STREAM;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *data, size_t *size, void **request)
{
    struct MHD_Response *response;
    enum MHD_Result result;

    (void)context;
    (void)url;
    (void)method;
    (void)version;
    (void)data;
    (void)size;
    if (!*request) {
        *request = &library;
        return MHD_YES;
    }
    duplicate =
        fcntl(MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd, F_DUPFD_CLOEXEC, 0);
    response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 1024, ends_at_once, NULL, NULL);
    MHD_set_response_options(response, MHD_RF_HTTP_VERSION_1_0_ONLY, MHD_RO_END);
    MHD_add_response_header(response, "Content-Type", "application/x-ndjson");
    result = MHD_queue_response(connection, 200, response);
    MHD_destroy_response(response);
    return result;
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

static void connection_changed(void *context, struct MHD_Connection *connection, void **data,
                               enum MHD_ConnectionNotificationCode what)
{
    (void)context;
    (void)connection;
    (void)data;
    closed += what == MHD_CONNECTION_NOTIFY_CLOSED;
}

static void run_library(void)
{
    for (int run = 0; run < RUNS; run++)
        ck_assert_int_eq(MHD_run(library), MHD_YES);
}

static void setup(void)
{
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    memcpy(folder, FOLDER, sizeof(folder));
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", folder);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(listener, 8), 0);
    library = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO, 0, NULL, NULL, handle, NULL, //
                               MHD_OPTION_LISTEN_SOCKET, listener,                                                    //
                               MHD_OPTION_NOTIFY_CONNECTION, connection_changed, NULL,                                //
                               MHD_OPTION_NOTIFY_COMPLETED, request_completed, NULL,                                  //
                               MHD_OPTION_END);
    ck_assert_ptr_nonnull(library);
    client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
    duplicate = -1;
    reply_size = size_when_completed = completed = closed = 0;
}

static void teardown(void)
{
    close(client);
    close(duplicate);
    MHD_stop_daemon(library);
    unlink(address.sun_path);
    rmdir(folder);
}

/* The connection is read from epoll, so that it is in the set: first it has nothing to say. */
static void ask(void)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

    run_library();
    ck_assert_int_eq(send(client, request, sizeof(request) - 1, 0), sizeof(request) - 1);
    run_library();
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
    run_library();
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
