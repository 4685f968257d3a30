#include <check.h>
#include <string.h>

#include "apps/entity_tag.h"

Suite *suite_entity_tag(void);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
    const char *text;
    size_t size;
} sizes[] = {
    { "\"\"", 2 },
    { "\"xyzzy\"", 7 },
    { "W/\"xyzzy\"", 9 },
    { "\"xyzzy\", \"r2d2\"", 7 },
    { "\"\xc3\xa9\"", 4 },
    { "\"!#~\"", 5 },
    { "", 0 },
    { "*", 0 },
    { "xyzzy", 0 },
    { "\"", 0 },
    { "\"xyzzy", 0 },
    { "W/", 0 },
    { "W", 0 },
    { "W/xyzzy", 0 },
    { "w/\"xyzzy\"", 0 },
    { "W\"xyzzy\"", 0 },
    { "W/ \"xyzzy\"", 0 },
    { "'xyzzy'", 0 },
    { "\"a b\"", 0 },
    { "\"a\tb\"", 0 },
    { "\"a\x7f\"", 0 },
};

/* RFC 9110 section 8.8.3.2 */
static const struct {
    const char *one, *other;
    bool strong, weak;
} pairs[] = {
    { "W/\"1\"", "W/\"1\"", false, true }, { "W/\"1\"", "W/\"2\"", false, false }, { "W/\"1\"", "\"1\"", false, true },
    { "\"1\"", "W/\"1\"", false, true },   { "\"1\"", "\"1\"", true, true },       { "\"1\"", "\"12\"", false, false },
    { "\"a\"", "\"A\"", false, false },    { "\"\"", "\"\"", true, true },
};

/* Whether "x" is in there. */
static const struct {
    const char *list;
    bool strong, weak;
} lists[] = {
    { "\"x\"", true, true },
    { "W/\"x\"", false, true },
    { "\"y\"", false, false },
    { "\"y\", \"x\"", true, true },
    { "\"y\",\"x\"", true, true },
    { "\"y\" ,\t\"x\" ", true, true },
    { ",, \"y\",, , \"x\",", true, true },
    { "\"y\", W/\"x\"", false, true },
    { "W/\"x\", \"x\"", true, true },
    { "\"x,y\", \"x\"", true, true },
    { "\"y, x\"", false, false },
    { "", false, false },
    { ",", false, false },
    { "x", false, false },
    { "*", false, false },
    { "\"y\" \"x\"", false, false },
    { "\"y\"\"x\"", false, false },
    { "\"x\"\"y\"", false, false },
    { "\"x\"y", false, false },
    { "\"x", false, false },
    { "junk, \"x\"", false, false },
    { "\"x\", junk", true, true },
    { "\"y\", junk, \"x\"", false, false },
    { "*, \"x\"", false, false },
};

START_TEST(measures)
{
    ck_assert_uint_eq(entity_tag_size(sizes[_i].text), sizes[_i].size);
}
END_TEST

START_TEST(compares)
{
    const char *one = pairs[_i].one, *other = pairs[_i].other;

    ck_assert_int_eq(entity_tags_match(one, strlen(one), other, strlen(other), true), pairs[_i].strong);
    ck_assert_int_eq(entity_tags_match(one, strlen(one), other, strlen(other), false), pairs[_i].weak);
}
END_TEST

START_TEST(finds)
{
    ck_assert_int_eq(entity_tag_in_list(lists[_i].list, "\"x\"", true), lists[_i].strong);
    ck_assert_int_eq(entity_tag_in_list(lists[_i].list, "\"x\"", false), lists[_i].weak);
}
END_TEST

Suite *suite_entity_tag(void)
{
    Suite *suite = suite_create("entity_tag");
    TCase *tcase = tcase_create("entity_tag");

    tcase_add_loop_test(tcase, measures, 0, COUNT(sizes));
    tcase_add_loop_test(tcase, compares, 0, COUNT(pairs));
    tcase_add_loop_test(tcase, finds, 0, COUNT(lists));
    suite_add_tcase(suite, tcase);
    return suite;
}
