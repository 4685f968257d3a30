#include <check.h>
#include <string.h>

#include "http/cookie.h"

Suite *suite_cookie(void);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
    const char *header, *name, *value; /* NULL: not found */
} cookies[] = {
    { "a=1", "a", "1" },       { "a=1; b=2", "b", "2" },  { "a=1;b=2", "b", "2" },    { "a=1; a=2", "a", "1" },
    { "aa=1; a=2", "a", "2" }, { "xa=1; a=2", "a", "2" }, { "a=1; aa=2", "aa", "2" }, { " \ta = 1 \t; b=2", "a", "1" },
    { "a=", "a", "" },         { "a=; b=2", "a", "" },    { "a=b=c", "a", "b=c" },    { "a=\"x\"", "a", "x" },
    { "a=\"\"; b", "a", "" },  { "a=\"", "a", "\"" },     { "a=\"x", "a", "\"x" },    { "a= \"x y\" ", "a", "x y" },
    { "a=%20", "a", "%20" },   { ";;a=1;;", "a", "1" },   { "", "a", NULL },          { "a", "a", NULL },
    { "a; b=1", "a", NULL },   { "A=1", "a", NULL },      { "b=a=1", "a", NULL },     { "b=\"x;a=1", "a", "1" },
    { "=1", "", NULL },        { "a=1;", "a=1", NULL },   { "b=1", "b=1; c", NULL },
};

START_TEST(finds)
{
    size_t size = 4242;
    const char *value = cookie_find(cookies[_i].header, cookies[_i].name, &size);

    if (!cookies[_i].value) {
        ck_assert_ptr_null(value);
        ck_assert_uint_eq(size, 4242);
        return;
    }
    ck_assert_ptr_nonnull(value);
    ck_assert_uint_eq(size, strlen(cookies[_i].value));
    ck_assert_mem_eq(value, cookies[_i].value, size);
    ck_assert(value >= cookies[_i].header && value + size <= cookies[_i].header + strlen(cookies[_i].header));
}
END_TEST

Suite *suite_cookie(void)
{
    Suite *suite = suite_create("cookie");
    TCase *tcase = tcase_create("cookie");

    tcase_add_loop_test(tcase, finds, 0, COUNT(cookies));
    suite_add_tcase(suite, tcase);
    return suite;
}
