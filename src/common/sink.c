#include "common/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* A stream socket takes so much as one message, or nothing of it. */
#define SOCKET_PIECE 16384

void sink_init(struct sink *sink, int fd)
{
    struct stat status;
    int flags = fcntl(fd, F_GETFL);

    sink->fd = fd;
    sink->kind = SINK_NONE;
    sink->nonblocking = flags >= 0 && (flags & O_NONBLOCK);
    sink->piece = PIPE_BUF;
    if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY || fstat(fd, &status) < 0)
        return;
    if (S_ISREG(status.st_mode)) {
        sink->kind = SINK_FILE;
        sink->piece = SSIZE_MAX;
    } else if (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)) {
        sink->kind = SINK_CHANNEL;
    } else if (S_ISSOCK(status.st_mode)) {
        sink->kind = SINK_SOCKET;
        sink->piece = SOCKET_PIECE;
    }
}

/* To a description that waits, and must go on doing so for others. Linux 6.4 knows how not to wait just once; before,
 * we look whether there is room, and only another process that takes it at that very moment can make us wait. */
static ssize_t write_blocking(int fd, const char *bytes, size_t size)
{
    struct iovec part = { (void *)(uintptr_t)bytes, size };
    struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };
    ssize_t n = pwritev2(fd, &part, 1, -1, RWF_NOWAIT);

    if (n >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL))
        return n;
    if (poll(&poll_fd, 1, 0) == 0) {
        errno = EAGAIN;
        return -1;
    }
    return write(fd, bytes, size);
}

/* A terminal with `stty tostop` stops what writes to it in the background, and signals the whole group: SIGTTOU, which
 * would take a worker away (supervisor.c). Who has it blocked just writes. */
static ssize_t write_to_channel(const struct sink *sink, const char *bytes, size_t size)
{
    sigset_t stop, before;
    ssize_t n;
    int saved_errno;

    sigemptyset(&stop);
    sigaddset(&stop, SIGTTOU);
    pthread_sigmask(SIG_BLOCK, &stop, &before);
    n = sink->nonblocking ? write(sink->fd, bytes, size) : write_blocking(sink->fd, bytes, size);
    saved_errno = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = saved_errno;
    return n;
}

static ssize_t write_once(const struct sink *sink, const char *bytes, size_t size)
{
    switch (sink->kind) {
    case SINK_SOCKET:
        return send(sink->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    case SINK_CHANNEL:
        return write_to_channel(sink, bytes, size);
    case SINK_FILE:
        break;
    case SINK_NONE:
        errno = EBADF;
        return -1;
    }
    return write(sink->fd, bytes, size);
}

ssize_t sink_write(const struct sink *sink, const char *bytes, size_t size)
{
    ssize_t n;

    do
        n = write_once(sink, bytes, size);
    while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == ECONNRESET || errno == ENOTCONN))
        return -EPIPE;
    return n < 0 ? -errno : n;
}

int sink_reopen(int fd)
{
    struct sink sink;
    char path[64];
    int copy = -1;

    sink_init(&sink, fd);
    if (sink.kind == SINK_CHANNEL) {
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        copy = open(path, O_WRONLY | O_NONBLOCK | O_APPEND | O_CLOEXEC | O_NOCTTY);
    } else if (sink.kind == SINK_NONE) {
        copy = open("/dev/null", O_WRONLY | O_CLOEXEC);
    }
    if (copy < 0)
        copy = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    return copy < 0 ? -errno : copy;
}
