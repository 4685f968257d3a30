/*
 * The report: aligned, a line each, and no terminal's commands in it.
 */
#include "doctor/report.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

Suite *suite_report(void);

static char *text;
static size_t size;
static FILE *stream;

static void setup(void)
{
    stream = open_memstream(&text, &size);
    ck_assert_ptr_nonnull(stream);
}

static void teardown(void)
{
    free(text);
}

START_TEST(is_aligned)
{
    report_ok(stream, "path", "%d bytes", 7);
    report_hint(stream, "folders", "one");
    report_wrong(stream, "http", "two");
    ck_assert_int_eq(report_remedy(stream, "three %s", "four"), 1);
    fclose(stream);
    ck_assert_str_eq(text, "ok     path     7 bytes\n"
                           "hint   folders  one\n"
                           "wrong  http     two\n"
                           "\n"
                           "Remedy: three four\n");
}
END_TEST

START_TEST(has_no_control_characters)
{
    report_wrong(stream, "http", "a\nb\x1b[2J\x7f\t\xc3\xa4");
    fclose(stream);
    ck_assert_str_eq(text, "wrong  http     a\\nb\\x1b[2J\\x7f\\t\xc3\xa4\n");
}
END_TEST

/* C1 controls, as one byte and as UTF-8, and what turns the direction of all that follows. */
START_TEST(has_no_other_commands)
{
    report_wrong(stream, "http",
                 "a\x9b"
                 "2Jb\xc2\x9b"
                 "2Jc\xe2\x80\xae");
    fclose(stream);
    ck_assert_str_eq(text, "wrong  http     a\\x9b2Jb\\xc2\\x9b2Jc\\xe2\\x80\\xae\n");
}
END_TEST

START_TEST(cuts_long_lines)
{
    char name[2 * REPORT_LINE_MAX];

    memset(name, 'x', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    report_ok(stream, "", "%s", name);
    fclose(stream);
    ck_assert_uint_eq(strspn(text + 16, "x"), REPORT_LINE_MAX - 1);
    ck_assert_str_eq(text + 16 + REPORT_LINE_MAX - 1, "\n");
}
END_TEST

START_TEST(shows_all_of_a_line_that_must_not_be_seen)
{
    char name[REPORT_LINE_MAX];

    memset(name, '\x9b', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    report_ok(stream, "", "%s", name);
    fclose(stream);
    ck_assert_uint_eq(size, 16 + 4 * (REPORT_LINE_MAX - 1) + 1);
}
END_TEST

Suite *suite_report(void)
{
    Suite *suite = suite_create("report");
    TCase *tests = tcase_create("report");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, is_aligned);
    tcase_add_test(tests, has_no_control_characters);
    tcase_add_test(tests, has_no_other_commands);
    tcase_add_test(tests, cuts_long_lines);
    tcase_add_test(tests, shows_all_of_a_line_that_must_not_be_seen);
    suite_add_tcase(suite, tests);
    return suite;
}
