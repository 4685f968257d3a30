#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "common/log.h"

Suite *suite_log(void);

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* Standard error, with a packet for each write(2) into it at the other end. */
static int kept_stderr, channel;
static char line[8192];

static void setup(void)
{
    int pair[2];

    kept_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    ck_assert_int_eq(dup3(pair[1], STDERR_FILENO, 0), STDERR_FILENO);
    close(pair[1]);
    channel = pair[0];
    unsetenv("JOURNAL_STREAM");
    log_init(BERTH_LOG_INFO, "berth worker 2");
    log_use_json(false);
}

static void teardown(void)
{
    dup2(kept_stderr, STDERR_FILENO);
    close(kept_stderr);
    close(channel);
    unsetenv("JOURNAL_STREAM");
    log_init(BERTH_LOG_INFO, "berth");
}

/* The next line's bytes; NULL when nothing was written. */
static const char *line_next(void)
{
    ssize_t n = recv(channel, line, sizeof(line) - 1, MSG_DONTWAIT);

    if (n <= 0)
        return NULL;
    line[n] = '\0';
    ck_assert_int_eq(line[n - 1], '\n');
    line[n - 1] = '\0';
    return line;
}

/* What follows "YYYY-MM-DD HH:MM:SS ". */
static const char *line_text(void)
{
    const char *text = line_next();
    int year, month, day, hour, minute, second, length = 0;

    ck_assert_ptr_nonnull(text);
    ck_assert_int_eq(sscanf(text, "%4d-%2d-%2d %2d:%2d:%2d %n", &year, &month, &day, &hour, &minute, &second, &length),
                     6);
    ck_assert_int_eq(length, 20);
    return text + length;
}

START_TEST(test_prefix)
{
    log_error("no %s", "way");
    ck_assert_str_eq(line_text(), "berth worker 2: error: no way");
    log_warning("careful");
    ck_assert_str_eq(line_text(), "berth worker 2: warning: careful");
    log_info("hello");
    ck_assert_str_eq(line_text(), "berth worker 2: hello");
}
END_TEST

START_TEST(test_level)
{
    log_debug("not seen");
    ck_assert_ptr_null(line_next());
    log_init(BERTH_LOG_DEBUG, "berth");
    log_debug("seen");
    ck_assert_str_eq(line_text(), "berth: debug: seen");
    log_init(BERTH_LOG_ERROR, "berth");
    log_warning("not seen");
    ck_assert_ptr_null(line_next());
}
END_TEST

static const struct {
    const char *text, *shown;
} texts[] = {
    { "plain", "plain" },
    { "", "" },
    { "two\nlines\r\n", "two\\nlines\\r\\n" },
    { "\t\a\b\v\f", "\\t\\a\\b\\v\\f" },
    { "\x1b[31mred", "\\x1b[31mred" },
    { "\x7f", "\\x7f" },
    { "\xc3\xbc \xe2\x82\xac \xf0\x9f\x98\x80", "\xc3\xbc \xe2\x82\xac \xf0\x9f\x98\x80" },
    { "\x9b", "\\x9b" }, /* CSI as one byte */
    { "\xc2\x9b"
      "31m",
      "\\xc2\\x9b"
      "31m" },                                      /* and as a character */
    { "\xc2", "\\xc2" },                            /* cut */
    { "\xe2\x82", "\\xe2\\x82" },                   /* cut */
    { "\xc0\x8a", "\\xc0\\x8a" },                   /* an overlong newline */
    { "\xe0\x80\x8a", "\\xe0\\x80\\x8a" },          /* another */
    { "\xed\xa0\x80", "\\xed\\xa0\\x80" },          /* a surrogate */
    { "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" }, /* beyond Unicode */
    { "\xff", "\\xff" },
    { "\xe2\x80\xa8\xe2\x80\xa9", "\\xe2\\x80\\xa8\\xe2\\x80\\xa9" }, /* ends of a line and a paragraph */
    { "\xe2\x80\xaa\xe2\x80\xae", "\\xe2\\x80\\xaa\\xe2\\x80\\xae" }, /* what turns the direction of the rest */
    { "\xe2\x81\xa6\xe2\x81\xa9", "\\xe2\\x81\\xa6\\xe2\\x81\\xa9" },
    { "\xe2\x80\xa7 \xe2\x80\xaf \xe2\x81\xa5 \xe2\x81\xaa", "\xe2\x80\xa7 \xe2\x80\xaf \xe2\x81\xa5 \xe2\x81\xaa" },
};

START_TEST(test_escape)
{
    log_error("<%s>", texts[_i].text);
    const char *shown = line_text() + strlen("berth worker 2: error: ");

    ck_assert_int_eq(shown[0], '<');
    ck_assert_int_eq(shown[strlen(shown) - 1], '>');
    ck_assert_uint_eq(strlen(shown), strlen(texts[_i].shown) + 2);
    ck_assert_mem_eq(shown + 1, texts[_i].shown, strlen(texts[_i].shown));
}
END_TEST

START_TEST(test_long)
{
    char text[6000];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    log_error("%s", text);
    ck_assert_uint_le(strlen(line_text()) + 20 + 1, 4096);
    memset(text, '\x1b', sizeof(text) - 1);
    log_error("%s", text);
    ck_assert_uint_le(strlen(line_text()) + 20 + 1, 4096);
    ck_assert_str_eq(line + strlen(line) - 3, "…");
    ck_assert_ptr_null(line_next());
}
END_TEST

static void journal_name(int fd, unsigned int inode_difference)
{
    struct stat status;
    char text[64];

    ck_assert_int_eq(fstat(fd, &status), 0);
    snprintf(text, sizeof(text), "%llu:%llu", (unsigned long long)status.st_dev,
             (unsigned long long)status.st_ino + inode_difference);
    ck_assert_int_eq(setenv("JOURNAL_STREAM", text, 1), 0);
    log_init(BERTH_LOG_DEBUG, "berth");
}

START_TEST(test_journal)
{
    journal_name(STDERR_FILENO, 0);
    log_error("a");
    ck_assert_str_eq(line_next(), "<3>a");
    log_warning("b\nc");
    ck_assert_str_eq(line_next(), "<4>b\\nc");
    log_info("d");
    ck_assert_str_eq(line_next(), "<6>d");
    log_debug("e");
    ck_assert_str_eq(line_next(), "<7>e");
    journal_name(STDERR_FILENO, 1);
    log_info("elsewhere");
    ck_assert_str_eq(line_text(), "berth: elsewhere");
    ck_assert_int_eq(setenv("JOURNAL_STREAM", "nonsense", 1), 0);
    log_init(BERTH_LOG_INFO, "berth");
    log_info("elsewhere");
    ck_assert_str_eq(line_text(), "berth: elsewhere");
}
END_TEST

static const struct {
    enum berth_log_level level;
    const char *name;
} levels[] = {
    { BERTH_LOG_ERROR, "error" },
    { BERTH_LOG_WARNING, "warning" },
    { BERTH_LOG_INFO, "info" },
    { BERTH_LOG_DEBUG, "debug" },
};

/* Also for the journal: there is one form wherever it goes. */
START_TEST(test_json)
{
    json_t *json;
    int year;

    journal_name(STDERR_FILENO, 0);
    log_use_json(true);
    berth_log(levels[_i].level, "a \"b\"\n\x1b\xff %d", 7);
    json = json_loads(line_next(), 0, NULL);
    ck_assert_ptr_nonnull(json);
    ck_assert_uint_eq(json_object_size(json), 4);
    ck_assert_str_eq(json_string_value(json_object_get(json, "level")), levels[_i].name);
    ck_assert_str_eq(json_string_value(json_object_get(json, "role")), "berth");
    ck_assert_str_eq(json_string_value(json_object_get(json, "message")), "a \"b\"\n\x1b\\xff 7");
    ck_assert_int_eq(sscanf(json_string_value(json_object_get(json, "time")), "%4d-", &year), 1);
    json_decref(json);
}
END_TEST

START_TEST(test_json_long)
{
    char text[6000];
    json_t *json;

    log_use_json(true);
    memset(text, "x\x1b\xff\""[_i], sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    log_error("%s", text);
    ck_assert_ptr_nonnull(line_next());
    ck_assert_uint_le(strlen(line) + 1, 4096);
    json = json_loads(line, 0, NULL);
    ck_assert_ptr_nonnull(json);
    json_decref(json);
}
END_TEST

/* It does not wait: lines are lost, and the first that is taken again comes after one that says how many. */
START_TEST(test_nobody_reads)
{
    unsigned int taken = 0;
    char expected[128];

    for (int i = 0; i < 2000; i++)
        log_info("%d", i);
    while (line_next())
        taken++;
    ck_assert_uint_lt(taken, 2000);
    log_info("again");
    snprintf(expected, sizeof(expected), "berth worker 2: warning: %u lines are missing here: nobody took them",
             2000 - taken);
    ck_assert_str_eq(line_text(), expected);
    ck_assert_str_eq(line_text(), "berth worker 2: again");
    ck_assert_ptr_null(line_next());
}
END_TEST

START_TEST(test_errno)
{
    signal(SIGPIPE, SIG_IGN);
    errno = ENOTTY;
    close(channel);
    channel = -1;
    log_error("nobody reads this");
    ck_assert_int_eq(errno, ENOTTY);
}
END_TEST

START_TEST(test_open)
{
    char folder[] = "/tmp/berth-test-XXXXXX", path[64], text[256];
    struct error error;
    struct stat status;
    mode_t mask = umask(0);
    ssize_t n;
    int fd;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/log", folder);
    ck_assert_int_eq(log_open("/nonexistent/log", &error), -ENOENT);
    ck_assert_str_eq(error.text, "--log: cannot open \"/nonexistent/log\": No such file or directory");
    log_info("still here");
    ck_assert_str_eq(line_text(), "berth worker 2: still here");

    ck_assert_int_eq(log_open(path, &error), 0);
    log_info("one");
    ck_assert_int_eq(log_open(path, &error), 0);
    log_info("two");
    umask(mask);
    ck_assert_ptr_null(line_next());
    ck_assert_int_eq(fcntl(STDERR_FILENO, F_GETFD), 0);
    ck_assert_int_ne(fcntl(STDERR_FILENO, F_GETFL) & O_APPEND, 0);
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_int_eq((int)(status.st_mode & 07777), 0640);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    n = read(fd, text, sizeof(text) - 1);
    close(fd);
    ck_assert_int_gt((int)n, 0);
    text[n] = '\0';
    ck_assert_ptr_nonnull(strstr(text, "berth worker 2: one\n"));
    ck_assert_ptr_nonnull(strstr(text, "berth worker 2: two\n"));
    unlink(path);
    rmdir(folder);
}
END_TEST

static volatile sig_atomic_t stops;

static void on_stop(int number)
{
    (void)number;
    stops++;
}

/* In the background of a terminal with `stty tostop`. Returns how often it was signalled, 100 if that cannot be tried.
 */
static int write_in_background(int terminal)
{
    struct sigaction action = { .sa_handler = on_stop };
    sigset_t mask;

    alarm(10); /* a write that is signalled again and again never ends */
    if (setpgid(0, 0) < 0 || dup2(terminal, STDERR_FILENO) < 0 || tcgetpgrp(STDERR_FILENO) == getpgrp())
        return 100;
    sigaction(SIGTTOU, &action, NULL);
    berth_log(BERTH_LOG_INFO, "from the background");
    sigprocmask(SIG_BLOCK, NULL, &mask);
    return sigismember(&mask, SIGTTOU) ? 99 : (int)stops;
}

/* The leader of a session whose terminal that is. */
static int lead(int terminal)
{
    struct termios termios;
    int status = -1;
    pid_t pid;

    if (setsid() < 0 || ioctl(terminal, TIOCSCTTY, 0) < 0 || tcgetattr(terminal, &termios) < 0)
        return 101;
    termios.c_lflag |= TOSTOP;
    if (tcsetattr(terminal, TCSANOW, &termios) < 0)
        return 102;
    pid = fork();
    if (pid == 0)
        _exit(write_in_background(terminal));
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 103;
}

START_TEST(test_background)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), terminal, status;
    char text[256] = "";
    pid_t pid;

    ck_assert_int_ge(master, 0);
    ck_assert_int_eq(grantpt(master) | unlockpt(master), 0);
    terminal = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    ck_assert_int_ge(terminal, 0);
    pid = fork();
    if (pid == 0)
        _exit(lead(terminal));
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 0);
    ck_assert_int_gt(read(master, text, sizeof(text) - 1), 0);
    ck_assert_ptr_nonnull(strstr(text, "from the background"));
    close(terminal);
    close(master);
}
END_TEST

START_TEST(test_error)
{
    struct error error;
    char text[1000];

    ck_assert_int_eq(error_set(&error, -EINVAL, "%d and %s", 1, "two"), -EINVAL);
    ck_assert_str_eq(error.text, "1 and two");
    error_set(&error, -EINVAL, "%s: %s", "prefix", error.text);
    ck_assert_str_eq(error.text, "prefix: 1 and two");
    ck_assert_int_eq(error_set(NULL, -ENOMEM, "%s", "nobody asks"), -ENOMEM);
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    error_set(&error, 0, "%s", text);
    ck_assert_uint_eq(strlen(error.text), sizeof(error.text) - 1);
}
END_TEST

Suite *suite_log(void)
{
    Suite *suite = suite_create("log");
    TCase *lines = tcase_create("lines"), *errors = tcase_create("errors");

    tcase_add_checked_fixture(lines, setup, teardown);
    tcase_add_test(lines, test_prefix);
    tcase_add_test(lines, test_level);
    tcase_add_loop_test(lines, test_escape, 0, COUNT(texts));
    tcase_add_test(lines, test_long);
    tcase_add_test(lines, test_journal);
    tcase_add_test(lines, test_open);
    tcase_add_loop_test(lines, test_json, 0, COUNT(levels));
    tcase_add_loop_test(lines, test_json_long, 0, 4);
    tcase_add_test(lines, test_nobody_reads);
    tcase_add_test(lines, test_background);
    tcase_add_test(lines, test_errno);
    suite_add_tcase(suite, lines);
    tcase_add_test(errors, test_error);
    suite_add_tcase(suite, errors);
    return suite;
}
