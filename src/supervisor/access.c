#include "supervisor/access.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/sink.h"

static int open_file(const char *path, struct error *error)
{
    /* O_NONBLOCK is for a FIFO: neither opening it nor writing to it may wait for a reader. */
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);

    if (fd >= 0)
        return fd;
    if (errno == ENXIO)
        return error_set(error, -ENXIO, "--access-log: cannot open \"%s\": nobody reads it, or it is a socket", path);
    return error_set(error, -errno, "--access-log: cannot open \"%s\": %s", path, strerror(errno));
}

int access_open(const struct settings *settings, int *ret_fd, struct error *error)
{
    int fd;

    if (settings->no_access_log || !settings->access_log) {
        fd = sink_reopen(settings->no_access_log ? -1 : STDOUT_FILENO);
        if (fd < 0)
            return error_set(error, fd, "the access log cannot go to standard output: %s", strerror(-fd));
    } else {
        fd = open_file(settings->access_log, error);
        if (fd < 0)
            return fd;
    }
    *ret_fd = fd;
    return 0;
}
