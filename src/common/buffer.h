/*
 * A buffer that grows, up to a limit. Zeroes are an empty one.
 */
#ifndef BERTH_COMMON_BUFFER_H
#define BERTH_COMMON_BUFFER_H

#include <stddef.h>
#include <stdint.h>

struct buffer {
    char *bytes; /* NULL while nothing was ever reserved */
    size_t size, allocated;
};

/* Makes room for `more` bytes behind those that are there, and for one behind them, which is nobody's: a NUL can stand
 * there. Its memory doubles. -EMSGSIZE: they would be more than `limit`; -ENOMEM; then the buffer is as it was. */
int buffer_reserve(struct buffer *buffer, size_t more, uint64_t limit);

/* The same, and copies them, with a NUL behind that `size` does not count. */
int buffer_add(struct buffer *buffer, const void *bytes, size_t more, uint64_t limit);

void buffer_done(struct buffer *buffer);

#endif
