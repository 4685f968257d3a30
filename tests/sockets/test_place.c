/*
 * Whether a path still leads to its socket.
 */
#include "sockets/place.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "socket/scratch.h"

Suite *suite_place(void);

struct wanted {
    const char *path;
    struct inspected found;
};

static int take(const struct inspected *socket, void *data)
{
    struct wanted *wanted = data;

    if (strcmp(socket->name, wanted->path) != 0)
        return 0;
    wanted->found = *socket;
    return 1;
}

static struct inspected look(const char *path)
{
    struct wanted wanted = { .path = path };

    ck_assert_int_eq(inspect_each(take, &wanted), 1);
    return wanted.found;
}

static void expect_place(const struct inspected *socket, enum place_kind kind, const char *now)
{
    struct place place;
    pid_t pid = getpid();

    place_find(socket, &pid, 1, &place);
    ck_assert_int_eq(place.kind, kind);
    ck_assert_int_eq(place.has_file, kind == PLACE_OK || kind == PLACE_RENAMED);
    ck_assert_pstr_eq(place.now, now);
    place_done(&place);
}

START_TEST(follows_a_socket)
{
    const char *path = scratch_path("s"), *now = scratch_path("t");
    int fd = socket_bound(path, SOCK_STREAM, 3), other;
    struct inspected socket = look(path);

    expect_place(&socket, PLACE_OK, NULL);
    ck_assert_int_eq(rename(path, now), 0);
    expect_place(&socket, PLACE_RENAMED, now);
    ck_assert_int_eq(symlink("t", path), 0);
    expect_place(&socket, PLACE_OK, NULL);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(unlink(now), 0);
    expect_place(&socket, PLACE_REMOVED, NULL);
    other = socket_bound(path, SOCK_STREAM, 3);
    expect_place(&socket, PLACE_REPLACED, NULL);
    close(other);
    ck_assert_int_eq(unlink(path), 0);
    scratch_write("s", "a file");
    expect_place(&socket, PLACE_REPLACED, NULL);
    close(fd);
}
END_TEST

START_TEST(is_not_sure_without_the_file)
{
    const char *path = scratch_path("s");
    int fd = socket_bound(path, SOCK_STREAM, 3);
    struct inspected socket = look(path);

    socket.has_file = false; /* as in /proc/net/unix */
    expect_place(&socket, PLACE_UNKNOWN, NULL);
    ck_assert_int_eq(unlink(path), 0);
    expect_place(&socket, PLACE_REMOVED, NULL);
    close(fd);
}
END_TEST

START_TEST(knows_relative_paths_by_their_holders)
{
    char path[256];
    struct inspected socket;
    int fd;

    snprintf(path, sizeof(path), "%s", scratch_path("s"));
    *strrchr(path, '/') = '\0';
    ck_assert_int_eq(chdir(path), 0);
    fd = socket_bound("relative.s", SOCK_STREAM, 3);
    socket = look("relative.s");
    expect_place(&socket, PLACE_OK, NULL);
    ck_assert_int_eq(chdir("/"), 0);
    expect_place(&socket, PLACE_UNKNOWN, NULL);
    close(fd);
}
END_TEST

START_TEST(has_none_without_a_path)
{
    struct inspected socket = { .type = SOCK_STREAM };

    expect_place(&socket, PLACE_NONE, NULL);
    inspected_name(&socket, "\0abstract", 9);
    expect_place(&socket, PLACE_NONE, NULL);
}
END_TEST

Suite *suite_place(void)
{
    Suite *suite = suite_create("place");
    TCase *tests = tcase_create("place");

    tcase_add_checked_fixture(tests, scratch_setup, scratch_teardown);
    tcase_add_test(tests, follows_a_socket);
    tcase_add_test(tests, is_not_sure_without_the_file);
    tcase_add_test(tests, knows_relative_paths_by_their_holders);
    tcase_add_test(tests, has_none_without_a_path);
    suite_add_tcase(suite, tests);
    return suite;
}
