#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/contract.h"

Suite *suite_launch(void);

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static const char *const listeners[] = { "/run/api.sock", "fd 3", "" };
static const char *const names[] = { "", "berth.socket", "admin" };

static size_t launch_bytes(char *bytes, size_t room)
{
    char workers[] = "--workers=3", app[] = "/x=./x.so", *argv[] = { workers, app };
    int fd = memfd_create("launch", MFD_CLOEXEC);
    struct mistakes mistakes = { 0 };
    struct settings settings;
    ssize_t n;

    ck_assert_int_eq(settings_load(&settings, 2, argv, &mistakes), 0);
    ck_assert_int_eq(launch_write(fd, listeners, names, 3, &settings), 0);
    settings_done(&settings);
    n = pread(fd, bytes, room, 0);
    ck_assert_int_gt((int)n, 0);
    close(fd);
    return (size_t)n;
}

static int launch_from(const char *bytes, size_t size, struct launch *ret_launch, struct error *error)
{
    int r, fd = memfd_create("launch", MFD_CLOEXEC);

    ck_assert_int_eq((int)write(fd, bytes, size), (int)size);
    lseek(fd, 0, SEEK_SET);
    r = launch_read(fd, ret_launch, error);
    close(fd);
    return r;
}

/* What workers get: nobody changes it under the others, and each reads it from its start. */
START_TEST(is_made_sealed)
{
    struct settings settings;
    struct mistakes mistakes = { 0 };
    struct launch launch;
    struct error error;
    int fd = 77;

    ck_assert_int_eq(settings_load(&settings, 0, NULL, &mistakes), 0);
    ck_assert_int_eq(launch_make(NULL, NULL, 513, &settings, &fd), -E2BIG);
    ck_assert_int_eq(fd, 77);
    ck_assert_int_eq(launch_make(listeners, names, 3, &settings, &fd), 0);
    settings_done(&settings);
    ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    ck_assert_int_eq(fcntl(fd, F_GET_SEALS), F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    for (int i = 0; i < 3; i++) {
        int from = i == 0 ? fd : input_reopen(fd);

        ck_assert_int_eq(launch_read(from, &launch, &error), 0);
        ck_assert_uint_eq(launch.listener_count, 3);
        launch_done(&launch);
        ck_assert_int_eq(fcntl(from, F_GETFD), FD_CLOEXEC);
        ck_assert_int_eq(fcntl(from, F_GETFL) & O_ACCMODE, i == 0 ? O_RDWR : O_RDONLY);
        if (i > 0)
            close(from);
    }
    close(fd);
    ck_assert_int_eq(input_reopen(fd), -ENOENT);
}
END_TEST

START_TEST(test_round_trip)
{
    char bytes[1024];
    size_t size = launch_bytes(bytes, sizeof(bytes));
    struct launch launch;
    struct error error;

    ck_assert_int_eq(launch_from(bytes, size, &launch, &error), 0);
    ck_assert_uint_eq(launch.listener_count, 3);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_str_eq(launch.listeners[i], listeners[i]);
        ck_assert_str_eq(launch.names[i], names[i]);
    }
    ck_assert_uint_eq(launch.settings.workers, 3);
    ck_assert_uint_eq(launch.settings.app_count, 1);
    ck_assert_str_eq(launch.settings.apps[0].app, "./x.so");
    launch_done(&launch);
    ck_assert_ptr_null(launch.listeners);
    ck_assert_ptr_null(launch.names);
}
END_TEST

START_TEST(test_truncated)
{
    char bytes[1024];
    size_t size = launch_bytes(bytes, sizeof(bytes));
    struct launch launch;
    struct error error;

    for (size_t cut = 0; cut < size; cut++)
        ck_assert_int_eq(launch_from(bytes, cut, &launch, &error), -EINVAL);
    bytes[size] = 'x';
    ck_assert_int_eq(launch_from(bytes, size + 1, &launch, &error), -EINVAL);
}
END_TEST

#define BYTES(literal) literal, sizeof(literal)
#define VERSION        "5" /* CONTRACT_VERSION, as text */

static const struct {
    const char *bytes;
    size_t size;
    const char *message;
} bad[] = {
    { BYTES("hello"), "launch file: this is none; \"berth worker\" is started by \"berth serve\" only" },
    { BYTES("berth launch\0"
            "0\0"
            "0\0"
            "0"),
      "launch file: the supervisor speaks version 0 of the contract, this worker " },
    { BYTES("berth launch\0"
            "one\0"
            "0\0"
            "0"),
      "launch file: version: \"one\" is not a number" },
    { BYTES("berth launch\0" VERSION "\0"
            "513\0"
            "0"),
      "launch file: number of listeners: \"513\" is too large: it must be at most 512" },
    { BYTES("berth launch\0" VERSION "\0"
            "2\0/a\0"),
      "launch file: it ends among the listeners" },
    { BYTES("berth launch\0" VERSION "\0"
            "0\0"
            "1\0workers\0x"),
      "--workers: \"x\" is neither a number such as 2 nor auto" },
};

START_TEST(test_bad)
{
    struct launch launch;
    struct error error;

    ck_assert_int_eq(CONTRACT_VERSION, VERSION[0] - '0'); /* and in the seeds of fuzz_launch */
    ck_assert_int_eq(launch_from(bad[_i].bytes, bad[_i].size, &launch, &error), -EINVAL);
    ck_assert_msg(strncmp(error.text, bad[_i].message, strlen(bad[_i].message)) == 0, "%s", error.text);
    ck_assert_int_eq(launch_from(bad[_i].bytes, bad[_i].size, &launch, NULL), -EINVAL);
}
END_TEST

START_TEST(test_too_many)
{
    const char *places[513];
    struct mistakes mistakes = { 0 };
    struct settings settings;

    for (size_t i = 0; i < 513; i++)
        places[i] = "/a";
    ck_assert_int_eq(settings_load(&settings, 0, NULL, &mistakes), 0);
    ck_assert_int_eq(launch_write(-1, places, NULL, 513, &settings), -E2BIG);
    ck_assert_int_eq(launch_write(-1, places, NULL, 512, &settings), -EBADF);
    settings_done(&settings);
}
END_TEST

Suite *suite_launch(void)
{
    Suite *suite = suite_create("launch");
    TCase *tcase = tcase_create("launch");

    tcase_add_test(tcase, is_made_sealed);
    tcase_add_test(tcase, test_round_trip);
    tcase_add_test(tcase, test_truncated);
    tcase_add_loop_test(tcase, test_bad, 0, COUNT(bad));
    tcase_add_test(tcase, test_too_many);
    suite_add_tcase(suite, tcase);
    return suite;
}
