#include <check.h>
#include <errno.h>
#include <string.h>

#include "http/memory.h"
#include "http/query.h"

Suite *suite_query(void);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Pairs as one text, each as "name>value|". */
static const struct {
    const char *raw, *pairs;
} valid[] = {
    { NULL, "" },
    { "", "" },
    { "&", "" },
    { "a=1", "a>1|" },
    { "a=1&b=2", "a>1|b>2|" },
    { "a=1&a=2&b=3&a=", "a>1|a>2|b>3|a>|" },
    { "a", "a>|" },
    { "a&b", "a>|b>|" },
    { "&&a=1&&b&", "a>1|b>|" },
    { "=v", ">v|" },
    { "=", ">|" },
    { "a==b=", "a>=b=|" },
    { "a+b=c+d", "a b>c d|" },
    { "a%2Bb=%26%3d%2B", "a+b>&=+|" },
    { "n=%c3%A9", "n>\xc3\xa9|" },
    { "n=%2500", "n>%00|" },
    { "a;b=1", "a;b>1|" },
    { "u=/x?y", "u>/x?y|" },
};

START_TEST(decodes)
{
    char pairs[256] = "";
    struct query query;

    ck_assert_int_eq(query_parse(valid[_i].raw, &memory, &query), 0);
    for (size_t i = 0; i < query.count; i++) {
        strcat(strcat(pairs, query.pairs[i].name), ">");
        strcat(strcat(pairs, query.pairs[i].value), "|");
    }
    ck_assert_str_eq(pairs, valid[_i].pairs);
}
END_TEST

static const char *const invalid[] = { "a=%", "a=%4", "a=%4&1", "%zz=1", "a=%00", "%00", "a=1&b=%0", "a=%-1", "a=%+1" };

START_TEST(refuses)
{
    struct query query = { .count = 42 };

    ck_assert_int_eq(query_parse(invalid[_i], &memory, &query), -EINVAL);
    ck_assert_uint_eq(query.count, 42);
}
END_TEST

START_TEST(finds_repeats)
{
    struct query query;

    ck_assert_int_eq(query_parse("a=1&b=2&a=3&A=4&a", &memory, &query), 0);
    ck_assert_str_eq(query_get(&query, "a", 0), "1");
    ck_assert_str_eq(query_get(&query, "a", 1), "3");
    ck_assert_str_eq(query_get(&query, "a", 2), "");
    ck_assert_ptr_null(query_get(&query, "a", 3));
    ck_assert_str_eq(query_get(&query, "A", 0), "4");
    ck_assert_ptr_null(query_get(&query, "c", 0));
}
END_TEST

START_TEST(pairs_at_most_1000)
{
    char raw[2 * (QUERY_PAIRS_MAX + 1) + 1] = "";
    struct query query;

    for (size_t i = 0; i < QUERY_PAIRS_MAX; i++)
        memcpy(raw + 2 * i, "a&", 3);
    ck_assert_int_eq(query_parse(raw, &memory, &query), 0);
    ck_assert_uint_eq(query.count, QUERY_PAIRS_MAX);
    strcat(raw, "a");
    ck_assert_int_eq(query_parse(raw, &memory, &query), -EINVAL);
}
END_TEST

START_TEST(out_of_memory)
{
    static char raw[ARENA_SIZE_MAX + 1];
    struct query query;

    memset(raw, 'a', sizeof(raw) - 1);
    ck_assert_int_eq(query_parse(raw, &memory, &query), -ENOMEM);
}
END_TEST

Suite *suite_query(void)
{
    Suite *suite = suite_create("query");
    TCase *tcase = tcase_create("query");

    tcase_add_checked_fixture(tcase, memory_setup, memory_teardown);
    tcase_add_loop_test(tcase, decodes, 0, COUNT(valid));
    tcase_add_loop_test(tcase, refuses, 0, COUNT(invalid));
    tcase_add_test(tcase, finds_repeats);
    tcase_add_test(tcase, pairs_at_most_1000);
    tcase_add_test(tcase, out_of_memory);
    suite_add_tcase(suite, tcase);
    return suite;
}
