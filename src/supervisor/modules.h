/*
 * The modules of a generation: each application's shared object as a memfd that nobody can change, so that a worker
 * that is replaced loads what its siblings loaded, whatever became of the file, or is written into it. A source is
 * compiled first, by a child of its own.
 */
#ifndef BERTH_SUPERVISOR_MODULES_H
#define BERTH_SUPERVISOR_MODULES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/settings.h"
#include "supervisor/child.h"

struct module {
    char *path;
    int fd;         /* sealed; while its compiler runs, what that writes */
    pid_t compiler; /* 0: none */
};

struct modules {
    struct module *items; /* in the settings' order */
    size_t count;
};

/* Whether every application of the settings is one that there can be. -EINVAL. */
int modules_check(const struct settings *settings, struct error *error);

/* Whether `app` is one, and its file can be opened and is what its name says; it is neither loaded nor compiled.
 * -EINVAL, -ENOEXEC, or open(2)'s. */
int modules_examine(const char *app, struct error *error);

/* Opens the modules, and starts a compiler (`program compile SOURCE`) for each source, as `identity`. On failure
 * nothing runs and nothing is open. */
int modules_open(struct modules *ret_modules, const struct settings *settings, const struct program *program,
                 const struct identity *identity, struct error *error);

/* A child has ended: if it is one of our compilers, 1, or -ENOEXEC when it failed. 0: none of ours. */
int modules_reaped(struct modules *modules, pid_t pid, int status, struct error *error);

bool modules_compiling(const struct modules *modules);
void modules_kill(struct modules *modules, int signal_number); /* the compilers */
void modules_done(struct modules *modules); /* closes and frees; a compiler that still runs is reaped as a stranger */

#endif
