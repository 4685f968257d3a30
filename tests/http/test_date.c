#include <check.h>
#include <string.h>

#include "http/date.h"

Suite *suite_date(void);

static const struct {
    time_t second;
    const char *text;
} dates[] = {
    { 0, "Thu, 01 Jan 1970 00:00:00 GMT" },          { 784111777, "Sun, 06 Nov 1994 08:49:37 GMT" },
    { 951782399, "Mon, 28 Feb 2000 23:59:59 GMT" },  { 951782400, "Tue, 29 Feb 2000 00:00:00 GMT" },
    { 4107542399, "Sun, 28 Feb 2100 23:59:59 GMT" }, { 253402300799, "Fri, 31 Dec 9999 23:59:59 GMT" },
};

START_TEST(formats)
{
    char text[DATE_SIZE];

    date_format(dates[_i].second, text);
    ck_assert_str_eq(text, dates[_i].text);
}
END_TEST

static enum MHD_Result count_dates(void *count, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    (void)value;
    *(int *)count += strcmp(name, "Date") == 0;
    return MHD_YES;
}

/* One date, whatever it had before. */
START_TEST(renews)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);

    ck_assert_ptr_nonnull(response);
    for (size_t round = 0; round < 3; round++)
        for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
            int count = 0;

            date_renew(response, dates[i].second);
            ck_assert_str_eq(MHD_get_response_header(response, "Date"), dates[i].text);
            MHD_get_response_headers(response, count_dates, &count);
            ck_assert_int_eq(count, 1);
        }
    MHD_destroy_response(response);
}
END_TEST

START_TEST(refreshes)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    time_t second = 0, before = time(NULL);
    char text[DATE_SIZE];

    ck_assert_ptr_nonnull(response);
    date_refresh(response, &second);
    ck_assert_int_ge(second, before);
    ck_assert_int_le(second, time(NULL));
    date_format(second, text);
    ck_assert_str_eq(MHD_get_response_header(response, "Date"), text);
    MHD_destroy_response(response);
}
END_TEST

Suite *suite_date(void)
{
    Suite *suite = suite_create("date");
    TCase *cases = tcase_create("date");

    tcase_add_loop_test(cases, formats, 0, sizeof(dates) / sizeof(dates[0]));
    tcase_add_test(cases, renews);
    tcase_add_test(cases, refreshes);
    suite_add_tcase(suite, cases);
    return suite;
}
