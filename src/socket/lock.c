#include "socket/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/number.h"

enum {
    PID_TEXT_MAX = 12, /* ten digits, a newline, a NUL */
    TRIES_MAX = 100,   /* each one lost to another process that took and left the lock meanwhile */
};

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Whether the name still leads to the file that we have open. */
static bool is_current(int folder, const char *name, int fd)
{
    struct stat ours, theirs;

    return fstat(fd, &ours) == 0 && fstatat(folder, name, &theirs, AT_SYMLINK_NOFOLLOW) == 0 &&
           same_file(&ours, &theirs);
}

/* What a lock file contains: nothing, or a pid and a newline. -EINVAL for anything else. */
static int pid_read(int fd, pid_t *ret_pid)
{
    char text[PID_TEXT_MAX + 1];
    uint64_t pid = 0;
    ssize_t size = pread(fd, text, sizeof(text), 0);

    if (size < 0)
        return -errno;
    if (size > PID_TEXT_MAX)
        return -EINVAL;
    if (size > 0) {
        if (text[size - 1] != '\n')
            return -EINVAL;
        text[size - 1] = '\0';
        if (number_parse(text, 0, INT32_MAX, &pid, NULL) < 0)
            return -EINVAL;
    }
    *ret_pid = (pid_t)pid;
    return 0;
}

static int pid_write(int fd)
{
    char text[PID_TEXT_MAX + 1];
    int length = snprintf(text, sizeof(text), "%d\n", (int)getpid());

    if (pwrite(fd, text, (size_t)length, 0) != length || ftruncate(fd, length) < 0)
        return -errno;
    return 0;
}

/* We are about to write into it and to remove it: only what another lock of ours could have left behind. In a folder
 * that others can write in, it may be a link to something precious. */
static int leftover_check(int fd, struct error *error)
{
    struct stat status;
    pid_t pid;

    if (fstat(fd, &status) < 0)
        return error_set(error, -errno, "%s", strerror(errno));
    if (!S_ISREG(status.st_mode) || status.st_nlink > 1 || pid_read(fd, &pid) < 0)
        return error_set(error, -EEXIST, "it is in the way and no lock file of ours; move it elsewhere");
    return 0;
}

static int lock_open(int folder, const char *name, struct error *error)
{
    /* O_NONBLOCK is for a FIFO that somebody put there. */
    int fd = openat(folder, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600);

    if (fd >= 0)
        return fd;
    if (errno == ELOOP)
        return error_set(error, -ELOOP, "it is a symbolic link, and never followed; remove it");
    return error_set(error, -errno, "%s", strerror(errno));
}

/* 0: held and current. 1: held, but the name is another file's by now, or nobody's. */
static int lock_try(int folder, const char *name, struct lock *lock, struct error *error)
{
    int fd = lock_open(folder, name, error);
    int r;

    if (fd < 0)
        return fd;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        r = error_set(error, -errno, "%s", strerror(errno));
        goto fail;
    }
    if (!is_current(folder, name, fd)) {
        r = 1;
        goto fail;
    }
    r = leftover_check(fd, error);
    if (r < 0)
        goto fail;
    lock->fd = fd;
    return 0;
fail:
    close(fd);
    return r;
}

int lock_take(int folder, const char *name, struct lock *ret_lock, struct error *error)
{
    struct lock lock = { .fd = -1, .folder = folder };
    int r = 1;

    if ((size_t)snprintf(lock.name, sizeof(lock.name), "%s", name) >= sizeof(lock.name))
        return error_set(error, -ENAMETOOLONG, "%s", strerror(ENAMETOOLONG));
    for (int tries = 0; r == 1 && tries < TRIES_MAX; tries++)
        r = lock_try(folder, name, &lock, error);
    if (r == 1)
        return error_set(error, -EWOULDBLOCK, "others keep taking it");
    if (r < 0)
        return r;
    /* A umask of 0777 would leave a file that we could not open ourselves the next time. */
    if (fchmod(lock.fd, 0600) < 0)
        r = -errno;
    else
        r = pid_write(lock.fd);
    if (r < 0) {
        lock_release(&lock);
        return error_set(error, r, "%s", strerror(-r));
    }
    *ret_lock = lock;
    return 0;
}

pid_t lock_holder(int folder, const char *name)
{
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    pid_t pid = 0;

    if (fd < 0)
        return 0;
    if (pid_read(fd, &pid) < 0)
        pid = 0;
    close(fd);
    return pid;
}

void lock_release(struct lock *lock)
{
    if (lock->fd < 0)
        return;
    /* Removed while held: nobody else can have taken this file, and whoever opened it finds, once it gets the lock,
     * that the name is gone or another file's, and tries again. */
    if (is_current(lock->folder, lock->name, lock->fd))
        unlinkat(lock->folder, lock->name, 0);
    close(lock->fd);
    lock->fd = -1;
}
