/*
 * Sockets that we are handed: TRAPS.md, "Activation and lifecycle". Each case runs in a child whose descriptors from 3
 * on are what a service manager would have put there.
 */
#include "socket/activation.h"

#include <check.h>
#include <fcntl.h>
#include <errno.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "socket/activation_names.h"
#include "socket/scratch.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

Suite *suite_activation(void);

enum { HANDED_MAX = 6 };

typedef int maker(void);

/* What is handed over and said about it; NULL for a variable that is not set. */
struct offer {
    maker *make[HANDED_MAX];
    const char *pid; /* "self": the process's own */
    const char *fds;
    const char *names;
};

struct outcome {
    const struct offer *offer;
    int r;
    char text[512];
    bool variables_left;
    size_t fds_open; /* of the HANDED_MAX from 3 on, after the list was freed */
    size_t count;
    struct {
        int fd, flags, status_flags;
        enum handed_kind kind;
        char name[64], address[128];
    } items[HANDED_MAX];
};

/* ---- Descriptors of all kinds --------------------------------------------------------------------------------- */

static int make_listener(void)
{
    return socket_bound(scratch_path("http"), SOCK_STREAM, 5);
}

static int make_second_listener(void)
{
    return socket_bound(scratch_path("second"), SOCK_STREAM, 5);
}

static int make_datagram(void)
{
    return socket_bound(scratch_path("events"), SOCK_DGRAM, -1);
}

static int make_abstract(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "\0berth-test\0x" };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    if (bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t) + 13) < 0 || listen(fd, 5) < 0)
        _exit(98);
    return fd;
}

/* As long as a path may be: 108 bytes, with no room for a NUL. (Valgrind looks for one all the same.) */
static int make_longest(void)
{
    struct {
        struct sockaddr_un un;
        char nul;
    } address = { .un.sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    memset(address.un.sun_path, 'x', sizeof(address.un.sun_path));
    memcpy(address.un.sun_path, scratch_path(""), strlen(scratch_path("")));
    if (bind(fd, (struct sockaddr *)&address.un, sizeof(address.un)) < 0 || listen(fd, 5) < 0)
        _exit(98);
    return fd;
}

static int make_memfd(void)
{
    return memfd_create("stored", 0);
}

static int make_eventfd(void)
{
    return eventfd(0, 0);
}

static int make_file(void)
{
    scratch_write("file", "text");
    return open(scratch_path("file"), O_RDONLY);
}

static int make_tcp(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    listen(fd, 5);
    return fd;
}

static int make_tcp6(void)
{
    return socket(AF_INET6, SOCK_STREAM, 0);
}

static int make_udp(void)
{
    return socket(AF_INET, SOCK_DGRAM, 0);
}

static int make_netlink(void)
{
    return socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
}

static int make_seqpacket(void)
{
    return socket_bound(scratch_path("packets"), SOCK_SEQPACKET, 5);
}

static int make_deaf(void)
{
    return socket_bound(scratch_path("deaf"), SOCK_STREAM, -1);
}

static int make_unbound(void)
{
    return socket(AF_UNIX, SOCK_STREAM, 0);
}

static int make_connection(void)
{
    int ends[2];

    return socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0 ? -1 : ends[0];
}

static int make_nameless_datagram(void)
{
    return socket(AF_UNIX, SOCK_DGRAM, 0);
}

static int make_pipe(void)
{
    int ends[2];

    return pipe(ends) < 0 ? -1 : ends[0];
}

static int make_folder(void)
{
    return open("/", O_RDONLY | O_DIRECTORY);
}

static int make_device(void)
{
    return open("/dev/null", O_RDWR);
}

static int make_terminal(void)
{
    return open("/dev/ptmx", O_RDWR | O_NOCTTY);
}

static int make_path_only(void)
{
    close(make_listener());
    return open(scratch_path("http"), O_PATH);
}

/* ---- Handing over --------------------------------------------------------------------------------------------- */

static void set(const char *name, const char *value)
{
    char self[16];

    snprintf(self, sizeof(self), "%d", (int)getpid());
    if (value != NULL)
        setenv(name, strcmp(value, "self") == 0 ? self : value, 1);
    else
        unsetenv(name);
}

static void place_fds(const struct offer *offer)
{
    int made[HANDED_MAX];

    for (size_t i = 0; i < HANDED_MAX; i++) {
        made[i] = offer->make[i] != NULL ? offer->make[i]() : -1;
        if (made[i] >= 0)
            made[i] = fcntl(made[i], F_DUPFD, 100);
    }
    for (int i = 0; i < HANDED_MAX; i++) {
        close(ACTIVATION_FIRST_FD + i);
        if (made[i] >= 0 && dup2(made[i], ACTIVATION_FIRST_FD + i) < 0)
            _exit(97);
        close(made[i]);
    }
}

static void note_outcome(struct outcome *outcome, const struct handed *handed)
{
    for (size_t i = 0; i < outcome->count && i < HANDED_MAX; i++) {
        outcome->items[i].fd = handed[i].fd;
        outcome->items[i].flags = fcntl(handed[i].fd, F_GETFD);
        outcome->items[i].status_flags = fcntl(handed[i].fd, F_GETFL);
        outcome->items[i].kind = handed[i].kind;
        snprintf(outcome->items[i].name, sizeof(outcome->items[i].name), "%s", handed[i].name);
        snprintf(outcome->items[i].address, sizeof(outcome->items[i].address), "%s", handed[i].address);
    }
}

static void take_in_child(void *data)
{
    struct outcome *outcome = data;
    struct handed *handed = NULL;
    struct error error = { "" };

    place_fds(outcome->offer);
    set("LISTEN_PID", outcome->offer->pid);
    set("LISTEN_FDS", outcome->offer->fds);
    set("LISTEN_FDNAMES", outcome->offer->names);
    set("LISTEN_PIDFDID", "12345");
    outcome->r = activation_take(&handed, &outcome->count, &error);
    outcome->variables_left = getenv("LISTEN_PID") != NULL || getenv("LISTEN_FDS") != NULL ||
                              getenv("LISTEN_FDNAMES") != NULL || getenv("LISTEN_PIDFDID") != NULL;
    strcpy(outcome->text, error.text);
    if (outcome->r == 0) {
        note_outcome(outcome, handed);
        activation_free(handed, outcome->count);
    }
    for (int fd = ACTIVATION_FIRST_FD; fd < ACTIVATION_FIRST_FD + HANDED_MAX; fd++)
        outcome->fds_open += fcntl(fd, F_GETFD) >= 0;
}

static struct outcome *take(const struct offer *offer)
{
    struct outcome *outcome = shared_new(sizeof(*outcome));

    outcome->offer = offer;
    outcome->count = 77;
    child_run(take_in_child, outcome);
    ck_assert(!outcome->variables_left);
    return outcome;
}

START_TEST(takes_any_number_with_their_roles)
{
    static const struct offer offer = { { make_listener, make_datagram, make_second_listener, make_memfd, make_eventfd,
                                          make_file },
                                        "self",
                                        "6",
                                        "http:events:http:log::log" };
    static const struct {
        enum handed_kind kind;
        const char *name, *address;
    } expected[] = {
        { HANDED_LISTENER, "http", "http" },   { HANDED_DATAGRAM, "events", "events" },
        { HANDED_LISTENER, "http", "second" }, { HANDED_STORED, "log", NULL },
        { HANDED_STORED, "", NULL },           { HANDED_STORED, "log", NULL },
    };
    struct outcome *outcome = take(&offer);

    ck_assert_msg(outcome->r == 0, "%s", outcome->text);
    ck_assert_uint_eq(outcome->count, 6);
    for (int i = 0; i < 6; i++) {
        bool socket = expected[i].kind != HANDED_STORED;

        ck_assert_int_eq(outcome->items[i].fd, 3 + i);
        ck_assert_int_eq(outcome->items[i].kind, expected[i].kind);
        ck_assert_str_eq(outcome->items[i].name, expected[i].name);
        ck_assert_str_eq(outcome->items[i].address, socket ? scratch_path(expected[i].address) : "");
        ck_assert_int_eq(outcome->items[i].flags, FD_CLOEXEC);
        ck_assert_int_eq((outcome->items[i].status_flags & O_NONBLOCK) != 0, socket);
    }
    ck_assert_uint_eq(outcome->fds_open, 0);
}
END_TEST

START_TEST(takes_them_without_names)
{
    static const struct offer offer = { { make_listener, make_abstract }, "self", "2", NULL };
    struct outcome *outcome = take(&offer);

    ck_assert_msg(outcome->r == 0, "%s", outcome->text);
    ck_assert_uint_eq(outcome->count, 2);
    ck_assert_str_eq(outcome->items[0].name, "");
    ck_assert_str_eq(outcome->items[1].address, "@berth-test@x");
}
END_TEST

START_TEST(shows_the_longest_path)
{
    static const struct offer offer = { { make_longest }, "self", "1", "" };
    struct outcome *outcome = take(&offer);

    ck_assert_msg(outcome->r == 0, "%s", outcome->text);
    ck_assert_uint_eq(strlen(outcome->items[0].address), 108);
}
END_TEST

/* Nothing is ours: nothing is touched, but the variables go. */
static const struct offer others[] = {
    { { make_listener }, NULL, "1", "http" }, { { make_listener }, "self", NULL, "http" },
    { { make_listener }, "1", "1", "http" },  { { make_listener }, "1", "rubbish", "http" },
    { { make_listener }, "self", "0", "" },   { { make_listener }, NULL, NULL, NULL },
};

START_TEST(takes_nothing_that_is_not_ours)
{
    struct outcome *outcome = take(&others[_i]);

    ck_assert_msg(outcome->r == 0, "%s", outcome->text);
    ck_assert_uint_eq(outcome->count, 0);
    ck_assert_uint_eq(outcome->fds_open, 1);
}
END_TEST

static const struct {
    struct offer offer;
    const char *text;
    size_t fds_open;
} refused[] = {
    /* kinds */
    { { { make_tcp }, "self", "1", "web" }, "fd 3 (web) is an IPv4 socket", 1 },
    { { { make_tcp6 }, "self", "1", NULL }, "fd 3 is an IPv6 socket", 1 },
    { { { make_udp }, "self", "1", NULL }, "fd 3 is an IPv4 socket", 1 },
    { { { make_netlink }, "self", "1", NULL }, "fd 3 is a netlink socket", 1 },
    { { { make_listener, make_seqpacket }, "self", "2", "a:b" }, "fd 4 (b) is a sequential packet socket", 2 },
    { { { make_deaf }, "self", "1", NULL }, "fd 3 is a stream socket that does not listen", 1 },
    { { { make_unbound }, "self", "1", NULL }, "fd 3 is a stream socket that does not listen", 1 },
    { { { make_connection }, "self", "1", "connection" }, "Accept=no", 1 },
    { { { make_nameless_datagram }, "self", "1", NULL }, "datagram socket without an address", 1 },
    { { { make_pipe }, "self", "1", NULL }, "fd 3 is a pipe", 1 },
    { { { make_folder }, "self", "1", NULL }, "fd 3 is a folder", 1 },
    { { { make_device }, "self", "1", NULL }, "fd 3 is a device or a terminal", 1 },
    { { { make_terminal }, "self", "1", NULL }, "fd 3 is a device or a terminal", 1 },
    { { { make_path_only }, "self", "1", NULL }, "fd 3: cannot ask what it is", 1 },
    { { { make_listener, make_memfd }, "self", "2", "http:http" }, "fd 4 (http) is a file, not a socket, and fd 3", 2 },
    /* counts that lie */
    { { { make_listener }, "self", "2", NULL }, "LISTEN_FDS says 2, but fd 4 is not open", 1 },
    { { { make_listener, NULL, make_datagram }, "self", "3", "a:b:c" }, "fd 4 (b) is not open", 2 },
    { { { make_listener }, "self", "4096", NULL }, "LISTEN_FDS says 4096, but fd 4 is not open", 1 },
    { { { make_listener }, "self", "1", "a:b" }, "LISTEN_FDNAMES names 2 descriptors, and LISTEN_FDS says 1", 1 },
    { { { make_listener, make_datagram }, "self", "2", "a" }, "LISTEN_FDNAMES names 1 descriptors", 2 },
    { { { make_listener, make_datagram }, "self", "2", "" }, "LISTEN_FDNAMES names 1 descriptors", 2 },
    /* texts */
    { { { make_listener }, "self", "4097", NULL }, "LISTEN_FDS: \"4097\" is not a number from 0 to 4096", 1 },
    { { { make_listener }, "self", "-1", NULL }, "LISTEN_FDS: \"-1\"", 1 },
    { { { make_listener }, "self", "1 ", NULL }, "LISTEN_FDS: \"1 \"", 1 },
    { { { make_listener }, "self", "", NULL }, "LISTEN_FDS: \"\"", 1 },
    { { { make_listener }, "self", "18446744073709551617", NULL }, "LISTEN_FDS: \"18446744073709551617\"", 1 },
    { { { make_listener }, "", "1", NULL }, "LISTEN_PID: \"\"", 1 },
    { { { make_listener }, "0", "1", NULL }, "LISTEN_PID: \"0\"", 1 },
    { { { make_listener }, "\033[2J", "1", NULL }, "LISTEN_PID: \"?[2J\"", 1 },
    { { { make_listener }, "self", "1", "a\nb" }, "control character", 1 },
};

START_TEST(refuses_with_one_line_and_takes_nothing)
{
    struct outcome *outcome = take(&refused[_i].offer);

    ck_assert_int_eq(outcome->r, -EINVAL);
    ck_assert_msg(strstr(outcome->text, refused[_i].text) != NULL, "no \"%s\" in: %s", refused[_i].text, outcome->text);
    ck_assert_ptr_null(strchr(outcome->text, '\n'));
    ck_assert_uint_eq(outcome->count, 77);
    ck_assert_uint_eq(outcome->fds_open, refused[_i].fds_open);
}
END_TEST

START_TEST(limits_a_name)
{
    char name[ACTIVATION_NAME_MAX + 2], **names;
    struct error error = { "" };
    size_t count;

    memset(name, 'n', sizeof(name));
    name[ACTIVATION_NAME_MAX] = '\0';
    ck_assert_int_eq(activation_names_parse(5, "5", "1", name, &names, &count, &error), 0);
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(names[0], name);
    activation_names_free(names, count);
    name[ACTIVATION_NAME_MAX] = 'n';
    name[ACTIVATION_NAME_MAX + 1] = '\0';
    ck_assert_int_eq(activation_names_parse(5, "5", "1", name, &names, &count, &error), -EINVAL);
    ck_assert_str_eq(error.text, "LISTEN_FDNAMES: name 1 has 256 bytes; the limit is 255");
}
END_TEST

START_TEST(examines_one_by_number)
{
    struct handed handed;
    int fd = make_listener();

    ck_assert_int_eq(fcntl(fd, F_SETFD, 0), 0);
    ck_assert_int_eq(activation_examine(fd, "", &handed, NULL), 0);
    ck_assert_int_eq(handed.fd, fd);
    ck_assert_int_eq(handed.kind, HANDED_LISTENER);
    ck_assert_str_eq(handed.name, "");
    ck_assert_str_eq(handed.address, scratch_path("http"));
    ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    free(handed.name);
    free(handed.address);
    close(fd);
}
END_TEST

static const struct {
    maker *make;
    const char *text;
} no_listeners[] = {
    { make_datagram, "is a datagram socket, not a listening" },
    { make_memfd, "is a file, not a listening" },
    { make_tcp, "is an IPv4 socket" },
    { make_deaf, "does not listen" },
    { NULL, "is not open" },
};

START_TEST(examines_and_refuses)
{
    int fd = no_listeners[_i].make != NULL ? no_listeners[_i].make() : 999;
    struct error error = { "" };
    struct handed handed;
    int flags = fcntl(fd, F_GETFD);

    ck_assert_int_eq(activation_examine(fd, "", &handed, &error), -EINVAL);
    ck_assert_msg(strstr(error.text, no_listeners[_i].text) != NULL, "%s", error.text);
    ck_assert_int_eq(fcntl(fd, F_GETFD), flags);
    close(fd);
}
END_TEST

Suite *suite_activation(void)
{
    Suite *suite = suite_create("activation");
    TCase *tests = tcase_create("activation");

    tcase_add_checked_fixture(tests, scratch_setup, scratch_teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, takes_any_number_with_their_roles);
    tcase_add_test(tests, takes_them_without_names);
    tcase_add_test(tests, shows_the_longest_path);
    tcase_add_loop_test(tests, takes_nothing_that_is_not_ours, 0, COUNT(others));
    tcase_add_loop_test(tests, refuses_with_one_line_and_takes_nothing, 0, COUNT(refused));
    tcase_add_test(tests, limits_a_name);
    tcase_add_test(tests, examines_one_by_number);
    tcase_add_loop_test(tests, examines_and_refuses, 0, COUNT(no_listeners));
    suite_add_tcase(suite, tests);
    return suite;
}
