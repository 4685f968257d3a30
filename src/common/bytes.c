#include "common/bytes.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

int input_read(int fd, size_t max, char **ret_bytes, size_t *ret_size)
{
    size_t size = 0, room = 4096;
    char *bytes = malloc(room), *larger;
    ssize_t n;
    int r;

    if (!bytes)
        return -ENOMEM;
    for (;;) {
        n = read(fd, bytes + size, room - size - 1);
        if (n == 0)
            break;
        if (n < 0 && errno == EINTR)
            continue;
        r = n < 0 ? -errno : 0;
        size += n > 0 ? (size_t)n : 0;
        if (r == 0 && size > max)
            r = -EFBIG;
        if (r < 0)
            goto fail;
        if (room - size > 1)
            continue;
        r = -ENOMEM;
        larger = realloc(bytes, room * 2);
        if (!larger)
            goto fail;
        bytes = larger;
        room *= 2;
    }
    bytes[size] = '\0';
    *ret_bytes = bytes;
    *ret_size = size;
    return 0;
fail:
    free(bytes);
    return r;
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
