#include "supervisor/child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
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

/* First out of the way of the numbers that are to be taken, then into them: the two sets may overlap in any order. The
 * program comes right behind them, and is gone with the exec. */
static int place_fds(const struct child_spec *spec, int *ret_program)
{
    size_t count = spec->fd_count + 1;
    int first_free = STDERR_FILENO + 1 + (int)count;
    int *moved = calloc(count, sizeof(*moved));
    int r = moved ? 0 : -ENOMEM;

    for (size_t i = 0; r == 0 && i < count; i++) {
        moved[i] = fcntl(i < spec->fd_count ? spec->fds[i] : spec->program->fd, F_DUPFD, first_free);
        if (moved[i] < 0)
            r = -errno;
    }
    for (size_t i = 0; r == 0 && i < count; i++)
        if (dup3(moved[i], STDERR_FILENO + 1 + (int)i, i < spec->fd_count ? 0 : O_CLOEXEC) < 0)
            r = -errno;
    if (r == 0 && close_range((unsigned int)first_free, ~0U, 0) < 0)
        r = -errno;
    free(moved);
    if (r == 0)
        *ret_program = first_free - 1;
    return r;
}

static void reset_signals(bool deaf)
{
    static const int useless[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGTTIN, SIGTTOU };
    struct sigaction action = { .sa_handler = SIG_DFL };
    sigset_t blocked;

    for (int number = 1; number < NSIG; number++)
        sigaction(number, &action, NULL); /* some can't be, and need not be */
    sigemptyset(&blocked);
    for (size_t i = 0; deaf && i < sizeof(useless) / sizeof(useless[0]); i++)
        sigaddset(&blocked, useless[i]);
    sigprocmask(SIG_SETMASK, &blocked, NULL);
}

/* After the change of identity, which takes it away. A parent that was gone before will send nothing. */
static int follow_in_death(int signal_number, pid_t parent)
{
    if (signal_number == 0)
        return 0;
    if (prctl(PR_SET_PDEATHSIG, signal_number) < 0)
        return -errno;
    return getppid() == parent ? 0 : -ESRCH;
}

/* By the path only where the kernel, or what watches the system calls, does not know how to do without. */
static void execute(const struct child_spec *spec, int program, char **environment)
{
    execveat(program, "", spec->argv, environment, AT_EMPTY_PATH);
    if (errno == ENOSYS || errno == EPERM || errno == ENOENT || errno == EINVAL)
        execve(spec->program->path, spec->argv, environment);
    log_error("cannot start %s: %s", spec->program->path, strerror(errno));
}

static void become(const struct child_spec *spec, pid_t parent, char **environment) __attribute__((noreturn));
static void become(const struct child_spec *spec, pid_t parent, char **environment)
{
    int program = -1, r;

    reset_signals(spec->deaf);
    r = place_fds(spec, &program);
    if (r < 0)
        log_error("cannot pass descriptors to a child: %s", strerror(-r));
    if (r == 0) {
        r = identity_assume(spec->identity);
        if (r < 0)
            log_error("cannot become uid %u, gid %u: %s", spec->identity->uid, spec->identity->gid, strerror(-r));
    }
    if (r == 0)
        r = follow_in_death(spec->death_signal, parent);
    if (r == 0)
        execute(spec, program, environment);
    _exit(EXIT_FAILURE);
}

int child_spawn(const struct child_spec *spec, pid_t *ret_pid)
{
    char **environment = make_environment();
    sigset_t all, before;
    pid_t parent = getpid(), pid;
    int r = 0;

    if (!environment)
        return -ENOMEM;
    /* Blocked across the fork: a signal to the child must not run our handlers, whose pipe it still shares. */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid = fork();
    if (pid == 0)
        become(spec, parent, environment);
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
