/*
 * What a server answers: HTTP or not, at whatever sizes it comes.
 */
#include "doctor/answer.h"

#include <check.h>
#include <errno.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LONG         "0123456789012345678901234567890123456789012345678901234567890123456789"
#define LONG_CUT     "012345678901234567890123456789012345678901234567890123456789012"

Suite *suite_answer(void);

static const struct {
    const char *bytes;
    struct answer answer;
} heads[] = {
    { "HTTP/1.1 200 OK\r\n\r\n", { .status = 200, .reason = "OK" } },
    { "HTTP/1.1 200 OK\n\n", { .status = 200, .reason = "OK" } },
    { "HTTP/1.0 403\r\n\r\nbody", { .status = 403 } },
    { "HTTP/1.1 404 Not Found\r\nServer: x/1 (y)\r\nDate: z\r\n\r\n",
      { .status = 404, .reason = "Not Found", .server = "x/1 (y)" } },
    { "HTTP/1.1 503 \r\nRETRY-AFTER: 1\r\nserver:\t x \t\r\n\r\n",
      { .status = 503, .server = "x", .retry_after = true } },
    { "HTTP/1.1 999 " LONG "\r\nServer: " LONG "\r\n\r\n", { .status = 999, .reason = LONG_CUT, .server = LONG_CUT } },
    { "HTTP/1.1 200 OK\r\nServers: x\r\nno field\r\n: y\r\nXServer: z\r\nRetry-After2: 1\r\n\r\nServer: w\r\n",
      { .status = 200, .reason = "OK" } },
};

static void expect_answer(const struct answer *answer, const struct answer *expected)
{
    ck_assert_uint_eq(answer->status, expected->status);
    ck_assert_str_eq(answer->reason, expected->reason);
    ck_assert_str_eq(answer->server, expected->server);
    ck_assert_int_eq(answer->retry_after, expected->retry_after);
}

START_TEST(reads_heads)
{
    struct answer answer;

    ck_assert_int_eq(answer_read(heads[_i].bytes, strlen(heads[_i].bytes), &answer), 1);
    expect_answer(&answer, &heads[_i].answer);
}
END_TEST

/* Every beginning is answered with "more is to come", and the status is there as soon as its line is. */
START_TEST(reads_heads_at_any_size)
{
    const char *bytes = heads[_i].bytes, *line = strchr(bytes, '\n'), *end = strstr(bytes, "\n\r\n");
    struct answer answer;

    end = end ? end + 2 : strstr(bytes, "\n\n") + 1;
    for (size_t size = 0; bytes + size <= end; size++) {
        ck_assert_int_eq(answer_read(bytes, size, &answer), 0);
        ck_assert_uint_eq(answer.status, bytes + size > line ? heads[_i].answer.status : 0);
    }
    ck_assert_int_eq(answer_read(bytes, (size_t)(end + 1 - bytes), &answer), 1);
}
END_TEST

static const char *const others[] = {
    "h",
    "http/1.1 200 OK\r\n",
    "HTTP/2",
    "HTTP/1.1 20\r\n\r\n",
    "HTTP/1.1 2000 OK\r\n",
    "HTTP/1.1 2x",
    "HTTP/1.1 099 ",
    "HTTP/1.1  200",
    "\n",
    "SSH-2.0-x\r\n",
    "HTTP/1.\n",
    "HTTP/1.1 2\n",
    "HTTP/1.1 200\t",
};

START_TEST(tells_what_is_no_http)
{
    struct answer answer = { .status = 7 };

    ck_assert_int_eq(answer_read(others[_i], strlen(others[_i]), &answer), -EPROTO);
    ck_assert_uint_eq(answer.status, 7);
}
END_TEST

Suite *suite_answer(void)
{
    Suite *suite = suite_create("answer");
    TCase *tests = tcase_create("answer");

    tcase_add_loop_test(tests, reads_heads, 0, COUNT(heads));
    tcase_add_loop_test(tests, reads_heads_at_any_size, 0, COUNT(heads));
    tcase_add_loop_test(tests, tells_what_is_no_http, 0, COUNT(others));
    suite_add_tcase(suite, tests);
    return suite;
}
