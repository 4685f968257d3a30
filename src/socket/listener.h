/*
 * A listener that we made, or a socket for datagrams: published at a path, owned, and withdrawn. TRAPS.md's rules for
 * the socket file (README.md of this folder) are all in listener.c. unix(7).
 */
#ifndef BERTH_SOCKET_LISTENER_H
#define BERTH_SOCKET_LISTENER_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/error.h"

struct listener_options {
    mode_t mode;      /* 0660 */
    const char *user; /* name or number; NULL: as it is made */
    const char *group;
    int backlog;
    bool datagram;         /* a socket for datagrams, which come with their senders' credentials; without a backlog */
    bool abstract_allowed; /* whether "@name" is taken */
};

struct listener; /* opaque: fd, path, lock file, device and inode */

/*
 * Binds, and listens unless it is for datagrams, non-blocking and CLOEXEC. Takes PATH.lock beside it for as long as the
 * listener lives; refuses a path that is served (-EADDRINUSE, naming the pid) or is no socket (-ENOTSOCK); replaces a
 * socket that nobody serves. -EINVAL is what only another path or other options can mend: a path that is too long (with
 * limit and length) or has no name at its end, an abstract name that is not allowed, a mode, user or group that is
 * none. Every other -errno says in `error` which step failed.
 */
int listener_publish(const char *path, const struct listener_options *options, struct listener **ret_listener,
                     struct error *error);

/* What can be said of a path before: the same errors for its length, its folder, what is there and is no socket, and an
 * abstract name that is not allowed. Whether somebody serves it is not asked. */
int listener_check(const char *path, bool abstract_allowed, struct error *error);

int listener_fd(const struct listener *listener);
const char *listener_path(const struct listener *listener);

/* Removes the path if it still is our inode, and the lock file; new connects fail from now on. The fd stays open for
 * who is in the queue. */
void listener_withdraw(struct listener *listener);

/* Withdraws if that was not done, closes, frees. NULL is allowed. */
void listener_free(struct listener *listener);

#endif
