#include "supervisor/child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/contract.h"
#include "common/log.h"

extern char **environ;

static bool is_private(const char *variable)
{
    static const char *const prefixes[] = { "LISTEN_", "NOTIFY_SOCKET=", "WATCHDOG_", "BERTH_" };

    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (strncmp(variable, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
}

/* The texts stay environ's own. */
static char **make_environment(void)
{
    size_t count = 0, kept = 0;
    char **result;

    while (environ[count])
        count++;
    result = calloc(count + 1, sizeof(*result));
    for (size_t i = 0; result && i < count; i++)
        if (!is_private(environ[i]))
            result[kept++] = environ[i];
    return result;
}

/* First out of the way of the numbers that are to be taken, then into them: the two sets may overlap in any order. */
static int place_fds(const int *fds, size_t count)
{
    int first_free = STDERR_FILENO + 1 + (int)count;
    int *moved = calloc(count + 1, sizeof(*moved));
    int r = moved ? 0 : -ENOMEM;

    for (size_t i = 0; r == 0 && i < count; i++) {
        moved[i] = fcntl(fds[i], F_DUPFD, first_free);
        if (moved[i] < 0)
            r = -errno;
    }
    for (size_t i = 0; r == 0 && i < count; i++)
        if (dup2(moved[i], STDERR_FILENO + 1 + (int)i) < 0)
            r = -errno;
    if (r == 0 && close_range((unsigned int)first_free, ~0U, 0) < 0)
        r = -errno;
    free(moved);
    return r;
}

static void reset_signals(void)
{
    struct sigaction action = { .sa_handler = SIG_DFL };
    sigset_t none;

    for (int number = 1; number < NSIG; number++)
        sigaction(number, &action, NULL); /* some can't be, and need not be */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void become(const struct child_spec *spec, char **environment) __attribute__((noreturn));
static void become(const struct child_spec *spec, char **environment)
{
    int r;

    reset_signals();
    r = place_fds(spec->fds, spec->fd_count);
    if (r < 0)
        log_error("cannot pass descriptors to a child: %s", strerror(-r));
    if (r == 0) {
        r = identity_assume(spec->identity);
        if (r < 0)
            log_error("cannot become uid %u, gid %u: %s", spec->identity->uid, spec->identity->gid, strerror(-r));
    }
    if (r == 0) {
        execve(spec->program, spec->argv, environment);
        log_error("cannot start %s: %s", spec->program, strerror(errno));
    }
    _exit(EXIT_FAILURE);
}

int child_spawn(const struct child_spec *spec, pid_t *ret_pid)
{
    char **environment = make_environment();
    sigset_t all, before;
    pid_t pid;
    int r = 0;

    if (!environment)
        return -ENOMEM;
    /* Blocked across the fork: a signal to the child must not run our handlers, whose pipe it still shares. */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid = fork();
    if (pid == 0)
        become(spec, environment);
    if (pid < 0)
        r = -errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    free(environment);
    if (r == 0)
        *ret_pid = pid;
    return r;
}

const char *child_fate(int status)
{
    static char text[64];
    const char *name;

    if (WIFEXITED(status)) {
        snprintf(text, sizeof(text), "exited with status %d", WEXITSTATUS(status));
        return text;
    }
    name = sigabbrev_np(WTERMSIG(status));
    if (name)
        snprintf(text, sizeof(text), "was ended by SIG%s", name);
    else
        snprintf(text, sizeof(text), "was ended by signal %d", WTERMSIG(status));
    return text;
}
