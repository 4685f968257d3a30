#include "access/origin.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/settings_parts.h"

Suite *suite_origin(void);

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* POST, and nothing allowed. */
static const struct {
    const char *site, *origin, *scheme, *host;
    bool foreign;
} questions[] = {
    /* no browser */
    { NULL, NULL, "", "localhost", false },
    { NULL, NULL, NULL, NULL, false },
    /* a browser that says where from */
    { "same-origin", NULL, "", "localhost", false },
    { "none", NULL, "", "localhost", false },
    { "same-origin", "https://elsewhere.example", "http", "localhost", false }, /* behind a proxy that is not trusted */
    { "none", "null", "", "localhost", false },
    { "same-site", NULL, "", "localhost", true },
    { "cross-site", NULL, "", "localhost", true },
    { "same-site", "http://localhost", "", "localhost", true }, /* it knows better than we */
    { "cross-site", "http://localhost", "http", "localhost", true },
    { "", NULL, "", "localhost", true },
    { "Same-Origin", NULL, "", "localhost", true },
    { "same-origin, same-origin", NULL, "", "localhost", true },
    { "something-new", NULL, "", "localhost", true },
    /* one that has only Origin */
    { NULL, "http://localhost", "", "localhost", false },
    { NULL, "http://localhost:80", "", "localhost", false },
    { NULL, "http://localhost", "", "localhost:80", false },
    { NULL, "http://localhost", "", "localhost:", false },
    { NULL, "https://localhost", "", "localhost:443", false },
    { NULL, "https://localhost:443", "", "localhost", false },
    { NULL, "HTTP://LocalHost", "", "lOCALhOST", false },
    { NULL, "http://localhost:9999", "", "localhost:9999", false },
    { NULL, "http://[::1]:9999", "", "[::1]:9999", false },
    { NULL, "http://[::1]", "", "[::1]:80", false },
    { NULL, "https://app.example.org", "https", "app.example.org", false },
    { NULL, "https://app.example.org", "https", "app.example.org:443", false },
    { NULL, "http://app.example.org", "http", "app.example.org:80", false },
    { NULL, "http://app.example.org", "https", "app.example.org", true },
    { NULL, "https://app.example.org", "http", "app.example.org", true },
    { NULL, "https://app.example.org", "http", "app.example.org:443", true },
    { NULL, "http://localhost", "", "localhost:9999", true },
    { NULL, "http://localhost:9999", "", "localhost", true },
    { NULL, "https://localhost", "", "localhost:80", true },
    { NULL, "http://localhost:9998", "", "localhost:9999", true },
    { NULL, "http://localhost.", "", "localhost", true },
    { NULL, "http://evil.example", "", "localhost", true },
    { NULL, "http://localhost.evil.example", "", "localhost", true },
    { NULL, "http://evil.localhost", "", "localhost", true },
    { NULL, "http://localhos", "", "localhost", true },
    { NULL, "http://127.0.0.1", "", "localhost", true },
    { NULL, "http://[::1]", "", "[::2]", true },
    { NULL, "ftp://localhost", "http", "localhost", true },
    { NULL, "ftp://localhost", "", "localhost", false }, /* the same host; its scheme is not known */
    { NULL, "null", "", "localhost", true },
    { NULL, "null", "", "null", true },
    { NULL, "", "", "", true },
    { NULL, "localhost", "", "localhost", true },
    { NULL, "http:localhost", "", "localhost", true },
    { NULL, "http:/localhost", "", "localhost", true },
    { NULL, "://localhost", "", "localhost", true },
    { NULL, "http://", "", "", true },
    { NULL, "http://localhost/", "", "localhost", true },
    { NULL, "http://localhost http://localhost", "", "localhost", true },
    { NULL, "null, http://localhost", "", "localhost", true },
    { NULL, "null http://localhost", "", "localhost", true },
    { NULL, "evil.example,http://localhost", "", "localhost", true },
    { NULL, "http://user@localhost", "", "localhost", true },
    { NULL, "http://localhost:x", "", "localhost", true },
    { NULL, "http://localhost:65536", "", "localhost", true },
    { NULL, "http://localhost", "", "", true },
    { NULL, "http://localhost", "", NULL, true },
    { NULL, "http://localhost", "", "/run/x.sock", true },
};

START_TEST(test_questions)
{
    struct text_list nothing = { .count = 0 };
    struct origin_question question = { .method = "POST",
                                        .sec_fetch_site = questions[_i].site,
                                        .origin = questions[_i].origin,
                                        .scheme = questions[_i].scheme,
                                        .host = questions[_i].host };

    ck_assert_int_eq(origin_is_foreign(&question, &nothing), questions[_i].foreign);
}
END_TEST

static const struct {
    const char *method;
    bool foreign;
} methods[] = {
    { "GET", false }, { "HEAD", false },  { "OPTIONS", false }, { "TRACE", false }, { "POST", true },
    { "PUT", true },  { "DELETE", true }, { "PATCH", true },    { "get", true },    { "SOMETHING", true },
};

START_TEST(test_methods)
{
    struct text_list nothing = { .count = 0 };
    struct origin_question question = { .method = methods[_i].method, .origin = "http://evil.example", .host = "x" };

    ck_assert_int_eq(origin_is_foreign(&question, &nothing), methods[_i].foreign);
}
END_TEST

static const struct {
    const char *entry, *site, *origin;
    bool foreign;
} entries[] = {
    { "https://app.example.org", "cross-site", "https://app.example.org", false },
    { "https://app.example.org", "same-site", "https://app.example.org", false },
    { "https://app.example.org", NULL, "https://app.example.org", false },
    { "https://app.example.org:443", NULL, "https://app.example.org", false },
    { "https://app.example.org", NULL, "https://APP.example.org:443", false },
    { "HTTPS://App.Example.Org", NULL, "https://app.example.org", false },
    { "https://app.example.org:8443", NULL, "https://app.example.org:8443", false },
    { "http://[2001:db8::7]:8080", NULL, "http://[2001:db8::7]:8080", false },
    { "browser-extension://abcdef", "cross-site", "browser-extension://abcdef", false },
    { "https://app.example.org", "cross-site", NULL, true },
    { "https://app.example.org", "cross-site", "", true },
    { "https://app.example.org", "cross-site", "null", true },
    { "https://app.example.org", "cross-site", "http://app.example.org", true },
    { "https://app.example.org", NULL, "https://app.example.org:8443", true },
    { "https://app.example.org", NULL, "https://app.example.org.evil.example", true },
    { "https://app.example.org", NULL, "https://evil.app.example.org", true },
    { "https://app.example.org", NULL, "https://app.example.org https://evil.example", true },
    { "browser-extension://abcdef", NULL, "browser-extension://abcdeg", true },
    { "*", "cross-site", "https://evil.example", false },
    { "*", "cross-site", NULL, false },
    { "*", NULL, "null", false },
};

START_TEST(test_allowed)
{
    struct text_list allowed = { .count = 0 };
    struct origin_question question = {
        .method = "POST", .sec_fetch_site = entries[_i].site, .origin = entries[_i].origin, .host = "localhost"
    };

    ck_assert_int_eq(origin_entry_check(entries[_i].entry, NULL), 0);
    ck_assert_int_eq(text_list_add(&allowed, "https://first.example"), 0);
    ck_assert_int_eq(text_list_add(&allowed, entries[_i].entry), 0);
    ck_assert_int_eq(origin_is_foreign(&question, &allowed), entries[_i].foreign);
    text_list_done(&allowed);
}
END_TEST

static const char *const no_entries[] = {
    "",
    "app.example.org",
    "https:app.example.org",
    "https:/app.example.org",
    "://app.example.org",
    "https://",
    "https://app.example.org/",
    "https://app.example.org/path",
    "https://user@app.example.org",
    "https://*.example.org",
    "https://app.example.org:",
    "https://app.example.org:x",
    "https://app.example.org:65536",
    "https://[2001:db8::7",
    "https://2001:db8::7",
    "https://a b",
    "null",
    "**",
};

START_TEST(test_no_entries)
{
    struct error error = { "" };
    char begin[64];

    ck_assert_int_eq(origin_entry_check(no_entries[_i], &error), -EINVAL);
    snprintf(begin, sizeof(begin), "\"%s\" is no origin", no_entries[_i]);
    ck_assert_int_eq(strncmp(error.text, begin, strlen(begin)), 0);
}
END_TEST

START_TEST(test_long_entry)
{
    char text[400] = "https://";

    memset(text + 8, 'a', 255);
    ck_assert_int_eq(origin_entry_check(text, NULL), 0);
    memset(text + 8, 'a', 256);
    ck_assert_int_eq(origin_entry_check(text, NULL), -EINVAL);
    memset(text + 8, 'a', sizeof(text) - 9);
    ck_assert_int_eq(origin_entry_check(text, NULL), -EINVAL);
}
END_TEST

Suite *suite_origin(void)
{
    Suite *suite = suite_create("origin");
    TCase *tcase = tcase_create("origin");

    tcase_add_loop_test(tcase, test_questions, 0, COUNT(questions));
    tcase_add_loop_test(tcase, test_methods, 0, COUNT(methods));
    tcase_add_loop_test(tcase, test_allowed, 0, COUNT(entries));
    tcase_add_loop_test(tcase, test_no_entries, 0, COUNT(no_entries));
    tcase_add_test(tcase, test_long_entry);
    suite_add_tcase(suite, tcase);
    return suite;
}
