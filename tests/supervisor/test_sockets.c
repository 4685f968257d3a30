#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/contract.h"
#include "socket/scratch.h"
#include "supervisor/sockets.h"

Suite *suite_sockets(void);

static struct error error;

/* Settings with these paths, relative to the folder, up to a NULL. */
static struct settings settings_of(const char *a, const char *b)
{
    struct settings settings = { .socket_mode = 0660, .backlog = 5 };
    const char *const names[] = { a, b };

    settings.uds.items = calloc(3, sizeof(char *));
    for (size_t i = 0; i < 2 && names[i] != NULL; i++)
        settings.uds.items[settings.uds.count++] = strdup(scratch_path(names[i]));
    return settings;
}

static void free_settings(struct settings *settings)
{
    for (size_t i = 0; i < settings->uds.count; i++)
        free(settings->uds.items[i]);
    free(settings->uds.items);
}

static int fd_of(const struct sockets *sockets, const char *name)
{
    for (size_t i = 0; i < sockets->count; i++)
        if (strcmp(sockets->items[i].name, scratch_path(name)) == 0)
            return sockets->items[i].fd;
    return -1;
}

START_TEST(keeps_what_stays)
{
    struct settings first = settings_of("a", "b"), second = settings_of("c", "b");
    struct sockets sockets = { .count = 0 };
    int kept;

    ck_assert_int_eq(sockets_prepare(&sockets, &first, &error), 0);
    sockets_commit(&sockets);
    kept = fd_of(&sockets, "b");
    ck_assert_int_eq(sockets_prepare(&sockets, &second, &error), 0);
    ck_assert_str_eq(scratch_list(), "a a.lock b b.lock c c.lock ");
    sockets_revert(&sockets);
    ck_assert_str_eq(scratch_list(), "a a.lock b b.lock ");
    ck_assert_int_eq(sockets_prepare(&sockets, &second, &error), 0);
    sockets_commit(&sockets);
    ck_assert_str_eq(scratch_list(), "b b.lock c c.lock ");
    ck_assert_int_eq(fd_of(&sockets, "b"), kept);
    sockets_withdraw(&sockets);
    ck_assert_str_eq(scratch_list(), "");
    sockets_done(&sockets);
    free_settings(&first);
    free_settings(&second);
}
END_TEST

START_TEST(takes_back_all_when_one_fails)
{
    struct settings first = settings_of("a", NULL), second = settings_of("b", "file");
    struct sockets sockets = { .count = 0 };

    scratch_write("file", "precious");
    ck_assert_int_eq(sockets_prepare(&sockets, &first, &error), 0);
    sockets_commit(&sockets);
    ck_assert_int_eq(sockets_prepare(&sockets, &second, &error), -ENOTSOCK);
    ck_assert_str_eq(scratch_list(), "a a.lock file ");
    ck_assert_uint_eq(sockets.count, 1);
    ck_assert_int_eq(sockets.items[0].state, SOCKET_KEPT);
    sockets_done(&sockets);
    free_settings(&first);
    free_settings(&second);
}
END_TEST

/* By the settings that are in force, whichever they were when it was published. */
START_TEST(names_what_the_settings_name)
{
    struct settings first = settings_of("a", "b"), second = settings_of("a", NULL);
    struct settings_listener named = { .name = strdup("admin"), .path = strdup(scratch_path("b")), .mode = 0600 };
    struct sockets sockets = { .count = 0 };

    second.listeners = &named;
    second.listener_count = 1;
    ck_assert_int_eq(sockets_prepare(&sockets, &first, &error), 0);
    sockets_commit(&sockets);
    ck_assert_int_eq(sockets_prepare(&sockets, &second, &error), 0);
    sockets_commit(&sockets);
    ck_assert_uint_eq(sockets.count, 2);
    for (size_t i = 0; i < 2; i++) {
        bool is_b = strcmp(sockets.items[i].name, named.path) == 0;

        ck_assert_str_eq(sockets_listener_name(&sockets, &sockets.items[i], &first), "");
        ck_assert_str_eq(sockets_listener_name(&sockets, &sockets.items[i], &second), is_b ? "admin" : "");
    }
    sockets_done(&sockets);
    free(named.name);
    free(named.path);
    free_settings(&first);
    free_settings(&second);
}
END_TEST

/* Only the listener becomes one of ours; the others are kept open, and named on the log. */
static void take_activation(void *data)
{
    int fds[3] = { socket_bound(scratch_path("s"), SOCK_STREAM, 5), socket_bound(scratch_path("d"), SOCK_DGRAM, -1),
                   memfd_create("stored", 0) };
    struct settings settings = settings_of(NULL, NULL);
    struct sockets sockets = { .count = 0 };
    char number[16], name[16];

    (void)data;
    for (int i = 0; i < 3; i++)
        fds[i] = fcntl(fds[i], F_DUPFD, 100);
    for (int i = 0; i < 3; i++)
        ck_assert_int_ge(dup2(fds[i], 3 + i), 0);
    snprintf(number, sizeof(number), "%d", (int)getpid());
    setenv("LISTEN_PID", number, 1);
    setenv("LISTEN_FDS", "3", 1);
    setenv("LISTEN_FDNAMES", "web:bus:state", 1);
    ck_assert_int_eq(sockets_take_activation(&sockets, &error), 0);
    ck_assert(sockets_only_handed(&sockets, &settings));
    ck_assert_str_eq(sockets_listener_name(&sockets, &sockets.items[0], &settings), "web");
    settings.fds.items = (char *[]){ (snprintf(name, sizeof(name), "3"), name), NULL };
    settings.fds.count = 1;
    ck_assert_int_eq(sockets_take_numbers(&sockets, &settings, &error), 0); /* the same, said twice */
    for (int i = 4; i <= 5; i++) {
        activation_free(sockets.numbered, sockets.numbered_count);
        snprintf(name, sizeof(name), "%d", i);
        ck_assert_int_eq(sockets_take_numbers(&sockets, &settings, &error), -EINVAL);
        ck_assert_str_eq(error.text, i == 4 ? "fd 4 is a datagram socket, not a listening Unix stream socket"
                                            : "fd 5 is a file, not a listening Unix stream socket");
        ck_assert_uint_eq(sockets.numbered_count, 0);
    }
    ck_assert_int_eq(sockets_prepare(&sockets, &settings, &error), 0);
    ck_assert_uint_eq(sockets.count, 1);
    ck_assert_str_eq(sockets.items[0].name, "fd 3");
    ck_assert_str_eq(sockets.items[0].address, scratch_path("s"));
    ck_assert_int_ge(fcntl(4, F_GETFD), 0);
    ck_assert_int_ge(fcntl(5, F_GETFD), 0);
    sockets_withdraw(&sockets);
    ck_assert_str_eq(scratch_list(), "d s ");
    sockets_done(&sockets);
    free_settings(&settings);
}

START_TEST(tells_handed_kinds_apart)
{
    child_run(take_activation, NULL);
}
END_TEST

/* Datagrams named "events" are the recorder's, and what was stored is found by its name. */
static void take_events(void *data)
{
    int fds[2] = { socket_bound(scratch_path("d"), SOCK_DGRAM, -1), memfd_create("stored", 0) };
    char *datagrams[] = { NULL, NULL };
    struct settings settings = settings_of("s", NULL);
    struct sockets sockets = { .count = 0 };
    char number[16];
    int passed = 0;
    socklen_t size = sizeof(passed);

    (void)data;
    for (int i = 0; i < 2; i++)
        fds[i] = fcntl(fds[i], F_DUPFD, 100);
    for (int i = 0; i < 2; i++)
        ck_assert_int_ge(dup2(fds[i], 3 + i), 0);
    snprintf(number, sizeof(number), "%d", (int)getpid());
    setenv("LISTEN_PID", number, 1);
    setenv("LISTEN_FDS", "2", 1);
    setenv("LISTEN_FDNAMES", "events:log", 1);
    ck_assert_int_eq(sockets_take_activation(&sockets, &error), 0);
    ck_assert(sockets_have_handed_events(&sockets));
    ck_assert(!sockets_only_handed(&sockets, &settings));
    ck_assert_int_eq(sockets_stored(&sockets, "log"), 4);
    ck_assert_int_eq(sockets_stored(&sockets, "events"), -1);
    ck_assert_int_eq(getsockopt(3, SOL_SOCKET, SO_PASSCRED, &passed, &size), 0);
    ck_assert_int_eq(passed, 1);
    /* And one of ours beside it; a listener at the same path is another socket, for which there is no place. */
    ck_assert_int_ge(asprintf(&datagrams[0], "events:%s", scratch_path("e")), 0);
    settings.datagrams = (struct text_list){ .items = datagrams, .count = 1 };
    ck_assert_int_eq(sockets_prepare(&sockets, &settings, &error), 0);
    sockets_commit(&sockets);
    ck_assert_uint_eq(sockets.count, 3);
    ck_assert_str_eq(sockets.items[0].name, "fd 3");
    ck_assert(sockets.items[0].datagram && !sockets.items[1].datagram && sockets.items[2].datagram);
    ck_assert_str_eq(scratch_list(), "d e e.lock s s.lock ");
    free(datagrams[0]);
    ck_assert_int_ge(asprintf(&datagrams[0], "events:%s", scratch_path("s")), 0);
    ck_assert_int_eq(sockets_prepare(&sockets, &settings, &error), -EADDRINUSE);
    ck_assert_ptr_nonnull(strstr(error.text, "is it given twice?"));
    settings.datagrams.count = 0;
    ck_assert_int_eq(sockets_prepare(&sockets, &settings, &error), 0);
    sockets_commit(&sockets);
    ck_assert_str_eq(scratch_list(), "d s s.lock ");
    sockets_done(&sockets);
    free(datagrams[0]);
    free_settings(&settings);
}

START_TEST(gives_events_to_the_recorder)
{
    child_run(take_events, NULL);
}
END_TEST

/* As many as there may be, and not one more, whoever they come from. */
START_TEST(has_a_maximum)
{
    struct rlimit limit = { .rlim_cur = 4096, .rlim_max = 4096 };
    struct settings settings = { .socket_mode = 0660, .backlog = 5 };
    struct sockets sockets = { .count = 0 };
    char *names[CONTRACT_LISTENERS_MAX];
    int handed = socket_bound(scratch_path("handed"), SOCK_STREAM, 5);
    char number[16], *numbers[] = { number, NULL };
    size_t before;

    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    snprintf(number, sizeof(number), "%d", handed);
    settings.fds = (struct text_list){ numbers, 1 };
    for (size_t i = 0; i < CONTRACT_LISTENERS_MAX; i++) {
        char name[16];

        snprintf(name, sizeof(name), "%zu", i);
        names[i] = strdup(scratch_path(name));
    }
    settings.uds = (struct text_list){ names, CONTRACT_LISTENERS_MAX };
    ck_assert_int_eq(sockets_prepare(&sockets, &settings, &error), 0);
    ck_assert_uint_eq(sockets.count, CONTRACT_LISTENERS_MAX);
    sockets_done(&sockets);
    before = fds_open();
    ck_assert_int_eq(sockets_take_numbers(&sockets, &settings, &error), 0);
    ck_assert_int_eq(sockets_prepare(&sockets, &settings, &error), -EINVAL);
    ck_assert_str_eq(error.text, "513 sockets to listen on (1 handed over, 512 by --uds): there may be at most 512");
    ck_assert_str_eq(scratch_list(), "handed ");
    ck_assert_uint_eq(fds_open(), before);
    settings.uds.count--;
    ck_assert_int_eq(sockets_prepare(&sockets, &settings, &error), 0);
    ck_assert_uint_eq(sockets.count, CONTRACT_LISTENERS_MAX);
    sockets_done(&sockets);
    for (size_t i = 0; i < CONTRACT_LISTENERS_MAX; i++)
        free(names[i]);
}
END_TEST

/* As an ordinary user: root's default is the real /run. */
static void use_default(void *data)
{
    struct settings settings = settings_of(NULL, NULL);
    struct sockets sockets = { .count = 0 };
    struct stat status;

    (void)data;
    if (geteuid() == 0)
        become(SOMEBODY, SOME_GROUP, NULL, 0);
    umask(0077);
    unsetenv("XDG_RUNTIME_DIR");
    ck_assert_int_eq(sockets_prepare(&sockets, &settings, &error), -EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "give --uds PATH"));
    setenv("XDG_RUNTIME_DIR", scratch_path("none"), 1);
    ck_assert_int_eq(sockets_prepare(&sockets, &settings, &error), -ENOENT);
    setenv("XDG_RUNTIME_DIR", scratch_path("."), 1);
    ck_assert_int_eq(sockets_prepare(&sockets, &settings, &error), 0);
    ck_assert_uint_eq(sockets.count, 1);
    ck_assert_str_eq(sockets.items[0].name, scratch_path("./berth/http.sock"));
    ck_assert_int_eq(stat(scratch_path("berth"), &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0755);
    sockets_done(&sockets);
    rmdir(scratch_path("berth"));
    free_settings(&settings);
}

START_TEST(has_a_default)
{
    scratch_chown(geteuid() == 0 ? SOMEBODY : geteuid());
    child_run(use_default, NULL);
}
END_TEST

Suite *suite_sockets(void)
{
    Suite *suite = suite_create("sockets");
    TCase *tcase = tcase_create("sockets");

    tcase_add_checked_fixture(tcase, scratch_setup, scratch_teardown);
    tcase_add_test(tcase, keeps_what_stays);
    tcase_add_test(tcase, names_what_the_settings_name);
    tcase_add_test(tcase, takes_back_all_when_one_fails);
    tcase_add_test(tcase, tells_handed_kinds_apart);
    tcase_add_test(tcase, gives_events_to_the_recorder);
    tcase_add_test(tcase, has_a_maximum);
    tcase_add_test(tcase, has_a_default);
    suite_add_tcase(suite, tcase);
    return suite;
}
