/*
 * What streams rest on in libmicrohttpd, with nothing of ours between: a reader that suspends is asked when all of the
 * head is out, what is then written to the descriptor comes behind it, the last chunk comes behind that when the reader
 * ends after a resume, and the connection can go on.
 */
#include <check.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/bare.h"

Suite *suite_stream_library(void);

#define TIMEOUT_S 60

static char reply[65536];

/* Of the one stream that there is. */
static struct MHD_Connection *streaming;
static int fd;
static unsigned int asked, completed;
static bool ends;

static ssize_t read_body(void *context, uint64_t offset, char *buffer, size_t room)
{
    (void)offset;
    (void)buffer;
    (void)room;
    asked++;
    if (ends)
        return MHD_CONTENT_READER_END_OF_STREAM;
    MHD_suspend_connection(context);
    return 0;
}

static struct MHD_Response *answer(struct MHD_Connection *connection)
{
    streaming = connection;
    fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 1, read_body, connection, NULL);
}

/* As http/daemon.c does: those that have ended are looked at in every run. */
static void request_completed(void *context, struct MHD_Connection *connection, void **request,
                              enum MHD_RequestTerminationCode how)
{
    (void)context;
    (void)request;
    ck_assert_int_eq(how, MHD_REQUEST_TERMINATED_COMPLETED_OK);
    completed++;
    MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, TIMEOUT_S + 1U);
}

static void setup(void)
{
    const struct MHD_OptionItem options[] = {
        { MHD_OPTION_CONNECTION_TIMEOUT, TIMEOUT_S, NULL },
        { MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)request_completed, NULL },
        { MHD_OPTION_END, 0, NULL },
    };

    asked = completed = 0;
    ends = false;
    bare_start(answer, options);
}

static void ask(const char *text)
{
    ck_assert_int_eq(send(client, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
    bare_run();
}

/* What has come since. */
static const char *read_more(void)
{
    ssize_t n = recv(client, reply, sizeof(reply) - 1, MSG_DONTWAIT);

    ck_assert_int_ge(n, 0);
    reply[n] = '\0';
    return reply;
}

/* The same, without the head that it begins with. */
static const char *read_reply(void)
{
    const char *end = strstr(read_more(), "\r\n\r\n");

    ck_assert_ptr_nonnull(end);
    return end + 4;
}

static void write_past(const char *text)
{
    ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static void resume_to_end(void)
{
    ends = true;
    MHD_resume_connection(streaming);
    bare_run();
}

START_TEST(comes_between_head_and_last_chunk)
{
    ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert_uint_eq(asked, 1);
    write_past("5\r\nhello\r\n");
    ck_assert_str_eq(read_reply(), "5\r\nhello\r\n");
    ck_assert_ptr_nonnull(strstr(reply, "\r\nTransfer-Encoding: chunked\r\n"));
    bare_run();
    ck_assert_uint_eq(asked, 1); /* it lets go of it */
    write_past("1\r\n!\r\n");
    resume_to_end();
    ck_assert_str_eq(read_more(), "1\r\n!\r\n0\r\n\r\n");
    ck_assert_uint_eq(completed, 1);
    ck_assert_uint_eq(closed, 0);

    ends = false;
    ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    write_past("3\r\ntwo\r\n");
    resume_to_end();
    ck_assert_str_eq(read_reply(), "3\r\ntwo\r\n0\r\n\r\n");
    ck_assert_uint_eq(completed, 2);
}
END_TEST

/* What the client has sent meanwhile is not lost. */
START_TEST(answers_what_was_sent_meanwhile)
{
    ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    ask("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    ck_assert_uint_eq(asked, 1);
    resume_to_end();
    ck_assert_uint_eq(completed, 2);
    ck_assert_uint_eq(closed, 1);
}
END_TEST

START_TEST(does_not_chunk_for_http_1_0)
{
    int quiet;

    quiet = bare_connect();
    ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    write_past("as it is");
    resume_to_end();
    ck_assert_str_eq(read_reply(), "as it is");
    ck_assert_uint_eq(closed, 1);
    ck_assert_int_eq(recv(client, reply, 1, MSG_DONTWAIT), 0);
    close(quiet);
    bare_run();
}
END_TEST

Suite *suite_stream_library(void)
{
    Suite *suite = suite_create("stream_library");
    TCase *tcase = tcase_create("stream_library");

    tcase_add_checked_fixture(tcase, setup, bare_stop);
    tcase_add_test(tcase, comes_between_head_and_last_chunk);
    tcase_add_test(tcase, answers_what_was_sent_meanwhile);
    tcase_add_test(tcase, does_not_chunk_for_http_1_0);
    suite_add_tcase(suite, tcase);
    return suite;
}
