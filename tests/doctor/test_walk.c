/*
 * The way to a socket: folders and links, as the kernel goes.
 */
#include "doctor/walk.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "socket/scratch.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

Suite *suite_walk(void);

static struct walk walk;

/* In a folder with a/b/file, and links to it and to themselves. */
static void setup(void)
{
    scratch_setup();
    ck_assert_int_eq(mkdir(scratch_path("a"), 0755), 0);
    ck_assert_int_eq(mkdir(scratch_path("a/b"), 0755), 0);
    scratch_write("a/b/file", "");
    ck_assert_int_eq(symlink("a/b", scratch_path("short")), 0);
    ck_assert_int_eq(symlink(scratch_path("a"), scratch_path("whole")), 0);
    ck_assert_int_eq(symlink("../b/file", scratch_path("a/b/up")), 0);
    ck_assert_int_eq(symlink("nowhere", scratch_path("dangling")), 0);
    ck_assert_int_eq(symlink("loop", scratch_path("loop")), 0);
}

static void teardown(void)
{
    walk_done(&walk);
    walk_done(&walk); /* does no harm */
    scratch_teardown();
}

static const struct {
    const char *path, *end; /* below our folder */
    size_t folders, links;  /* folders besides those on the way to ours */
    int error;
    bool arrived;
} ways[] = {
    { "a/b/file", "a/b/file", 2, 0, 0, true },
    { "a//./b///file", "a/b/file", 2, 0, 0, true },
    { "a/b/../b/file", "a/b/file", 3, 0, 0, true },
    { "short/file", "a/b/file", 2, 1, 0, true },
    { "a/b/up", "a/b/file", 3, 1, 0, true },
    { "a/b", "a/b", 1, 0, 0, true },
    { "a/b/", "a/b", 1, 0, 0, true },
    { "a/b/.", "a/b", 2, 0, 0, true },
    { "a/b/..", "a", 2, 0, 0, true },
    { "short", "a/b", 1, 1, 0, true },
    { "a/none", "a/none", 1, 0, -ENOENT, true },
    { "none/file", "none", 0, 0, -ENOENT, false },
    { "dangling", "nowhere", 0, 1, -ENOENT, true },
    { "a/b/file/x", "a/b/file", 2, 0, -ENOTDIR, false },
    { "loop", "loop", 0, WALK_LINKS_MAX, -ELOOP, true },
    { "loop/x", "loop", 0, WALK_LINKS_MAX, -ELOOP, false },
};

START_TEST(goes_as_the_kernel_does)
{
    ck_assert_int_eq(walk_init(&walk, scratch_path(ways[_i].path)), 0);
    ck_assert_str_eq(walk.end, scratch_path(ways[_i].end));
    ck_assert_uint_eq(walk.folder_count, 3 + ways[_i].folders); /* "/", "/tmp" and ours */
    ck_assert_str_eq(walk.folders[0], "/");
    ck_assert_str_eq(walk.folders[1], "/tmp");
    ck_assert_uint_eq(walk.link_count, ways[_i].links);
    ck_assert_int_eq(walk.error, ways[_i].error);
    ck_assert_int_eq(walk.arrived, ways[_i].arrived);
}
END_TEST

START_TEST(begins_anew_at_a_whole_link)
{
    ck_assert_int_eq(walk_init(&walk, scratch_path("whole/b/file")), 0);
    ck_assert_str_eq(walk.end, scratch_path("a/b/file"));
    ck_assert_str_eq(walk.links[0].from, scratch_path("whole"));
    ck_assert_str_eq(walk.links[0].to, scratch_path("a"));
    ck_assert_str_eq(walk.folders[walk.folder_count - 1], scratch_path("a/b"));
}
END_TEST

START_TEST(ends_at_the_root)
{
    ck_assert_int_eq(walk_init(&walk, _i == 0 ? "/" : _i == 1 ? "/.." : "/../../."), 0);
    ck_assert_str_eq(walk.end, "/");
    ck_assert(walk.arrived && walk.error == 0 && S_ISDIR(walk.file.st_mode));
}
END_TEST

START_TEST(knows_its_limits)
{
    char path[2 * PATH_MAX], *at = path;

    memset(path, 'x', sizeof(path));
    path[0] = '/';
    path[sizeof(path) - 1] = '\0';
    ck_assert_int_eq(walk_init(&walk, path), -ENAMETOOLONG);
    path[PATH_MAX - 1] = '\0';
    ck_assert_int_eq(walk_init(&walk, path), 0);
    ck_assert_int_eq(walk.error, -ENAMETOOLONG);
    walk_done(&walk);
    for (size_t i = 0; i < WALK_FOLDERS_MAX; i++)
        at = stpcpy(at, "/tmp/..");
    ck_assert_int_eq(walk_init(&walk, path), 0);
    ck_assert_int_eq(walk.error, -ELOOP);
    ck_assert_uint_eq(walk.folder_count, WALK_FOLDERS_MAX);
}
END_TEST

Suite *suite_walk(void)
{
    Suite *suite = suite_create("walk");
    TCase *tests = tcase_create("walk");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, goes_as_the_kernel_does, 0, COUNT(ways));
    tcase_add_test(tests, begins_anew_at_a_whole_link);
    tcase_add_loop_test(tests, ends_at_the_root, 0, 3);
    tcase_add_test(tests, knows_its_limits);
    suite_add_tcase(suite, tests);
    return suite;
}
