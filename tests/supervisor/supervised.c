#include "supervisor/supervised.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "socket/scratch.h"

enum { ARGS_MAX = 32 };

pid_t supervisor;

/* ---- time ---- */

long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void pause_a_bit(void)
{
    struct timespec bit = { .tv_nsec = 5000000 };

    nanosleep(&bit, NULL);
}

/* ---- the supervisor ---- */

const char *log_text(void)
{
    static char text[65536];
    FILE *file = fopen(scratch_path("log"), "re");
    size_t size = 0;

    if (file != NULL) {
        size = fread(text, 1, sizeof(text) - 1, file);
        fclose(file);
    }
    text[size] = '\0';
    return text;
}

bool logged(const char *text)
{
    return strstr(log_text(), text) != NULL;
}

/* tests/unit's own folder holds supervisor/stand_in. */
const char *stand_in_program(void)
{
    static char path[4096];
    const char *given = getenv("STAND_IN");
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 32);

    ck_assert_int_gt(length, 0);
    path[length] = '\0';
    strcpy(strrchr(path, '/'), "/supervisor/stand_in");
    return given != NULL ? given : path;
}

/* What runs in the child: standard error is FOLDER/log, descriptor 9 is `listener`. */
static void run(char **argv, int listener)
{
    int log = open(scratch_path("log"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

    if (log < 0 || dup2(log, STDERR_FILENO) < 0 || (listener >= 0 && dup2(listener, 9) < 0) ||
        chdir(scratch_path("")) < 0)
        _exit(99);
    for (int fd = 10; fd < 64; fd++)
        close(fd);
    execv(stand_in_program(), argv);
    _exit(98);
}

/* With the arguments up to a NULL. */
void start_with(int listener, ...)
{
    static char command[] = "berth", subcommand[] = "serve";
    char *argv[ARGS_MAX] = { command, subcommand };
    va_list arguments;
    int count = 2;

    va_start(arguments, listener);
    while (count < ARGS_MAX - 1 && (argv[count] = va_arg(arguments, char *)) != NULL)
        count++;
    va_end(arguments);
    supervisor = fork();
    ck_assert_int_ge(supervisor, 0);
    if (supervisor == 0)
        run(argv, listener);
}

int wait_end(void)
{
    int status = 0;

    WAIT_FOR(waitpid(supervisor, &status, WNOHANG) == supervisor);
    supervisor = 0;
    ck_assert_msg(WIFEXITED(status), "the supervisor was ended by signal %d; log:\n%s", WTERMSIG(status), log_text());
    return WEXITSTATUS(status);
}

void send_signal(int number)
{
    ck_assert_int_eq(kill(supervisor, number), 0);
}

void supervised_setup(void)
{
    scratch_setup();
    scratch_write("app.so", "ready a");
    setenv("KEPT", "1", 1);
    setenv("BERTH_LOG_LEVEL", "info", 1);
    unsetenv("NOTIFY_SOCKET");
    unsetenv("LISTEN_FDS");
}

void supervised_teardown(void)
{
    if (supervisor > 0) {
        kill(supervisor, SIGKILL);
        waitpid(supervisor, NULL, 0);
    }
    scratch_teardown();
}

/* ---- its workers ---- */

/* Sends a command to whichever worker accepts, and returns its answer; NULL if there was none. */
const char *ask_at(const char *path, const char *command)
{
    static char answers[4][512];
    static unsigned int turn;
    char *answer = answers[turn++ % 4];
    int fd = socket_connect(path);
    struct pollfd readable = { .fd = fd, .events = POLLIN };
    size_t size = 0;
    ssize_t r = 1;

    if (fd < 0)
        return NULL;
    if (send(fd, command, strlen(command), MSG_NOSIGNAL) < 0)
        r = 0;
    while (r > 0 && size < sizeof(answers[0]) - 1 && poll(&readable, 1, DEADLINE_MS) > 0) {
        r = recv(fd, answer + size, sizeof(answers[0]) - 1 - size, 0);
        if (r > 0)
            size += (size_t)r;
    }
    close(fd);
    answer[size] = '\0';
    return size > 0 ? answer : NULL;
}

const char *ask(const char *command)
{
    return ask_at(scratch_path("s"), command);
}

/* The pid of whichever worker answers; 0 if none does. */
pid_t ask_pid(const char *command)
{
    const char *answer = ask(command);

    return answer == NULL ? 0 : (pid_t)strtol(answer, NULL, 10);
}

pid_t wait_worker(void)
{
    pid_t pid = 0;

    WAIT_FOR((pid = ask_pid("who")) > 0);
    return pid;
}

bool is_gone(pid_t pid)
{
    return kill(pid, 0) < 0 && errno == ESRCH;
}

bool answers_with(const char *mark)
{
    const char *answer = ask("who");

    return answer != NULL && strstr(answer, mark) != NULL;
}

unsigned int count_in(const char *text, const char *what)
{
    unsigned int count = 0;

    for (const char *at = strstr(text, what); at != NULL; at = strstr(at + 1, what))
        count++;
    return count;
}
