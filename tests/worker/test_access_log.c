#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "socket/names.h"
#include "worker/access_log.h"

Suite *suite_access_log(void);

static uv_loop_t loop;
static struct access_log access_log;
static _Atomic uint64_t dropped;
static struct berth_peer peer;
static int target_fd = -1, reader = -1, kept_stderr;

/* What was read so far, and what there was in it. */
static char text[1 << 20];
static size_t text_size;

static void setup(void)
{
    signal(SIGPIPE, SIG_IGN);
    kept_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    ck_assert_int_eq(names_init(&loop), 0);
    peer = (struct berth_peer){ .uid = geteuid(), .gid = getegid(), .pid = 4711 };
    peer.berth_names = names_take(peer.uid, peer.gid);
    memset(&access_log, 0, sizeof(access_log));
    access_log.role = "berth worker 2";
    access_log.dropped = &dropped;
    dropped = 0;
    text_size = 0;
}

static void teardown(void)
{
    access_log_close(&access_log);
    names_release(peer.berth_names);
    names_done();
    while (uv_run(&loop, UV_RUN_NOWAIT) != 0)
        ;
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    dup2(kept_stderr, STDERR_FILENO);
    close(kept_stderr);
    close(target_fd);
    close(reader);
    target_fd = reader = -1;
}

static void begin(void)
{
    ck_assert_int_eq(access_log_open(&access_log, &loop, target_fd), 0);
}

static void begin_pipe(bool nonblocking)
{
    int fds[2];

    ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
    reader = fds[0];
    target_fd = fds[1];
    fcntl(reader, F_SETFL, O_NONBLOCK);
    if (nonblocking) {
        target_fd = sink_reopen(fds[1]);
        ck_assert_int_ge(target_fd, 0);
        ck_assert_int_ne(fcntl(target_fd, F_GETFL) & O_NONBLOCK, 0);
        ck_assert_int_eq(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0); /* somebody else's stays as it was */
        close(fds[1]);
    }
    begin();
}

static void request(unsigned int number)
{
    char path[32];
    struct http_record record = { .peer = &peer, .method = "GET", .target = path, .status = 200, .complete = true };

    snprintf(path, sizeof(path), "/%u", number);
    access_log_add(&access_log, &record);
}

static void turn(void)
{
    uv_run(&loop, UV_RUN_NOWAIT);
}

static size_t read_all(void)
{
    ssize_t n;
    size_t before = text_size;

    while ((n = read(reader, text + text_size, sizeof(text) - text_size)) > 0)
        text_size += (size_t)n;
    return text_size - before;
}

/* Each line that was read is whole; those of requests are in order. Returns how many there are, and how many are said
 * to be missing. */
static unsigned int check_lines(uint64_t *ret_missing)
{
    unsigned int count = 0, last = 0;
    uint64_t missing = 0;

    for (char *line = text, *end; line < text + text_size; line = end + 1) {
        char *at, *target;

        end = memchr(line, '\n', (size_t)(text + text_size - line));
        ck_assert_ptr_nonnull(end);
        *end = '\0';
        at = strstr(line, "Z berth worker 2: ");
        if (at) {
            missing += strtoull(at + strlen("Z berth worker 2: "), NULL, 10);
        } else if (line != end) { /* an empty one ends a torn one */
            unsigned int number;

            target = strstr(line, "\"GET /");
            ck_assert_msg(target && line[4] == '-' && strcmp(end - 6, "ms \"-\"") == 0, "%s", line);
            number = (unsigned int)strtoul(target + 6, NULL, 10);
            ck_assert_uint_gt(number, last);
            last = number;
            count++;
        }
        *end = '\n';
    }
    *ret_missing = missing;
    return count;
}

/* ---- */

/* A seqpacket socket keeps the writes apart. */
START_TEST(test_batch)
{
    int fds[2];
    ssize_t n;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
    reader = fds[0];
    target_fd = fds[1];
    fcntl(reader, F_SETFL, O_NONBLOCK);
    begin();
    turn();
    ck_assert_int_eq((int)read(reader, text, sizeof(text)), -1); /* nothing to say, nothing written */
    for (unsigned int i = 1; i <= 50; i++)
        request(i);
    ck_assert_int_eq((int)read(reader, text, sizeof(text)), -1); /* not before the turn's end */
    turn();
    n = read(reader, text, sizeof(text));
    ck_assert_int_gt((int)n, 50 * 50);
    ck_assert_int_eq(text[n - 1], '\n');
    ck_assert_int_eq((int)read(reader, text, sizeof(text)), -1); /* that was all, in one */
    ck_assert_int_eq(fcntl(target_fd, F_GETFL) & O_NONBLOCK, 0);
}
END_TEST

/* Writes to a pipe are whole lines of at most PIPE_BUF bytes: a packet pipe (O_DIRECT, pipe(2)) keeps them apart. */
START_TEST(test_pieces)
{
    int fds[2];
    static char piece[65536];
    ssize_t n;
    unsigned int pieces = 0;

    ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_DIRECT), 0);
    reader = fds[0];
    target_fd = fds[1];
    fcntl(reader, F_SETFL, O_DIRECT | O_NONBLOCK);
    begin();
    for (unsigned int i = 1; i <= 300; i++)
        request(i);
    turn();
    while ((n = read(reader, piece, sizeof(piece))) > 0) {
        ck_assert_int_le((int)n, PIPE_BUF);
        ck_assert_int_eq(piece[n - 1], '\n');
        pieces++;
    }
    ck_assert_uint_ge(pieces, 4);
    ck_assert_uint_le(pieces, 8);
}
END_TEST

/* With a description of our own, and with one that others share and that would wait. */
START_TEST(test_slow_reader)
{
    enum { REQUESTS = 6000 };
    unsigned int seen;
    uint64_t missing;

    begin_pipe(_i == 0);
    for (unsigned int i = 1; i <= REQUESTS; i++) {
        request(i);
        if (i % 7 == 0)
            turn();
    }
    ck_assert_uint_gt(dropped, 0);
    while (read_all() > 0)
        turn();
    ck_assert_int_eq(fcntl(target_fd, F_GETFL) & O_NONBLOCK, _i == 0 ? O_NONBLOCK : 0);
    seen = check_lines(&missing);
    ck_assert_uint_eq(missing, dropped);
    ck_assert_uint_eq(seen + missing, REQUESTS);

    /* And it goes on as before. */
    text_size = 0;
    request(1);
    turn();
    ck_assert_uint_gt(read_all(), 0);
    ck_assert_uint_eq(check_lines(&missing), 1);
    ck_assert_uint_eq(missing, 0);
}
END_TEST

START_TEST(test_reader_gone)
{
    int said[2];
    uint64_t missing;

    begin_pipe(_i == 0);
    ck_assert_int_eq(pipe2(said, O_CLOEXEC | O_NONBLOCK), 0);
    dup2(said[1], STDERR_FILENO);
    close(said[1]);
    request(1);
    turn();
    close(reader);
    for (unsigned int i = 2; i <= 10; i++) {
        request(i);
        turn();
    }
    ck_assert_uint_eq(dropped, 9);
    reader = said[0];
    read_all();
    text[text_size] = '\0';
    ck_assert_ptr_nonnull(strstr(text, "the access log ends: whoever read it is gone\n"));
    ck_assert_ptr_eq(strchr(text, '\n'), text + text_size - 1); /* one line */
    close(reader);

    /* Until it is put elsewhere. */
    ck_assert_int_eq(pipe2(said, O_CLOEXEC | O_NONBLOCK), 0);
    text_size = 0;
    reader = said[0];
    access_log_replace(&access_log, said[1]);
    close(said[1]);
    request(11);
    turn();
    read_all();
    ck_assert_uint_eq(check_lines(&missing), 1);
    ck_assert_uint_eq(missing, 9);
}
END_TEST

START_TEST(test_full)
{
    target_fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    begin();
    for (unsigned int i = 1; i <= 2000; i++) {
        request(i);
        turn();
    }
    ck_assert_uint_eq(dropped, 2000);
}
END_TEST

/* A limit on the file's size stands for a disk that fills: the line that it cuts is ended when there is room again. */
START_TEST(test_file_full)
{
    char path[] = "/tmp/berth-test-XXXXXX";
    struct rlimit limit, before;
    uint64_t missing;

    signal(SIGXFSZ, SIG_IGN);
    reader = mkostemp(path, O_CLOEXEC);
    target_fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    unlink(path);
    getrlimit(RLIMIT_FSIZE, &before);
    limit = before;
    limit.rlim_cur = 1000;
    begin();
    setrlimit(RLIMIT_FSIZE, &limit);
    for (unsigned int i = 1; i <= 100; i++) {
        request(i);
        turn();
    }
    setrlimit(RLIMIT_FSIZE, &before);
    ck_assert_uint_gt(dropped, 50);
    for (unsigned int i = 0; text_size <= 1001 && i < 1000; i++) {
        uv_run(&loop, UV_RUN_ONCE); /* it tries again on its own */
        read_all();
    }
    ck_assert_int_eq(text[1000], '\n');
    text_size -= 1001;
    memmove(text, text + 1001, text_size);
    ck_assert_uint_eq(check_lines(&missing), 0);
    ck_assert_uint_eq(missing, dropped);
}
END_TEST

START_TEST(test_replace)
{
    int fds[2];
    uint64_t missing;

    begin_pipe(true);
    request(1);
    request(2);
    ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    access_log_replace(&access_log, fds[1]);
    close(fds[1]);
    request(3);
    turn();
    read_all();
    ck_assert_uint_eq(check_lines(&missing), 2);
    close(reader);
    reader = fds[0];
    read_all();
    ck_assert_uint_eq(check_lines(&missing), 3);
    ck_assert_uint_eq(missing + dropped, 0);
}
END_TEST

/* What the old one did not take goes to the new one. */
START_TEST(test_replace_blocked)
{
    int fds[2];
    uint64_t missing;
    unsigned int seen;

    begin_pipe(true);
    for (unsigned int i = 1; dropped == 0; i++) {
        request(i);
        turn();
        ck_assert_uint_lt(i, 10000);
    }
    read_all();
    seen = check_lines(&missing);
    ck_assert_uint_eq(missing, 0);
    ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    close(reader);
    reader = fds[0];
    fcntl(fds[1], F_SETPIPE_SZ, 1 << 20);
    access_log_replace(&access_log, fds[1]);
    close(fds[1]);
    read_all();
    ck_assert_uint_gt(check_lines(&missing), seen);
    ck_assert_uint_eq(missing, 1);
}
END_TEST

START_TEST(test_off)
{
    request(1);
    access_log_add_refused(&access_log, &peer, 400);
    access_log_replace(&access_log, STDERR_FILENO);
    ck_assert_uint_eq(dropped, 0);
}
END_TEST

/* libmicrohttpd's own refusals; and a peer whose name nobody has waited for. */
START_TEST(test_refused)
{
    struct peer_names *known = peer.berth_names, *unknown = names_take(54321, 54321);

    begin_pipe(true);
    access_log_add_refused(&access_log, &peer, 414);
    peer.uid = 54321;
    peer.berth_names = unknown;
    access_log_add_refused(&access_log, &peer, 0);
    peer.berth_names = known;
    names_release(unknown);
    turn();
    read_all();
    text[text_size] = '\0';
    ck_assert_ptr_nonnull(strstr(text, " pid=4711 \"- -\" 414 0 0.000ms \"-\"\n"));
    ck_assert_ptr_nonnull(strstr(text, " 54321 uid=54321 pid=4711 \"- -\" - 0 0.000ms \"-\" incomplete\n"));
}
END_TEST

Suite *suite_access_log(void)
{
    Suite *suite = suite_create("access_log");
    TCase *log = tcase_create("log");

    tcase_add_checked_fixture(log, setup, teardown);
    tcase_set_timeout(log, 30);
    tcase_add_test(log, test_batch);
    tcase_add_test(log, test_pieces);
    tcase_add_loop_test(log, test_slow_reader, 0, 2);
    tcase_add_loop_test(log, test_reader_gone, 0, 2);
    tcase_add_test(log, test_full);
    tcase_add_test(log, test_file_full);
    tcase_add_test(log, test_replace);
    tcase_add_test(log, test_replace_blocked);
    tcase_add_test(log, test_off);
    tcase_add_test(log, test_refused);
    suite_add_tcase(suite, log);
    return suite;
}
