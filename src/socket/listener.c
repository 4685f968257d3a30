#include "socket/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/account.h"
#include "socket/address.h"
#include "socket/lock.h"
#include "socket/probe.h"

#ifndef SIOCUNIXFILE
#define SIOCUNIXFILE (SIOCPROTOPRIVATE + 0) /* <linux/un.h>, which can't be included along with <sys/un.h> */
#endif

struct listener {
    int fd;
    int type; /* SOCK_STREAM or SOCK_DGRAM */
    char *path;
    const char *base; /* its last segment; NULL for an abstract name */
    char *folder;     /* the rest of it, for messages */
    int folder_fd; /* the folder as it was when we began: a change of directory or a rename above us changes nothing */
    struct lock lock;
    bool made;    /* whether an inode of ours is at the path: this one */
    dev_t device; /* The bound socket keeps its inode alive: the number can't be another's as long as `fd` is open. */
    ino_t inode;
};

static struct listener *listener_new(const char *path, int type)
{
    struct listener *listener = calloc(1, sizeof(*listener));
    const char *slash = strrchr(path, '/');

    if (!listener)
        return NULL;
    listener->fd = listener->folder_fd = listener->lock.fd = -1;
    listener->type = type;
    listener->path = strdup(path);
    if (!slash)
        listener->folder = strdup(".");
    else
        listener->folder = slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
    if (!listener->path || !listener->folder) {
        listener_free(listener);
        return NULL;
    }
    if (!address_is_abstract(path))
        listener->base = slash ? listener->path + (slash - path) + 1 : listener->path;
    return listener;
}

/* ---- Who else is there ---------------------------------------------------------------------------------------- */

static int served_error(const char *path, pid_t pid, struct error *error)
{
    if (pid == 0)
        return error_set(error, -EADDRINUSE, "%s: already served, by a process that the kernel does not name", path);
    if (pid == getpid())
        return error_set(error, -EADDRINUSE, "%s: already served by pid %d, which is this process: is it given twice?",
                         path, (int)pid);
    if (kill(pid, 0) < 0 && errno == ESRCH)
        return error_set(error, -EADDRINUSE,
                         "%s: already served by pid %d, which has ended and left children behind that "
                         "still have the socket; end them, or wait until they are done",
                         path, (int)pid);
    return error_set(error, -EADDRINUSE, "%s: already served by pid %d; stop it, or choose another path", path,
                     (int)pid);
}

/* Whether the path is free: 1 no, a socket is there, in *ret_status. 0 yes. What is no socket stays as it is. */
static int occupant_look(const struct listener *listener, struct stat *ret_status, struct error *error)
{
    struct stat status;
    const char *what;

    if (fstatat(listener->folder_fd, listener->base, &status, AT_SYMLINK_NOFOLLOW) < 0) {
        if (errno == ENOENT)
            return 0;
        return error_set(error, -errno, "%s: cannot look at it: %s", listener->path, strerror(errno));
    }
    switch (status.st_mode & S_IFMT) {
    case S_IFSOCK:
        *ret_status = status;
        return 1;
    case S_IFLNK:
        what = "a symbolic link, which is never followed";
        break;
    case S_IFDIR:
        what = "a folder";
        break;
    case S_IFREG:
        what = "a plain file";
        break;
    default:
        what = "no socket";
        break;
    }
    return error_set(error, -ENOTSOCK, "%s is %s; it is left alone: remove it, or choose another path", listener->path,
                     what);
}

/* Refuses a path that is served. 0: nobody serves it. */
static int occupant_probe(const struct listener *listener, const struct address *address, struct error *error)
{
    const char *path = listener->path;
    pid_t pid = 0;
    int r = probe_served(listener->type, &address->un, address->size, &pid);

    if (r > 0)
        return served_error(path, pid, error);
    if (r == -EPROTOTYPE)
        return error_set(error, -EADDRINUSE, "%s: already in use as a %s or packet socket; choose another path", path,
                         listener->type == SOCK_DGRAM ? "stream" : "datagram");
    if (r == -EACCES || r == -EPERM)
        return error_set(error, r,
                         "%s: there is a socket, and uid %u may not ask whether it is served; remove it, or choose "
                         "another path",
                         path, (unsigned int)geteuid());
    if (r < 0)
        return error_set(error, r, "%s: cannot find out whether it is served: %s", path, strerror(-r));
    return 0;
}

/* Removes the dead socket that `dead` is a descriptor of, if the path still leads to it. */
static int dead_remove(const struct listener *listener, int dead, const struct address *address, struct error *error)
{
    struct stat found, still;
    int r;

    if (fstat(dead, &found) < 0)
        return error_set(error, -errno, "%s: cannot look at it: %s", listener->path, strerror(errno));
    r = occupant_probe(listener, address, error);
    if (r < 0)
        return r;
    /* Programs that know nothing of our lock may have put a socket of their own there by now. */
    r = occupant_look(listener, &still, error);
    if (r <= 0)
        return r;
    if (found.st_dev != still.st_dev || found.st_ino != still.st_ino)
        return error_set(error, -EADDRINUSE, "%s: another program is putting a socket there now", listener->path);
    if (unlinkat(listener->folder_fd, listener->base, 0) < 0 && errno != ENOENT)
        return error_set(error, -errno, "%s: cannot remove the socket that nobody serves: %s", listener->path,
                         strerror(errno));
    return 0;
}

/* Under the lock: makes the path free. Having the dead socket open keeps its inode's number from being given to a new
 * one. */
static int way_clear(const struct listener *listener, const struct address *address, struct error *error)
{
    int dead = openat(listener->folder_fd, listener->base, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    int r;

    if (dead < 0 && errno == ENOENT)
        return 0;
    if (dead < 0)
        return error_set(error, -errno, "%s: cannot look at it: %s", listener->path, strerror(errno));
    r = dead_remove(listener, dead, address, error);
    close(dead);
    return r;
}

/* ---- Taking the place ----------------------------------------------------------------------------------------- */

static int folder_open(struct listener *listener, struct error *error)
{
    const char *folder = listener->folder;

    listener->folder_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (listener->folder_fd >= 0)
        return 0;
    if (errno == ENOENT)
        return error_set(error, -ENOENT, "%s: there is no folder %s; make it first: mkdir -p %s", listener->path,
                         folder, folder);
    if (errno == ENOTDIR)
        return error_set(error, -ENOTDIR, "%s: %s is not a folder", listener->path, folder);
    return error_set(error, -errno, "%s: cannot reach the folder %s as uid %u: %s", listener->path, folder,
                     (unsigned int)geteuid(), strerror(errno));
}

static int lock_error(const struct listener *listener, const char *name, int r, const struct error *why,
                      struct error *error)
{
    struct stat status;

    if ((r == -EACCES || r == -EPERM || r == -EROFS) &&
        fstatat(listener->folder_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return error_set(error, r,
                         "%s: uid %u cannot make files in the folder %s (%s); choose a folder of its own, such as "
                         "$XDG_RUNTIME_DIR, or change who owns this one",
                         listener->path, (unsigned int)geteuid(), listener->folder, why->text);
    if (r == -EACCES)
        return error_set(error, r,
                         "%s: its lock file %s belongs to uid %u; remove it if no server uses it, or choose "
                         "another path",
                         listener->path, name, (unsigned int)status.st_uid);
    return error_set(error, r, "%s: its lock file %s: %s", listener->path, name, why->text);
}

/* Where the lock can't be had, a server that answers says more than the lock file does. */
static int lock_place(struct listener *listener, const struct address *address, struct error *error)
{
    char name[ADDRESS_NAME_MAX + sizeof(".lock")];
    struct error why = { "" };
    struct stat status;
    pid_t pid = 0;
    int r;

    snprintf(name, sizeof(name), "%s.lock", listener->base);
    r = lock_take(listener->folder_fd, name, &listener->lock, &why);
    if (r == 0)
        return 0;
    if (occupant_look(listener, &status, NULL) > 0 &&
        probe_served(listener->type, &address->un, address->size, &pid) > 0) {
        if (pid == 0)
            pid = lock_holder(listener->folder_fd, name);
        return served_error(listener->path, pid, error);
    }
    if (r != -EWOULDBLOCK)
        return lock_error(listener, name, r, &why, error);
    pid = lock_holder(listener->folder_fd, name);
    if (pid == 0)
        return error_set(error, -EADDRINUSE, "%s: another process is starting to serve it", listener->path);
    if (pid == getpid())
        return served_error(listener->path, pid, error);
    return error_set(error, -EADDRINUSE,
                     "%s: pid %d is starting to serve it, or about to leave it, or somebody removed the path while it "
                     "serves: then restart it",
                     listener->path, (int)pid);
}

/*
 * The inode that bind(2) made, as an O_PATH descriptor. With CAP_NET_ADMIN the kernel says which one that is: in a
 * folder that others can write in, the name may lead elsewhere already, and chown(2) by root is nothing to be careless
 * with. Without it, what the name leads to must at least look as ours does before anybody changed it.
 */
static int inode_open(const struct listener *listener, int *ret_fd, struct stat *ret_status)
{
    struct stat status;
    int fd = ioctl(listener->fd, SIOCUNIXFILE);
    bool certain = fd >= 0;
    int r = 0;

    if (!certain)
        fd = openat(listener->folder_fd, listener->base, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (fstat(fd, &status) < 0)
        r = -errno;
    else if (!certain && (!S_ISSOCK(status.st_mode) || status.st_uid != geteuid() || status.st_nlink != 1 ||
                          (status.st_mode & 077) != 0))
        r = -ESTALE;
    if (r < 0) {
        close(fd);
        return r;
    }
    *ret_fd = fd;
    *ret_status = status;
    return 0;
}

static bool is_in_place(const struct listener *listener)
{
    struct stat status;

    return fstatat(listener->folder_fd, listener->base, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           status.st_dev == listener->device && status.st_ino == listener->inode;
}

static void inode_record(struct listener *listener, const struct stat *status)
{
    listener->device = status->st_dev;
    listener->inode = status->st_ino;
    listener->made = true;
}

/* Creates the inode with mode 0600 at most: Linux gives it the socket's own mode, less the umask. */
static int place_bind(struct listener *listener, const struct address *address, mode_t mode, struct error *error)
{
    struct stat status;
    int r;

    listener->fd = address_socket(listener->type);
    if (listener->fd < 0)
        return error_set(error, listener->fd, "%s: cannot make a socket: %s", listener->path, strerror(-listener->fd));
    if (fchmod(listener->fd, mode & 0600) < 0)
        return error_set(error, -errno, "%s: cannot set the socket's mode: %s", listener->path, strerror(errno));
    if (bind(listener->fd, (const struct sockaddr *)&address->un, address->size) == 0) {
        /* For now what the name leads to; rights_set looks closer. Whatever fails from here on, it is removed again. */
        if (listener->base && fstatat(listener->folder_fd, listener->base, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISSOCK(status.st_mode))
            inode_record(listener, &status);
        return 0;
    }
    if (errno == EADDRINUSE && address_is_abstract(listener->path)) {
        r = occupant_probe(listener, address, error);
        return r < 0 ? r : error_set(error, -EADDRINUSE, "%s: already taken", listener->path);
    }
    return error_set(error, -errno, "%s: cannot bind: %s", listener->path, strerror(errno));
}

static int owner_error(const struct listener *listener, const struct listener_options *options, int r,
                       struct error *error)
{
    if (r != -EPERM)
        return error_set(error, r, "%s: cannot give it to its owner: %s", listener->path, strerror(-r));
    if (!options->user)
        return error_set(error, r,
                         "%s: uid %u is not in group %s, so it may not give the socket to it (--socket-group); "
                         "join the group, or start as root",
                         listener->path, (unsigned int)geteuid(), options->group);
    return error_set(error, r, "%s: uid %u may not give the socket to %s (--socket-user); only root may",
                     listener->path, (unsigned int)geteuid(), options->user);
}

/* Owner, then mode: the other way round, the old group would have the new group's rights for a moment. */
static int rights_set(struct listener *listener, const struct listener_options *options, uid_t uid, gid_t gid,
                      struct error *error)
{
    char link[sizeof("/proc/self/fd/") + 12];
    struct stat status = { 0 };
    int inode = -1;
    int r = inode_open(listener, &inode, &status);

    if (r < 0)
        return error_set(error, r, "%s: cannot make sure that it leads to our socket: %s", listener->path,
                         strerror(-r));
    inode_record(listener, &status);
    if ((uid != (uid_t)-1 || gid != (gid_t)-1) && fchownat(inode, "", uid, gid, AT_EMPTY_PATH) < 0) {
        r = owner_error(listener, options, -errno, error);
        goto out;
    }
    /* fchmod(2) refuses an O_PATH descriptor; this link of proc(5) leads to its inode, whatever became of the name. */
    snprintf(link, sizeof(link), "/proc/self/fd/%d", inode);
    if (chmod(link, options->mode) < 0)
        r = error_set(error, -errno, "%s: cannot set mode %04o: %s", listener->path, (unsigned int)options->mode,
                      strerror(errno));
    else if (!is_in_place(listener))
        r = error_set(error, -ESTALE, "%s: another program has replaced it in this moment", listener->path);
out:
    close(inode);
    return r;
}

static int owner_resolve(const struct listener_options *options, uid_t *ret_uid, gid_t *ret_gid, struct error *error)
{
    uid_t uid = (uid_t)-1; /* chown(2) takes that for "as it is" */
    gid_t gid = (gid_t)-1;
    int r = 0;

    if (options->user)
        r = account_uid("--socket-user", options->user, &uid, error);
    if (r == 0 && options->group)
        r = account_gid("--socket-group", options->group, &gid, error);
    if (r < 0)
        return r;
    *ret_uid = uid;
    *ret_gid = gid;
    return 0;
}

static int path_publish(struct listener *listener, const struct address *address,
                        const struct listener_options *options, struct error *error)
{
    struct stat status;
    uid_t uid;
    gid_t gid;
    int r;

    if ((options->mode & ~(mode_t)0777) != 0)
        return error_set(error, -EINVAL, "--socket-mode: %o is not a mode from 0000 to 0777",
                         (unsigned int)options->mode);
    r = owner_resolve(options, &uid, &gid, error);
    if (r < 0)
        return r;
    r = folder_open(listener, error);
    if (r < 0)
        return r;
    /* Looked at before the lock already, so that nothing of ours appears beside a file that is somebody else's. */
    r = occupant_look(listener, &status, error);
    if (r < 0)
        return r;
    r = lock_place(listener, address, error);
    if (r < 0)
        return r;
    r = way_clear(listener, address, error);
    if (r < 0)
        return r;
    r = place_bind(listener, address, options->mode, error);
    if (r < 0)
        return r;
    return rights_set(listener, options, uid, gid, error);
}

static int abstract_check(const char *path, bool allowed, struct error *error)
{
    if (allowed)
        return 0;
    return error_set(error, -EINVAL,
                     "%s: an abstract name has no owner and no mode, so every process of this network "
                     "namespace may connect; use a path, or take the risk with --allow-abstract",
                     path);
}

static int abstract_publish(struct listener *listener, const struct address *address,
                            const struct listener_options *options, struct error *error)
{
    int r = abstract_check(listener->path, options->abstract_allowed, error);

    return r < 0 ? r : place_bind(listener, address, options->mode, error);
}

int listener_publish(const char *path, const struct listener_options *options, struct listener **ret_listener,
                     struct error *error)
{
    struct listener *listener;
    struct address address;
    int r = address_make(path, &address, error);

    if (r < 0)
        return r;
    listener = listener_new(path, options->datagram ? SOCK_DGRAM : SOCK_STREAM);
    if (!listener)
        return error_set(error, -ENOMEM, "out of memory");
    if (address_is_abstract(path))
        r = abstract_publish(listener, &address, options, error);
    else
        r = path_publish(listener, &address, options, error);
    if (r == 0 && !options->datagram && listen(listener->fd, options->backlog) < 0)
        r = error_set(error, -errno, "%s: cannot listen: %s", path, strerror(errno));
    if (r < 0) {
        listener_free(listener);
        return r;
    }
    *ret_listener = listener;
    return 0;
}

int listener_check(const char *path, bool abstract_allowed, struct error *error)
{
    struct listener *listener;
    struct address address;
    struct stat status;
    int r = address_make(path, &address, error);

    if (r < 0)
        return r;
    if (address_is_abstract(path))
        return abstract_check(path, abstract_allowed, error);
    listener = listener_new(path, SOCK_STREAM);
    if (!listener)
        return error_set(error, -ENOMEM, "out of memory");
    r = folder_open(listener, error);
    if (r == 0)
        r = occupant_look(listener, &status, error);
    listener_free(listener);
    return r < 0 ? r : 0;
}

int listener_fd(const struct listener *listener)
{
    return listener->fd;
}

const char *listener_path(const struct listener *listener)
{
    return listener->path;
}

void listener_withdraw(struct listener *listener)
{
    if (listener->made && is_in_place(listener))
        unlinkat(listener->folder_fd, listener->base, 0);
    listener->made = false;
    lock_release(&listener->lock);
}

void listener_free(struct listener *listener)
{
    if (!listener)
        return;
    listener_withdraw(listener);
    if (listener->fd >= 0)
        close(listener->fd);
    if (listener->folder_fd >= 0)
        close(listener->folder_fd);
    free(listener->path);
    free(listener->folder);
    free(listener);
}
