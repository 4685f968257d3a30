#include "apps/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel gives up (EAGAIN) when something is renamed while it resolves a "..": then it is tried again. */
#define TRIES 8

/* Opens the first `size` bytes of `name`, which are one segment. */
static int open_segment(int folder, const char *name, size_t size, int flags)
{
    char segment[NAME_MAX + 1];
    int fd;

    if (size > NAME_MAX)
        return -ENAMETOOLONG;
    memcpy(segment, name, size);
    segment[size] = '\0';
    if (size == 0 || strcmp(segment, ".") == 0 || strcmp(segment, "..") == 0)
        return -EXDEV;
    fd = openat(folder, segment, flags | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int beneath_open_by_steps(int folder, const char *path, int flags)
{
    int at = folder, next;

    if (*path == '\0') {
        next = openat(folder, ".", flags | O_CLOEXEC);
        return next < 0 ? -errno : next;
    }
    for (;;) {
        size_t size = strcspn(path, "/");
        bool last = path[size] == '\0';

        next = open_segment(at, path, size, last ? flags : O_PATH | O_DIRECTORY);
        if (at != folder)
            close(at);
        if (last || next < 0)
            return next;
        at = next;
        path += size + 1;
    }
}

int beneath_open(int folder, const char *path, int flags)
{
    struct open_how how = {
        .flags = (unsigned int)(flags | O_CLOEXEC),
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    long fd = -1;

    for (int i = 0; i < TRIES; i++) {
        fd = syscall(SYS_openat2, folder, *path ? path : ".", &how, sizeof(how));
        if (fd >= 0 || errno != EAGAIN)
            break;
    }
    if (fd >= 0)
        return (int)fd;
    /* Sandboxes that do not know openat2 forbid it with EPERM; it has no EPERM of its own for these flags. */
    if (errno == ENOSYS || errno == EPERM)
        return beneath_open_by_steps(folder, path, flags);
    return -errno;
}
