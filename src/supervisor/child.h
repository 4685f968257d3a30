/*
 * Starting a child: fork, then exec of this same program, with nothing but what contract.h names.
 */
#ifndef BERTH_SUPERVISOR_CHILD_H
#define BERTH_SUPERVISOR_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "supervisor/identity.h"

/* Opened once: children are what we are, whatever lies at the path by now, and whether or not whom they become may go
 * there. */
struct program {
    const char *path;
    int fd; /* O_PATH */
};

struct child_spec {
    const struct program *program;
    char *const *argv;
    const int *fds; /* become 3, 4, …; every other one above 2 is closed */
    size_t fd_count;
    const struct identity *identity;
    bool deaf; /* starts with the signals blocked that a worker has no use for, until it is ready to ignore them */
    int death_signal; /* what it gets when we end; 0: nothing */
};

/* Signals are as after boot, but for `deaf`: nothing blocked, nothing caught or ignored. What goes wrong after the fork
 * (no right to become --user, the program gone) the child says on the log, and exits with 1. -errno of fork(2),
 * -ENOMEM. */
int child_spawn(const struct child_spec *spec, pid_t *ret_pid);

/* "was ended by SIGSEGV", "exited with status 3"; the text is valid until the next call. */
const char *child_fate(int status);

#endif
