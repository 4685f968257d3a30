#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apps/beneath.h"
#include "apps/tree.h"

Suite *suite_beneath(void);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What opening gives: 0, or an errno; by the kernel's way, and by steps. */
static const struct {
    const char *path;
    int way, steps;
} paths[] = {
    { "file", 0, 0 },
    { "folder/file", 0, 0 },
    { "folder/deep/file", 0, 0 },
    { "", 0, 0 },
    { "folder", 0, 0 },
    { "missing", ENOENT, ENOENT },
    { "folder/missing", ENOENT, ENOENT },
    { "file/more", ENOTDIR, ENOTDIR },
    /* links that stay inside: only the kernel can tell */
    { "link", 0, ELOOP },
    { "folder/up", 0, ELOOP },
    { "linked/file", 0, ENOTDIR },
    /* ways out */
    { "/etc/passwd", EXDEV, EXDEV },
    { "..", EXDEV, EXDEV },
    { "../x", EXDEV, EXDEV },
    { "folder/../../x", EXDEV, EXDEV },
    { "absolute", EXDEV, ELOOP },
    { "out", EXDEV, ELOOP },
    { "folder/out", EXDEV, ELOOP },
    { "etc/passwd", EXDEV, ENOTDIR },
    { "self", EXDEV, ELOOP },
    /* loops */
    { "loop", ELOOP, ELOOP },
    { "loop/file", ELOOP, ENOTDIR },
};

static void links_setup(void)
{
    tree_setup();
    tree_text("file", "1");
    tree_text("folder/file", "2");
    tree_text("folder/deep/file", "3");
    ck_assert_int_eq(symlinkat("folder/file", tree, "link"), 0);
    ck_assert_int_eq(symlinkat("../file", tree, "folder/up"), 0);
    ck_assert_int_eq(symlinkat("folder", tree, "linked"), 0);
    ck_assert_int_eq(symlinkat("/etc/passwd", tree, "absolute"), 0);
    ck_assert_int_eq(symlinkat("../../etc/passwd", tree, "out"), 0);
    ck_assert_int_eq(symlinkat("../../../etc/passwd", tree, "folder/out"), 0);
    ck_assert_int_eq(symlinkat("/etc", tree, "etc"), 0);
    ck_assert_int_eq(symlinkat("/proc/self/exe", tree, "self"), 0);
    ck_assert_int_eq(symlinkat("loop", tree, "loop"), 0);
}

static void expect(int fd, int error)
{
    ck_assert_int_eq(fd < 0 ? -fd : 0, error);
    if (fd >= 0) {
        ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
        close(fd);
    }
}

START_TEST(opens)
{
    expect(beneath_open(tree, paths[_i].path, O_RDONLY), paths[_i].way);
}
END_TEST

START_TEST(opens_by_steps)
{
    expect(beneath_open_by_steps(tree, paths[_i].path, O_RDONLY), paths[_i].steps);
}
END_TEST

START_TEST(leaves_no_descriptor_open)
{
    int before = open("/dev/null", O_RDONLY | O_CLOEXEC), after;

    close(before);
    for (size_t i = 0; i < COUNT(paths); i++) {
        int fd = beneath_open_by_steps(tree, paths[i].path, O_RDONLY);

        if (fd >= 0)
            close(fd);
    }
    after = open("/dev/null", O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq(after, before);
    close(after);
    ck_assert_int_ge(fcntl(tree, F_GETFD), 0);
}
END_TEST

START_TEST(takes_a_name_of_255_bytes_and_not_one_more)
{
    char name[257] = "";

    memset(name, 'x', 255);
    tree_text(name, "long");
    expect(beneath_open_by_steps(tree, name, O_RDONLY), 0);
    expect(beneath_open(tree, name, O_RDONLY), 0);
    name[255] = 'x';
    expect(beneath_open_by_steps(tree, name, O_RDONLY), ENAMETOOLONG);
    expect(beneath_open(tree, name, O_RDONLY), ENAMETOOLONG);
}
END_TEST

Suite *suite_beneath(void)
{
    Suite *suite = suite_create("beneath");
    TCase *tcase = tcase_create("beneath");

    tcase_add_checked_fixture(tcase, links_setup, tree_teardown);
    tcase_add_loop_test(tcase, opens, 0, COUNT(paths));
    tcase_add_loop_test(tcase, opens_by_steps, 0, COUNT(paths));
    tcase_add_test(tcase, leaves_no_descriptor_open);
    tcase_add_test(tcase, takes_a_name_of_255_bytes_and_not_one_more);
    suite_add_tcase(suite, tcase);
    return suite;
}
