/*
 * The lock file beside a socket: whoever holds it may put its socket at the path, and no other berth.
 *
 * It holds its owner's pid as text, for messages. It is removed by its holder, so a process that waits for nothing and
 * finds a lock free must make sure that it locked the file that still bears the name: lock_take does.
 */
#ifndef BERTH_SOCKET_LOCK_H
#define BERTH_SOCKET_LOCK_H

#include <sys/types.h>

#include "common/error.h"

struct lock {
    int fd;     /* -1: not held */
    int folder; /* the folder's descriptor; the caller's */
    char name[128];
};

#define LOCK_NONE                                                                                                      \
    {                                                                                                                  \
        .fd = -1, .folder = -1                                                                                         \
    }

/*
 * Takes the lock file `name` in `folder`, making it if need be. -EWOULDBLOCK if another holds it (lock_holder says
 * who). Any other -errno is told in `error` by a text that follows the file's name: -ELOOP, -EISDIR, -EEXIST for what
 * is there and is no lock file of ours, which is left alone; or what open(2) and flock(2) say.
 */
int lock_take(int folder, const char *name, struct lock *ret_lock, struct error *error);

/* The pid that the file says; 0 if it says none. */
pid_t lock_holder(int folder, const char *name);

/* Removes the file, if it still is ours, and lets go; of a lock that is not held, nothing. */
void lock_release(struct lock *lock);

#endif
