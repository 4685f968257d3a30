#include <check.h>
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "http/field.h"

Suite *suite_field(void);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Every byte, judged anew from RFC 9110's grammar: tchar, and VCHAR, SP, HTAB and obs-text. */
START_TEST(every_byte)
{
    char alone[1] = { (char)_i }, within[3] = { 'a', (char)_i, 'b' };
    bool token = _i < 0x80 && _i != 0 && (isalnum(_i) || strchr("!#$%&'*+-.^_`|~", _i));
    bool value = _i == '\t' || (_i >= ' ' && _i != 0x7f);

    ck_assert_int_eq(field_name_valid(alone, 1), token);
    ck_assert_int_eq(field_name_valid(within, 3), token);
    ck_assert_int_eq(field_value_valid(alone, 1), value);
    ck_assert_int_eq(field_value_valid(within, 3), value);
}
END_TEST

START_TEST(empty)
{
    ck_assert(!field_name_valid("", 0));
    ck_assert(field_value_valid("", 0));
    ck_assert(!method_valid(""));
}
END_TEST

START_TEST(size_counts)
{
    ck_assert(field_name_valid("Host: x", 4));
    ck_assert(!field_name_valid("Host: x", 5));
    ck_assert(field_value_valid("a\n", 1));
    ck_assert(!field_value_valid("a\0b", 3));
}
END_TEST

static const struct {
    const char *method;
    bool valid;
} methods[] = {
    { "GET", true },   { "get", true },  { "M-SEARCH", true }, { "X!#$", true },  { "GE T", false },
    { " GET", false }, { "G/T", false }, { "G:T", false },     { "\xc3", false }, { "GET\t", false },
};

START_TEST(method)
{
    ck_assert_int_eq(method_valid(methods[_i].method), methods[_i].valid);
}
END_TEST

static const struct {
    const char *value;
    int r;
    uint64_t length;
} lengths[] = {
    { "0", 0, 0 },
    { "1", 0, 1 },
    { "007", 0, 7 },
    { "1048576", 0, 1048576 },
    { "18446744073709551615", 0, UINT64_MAX },
    { "000000000000000000000000000001", 0, 1 },
    { "18446744073709551616", -ERANGE, 0 },
    { "99999999999999999999", -ERANGE, 0 },
    { "184467440737095516160", -ERANGE, 0 },
    { "36893488147419103232", -ERANGE, 0 },
    { "99999999999999999999x", -EINVAL, 0 },
    { "", -EINVAL, 0 },
    { "+1", -EINVAL, 0 },
    { "-1", -EINVAL, 0 },
    { " 1", -EINVAL, 0 },
    { "1 ", -EINVAL, 0 },
    { "1,1", -EINVAL, 0 },
    { "0x10", -EINVAL, 0 },
    { "1e3", -EINVAL, 0 },
    { "1.0", -EINVAL, 0 },
    { "\xd9\xa1", -EINVAL, 0 },
};

START_TEST(content_length)
{
    uint64_t length = 4242;

    ck_assert_int_eq(content_length_parse(lengths[_i].value, &length), lengths[_i].r);
    ck_assert_uint_eq(length, lengths[_i].r < 0 ? 4242 : lengths[_i].length);
}
END_TEST

static const struct {
    const char *value;
    bool chunked;
} codings[] = {
    { "chunked", true },        { "Chunked", true },   { "CHUNKED", true },      { "", false },
    { "gzip, chunked", false }, { "chunked,", false }, { " chunked", false },    { "chunked ", false },
    { "chunkedd", false },      { "chunke", false },   { "chunked;q=1", false }, { "identity", false },
    { "\vchunked", false },     { "xchunked", false },
};

START_TEST(transfer_encoding)
{
    ck_assert_int_eq(transfer_encoding_chunked(codings[_i].value), codings[_i].chunked);
}
END_TEST

Suite *suite_field(void)
{
    Suite *suite = suite_create("field");
    TCase *tcase = tcase_create("field");

    tcase_add_loop_test(tcase, every_byte, 0, 256);
    tcase_add_test(tcase, empty);
    tcase_add_test(tcase, size_counts);
    tcase_add_loop_test(tcase, method, 0, COUNT(methods));
    tcase_add_loop_test(tcase, content_length, 0, COUNT(lengths));
    tcase_add_loop_test(tcase, transfer_encoding, 0, COUNT(codings));
    suite_add_tcase(suite, tcase);
    return suite;
}
