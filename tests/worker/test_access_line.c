#include <check.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "worker/access_line.h"

Suite *suite_access_line(void);

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static const struct access_entry example = {
    .time = { .tv_sec = 1700000000, .tv_nsec = 7999999 },
    .user = "alice",
    .uid = 1000,
    .pid = 4711,
    .method = "GET",
    .target = "/index?a=b",
    .user_agent = "curl/7.88.1",
    .status = 200,
    .bytes = 1234,
    .nanoseconds = 12003456,
    .complete = true,
};

static char bytes[2 * ACCESS_LINE_MAX];

/* One line, without its newline. What is behind its memory is looked at, too. */
static const char *line_of(struct access_style *style, const struct access_entry *entry)
{
    struct line line = { .bytes = bytes, .limit = ACCESS_LINE_MAX };

    memset(bytes, '#', sizeof(bytes));
    access_line_add(&line, style, entry);
    ck_assert_uint_gt(line.size, 0);
    ck_assert_uint_le(line.size, ACCESS_LINE_MAX);
    ck_assert_int_eq(bytes[line.size - 1], '\n');
    ck_assert_int_eq(bytes[ACCESS_LINE_MAX], '#');
    bytes[line.size - 1] = '\0';
    ck_assert_ptr_null(strpbrk(bytes, "\r\n\t\x1b\x7f"));
    return bytes;
}

static const char *text_of(const struct access_entry *entry)
{
    struct access_style style = { .format = LOG_FORMAT_TEXT };

    return line_of(&style, entry);
}

static const char *json_of(const struct access_entry *entry)
{
    struct access_style style = { .format = LOG_FORMAT_JSON };

    return line_of(&style, entry);
}

static void zone_set(const char *zone)
{
    setenv("TZ", zone, 1);
    tzset();
}

static void setup(void)
{
    zone_set("UTC0");
}

START_TEST(test_text)
{
    struct access_entry entry = example;

    ck_assert_str_eq(text_of(&entry), "2023-11-14T22:13:20.007Z alice uid=1000 pid=4711 \"GET /index?a=b\" 200 1234 "
                                      "12.003ms \"curl/7.88.1\"");
    entry.complete = false;
    entry.user_agent = NULL;
    entry.status = 0;
    entry.pid = 0;
    entry.method = entry.target = "";
    ck_assert_str_eq(text_of(&entry), "2023-11-14T22:13:20.007Z alice uid=1000 pid=- \"- -\" - 1234 12.003ms \"-\" "
                                      "incomplete");
}
END_TEST

START_TEST(test_json)
{
    struct access_entry entry = example;

    ck_assert_str_eq(json_of(&entry),
                     "{\"time\":\"2023-11-14T22:13:20.007Z\",\"user\":\"alice\",\"uid\":1000,"
                     "\"pid\":4711,\"client\":null,\"method\":\"GET\",\"target\":\"/index?a=b\",\"status\":200,"
                     "\"bytes\":1234,\"milliseconds\":12.003,\"user_agent\":\"curl/7.88.1\","
                     "\"complete\":true}");
    entry.complete = false;
    entry.user_agent = NULL;
    entry.status = 0;
    entry.pid = 0;
    entry.method = entry.target = "";
    ck_assert_str_eq(json_of(&entry), "{\"time\":\"2023-11-14T22:13:20.007Z\",\"user\":\"alice\",\"uid\":1000,"
                                      "\"pid\":null,\"client\":null,\"method\":null,\"target\":null,\"status\":null,"
                                      "\"bytes\":1234,\"milliseconds\":12.003,\"user_agent\":null,"
                                      "\"complete\":false}");
}
END_TEST

/* Who came through a trusted proxy is shown besides the proxy. */
START_TEST(test_client)
{
    struct access_entry entry = example;

    entry.client = "2001:db8::7";
    ck_assert_str_eq(text_of(&entry), "2023-11-14T22:13:20.007Z alice uid=1000 pid=4711 client=2001:db8::7 "
                                      "\"GET /index?a=b\" 200 1234 12.003ms \"curl/7.88.1\"");
    ck_assert_ptr_nonnull(strstr(json_of(&entry), ",\"pid\":4711,\"client\":\"2001:db8::7\",\"method\":"));
    entry.client = "";
    ck_assert_ptr_nonnull(strstr(text_of(&entry), " pid=4711 client=- \"GET "));
    ck_assert_ptr_nonnull(strstr(json_of(&entry), ",\"client\":null,"));
}
END_TEST

static const struct {
    const char *bytes, *word, *quoted, *json;
} texts[] = {
    { "plain", "plain", "plain", "plain" },
    { "a b", "a\\x20b", "a b", "a b" },
    { "\"", "\\x22", "\\\"", "\\\"" },
    { "\\", "\\x5c", "\\\\", "\\\\" },
    { "\r\n", "\\r\\n", "\\r\\n", "\\r\\n" },
    { "\t\b\f", "\\t\\b\\f", "\\t\\b\\f", "\\t\\b\\f" },
    { "\a\v", "\\a\\v", "\\a\\v", "\\u0007\\u000b" },
    { "\x01\x1b\x7f", "\\x01\\x1b\\x7f", "\\x01\\x1b\\x7f", "\\u0001\\u001b\\u007f" },
    { "\xff", "\\xff", "\\xff", "\\\\xff" },
    { "\xc2\x9b", "\\xc2\\x9b", "\\xc2\\x9b", "\\\\xc2\\\\x9b" },
    { "\xe2\x82\xac", "\xe2\x82\xac", "\xe2\x82\xac", "\xe2\x82\xac" },
    { "\xe2\x82", "\\xe2\\x82", "\\xe2\\x82", "\\\\xe2\\\\x82" },
};

START_TEST(test_escape)
{
    struct access_entry entry = example;
    char expected[512];

    entry.user = entry.method = entry.target = entry.user_agent = texts[_i].bytes;
    snprintf(expected, sizeof(expected),
             "2023-11-14T22:13:20.007Z %s uid=1000 pid=4711 \"%s %s\" 200 1234 12.003ms \"%s\"", texts[_i].word,
             texts[_i].word, texts[_i].word, texts[_i].quoted);
    ck_assert_str_eq(text_of(&entry), expected);
    snprintf(expected, sizeof(expected),
             "{\"time\":\"2023-11-14T22:13:20.007Z\",\"user\":\"%s\",\"uid\":1000,\"pid\":4711,\"client\":null,"
             "\"method\":\"%s\","
             "\"target\":\"%s\",\"status\":200,\"bytes\":1234,\"milliseconds\":12.003,\"user_agent\":\"%s\","
             "\"complete\":true}",
             texts[_i].json, texts[_i].json, texts[_i].json, texts[_i].json);
    ck_assert_str_eq(json_of(&entry), expected);
}
END_TEST

/* Everything as long and as bad as can be still is a line, of JSON where that was asked for, and says where it was cut.
 */
START_TEST(test_longest)
{
    static const char fillers[] = "x\x1b\xff\"\\ ";
    struct access_entry entry = example;
    static char text[5000];
    json_t *json;

    memset(text, fillers[_i], sizeof(text) - 1);
    entry.user = entry.client = entry.method = entry.target = entry.user_agent = text;
    entry.uid = UINT_MAX;
    entry.pid = INT_MAX;
    entry.bytes = entry.nanoseconds = INT64_MAX; /* jansson takes no larger number */
    entry.status = 599;
    entry.complete = false;
    ck_assert_uint_gt(strlen(text_of(&entry)), 1000);
    ck_assert_str_eq(bytes + strlen(bytes) - strlen("…\" incomplete"), "…\" incomplete");
    json = json_loads(json_of(&entry), 0, NULL);
    ck_assert_ptr_nonnull(json);
    ck_assert_ptr_nonnull(strstr(json_string_value(json_object_get(json, "target")), "…"));
    ck_assert_ptr_nonnull(strstr(json_string_value(json_object_get(json, "user_agent")), "…"));
    json_decref(json);
}
END_TEST

/* What has just so much room is not cut, what has one byte more is; and no character is cut in two. */
START_TEST(test_cut)
{
    struct access_entry entry = example;
    char text[ACCESS_AGENT_MAX + 1];
    const char *seen;
    size_t most = ACCESS_AGENT_MAX - LINE_CUT_SIZE - 2;

    memset(text, 'x', sizeof(text));
    text[most] = '\0';
    entry.user_agent = text;
    ck_assert_ptr_null(strstr(text_of(&entry), "…"));
    text[most] = 'x';
    text[most + 1] = '\0';
    seen = text_of(&entry);
    ck_assert_str_eq(seen + strlen(seen) - 5, "x…\"");
    memcpy(text + most - 1, "\xc3\xbc", 3);
    seen = text_of(&entry);
    ck_assert_str_eq(seen + strlen(seen) - 5, "x…\"");
}
END_TEST

static const struct {
    const char *zone, *shown;
} zones[] = {
    { "UTC0", "2023-11-14T22:13:20.007Z" },
    { "CET-1", "2023-11-14T23:13:20.007+01:00" },
    { "IST-5:30", "2023-11-15T03:43:20.007+05:30" },
    { "NST3:30", "2023-11-14T18:43:20.007-03:30" },
};

START_TEST(test_zone)
{
    const char *seen;

    zone_set(zones[_i].zone);
    seen = text_of(&example);
    ck_assert_int_eq(strncmp(seen, zones[_i].shown, strlen(zones[_i].shown)), 0);
    ck_assert_int_eq(seen[strlen(zones[_i].shown)], ' ');
}
END_TEST

/* One style for many lines: what it remembers is never what another should have had. */
START_TEST(test_memory)
{
    struct access_style style = { .format = LOG_FORMAT_TEXT };
    struct access_entry entry = example;
    static char long_name[300];

    ck_assert_ptr_nonnull(strstr(line_of(&style, &entry), "20.007Z alice uid=1000 pid=4711 "));
    entry.pid = 12;
    ck_assert_ptr_nonnull(strstr(line_of(&style, &entry), " alice uid=1000 pid=12 "));
    entry.uid = 1001;
    ck_assert_ptr_nonnull(strstr(line_of(&style, &entry), " alice uid=1001 pid=12 "));
    entry.user = "bob";
    ck_assert_ptr_nonnull(strstr(line_of(&style, &entry), " bob uid=1001 pid=12 "));
    memset(long_name, 'n', sizeof(long_name) - 1);
    entry.user = long_name;
    ck_assert_ptr_nonnull(strstr(line_of(&style, &entry), "nnnn… uid=1001 pid=12 "));
    long_name[0] = 'm';
    ck_assert_ptr_nonnull(strstr(line_of(&style, &entry), " mnnn"));
    entry.user = "alice";
    entry.time.tv_sec++;
    ck_assert_ptr_nonnull(strstr(line_of(&style, &entry), ":21.007Z alice uid=1001 "));
    entry.time.tv_nsec = 999999999;
    ck_assert_ptr_nonnull(strstr(line_of(&style, &entry), ":21.999Z alice uid=1001 "));
}
END_TEST

START_TEST(test_lost)
{
    struct access_style style = { .format = LOG_FORMAT_TEXT };
    struct line line = { .bytes = bytes, .limit = sizeof(bytes) };

    access_line_add_lost(&line, &style, &example.time, 1, "berth worker 2");
    access_line_add_lost(&line, &style, &example.time, UINT64_MAX, "berth worker 2");
    style.format = LOG_FORMAT_JSON;
    access_line_add_lost(&line, &style, &example.time, 12, "berth worker 2");
    bytes[line.size] = '\0';
    ck_assert_str_eq(bytes, "2023-11-14T22:13:20.007Z berth worker 2: 1 line is missing here\n"
                            "2023-11-14T22:13:20.007Z berth worker 2: 18446744073709551615 lines are missing here\n"
                            "{\"time\":\"2023-11-14T22:13:20.007Z\",\"role\":\"berth worker 2\",\"lost\":12}\n");
}
END_TEST

Suite *suite_access_line(void)
{
    Suite *suite = suite_create("access_line");
    TCase *lines = tcase_create("lines");

    tcase_add_checked_fixture(lines, setup, NULL);
    tcase_add_test(lines, test_text);
    tcase_add_test(lines, test_json);
    tcase_add_test(lines, test_client);
    tcase_add_loop_test(lines, test_escape, 0, COUNT(texts));
    tcase_add_loop_test(lines, test_longest, 0, 6);
    tcase_add_test(lines, test_cut);
    tcase_add_loop_test(lines, test_zone, 0, COUNT(zones));
    tcase_add_test(lines, test_memory);
    tcase_add_test(lines, test_lost);
    suite_add_tcase(suite, lines);
    return suite;
}
