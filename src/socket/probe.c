#include "socket/probe.h"

#include <errno.h>
#include <unistd.h>

int probe_served(const struct sockaddr_un *address, socklen_t size, pid_t *ret_pid)
{
    struct ucred credentials;
    socklen_t credentials_size = sizeof(credentials);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int r = 1;

    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)address, size) == 0) {
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &credentials_size) < 0)
            credentials.pid = 0;
        *ret_pid = credentials.pid;
    } else if (errno == EAGAIN) {
        *ret_pid = 0; /* its queue is full, so there is one */
    } else if (errno == ECONNREFUSED || errno == ENOENT) {
        r = 0;
    } else {
        r = -errno;
    }
    close(fd);
    return r;
}
