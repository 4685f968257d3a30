#include "socket/steps.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

pid_t steps_begin(void (*body)(void *data), void *data)
{
    int status;
    pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        body(data);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSTOPPED(status));
    return pid;
}

void steps_start(void)
{
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
        _exit(99);
    raise(SIGSTOP);
}

bool steps_next(pid_t pid, int *ret_status)
{
    ck_assert_int_eq(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
    ck_assert_int_eq(waitpid(pid, ret_status, 0), pid);
    return WIFSTOPPED(*ret_status);
}

bool steps_has_open(pid_t pid, const char *path)
{
    char link[64], target[256];

    for (int fd = 0; fd < 256; fd++) {
        ssize_t length;

        snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)pid, fd);
        length = readlink(link, target, sizeof(target) - 1);
        if (length < 0)
            continue;
        target[length] = '\0';
        if (strcmp(target, path) == 0)
            return true;
    }
    return false;
}
