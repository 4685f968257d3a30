#include <check.h>
#include <errno.h>
#include <string.h>

#include "common/number.h"
#include "common/suggestion.h"

Suite *suite_number(void);

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

typedef int parser(const char *text, uint64_t min, uint64_t max, uint64_t *ret_value, struct error *error);

static const struct {
    parser *parse;
    const char *text;
    uint64_t min, max, value;
} valid[] = {
    { number_parse, "0", 0, 10, 0 },
    { number_parse, "10", 0, 10, 10 },
    { number_parse, "007", 0, 10, 7 },
    { number_parse, "18446744073709551615", 0, UINT64_MAX, UINT64_MAX },
    { number_parse_size, "0", 0, 10, 0 },
    { number_parse_size, "512", 0, UINT64_MAX, 512 },
    { number_parse_size, "64K", 0, UINT64_MAX, 65536 },
    { number_parse_size, "64k", 0, 65536, 65536 },
    { number_parse_size, "1M", 0, UINT64_MAX, 1048576 },
    { number_parse_size, "2G", 0, UINT64_MAX, UINT64_C(2147483648) },
    { number_parse_size, "3T", 0, UINT64_MAX, UINT64_C(3298534883328) },
    { number_parse_duration, "30", 0, UINT64_MAX, 30000 },
    { number_parse_duration, "1.5", 0, UINT64_MAX, 1500 },
    { number_parse_duration, "1.500000", 0, UINT64_MAX, 1500 },
    { number_parse_duration, "0.001s", 0, UINT64_MAX, 1 },
    { number_parse_duration, "500ms", 0, UINT64_MAX, 500 },
    { number_parse_duration, "2m", 120000, 120000, 120000 },
    { number_parse_duration, "0.5m", 0, UINT64_MAX, 30000 },
    { number_parse_duration, "1h", 0, UINT64_MAX, 3600000 },
    { number_parse_duration, "1d", 0, UINT64_MAX, 86400000 },
};

START_TEST(test_valid)
{
    uint64_t value = 0;
    struct error error;

    ck_assert_int_eq(valid[_i].parse(valid[_i].text, valid[_i].min, valid[_i].max, &value, &error), 0);
    ck_assert_uint_eq(value, valid[_i].value);
}
END_TEST

static const struct {
    parser *parse;
    const char *text;
    uint64_t min, max;
    int r;
    const char *message;
} invalid[] = {
    { number_parse, "", 0, 9, -EINVAL, "\"\" is not a number such as 1" },
    { number_parse, "x", 5, 9, -EINVAL, "\"x\" is not a number such as 5" },
    { number_parse, "-1", 0, 9, -EINVAL, "is not a number" },
    { number_parse, "+1", 0, 9, -EINVAL, "is not a number" },
    { number_parse, " 1", 0, 9, -EINVAL, "is not a number" },
    { number_parse, "1 ", 0, 9, -EINVAL, "is not a number" },
    { number_parse, "0x1", 0, 9, -EINVAL, "is not a number" },
    { number_parse, "1.5", 0, 9, -EINVAL, "is not a number" },
    { number_parse, "0", 1, 9, -ERANGE, "\"0\" is too small: it must be at least 1" },
    { number_parse, "10", 1, 9, -ERANGE, "\"10\" is too large: it must be at most 9" },
    { number_parse, "18446744073709551616", 0, 9, -ERANGE, "is too large" },
    { number_parse, "99999999999999999999999999999999", 0, 9, -ERANGE, "is too large" },
    { number_parse, "18446744073709551616", 0, UINT64_MAX, -ERANGE, "at most 18446744073709551615" },
    { number_parse_size, "", 0, 9, -EINVAL, "\"\" is not a size such as 512, 64K or 1M" },
    { number_parse_size, "K", 0, 9, -EINVAL, "is not a size" },
    { number_parse_size, "1.5K", 0, 9, -EINVAL, "is not a size" },
    { number_parse_size, "1KB", 0, 9, -EINVAL, "is not a size" },
    { number_parse_size, "1 K", 0, 9, -EINVAL, "is not a size" },
    { number_parse_size, "65537", 0, 65536, -ERANGE, "at most 64K" },
    { number_parse_size, "1023", 1024, 65536, -ERANGE, "at least 1K" },
    { number_parse_size, "16777216T", 0, 65536, -ERANGE, "is too large" },
    { number_parse_duration, "", 0, 9, -EINVAL, "\"\" is not a time such as 30, 1.5s, 500ms or 2m" },
    { number_parse_duration, ".5", 0, 9, -EINVAL, "is not a time" },
    { number_parse_duration, "1.", 0, 9, -EINVAL, "is not a time" },
    { number_parse_duration, "1.s", 0, 9, -EINVAL, "is not a time" },
    { number_parse_duration, "1.2.3", 0, 9, -EINVAL, "is not a time" },
    { number_parse_duration, "1.0000000000", 0, 9, -EINVAL, "is not a time" },
    { number_parse_duration, "1w", 0, 9, -EINVAL, "is not a time" },
    { number_parse_duration, "0.0001", 0, 9, -EINVAL, "nothing is finer than a millisecond" },
    { number_parse_duration, "0.5ms", 0, 9, -EINVAL, "nothing is finer than a millisecond" },
    { number_parse_duration, "2m", 0, 90000, -ERANGE, "\"2m\" is too large: it must be at most 90s" },
    { number_parse_duration, "99ms", 100, 90000, -ERANGE, "at least 100ms" },
    { number_parse_duration, "18446744073709551615d", 0, 90000, -ERANGE, "is too large" },
};

START_TEST(test_invalid)
{
    uint64_t value = 4711;
    struct error error;
    int r = invalid[_i].parse(invalid[_i].text, invalid[_i].min, invalid[_i].max, &value, &error);

    ck_assert_int_eq(r, invalid[_i].r);
    ck_assert_msg(strstr(error.text, invalid[_i].message), "%s: %s", invalid[_i].text, error.text);
    ck_assert_uint_eq(value, 4711);
}
END_TEST

static const struct {
    const char *text;
    int mode; /* -1: none */
} modes[] = {
    { "0660", 0660 }, { "660", 0660 }, { "0777", 0777 }, { "000", 0 },    { "0000", 0 },   { "", -1 },
    { "0", -1 },      { "66", -1 },    { "1660", -1 },   { "9999", -1 },  { "0o660", -1 }, { "06600", -1 },
    { "00660", -1 },  { "u=rw", -1 },  { "-660", -1 },   { "0660 ", -1 },
};

START_TEST(test_mode)
{
    struct error error;
    mode_t mode = 07777;

    if (modes[_i].mode >= 0) {
        ck_assert_int_eq(number_parse_mode(modes[_i].text, &mode, &error), 0);
        ck_assert_int_eq((int)mode, modes[_i].mode);
        return;
    }
    ck_assert_int_eq(number_parse_mode(modes[_i].text, &mode, &error), -EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "is not an octal mode such as 0660"));
    ck_assert_int_eq((int)mode, 07777);
}
END_TEST

START_TEST(test_format)
{
    char text[NUMBER_TEXT_MAX];

    number_format_size(UINT64_MAX, text);
    ck_assert_str_eq(text, "18446744073709551615");
    number_format_size(1536, text);
    ck_assert_str_eq(text, "1536");
    number_format_size(UINT64_C(1) << 30, text);
    ck_assert_str_eq(text, "1G");
    number_format_size(0, text);
    ck_assert_str_eq(text, "0");
    number_format_duration(1500, text);
    ck_assert_str_eq(text, "1500ms");
    number_format_duration(7200000, text);
    ck_assert_str_eq(text, "2h");
    number_format_duration(0, text);
    ck_assert_str_eq(text, "0ms");
}
END_TEST

static const struct {
    const char *a, *b;
    size_t distance;
} distances[] = {
    { "", "", 0 },
    { "uds", "uds", 0 },
    { "", "abc", 3 },
    { "abc", "", 3 },
    { "worker", "workers", 1 },
    { "wrokers", "workers", 1 },
    { "udp", "uds", 1 },
    { "kitten", "sitting", 3 },
    { "a234567890123456789012345678901234567890123456789012345678901234", "x", 64 },
};

START_TEST(test_distance)
{
    ck_assert_uint_eq(suggestion_distance(distances[_i].a, distances[_i].b), distances[_i].distance);
    ck_assert_uint_eq(suggestion_distance(distances[_i].b, distances[_i].a), distances[_i].distance);
}
END_TEST

Suite *suite_number(void)
{
    Suite *suite = suite_create("number");
    TCase *numbers = tcase_create("numbers"), *words = tcase_create("suggestions");

    tcase_add_loop_test(numbers, test_valid, 0, COUNT(valid));
    tcase_add_loop_test(numbers, test_invalid, 0, COUNT(invalid));
    tcase_add_loop_test(numbers, test_mode, 0, COUNT(modes));
    tcase_add_test(numbers, test_format);
    tcase_add_loop_test(words, test_distance, 0, COUNT(distances));
    suite_add_tcase(suite, numbers);
    suite_add_tcase(suite, words);
    return suite;
}
