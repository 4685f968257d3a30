#include <check.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "apps/http_date.h"

Suite *suite_http_date(void);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NOW          1792000000 /* in October 2026 */

static const struct {
    const char *text;
    int64_t seconds;
} valid[] = {
    /* RFC 9110 section 5.6.7 */
    { "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
    { "Sunday, 06-Nov-94 08:49:37 GMT", 784111777 },
    { "Sun Nov  6 08:49:37 1994", 784111777 },
    { "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
    { "Wed, 31 Dec 1969 23:59:59 GMT", -1 },
    { "Tue, 29 Feb 2000 12:00:00 GMT", 951825600 },
    { "Thu, 29 Feb 2024 23:59:59 GMT", 1709251199 },
    { "Fri, 01 Mar 2024 00:00:00 GMT", 1709251200 },
    { "Sat, 31 Dec 2016 23:59:60 GMT", 1483228800 },
    { "Mon, 01 Jan 0001 00:00:00 GMT", HTTP_DATE_MIN },
    { "Fri, 31 Dec 9999 23:59:59 GMT", HTTP_DATE_MAX },
    { "Tue Nov 16 08:49:37 1994", 784975777 },
    { "Thu Dec 31 23:59:59 2037", 2145916799 },
    /* the day's name is not compared */
    { "Mon, 06 Nov 1994 08:49:37 GMT", 784111777 },
    /* two digits of a year: not more than 50 years ahead */
    { "Monday, 01-Jan-26 00:00:00 GMT", 1767225600 },
    { "Friday, 01-Jan-76 00:00:00 GMT", 3345062400 },
    { "Friday, 01-Jan-77 00:00:00 GMT", 220924800 },
    { "Friday, 01-Jan-99 00:00:00 GMT", 915148800 },
    { "Friday, 01-Jan-00 00:00:00 GMT", 946684800 },
};

static const char *const invalid[] = {
    "",
    " ",
    "0",
    "784111777",
    "yesterday",
    "Sun, 06 Nov 1994 08:49:37",
    "Sun, 06 Nov 1994 08:49:37 ",
    "Sun, 06 Nov 1994 08:49:37 UTC",
    "Sun, 06 Nov 1994 08:49:37 gmt",
    "Sun, 06 Nov 1994 08:49:37 GMT ",
    " Sun, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:37 GMT; length=5",
    "Sun, 06 Nov 1994 08:49:37 +0000",
    "Sun, 6 Nov 1994 08:49:37 GMT",
    "Sun,  6 Nov 1994 08:49:37 GMT",
    "Sun, 006 Nov 1994 08:49:37 GMT",
    "Sun 06 Nov 1994 08:49:37 GMT",
    "Sun,06 Nov 1994 08:49:37 GMT",
    "sun, 06 Nov 1994 08:49:37 GMT",
    "Son, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 nov 1994 08:49:37 GMT",
    "Sun, 06 NovDec 1994 08:49:37 GMT",
    "Sun, 06 11 1994 08:49:37 GMT",
    "Sun, 06-Nov-1994 08:49:37 GMT",
    "Sun, 06 Nov 94 08:49:37 GMT",
    "Sun, 06 Nov 19940 08:49:37 GMT",
    "Sun, 06 Nov -994 08:49:37 GMT",
    "Sun, 06 Nov 0000 08:49:37 GMT",
    "Sun, 00 Nov 1994 08:49:37 GMT",
    "Sun, 31 Nov 1994 08:49:37 GMT",
    "Sun, 32 Dec 1994 08:49:37 GMT",
    "Tue, 29 Feb 1994 08:49:37 GMT",
    "Tue, 29 Feb 1900 08:49:37 GMT",
    "Tue, 30 Feb 2000 08:49:37 GMT",
    "Sun, 06 Nov 1994 24:00:00 GMT",
    "Sun, 06 Nov 1994 08:60:37 GMT",
    "Sun, 06 Nov 1994 08:49:61 GMT",
    "Sun, 06 Nov 1994 8:49:37 GMT",
    "Sun, 06 Nov 1994 08:49 GMT",
    "Sun, 06 Nov 1994 08:49:37.5 GMT",
    "Sunday, 06 Nov 1994 08:49:37 GMT",
    "Sunday, 06-Nov-1994 08:49:37 GMT",
    "Sun, 06-Nov-94 08:49:37 GMT",
    "Sunday, 6-Nov-94 08:49:37 GMT",
    "Someday, 06-Nov-94 08:49:37 GMT",
    "Sun Nov 6 08:49:37 1994",
    "Sun Nov 06 08:49:37 94",
    "Sun Nov  6 08:49:37 1994 GMT",
    "Sun Nov  16 08:49:37 1994",
};

START_TEST(reads)
{
    int64_t seconds = 42;

    ck_assert_int_eq(http_date_parse(valid[_i].text, NOW, &seconds), 0);
    ck_assert_int_eq(seconds, valid[_i].seconds);
}
END_TEST

START_TEST(refuses)
{
    int64_t seconds = 42;

    ck_assert_int_eq(http_date_parse(invalid[_i], NOW, &seconds), -EINVAL);
    ck_assert_int_eq(seconds, 42);
}
END_TEST

/* The C library's calendar, over all the years that can be written. */
START_TEST(writes)
{
    for (int64_t seconds = HTTP_DATE_MIN; seconds <= HTTP_DATE_MAX; seconds += 7654321) {
        char text[HTTP_DATE_SIZE], expected[64];
        time_t same = (time_t)seconds;
        int64_t back;
        struct tm parts;

        ck_assert_int_eq(http_date_format(seconds, text), 0);
        ck_assert_int_eq(http_date_parse(text, NOW, &back), 0);
        ck_assert_int_eq(back, seconds);
        gmtime_r(&same, &parts);
        strftime(expected, sizeof(expected), "%a, %d %b ", &parts);
        ck_assert_int_eq(strncmp(text, expected, 12), 0);
    }
}
END_TEST

START_TEST(writes_the_edges)
{
    char text[HTTP_DATE_SIZE] = "?";

    ck_assert_int_eq(http_date_format(784111777, text), 0);
    ck_assert_str_eq(text, "Sun, 06 Nov 1994 08:49:37 GMT");
    ck_assert_int_eq(http_date_format(HTTP_DATE_MAX, text), 0);
    ck_assert_str_eq(text, "Fri, 31 Dec 9999 23:59:59 GMT");
    ck_assert_int_eq(http_date_format(HTTP_DATE_MIN, text), 0);
    ck_assert_str_eq(text, "Mon, 01 Jan 0001 00:00:00 GMT");
    ck_assert_int_eq(http_date_format(HTTP_DATE_MAX + 1, text), -ERANGE);
    ck_assert_int_eq(http_date_format(HTTP_DATE_MIN - 1, text), -ERANGE);
    ck_assert_int_eq(http_date_format(INT64_MAX, text), -ERANGE);
    ck_assert_int_eq(http_date_format(INT64_MIN, text), -ERANGE);
}
END_TEST

Suite *suite_http_date(void)
{
    Suite *suite = suite_create("http_date");
    TCase *tcase = tcase_create("http_date");

    tcase_add_loop_test(tcase, reads, 0, COUNT(valid));
    tcase_add_loop_test(tcase, refuses, 0, COUNT(invalid));
    tcase_add_test(tcase, writes);
    tcase_add_test(tcase, writes_the_edges);
    suite_add_tcase(suite, tcase);
    return suite;
}
