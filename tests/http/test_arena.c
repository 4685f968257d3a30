#include <check.h>
#include <stdint.h>
#include <string.h>

#include "http/arena.h"

Suite *suite_arena(void);

static struct arena arena;

static void setup(void)
{
    arena_init(&arena);
}

static void teardown(void)
{
    arena_reset(&arena);
}

static const size_t sizes[] = { 0, 1, 15, 16, 17, 1000, 1024, 1025, 4095, 4096, 4097, 100000 };

START_TEST(aligned_and_apart)
{
    char *first = arena_alloc(&arena, sizes[_i]), *second = arena_alloc(&arena, sizes[_i]);

    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_nonnull(second);
    ck_assert_uint_eq((uintptr_t)first % ARENA_ALIGNMENT, 0);
    ck_assert_uint_eq((uintptr_t)second % ARENA_ALIGNMENT, 0);
    memset(first, 'a', sizes[_i]);
    memset(second, 'b', sizes[_i]);
    for (size_t i = 0; i < sizes[_i]; i++)
        ck_assert_int_eq(first[i], 'a');
}
END_TEST

START_TEST(inline_block_first)
{
    char *piece = arena_alloc(&arena, ARENA_INLINE_SIZE);

    ck_assert_ptr_eq(piece, arena.first);
    ck_assert_ptr_null(arena.blocks);
    ck_assert_ptr_nonnull(arena_alloc(&arena, 1));
    ck_assert_ptr_nonnull(arena.blocks);
    arena_reset(&arena);
    ck_assert_ptr_null(arena.blocks);
    ck_assert_uint_eq(arena.total, ARENA_INLINE_SIZE);
    ck_assert_ptr_eq(arena_alloc(&arena, 1), arena.first);
}
END_TEST

START_TEST(large_piece_leaves_the_rest_in_use)
{
    char *before = arena_alloc(&arena, 16);

    ck_assert_ptr_nonnull(arena_alloc(&arena, 100000));
    ck_assert_ptr_eq(arena_alloc(&arena, 16), before + 16);
}
END_TEST

START_TEST(maximum)
{
    ck_assert_ptr_nonnull(arena_alloc(&arena, ARENA_SIZE_MAX - ARENA_INLINE_SIZE));
    ck_assert_uint_eq(arena.total, ARENA_SIZE_MAX);
    ck_assert_ptr_nonnull(arena_alloc(&arena, ARENA_INLINE_SIZE));
    ck_assert_ptr_null(arena_alloc(&arena, 1));
    arena_reset(&arena);
    ck_assert_ptr_null(arena_alloc(&arena, ARENA_SIZE_MAX - ARENA_INLINE_SIZE + 1));
    ck_assert_ptr_null(arena_alloc(&arena, SIZE_MAX));
    ck_assert_ptr_null(arena_text(&arena, "", SIZE_MAX));
}
END_TEST

START_TEST(maximum_in_small_pieces)
{
    size_t taken = 0;

    while (taken <= ARENA_SIZE_MAX && arena_alloc(&arena, 48))
        taken += 48;
    ck_assert_uint_le(arena.total, ARENA_SIZE_MAX);
    ck_assert_uint_le(taken, ARENA_SIZE_MAX);
    ck_assert_uint_gt(taken, ARENA_SIZE_MAX / 10 * 9);
}
END_TEST

START_TEST(text)
{
    ck_assert_str_eq(arena_text(&arena, "abcdef", 3), "abc");
    ck_assert_str_eq(arena_text(&arena, "", 0), "");
}
END_TEST

Suite *suite_arena(void)
{
    Suite *suite = suite_create("arena");
    TCase *tcase = tcase_create("arena");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, aligned_and_apart, 0, sizeof(sizes) / sizeof(sizes[0]));
    tcase_add_test(tcase, inline_block_first);
    tcase_add_test(tcase, large_piece_leaves_the_rest_in_use);
    tcase_add_test(tcase, maximum);
    tcase_add_test(tcase, maximum_in_small_pieces);
    tcase_add_test(tcase, text);
    suite_add_tcase(suite, tcase);
    return suite;
}
