#include "socket/probe.h"

#include <errno.h>
#include <unistd.h>

int probe_served(int type, const struct sockaddr_un *address, socklen_t size, pid_t *ret_pid)
{
    struct ucred credentials = { 0 };
    socklen_t credentials_size = sizeof(credentials);
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int r = 1;

    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)address, size) == 0) {
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &credentials_size) < 0)
            credentials.pid = 0;
        *ret_pid = credentials.pid;
    } else if (errno == EAGAIN || (errno == EPERM && type == SOCK_DGRAM)) {
        *ret_pid = 0; /* its queue is full, or it takes datagrams from another one alone: so there is one */
    } else if (errno == ECONNREFUSED || errno == ENOENT) {
        r = 0;
    } else {
        r = -errno;
    }
    close(fd);
    return r;
}
