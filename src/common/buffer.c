#include "common/buffer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ALLOCATED_FIRST = 1024 };

int buffer_reserve(struct buffer *buffer, size_t more, uint64_t limit)
{
    size_t allocated = buffer->allocated > 0 ? buffer->allocated : ALLOCATED_FIRST;
    char *bytes;

    if (buffer->size > limit || more > limit - buffer->size)
        return -EMSGSIZE;
    if (more >= SIZE_MAX / 2 - buffer->size)
        return -ENOMEM;
    while (allocated - buffer->size <= more)
        allocated *= 2;
    if (allocated == buffer->allocated)
        return 0;
    bytes = realloc(buffer->bytes, allocated);
    if (!bytes)
        return -ENOMEM;
    buffer->bytes = bytes;
    buffer->allocated = allocated;
    return 0;
}

int buffer_add(struct buffer *buffer, const void *bytes, size_t more, uint64_t limit)
{
    int r = buffer_reserve(buffer, more, limit);

    if (r < 0)
        return r;
    if (more > 0)
        memcpy(buffer->bytes + buffer->size, bytes, more);
    buffer->size += more;
    buffer->bytes[buffer->size] = '\0';
    return 0;
}

void buffer_done(struct buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (struct buffer){ 0 };
}
