/*
 * Starting a child: fork, then exec of this same program, with nothing but what contract.h names.
 */
#ifndef BERTH_SUPERVISOR_CHILD_H
#define BERTH_SUPERVISOR_CHILD_H

#include <stddef.h>
#include <sys/types.h>

#include "supervisor/identity.h"

struct child_spec {
    const char *program; /* its path */
    char *const *argv;
    const int *fds; /* become 3, 4, …; every other one above 2 is closed */
    size_t fd_count;
    const struct identity *identity;
};

/* Signals are as after boot: nothing blocked, nothing caught or ignored. What goes wrong after the fork (no right to
 * become --user, the program gone) the child says on the log, and exits with 1. -errno of fork(2), -ENOMEM. */
int child_spawn(const struct child_spec *spec, pid_t *ret_pid);

/* "was ended by SIGSEGV", "exited with status 3"; the text is valid until the next call. */
const char *child_fate(int status);

#endif
