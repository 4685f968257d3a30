/*
 * Sockets at a path: TRAPS.md, "The socket file".
 */
#include "socket/listener.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "socket/scratch.h"
#include "socket/steps.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

Suite *suite_listener(void);

static const struct listener_options usual = { .mode = 0660, .backlog = 16 };
static const struct listener_options datagrams = { .mode = 0660, .datagram = true };

static struct listener *publish(const char *path, const struct listener_options *options)
{
    struct listener *listener = NULL;
    struct error error = { "" };
    int r = listener_publish(path, options, &listener, &error);

    ck_assert_msg(r == 0, "%s", error.text);
    return listener;
}

/* Must fail with `expected` and say `text`; nothing may be left open, and nothing made or taken away. */
static void refuse(const char *path, const struct listener_options *options, int expected, const char *text)
{
    struct listener *listener = NULL;
    struct error error = { "" };
    size_t fds = fds_open();
    char before[1024];
    int r;

    strcpy(before, scratch_list());
    r = listener_publish(path, options, &listener, &error);
    ck_assert_msg(r == expected, "%d instead of %d: %s", r, expected, error.text);
    ck_assert_msg(strstr(error.text, text) != NULL, "no \"%s\" in: %s", text, error.text);
    ck_assert_ptr_null(listener);
    ck_assert_str_eq(scratch_list(), before);
    ck_assert_uint_eq(fds_open(), fds);
}

static void serve_forever(void *path)
{
    publish(path, &usual);
    child_ready();
    pause();
}

START_TEST(publishes_and_owns)
{
    const char *path = scratch_path("s");
    struct listener *listener = publish(path, &usual);
    struct sockaddr_un address;
    socklen_t size = sizeof(address);
    struct stat status;
    int fd = listener_fd(listener), client;

    ck_assert_str_eq(listener_path(listener), path);
    ck_assert_int_eq(lstat(path, &status), 0);
    ck_assert_uint_eq(status.st_mode, S_IFSOCK | 0660);
    ck_assert_uint_eq(status.st_uid, geteuid());
    ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    ck_assert_str_eq(address.sun_path, path);
    ck_assert_str_eq(scratch_list(), "s s.lock ");
    client = socket_connect(path);
    ck_assert_int_ge(client, 0);
    close(client);
    listener_free(listener);
    ck_assert_str_eq(scratch_list(), "");
    listener_free(NULL);
}
END_TEST

/* What `ss -xl` and `lsof -U` read. */
START_TEST(shows_its_path)
{
    const char *path = scratch_path("shown");
    struct listener *listener = publish(path, &usual);
    FILE *table = fopen("/proc/net/unix", "re");
    char line[512];
    bool found = false;

    ck_assert_ptr_nonnull(table);
    while (fgets(line, sizeof(line), table) != NULL) {
        const char *shown = strchr(line, '/');

        line[strcspn(line, "\n")] = '\0';
        found |= shown != NULL && strcmp(shown, path) == 0;
    }
    fclose(table);
    ck_assert(found);
    listener_free(listener);
}
END_TEST

static const struct {
    mode_t mode, umask;
} modes[] = {
    { 0660, 022 }, { 0660, 0 }, { 0600, 0 }, { 0666, 077 }, { 0666, 0 }, { 0777, 0777 }, { 0400, 0 }, { 0, 0 },
};

START_TEST(sets_the_mode_and_keeps_the_umask)
{
    struct listener_options options = { .mode = modes[_i].mode, .backlog = 1 };
    struct listener *listener;
    struct stat status;

    umask(modes[_i].umask);
    listener = publish(scratch_path("s"), &options);
    ck_assert_uint_eq(umask(022), modes[_i].umask);
    ck_assert_int_eq(stat(scratch_path("s"), &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, modes[_i].mode);
    ck_assert_int_eq(stat(scratch_path("s.lock"), &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0600);
    listener_free(listener);
}
END_TEST

START_TEST(refuses_a_mode_that_is_none)
{
    struct listener_options options = { .mode = 04660, .backlog = 1 };

    refuse(scratch_path("s"), &options, -EINVAL, "4660");
}
END_TEST

static void publish_in_steps(void *data)
{
    struct listener *listener;

    umask(0);
    steps_start();
    _exit(listener_publish(scratch_path("s"), data, &listener, NULL) == 0 ? 0 : 2);
}

/*
 * Publishes in a child that stops at each of its system calls, so that there is no moment that we do not see: the path
 * is never more open than asked for, and open to nobody but its owner until it has its group.
 */
static void watch_publishing(struct listener_options *options, gid_t gid)
{
    const char *path = scratch_path("s");
    unsigned int seen = 0;
    struct stat status;
    int state;
    pid_t pid = steps_begin(publish_in_steps, options);

    while (steps_next(pid, &state)) {
        if (lstat(path, &status) < 0)
            continue;
        seen++;
        ck_assert_uint_eq(status.st_mode & 07777 & ~(status.st_gid == gid ? options->mode : 0600), 0);
        ck_assert_str_eq(scratch_list(), "s s.lock ");
    }
    ck_assert_int_eq(state, 0);
    ck_assert_uint_gt(seen, 3);
    ck_assert_uint_eq(status.st_mode & 07777, options->mode);
    ck_assert_uint_eq(status.st_gid, gid);
}

START_TEST(is_never_more_open_than_asked)
{
    struct listener_options options = { .mode = modes[_i].mode, .backlog = 1 };

    watch_publishing(&options, getegid());
}
END_TEST

static void make_file(const char *path)
{
    (void)path;
    scratch_write("s", "precious");
}

static void make_folder(const char *path)
{
    ck_assert_int_eq(mkdir(path, 0755), 0);
}

static void make_fifo(const char *path)
{
    ck_assert_int_eq(mkfifo(path, 0600), 0);
}

static void make_link_to_file(const char *path)
{
    scratch_write("target", "precious");
    ck_assert_int_eq(symlink("target", path), 0);
}

static void make_link_to_socket(const char *path)
{
    close(socket_bound(scratch_path("target"), SOCK_STREAM, 1));
    ck_assert_int_eq(symlink("target", path), 0);
}

static void make_dangling_link(const char *path)
{
    ck_assert_int_eq(symlink("target", path), 0);
}

static const struct {
    void (*make)(const char *path);
    const char *text;
} occupants[] = {
    { make_file, "a plain file" },
    { make_folder, "a folder" },
    { make_fifo, "no socket" },
    { make_link_to_file, "a symbolic link" },
    { make_link_to_socket, "symbolic link" },
    { make_dangling_link, "a symbolic link" },
};

START_TEST(leaves_alone_what_is_no_socket)
{
    const char *path = scratch_path("s");
    struct stat before, after;

    occupants[_i].make(path);
    ck_assert_int_eq(lstat(path, &before), 0);
    refuse(path, &usual, -ENOTSOCK, occupants[_i].text);
    ck_assert_int_eq(lstat(path, &after), 0);
    ck_assert_uint_eq(before.st_ino, after.st_ino);
    ck_assert_uint_eq(before.st_mode, after.st_mode);
    ck_assert_int_eq(before.st_size, after.st_size);
    ck_assert_int_eq(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
}
END_TEST

static void listen_plainly(void *path)
{
    socket_bound(path, SOCK_STREAM, 5);
    child_ready();
    pause();
}

/* A child of its own has the socket too, and outlives it. */
static void listen_and_leave_an_orphan(void *orphan)
{
    pid_t pid;

    socket_bound(scratch_path("s"), SOCK_STREAM, 5);
    pid = fork();
    if (pid != 0) {
        *(pid_t *)orphan = pid;
        child_ready();
    }
    pause();
}

static void (*const servers[])(void *path) = { listen_plainly, serve_forever };

START_TEST(refuses_a_live_one_and_names_its_pid)
{
    char path[128], text[64];
    struct stat before, after;
    pid_t pid;
    int client;

    strcpy(path, scratch_path("s"));
    pid = child_start(servers[_i], path);
    snprintf(text, sizeof(text), "already served by pid %d;", (int)pid);
    ck_assert_int_eq(lstat(path, &before), 0);
    refuse(path, &usual, -EADDRINUSE, text);
    ck_assert_int_eq(lstat(path, &after), 0);
    ck_assert_uint_eq(before.st_ino, after.st_ino);
    client = socket_connect(path);
    ck_assert_int_ge(client, 0);
    close(client);
    child_kill(pid);
}
END_TEST

START_TEST(refuses_a_live_one_with_a_full_queue)
{
    const char *path = scratch_path("s");
    int server = socket_bound(path, SOCK_STREAM, 0);
    int first = socket_connect(path);

    ck_assert_int_ge(first, 0);
    ck_assert_int_eq(socket_connect(path), -EAGAIN);
    refuse(path, &usual, -EADDRINUSE, "already served");
    close(first);
    close(server);
}
END_TEST

/* The socket says whose it was; that process is no more, and its child still answers. */
START_TEST(tells_of_orphans)
{
    pid_t *orphan = shared_new(sizeof(*orphan));
    char text[64];
    pid_t pid = child_start(listen_and_leave_an_orphan, orphan);

    child_kill(pid);
    snprintf(text, sizeof(text), "pid %d, which has ended", (int)pid);
    refuse(scratch_path("s"), &usual, -EADDRINUSE, text);
    ck_assert_int_eq(kill(*orphan, SIGKILL), 0);
}
END_TEST

START_TEST(refuses_itself_twice)
{
    struct listener *listener = publish(scratch_path("s"), &usual);

    refuse(scratch_path("s"), &usual, -EADDRINUSE, "given twice");
    listener_free(listener);
    ck_assert_str_eq(scratch_list(), "");
}
END_TEST

START_TEST(refuses_a_live_socket_of_another_kind)
{
    static const int types[] = { SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM };
    int fd = socket_bound(scratch_path("s"), types[_i], types[_i] == SOCK_STREAM ? 1 : -1);

    if (types[_i] != SOCK_STREAM)
        refuse(scratch_path("s"), &usual, -EADDRINUSE, "datagram or packet");
    if (types[_i] != SOCK_DGRAM)
        refuse(scratch_path("s"), &datagrams, -EADDRINUSE, "stream or packet");
    close(fd);
}
END_TEST

/* Sends from a socket without a name; returns who the receiver is told it was. */
static struct ucred sender_told(int fd, const char *path)
{
    union {
        char bytes[CMSG_SPACE(sizeof(struct ucred))];
        struct cmsghdr align;
    } control = { .bytes = { 0 } };
    char text[8] = "";
    struct iovec part = { .iov_base = text, .iov_len = sizeof(text) };
    struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes };
    struct sockaddr_un address = address_of(path);
    struct ucred who = { 0 };
    int sender = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(sendto(sender, "hello", 5, 0, (struct sockaddr *)&address, sizeof(address)), 5);
    close(sender);
    header.msg_controllen = sizeof(control.bytes);
    ck_assert_int_eq(recvmsg(fd, &header, MSG_DONTWAIT), 5);
    ck_assert_str_eq(text, "hello");
    ck_assert_ptr_nonnull(CMSG_FIRSTHDR(&header));
    ck_assert_int_eq(CMSG_FIRSTHDR(&header)->cmsg_type, SCM_CREDENTIALS);
    memcpy(&who, CMSG_DATA(CMSG_FIRSTHDR(&header)), sizeof(who));
    return who;
}

START_TEST(takes_datagrams_with_their_senders)
{
    const char *path = scratch_path("s");
    struct listener *listener = publish(path, &datagrams);
    int fd = listener_fd(listener);
    struct stat status;
    struct ucred who = sender_told(fd, path);

    ck_assert_int_eq(lstat(path, &status), 0);
    ck_assert_uint_eq(status.st_mode, S_IFSOCK | 0660);
    ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    ck_assert_int_eq(who.pid, getpid());
    ck_assert_uint_eq(who.uid, geteuid());
    ck_assert_str_eq(scratch_list(), "s s.lock ");
    listener_free(listener);
    ck_assert_str_eq(scratch_list(), "");
}
END_TEST

static void take_datagrams_forever(void *path)
{
    publish(path, &datagrams);
    child_ready();
    pause();
}

START_TEST(refuses_a_live_datagram_socket_and_replaces_a_dead_one)
{
    char path[128], text[64];
    pid_t pid;

    strcpy(path, scratch_path("s"));
    pid = child_start(take_datagrams_forever, path);
    snprintf(text, sizeof(text), "already served by pid %d", (int)pid);
    refuse(path, &datagrams, -EADDRINUSE, text);
    refuse(path, &usual, -EADDRINUSE, "pid");
    child_kill(pid);
    ck_assert_str_eq(scratch_list(), "s s.lock ");
    if (_i == 0) {
        listener_free(publish(path, &datagrams));
    } else {
        /* One that knows nothing of the lock, and takes datagrams from another alone. */
        struct sockaddr_un address = address_of(scratch_path("o"));
        int fd, other = socket_bound(scratch_path("o"), SOCK_DGRAM, -1);

        ck_assert_int_eq(unlink(path) + unlink(scratch_path("s.lock")), 0);
        fd = socket_bound(path, SOCK_DGRAM, -1);
        ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        refuse(path, &datagrams, -EADDRINUSE, "already served");
        close(fd);
        close(other);
    }
}
END_TEST

START_TEST(replaces_a_dead_one)
{
    struct listener *listener;
    char path[128];
    int client;

    strcpy(path, scratch_path("s"));
    child_kill(child_start(serve_forever, path));
    ck_assert_str_eq(scratch_list(), "s s.lock ");
    ck_assert_int_eq(socket_connect(path), -ECONNREFUSED);
    listener = publish(path, &usual);
    client = socket_connect(path);
    ck_assert_int_ge(client, 0);
    close(client);
    listener_free(listener);
    ck_assert_str_eq(scratch_list(), "");
}
END_TEST

START_TEST(leaves_its_successor_alone)
{
    const char *path = scratch_path("s");
    struct listener *listener = publish(path, &usual);
    int successor, client;

    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(unlink(scratch_path("s.lock")), 0);
    scratch_write("s.lock", "1\n");
    successor = socket_bound(path, SOCK_STREAM, 5);
    listener_free(listener);
    ck_assert_str_eq(scratch_list(), "s s.lock ");
    client = socket_connect(path);
    ck_assert_int_ge(client, 0);
    close(client);
    close(successor);
}
END_TEST

START_TEST(leaves_alone_what_took_its_place)
{
    struct listener *listener = publish(scratch_path("s"), &usual);

    ck_assert_int_eq(unlink(scratch_path("s")), 0);
    scratch_write("s", "precious");
    listener_free(listener);
    ck_assert_str_eq(scratch_list(), "s ");
}
END_TEST

static void path_of(size_t length, char *ret_path)
{
    strcpy(ret_path, scratch_path(""));
    memset(ret_path + strlen(ret_path), 'x', length - strlen(ret_path));
    ret_path[length] = '\0';
}

START_TEST(takes_a_path_of_107_bytes)
{
    struct listener *listener;
    char path[200];
    struct stat status;

    path_of(107, path);
    listener = publish(path, &usual);
    ck_assert_int_eq(lstat(path, &status), 0);
    ck_assert(S_ISSOCK(status.st_mode));
    listener_free(listener);
    ck_assert_str_eq(scratch_list(), "");
}
END_TEST

START_TEST(refuses_a_longer_path)
{
    static const size_t lengths[] = { 108, 109, 150 };
    char path[200], text[64];

    path_of(lengths[_i], path);
    snprintf(text, sizeof(text), "%zu bytes long, and the name of a socket has at most 107", lengths[_i]);
    refuse(path, &usual, -EINVAL, text);
}
END_TEST

static const struct {
    const char *path;
    int r;
    const char *text;
} bad_paths[] = {
    { "", -EINVAL, "no name" },
    { "/", -EINVAL, "folder" },
    { "/tmp/", -EINVAL, "folder" },
    { "/tmp", -ENOTSOCK, "a folder" },
    { "/nowhere-at-all/s", -ENOENT, "mkdir -p /nowhere-at-all" },
    { "/dev/null/s", -ENOTDIR, "/dev/null is not a folder" },
    { "@", -EINVAL, "no name" },
    { "@x", -EINVAL, "--allow-abstract" },
};

START_TEST(says_what_is_wrong_with_a_path)
{
    refuse(bad_paths[_i].path, &usual, bad_paths[_i].r, bad_paths[_i].text);
}
END_TEST

static const struct {
    const char *user, *group;
    int r;
    const char *text;
} bad_owners[] = {
    { NULL, "no-such-group", -EINVAL, "--socket-group: there is no group \"no-such-group\"" },
    { "no-such-user", NULL, -EINVAL, "--socket-user: there is no user \"no-such-user\"" },
    { NULL, "", -EINVAL, "--socket-group: \"\"" },
    { NULL, "4294967295", -EINVAL, "4294967295" },
    { "99999999999999999999", NULL, -EINVAL, "--socket-user" },
};

/* Found out before anything is touched: the dead socket is still there. */
START_TEST(refuses_unknown_owners)
{
    struct listener_options options = { .mode = 0660, .backlog = 1 };

    options.user = bad_owners[_i].user;
    options.group = bad_owners[_i].group;
    close(socket_bound(scratch_path("s"), SOCK_STREAM, 1));
    refuse(scratch_path("s"), &options, bad_owners[_i].r, bad_owners[_i].text);
    ck_assert_str_eq(scratch_list(), "s ");
}
END_TEST

START_TEST(gives_it_to_our_own_group)
{
    char number[16];
    struct listener_options options = { .mode = 0660, .backlog = 1, .group = number };
    struct group *group = getgrgid(getegid());
    struct listener *listener;
    struct stat status;

    snprintf(number, sizeof(number), "%u", (unsigned int)getegid());
    if (_i == 1 && group != NULL)
        options.group = group->gr_name;
    listener = publish(scratch_path("s"), &options);
    ck_assert_int_eq(lstat(scratch_path("s"), &status), 0);
    ck_assert_uint_eq(status.st_gid, getegid());
    listener_free(listener);
}
END_TEST

START_TEST(withdraws_and_keeps_its_queue)
{
    const char *path = scratch_path("s");
    struct listener *listener = publish(path, &usual);
    int client = socket_connect(path), accepted;
    char byte = 0;

    ck_assert_int_ge(client, 0);
    listener_withdraw(listener);
    ck_assert_str_eq(scratch_list(), "");
    ck_assert_int_eq(socket_connect(path), -ENOENT);
    accepted = accept4(listener_fd(listener), NULL, NULL, SOCK_CLOEXEC);
    ck_assert_int_ge(accepted, 0);
    ck_assert_int_eq(write(client, "x", 1), 1);
    ck_assert_int_eq(read(accepted, &byte, 1), 1);
    ck_assert_int_eq(byte, 'x');
    close(client);
    close(accepted);
    /* The place is free for the next one, and our end of it takes nothing away from them. */
    client = socket_bound(path, SOCK_STREAM, 1);
    listener_withdraw(listener);
    listener_free(listener);
    ck_assert_str_eq(scratch_list(), "s ");
    close(client);
}
END_TEST

START_TEST(finds_its_place_again_after_chdir)
{
    struct listener *listener;

    ck_assert_int_eq(chdir(scratch_path("")), 0);
    listener = publish("s", &usual);
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_str_eq(scratch_list(), "s s.lock ");
    listener_free(listener);
    ck_assert_str_eq(scratch_list(), "");
}
END_TEST

START_TEST(takes_an_abstract_name_where_that_is_allowed)
{
    struct listener_options options = { .mode = 0660, .backlog = 5, .abstract_allowed = true };
    char name[128], text[64];
    struct listener *listener;

    snprintf(name, sizeof(name), "@berth-test-%d-", (int)getpid());
    if (_i > 0)
        memset(name + strlen(name), 'x', 108 - strlen(name)); /* '@' and 107 more */
    name[_i > 0 ? 108 : strlen(name)] = '\0';
    listener = publish(name, &options);
    ck_assert_str_eq(listener_path(listener), name);
    snprintf(text, sizeof(text), "already served by pid %d", (int)getpid());
    refuse(name, &options, -EADDRINUSE, text);
    listener_free(listener);
    listener_free(publish(name, &options));
    if (_i > 0) {
        strcat(name, "x");
        refuse(name, &options, -EINVAL, "108 bytes");
    }
}
END_TEST

/* ---- Races ---------------------------------------------------------------------------------------------------- */

/* Pipes without a byte in them: the end of one is a signal to all who wait for it. */
struct race {
    char path[128];
    int start[2], stop[2], results[2];
    bool withdraw; /* or die without a word, so that the next race begins with a dead socket */
};

static void wait_for_end(int fd)
{
    char byte;

    while (read(fd, &byte, 1) > 0)
        ;
}

static void racer(const struct race *race)
{
    struct listener *listener;
    char result;
    int r;

    close(race->start[1]);
    close(race->stop[1]);
    wait_for_end(race->start[0]);
    r = listener_publish(race->path, &usual, &listener, NULL);
    result = r == 0 ? 'w' : r == -EADDRINUSE ? 'l' : '?';
    if (write(race->results[1], &result, 1) != 1)
        _exit(1);
    wait_for_end(race->stop[0]); /* both have tried */
    if (r == 0 && race->withdraw)
        listener_free(listener);
    _exit(0);
}

static void race_run(struct race *race, char results[2])
{
    pid_t pids[2];

    ck_assert_int_eq(pipe(race->start), 0);
    ck_assert_int_eq(pipe(race->stop), 0);
    ck_assert_int_eq(pipe(race->results), 0);
    for (int i = 0; i < 2; i++) {
        pids[i] = fork();
        ck_assert_int_ge(pids[i], 0);
        if (pids[i] == 0)
            racer(race);
    }
    close(race->start[1]);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(read(race->results[0], &results[i], 1), 1);
    close(race->stop[1]);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(waitpid(pids[i], NULL, 0), pids[i]);
    close(race->start[0]);
    close(race->stop[0]);
    close(race->results[0]);
    close(race->results[1]);
}

START_TEST(lets_one_of_two_win)
{
    struct race race = { .withdraw = false };
    char results[2];

    strcpy(race.path, scratch_path("s"));
    for (int round = 0; round < 200; round++) {
        race.withdraw = round % 2 == 0;
        race_run(&race, results);
        ck_assert_msg(memcmp(results, "wl", 2) == 0 || memcmp(results, "lw", 2) == 0, "round %d: %.2s", round, results);
        ck_assert_str_eq(scratch_list(), race.withdraw ? "" : "s s.lock ");
    }
}
END_TEST

static void publish_and_withdraw_in_steps(void *data)
{
    struct listener *listener = NULL;

    steps_start();
    listener_publish(scratch_path("s"), data, &listener, NULL);
    listener_free(listener);
}

/* At its step number `when`, another program that knows nothing of our lock puts a live socket of its own at the path.
 * 0 if there was no such step; else 1, and *ret_lost says whether that socket is gone in the end. */
static int intrude(struct listener_options *options, int when, bool *ret_lost)
{
    const char *path = scratch_path("s");
    struct stat made = { 0 }, found = { 0 };
    int state, step = 0, stranger = -1;
    pid_t pid;

    close(socket_bound(path, SOCK_STREAM, 1));
    pid = steps_begin(publish_and_withdraw_in_steps, options);
    do {
        if (step++ != when)
            continue;
        unlink(path);
        stranger = socket_bound(path, SOCK_STREAM, 5);
        ck_assert_int_eq(chmod(path, 0600), 0);
        ck_assert_int_eq(lstat(path, &made), 0);
    } while (steps_next(pid, &state));
    ck_assert_int_eq(state, 0);
    *ret_lost = lstat(path, &found) < 0 || found.st_ino != made.st_ino;
    if (!*ret_lost) {
        ck_assert_uint_eq(found.st_mode, S_IFSOCK | 0600);
        ck_assert_uint_eq(found.st_gid, made.st_gid);
    }
    unlink(path);
    if (stranger >= 0)
        close(stranger);
    return stranger >= 0;
}

/* Without CAP_NET_ADMIN there is a third such moment: until we know which inode bind(2) made. Valgrind adds calls of
 * its own. */
static int lost_limit(void)
{
    if (under_valgrind())
        return 48;
    return geteuid() == 0 ? 4 : 16;
}

/*
 * The stranger's socket is neither given away nor opened, at whatever moment it appears. It is removed only between a
 * look at the name and unlink(2), when we replace and when we withdraw: each a moment of two steps, which no system
 * call can close.
 */
START_TEST(lives_with_intruders)
{
    struct listener_options options = { .mode = 0666, .backlog = 1, .group = geteuid() == 0 ? "54322" : NULL };
    int lost = 0, steps;
    bool gone;

    for (steps = 0; intrude(&options, steps, &gone) != 0; steps += under_valgrind() ? 9 : 1)
        lost += gone;
    ck_assert_int_gt(steps, 40);
    ck_assert_int_le(lost, lost_limit());
}
END_TEST

/* ---- As root -------------------------------------------------------------------------------------------------- */

START_TEST(gives_it_to_a_group_by_name)
{
    struct listener_options options = { .mode = 0660, .backlog = 1, .user = "nobody", .group = "daemon" };
    struct group *group = getgrnam("daemon");
    struct passwd *user = getpwnam("nobody");
    struct listener *listener;
    struct stat status;

    ck_assert_ptr_nonnull(group);
    ck_assert_ptr_nonnull(user);
    listener = publish(scratch_path("s"), &options);
    ck_assert_int_eq(lstat(scratch_path("s"), &status), 0);
    ck_assert_uint_eq(status.st_gid, group->gr_gid);
    ck_assert_uint_eq(status.st_uid, user->pw_uid);
    ck_assert_uint_eq(status.st_mode & 07777, 0660);
    listener_free(listener);
    ck_assert_str_eq(scratch_list(), "");
}
END_TEST

START_TEST(gives_rights_to_a_group_only_once_it_is_the_right_one)
{
    struct listener_options options = { .mode = 0660, .backlog = 1, .group = "54322" };

    watch_publishing(&options, SOME_GROUP);
}
END_TEST

START_TEST(gives_it_to_owners_by_number)
{
    struct listener_options options = { .mode = 0620, .backlog = 1, .user = "54321", .group = "54322" };
    struct listener *listener = publish(scratch_path("s"), &options);
    struct stat status;

    ck_assert_int_eq(lstat(scratch_path("s"), &status), 0);
    ck_assert_uint_eq(status.st_uid, SOMEBODY);
    ck_assert_uint_eq(status.st_gid, SOME_GROUP);
    ck_assert_uint_eq(status.st_mode & 07777, 0620);
    listener_free(listener);
}
END_TEST

/* Without root a socket may go to any group that one is in, and to no other. */
static void publish_for_groups(void *data)
{
    const gid_t groups[] = { SOME_GROUP };
    struct listener_options options = { .mode = 0660, .backlog = 1, .group = "54322" };
    struct listener *listener;
    struct error error = { "" };
    struct stat status;

    (void)data;
    become(SOMEBODY, SOMEBODY, groups, 1);
    if (listener_publish(scratch_path("s"), &options, &listener, &error) < 0 || lstat(scratch_path("s"), &status) < 0 ||
        status.st_gid != SOME_GROUP || (status.st_mode & 07777) != 0660)
        _exit(1);
    listener_free(listener);
    options.group = "0";
    if (listener_publish(scratch_path("s"), &options, &listener, &error) != -EPERM ||
        strstr(error.text, "--socket-group") == NULL)
        _exit(2);
    options.user = "0";
    if (listener_publish(scratch_path("s"), &options, &listener, &error) != -EPERM ||
        strstr(error.text, "--socket-user") == NULL)
        _exit(3);
}

START_TEST(gives_it_to_a_supplementary_group)
{
    scratch_chown(SOMEBODY);
    child_run(publish_for_groups, NULL);
    ck_assert_str_eq(scratch_list(), "");
}
END_TEST

struct attempt {
    int r;
    char text[512];
};

static void attempt_as_somebody(void *data)
{
    struct attempt *attempt = data;
    struct error error = { "" };
    struct listener *listener;

    become(SOMEBODY, SOMEBODY, NULL, 0);
    attempt->r = listener_publish(scratch_path("s"), &usual, &listener, &error);
    strcpy(attempt->text, error.text);
}

static const char *attempt_text(struct attempt *attempt, int expected)
{
    child_run(attempt_as_somebody, attempt);
    ck_assert_msg(attempt->r == expected, "%d: %s", attempt->r, attempt->text);
    return attempt->text;
}

START_TEST(says_who_cannot_write_where)
{
    const char *text = attempt_text(shared_new(sizeof(struct attempt)), -EACCES);

    ck_assert_msg(strstr(text, "uid 54321 cannot make files in the folder /tmp/berth-socket-") != NULL, "%s", text);
    ck_assert_str_eq(scratch_list(), "");
}
END_TEST

START_TEST(names_a_server_whose_lock_is_out_of_reach)
{
    struct listener_options options = { .mode = 0666, .backlog = 5 };
    struct listener *listener = publish(scratch_path("s"), &options);
    char expected[64];
    const char *text = attempt_text(shared_new(sizeof(struct attempt)), -EADDRINUSE);

    snprintf(expected, sizeof(expected), "already served by pid %d", (int)getpid());
    ck_assert_msg(strstr(text, expected) != NULL, "%s", text);
    listener_free(listener);
}
END_TEST

START_TEST(says_whose_lock_is_in_the_way)
{
    const char *text;

    scratch_chown(SOMEBODY);
    scratch_write("s.lock", "1\n");
    ck_assert_int_eq(chmod(scratch_path("s.lock"), 0600), 0);
    text = attempt_text(shared_new(sizeof(struct attempt)), -EACCES);
    ck_assert_msg(strstr(text, "s.lock belongs to uid 0") != NULL, "%s", text);
}
END_TEST

/* One that nobody may connect to may be somebody's: it stays. */
START_TEST(leaves_a_socket_alone_that_it_cannot_probe)
{
    int fd = socket_bound(scratch_path("s"), SOCK_STREAM, 5);
    const char *text;

    scratch_chown(SOMEBODY);
    ck_assert_int_eq(chmod(scratch_path("s"), 0600), 0);
    text = attempt_text(shared_new(sizeof(struct attempt)), -EACCES);
    ck_assert_msg(strstr(text, "may not ask whether it is served") != NULL, "%s", text);
    ck_assert_str_eq(scratch_list(), "s ");
    close(fd);
}
END_TEST

static TCase *case_of_root(void)
{
    TCase *tests = tcase_create("as root");

    tcase_add_checked_fixture(tests, scratch_setup, scratch_teardown);
    if (!root_for(tests, "listener"))
        return tests;
    tcase_add_test(tests, gives_it_to_a_group_by_name);
    tcase_add_test(tests, gives_rights_to_a_group_only_once_it_is_the_right_one);
    tcase_add_test(tests, gives_it_to_owners_by_number);
    tcase_add_test(tests, gives_it_to_a_supplementary_group);
    tcase_add_test(tests, says_who_cannot_write_where);
    tcase_add_test(tests, names_a_server_whose_lock_is_out_of_reach);
    tcase_add_test(tests, says_whose_lock_is_in_the_way);
    tcase_add_test(tests, leaves_a_socket_alone_that_it_cannot_probe);
    return tests;
}

Suite *suite_listener(void)
{
    Suite *suite = suite_create("listener");
    TCase *tests = tcase_create("path"), *races = tcase_create("races");

    tcase_add_checked_fixture(tests, scratch_setup, scratch_teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, publishes_and_owns);
    tcase_add_test(tests, shows_its_path);
    tcase_add_loop_test(tests, sets_the_mode_and_keeps_the_umask, 0, COUNT(modes));
    tcase_add_test(tests, refuses_a_mode_that_is_none);
    tcase_add_loop_test(tests, is_never_more_open_than_asked, 0, COUNT(modes));
    tcase_add_loop_test(tests, leaves_alone_what_is_no_socket, 0, COUNT(occupants));
    tcase_add_loop_test(tests, refuses_a_live_one_and_names_its_pid, 0, COUNT(servers));
    tcase_add_test(tests, refuses_a_live_one_with_a_full_queue);
    tcase_add_test(tests, tells_of_orphans);
    tcase_add_test(tests, refuses_itself_twice);
    tcase_add_loop_test(tests, refuses_a_live_socket_of_another_kind, 0, 3);
    tcase_add_test(tests, takes_datagrams_with_their_senders);
    tcase_add_loop_test(tests, refuses_a_live_datagram_socket_and_replaces_a_dead_one, 0, 2);
    tcase_add_test(tests, replaces_a_dead_one);
    tcase_add_test(tests, leaves_its_successor_alone);
    tcase_add_test(tests, leaves_alone_what_took_its_place);
    tcase_add_test(tests, takes_a_path_of_107_bytes);
    tcase_add_loop_test(tests, refuses_a_longer_path, 0, 3);
    tcase_add_loop_test(tests, says_what_is_wrong_with_a_path, 0, COUNT(bad_paths));
    tcase_add_loop_test(tests, refuses_unknown_owners, 0, COUNT(bad_owners));
    tcase_add_loop_test(tests, gives_it_to_our_own_group, 0, 2);
    tcase_add_test(tests, withdraws_and_keeps_its_queue);
    tcase_add_test(tests, finds_its_place_again_after_chdir);
    tcase_add_loop_test(tests, takes_an_abstract_name_where_that_is_allowed, 0, 2);
    suite_add_tcase(suite, tests);

    tcase_add_checked_fixture(races, scratch_setup, scratch_teardown);
    tcase_set_timeout(races, 240);
    tcase_add_test(races, lets_one_of_two_win);
    tcase_add_test(races, lives_with_intruders);
    suite_add_tcase(suite, races);
    suite_add_tcase(suite, case_of_root());
    return suite;
}
