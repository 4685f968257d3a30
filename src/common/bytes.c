#include "common/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "common/buffer.h"

int input_read(int fd, size_t max, char **ret_bytes, size_t *ret_size)
{
    struct buffer buffer = { 0 };
    ssize_t n;
    int r;

    while ((r = buffer_reserve(&buffer, 1, UINT64_MAX)) == 0) {
        n = read(fd, buffer.bytes + buffer.size, buffer.allocated - buffer.size - 1);
        if (n == 0)
            break;
        if (n < 0 && errno == EINTR)
            continue;
        r = n < 0 ? -errno : 0;
        buffer.size += n > 0 ? (size_t)n : 0;
        if (r == 0 && buffer.size > max)
            r = -EFBIG;
        if (r < 0)
            break;
    }
    if (r < 0) {
        buffer_done(&buffer);
        return r;
    }
    buffer.bytes[buffer.size] = '\0';
    *ret_bytes = buffer.bytes;
    *ret_size = buffer.size;
    return 0;
}

int input_reopen(int fd)
{
    char path[64];
    int copy;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    copy = open(path, O_RDONLY | O_CLOEXEC);
    return copy < 0 ? -errno : copy;
}

int output_write(int fd, const char *bytes, size_t size)
{
    ssize_t n;

    while (size > 0) {
        n = write(fd, bytes, size);
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0) {
            bytes += n;
            size -= (size_t)n;
        }
    }
    return 0;
}
