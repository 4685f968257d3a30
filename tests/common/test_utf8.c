/*
 * What is a character of UTF-8: the table of RFC 3629, section 4, at its edges.
 */
#include "common/utf8.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

Suite *suite_utf8(void);

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static const struct {
    const char *text;
    size_t size;
} characters[] = {
    { "\x01", 1 },
    { "\x7f", 1 },
    { "\x80", 0 },
    { "\xc0\x80", 0 }, /* U+0000, the long way */
    { "\xc1\xbf", 0 },
    { "\xc2\x7f", 0 },
    { "\xc2\x80", 2 },
    { "\xdf\xbf", 2 },
    { "\xdf\xc0", 0 },
    { "\xe0\x9f\xbf", 0 },
    { "\xe0\xa0\x80", 3 },
    { "\xed\x9f\xbf", 3 },
    { "\xed\xa0\x80", 0 }, /* a surrogate */
    { "\xee\x80\x80", 3 },
    { "\xef\xbf\xbf", 3 },
    { "\xef\xbf\x7f", 0 },
    { "\xf0\x8f\xbf\xbf", 0 },
    { "\xf0\x90\x80\x80", 4 },
    { "\xf0\x90\x80\x7f", 0 },
    { "\xf4\x8f\xbf\xbf", 4 },
    { "\xf4\x90\x80\x80", 0 }, /* beyond U+10FFFF */
    { "\xf5\x80\x80\x80", 0 },
    { "\xff", 0 },
};

START_TEST(test_character)
{
    const char *text = characters[_i].text;
    size_t size = characters[_i].size;

    ck_assert_uint_eq(utf8_size(text, strlen(text)), size);
    ck_assert_uint_eq(utf8_size(text, UTF8_SIZE_MAX), size);
    if (size > 1)
        ck_assert_uint_eq(utf8_size(text, size - 1), 0);
}
END_TEST

/* In memory of its own size, so that reading behind the NUL shows under ASan and valgrind. */
START_TEST(test_cut_by_a_nul)
{
    char *text = malloc((size_t)_i + 1);

    ck_assert_ptr_nonnull(text);
    memcpy(text, "\xf0\x90\x80\x80", (size_t)_i);
    text[_i] = '\0';
    ck_assert_uint_eq(utf8_size(text, UTF8_SIZE_MAX), 0);
    free(text);
}
END_TEST

Suite *suite_utf8(void)
{
    Suite *suite = suite_create("utf8");
    TCase *tests = tcase_create("utf8");

    tcase_add_loop_test(tests, test_character, 0, COUNT(characters));
    tcase_add_loop_test(tests, test_cut_by_a_nul, 0, UTF8_SIZE_MAX);
    suite_add_tcase(suite, tests);
    return suite;
}
