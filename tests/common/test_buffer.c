#include "common/buffer.h"

#include <check.h>
#include <errno.h>
#include <string.h>

Suite *suite_buffer(void);

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

enum { ALL = 100000 };

/* In pieces of several sizes: all of it is there, NUL behind it, and the memory is at most about twice as large. */
START_TEST(keeps_what_was_added)
{
    static const size_t pieces[] = { 1, 7, 1023, 1024, 1025, 4096, 65536, ALL };
    static char all[ALL];
    struct buffer buffer = { 0 };

    for (size_t i = 0; i < ALL; i++)
        all[i] = (char)(i * 7);
    while (buffer.size < ALL) {
        size_t piece = ALL - buffer.size < pieces[_i] ? ALL - buffer.size : pieces[_i];

        ck_assert_int_eq(buffer_add(&buffer, all + buffer.size, piece, ALL), 0);
        ck_assert_int_eq(buffer.bytes[buffer.size], '\0');
        ck_assert_uint_gt(buffer.allocated, buffer.size);
        ck_assert(buffer.allocated <= 1024 || buffer.allocated <= 2 * (buffer.size + 1));
    }
    ck_assert_int_eq(memcmp(buffer.bytes, all, ALL), 0);
    ck_assert_int_eq(buffer_add(&buffer, "x", 1, ALL), -EMSGSIZE);
    ck_assert_uint_eq(buffer.size, ALL);
    buffer_done(&buffer);
    ck_assert_ptr_null(buffer.bytes);
    ck_assert_uint_eq(buffer.size + buffer.allocated, 0);
    buffer_done(&buffer);
}
END_TEST

static const struct {
    size_t size, more;
    uint64_t limit;
    int r;
} limits[] = {
    { 0, 0, 0, 0 },
    { 0, 1, 0, -EMSGSIZE },
    { 0, 1, 1, 0 },
    { 1, 0, 1, 0 },
    { 1, 0, 0, -EMSGSIZE }, /* the limit has fallen */
    { 1, 1, 1, -EMSGSIZE },
    { 1023, 0, 1024, 0 },
    { 1023, 1, 1024, 0 },
    { 1024, 1, 1024, -EMSGSIZE },
    { 1, SIZE_MAX, 4096, -EMSGSIZE },
    { 1, SIZE_MAX, UINT64_MAX, -EMSGSIZE },
    { 1, SIZE_MAX - 1, UINT64_MAX, -ENOMEM },
    { 1, SIZE_MAX / 2 - 1, UINT64_MAX, -ENOMEM },
};

START_TEST(keeps_its_limit)
{
    static const char bytes[1024];
    struct buffer buffer = { 0 }, before;

    ck_assert_int_eq(buffer_add(&buffer, bytes, limits[_i].size, UINT64_MAX), 0);
    before = buffer;
    ck_assert_int_eq(buffer_reserve(&buffer, limits[_i].more, limits[_i].limit), limits[_i].r);
    ck_assert_uint_eq(buffer.size, before.size);
    if (limits[_i].r < 0) {
        ck_assert_ptr_eq(buffer.bytes, before.bytes);
        ck_assert_uint_eq(buffer.allocated, before.allocated);
    } else {
        ck_assert_uint_gt(buffer.allocated, buffer.size + limits[_i].more);
    }
    buffer_done(&buffer);
}
END_TEST

/* What fits into the memory that is there does not move. */
START_TEST(reserves_once)
{
    struct buffer buffer = { 0 };
    char *bytes;

    ck_assert_int_eq(buffer_reserve(&buffer, 5000, 5000), 0);
    bytes = buffer.bytes;
    for (int i = 0; i < 5000; i++)
        ck_assert_int_eq(buffer_add(&buffer, "x", 1, 5000), 0);
    ck_assert_ptr_eq(buffer.bytes, bytes);
    buffer.size = 0;
    ck_assert_int_eq(buffer_add(&buffer, NULL, 0, 0), 0);
    ck_assert_ptr_eq(buffer.bytes, bytes);
    buffer_done(&buffer);
}
END_TEST

Suite *suite_buffer(void)
{
    Suite *suite = suite_create("buffer");
    TCase *tcase = tcase_create("buffer");

    tcase_add_loop_test(tcase, keeps_what_was_added, 0, 8);
    tcase_add_loop_test(tcase, keeps_its_limit, 0, COUNT(limits));
    tcase_add_test(tcase, reserves_once);
    suite_add_tcase(suite, tcase);
    return suite;
}
