/*
 * Whole files, read and written.
 */
#ifndef BERTH_COMMON_BYTES_H
#define BERTH_COMMON_BYTES_H

#include <stddef.h>

/* All that is left to read from `fd`, followed by a NUL that *ret_size does not count; to be freed. -EFBIG when it is
 * more than `max`, read(2)'s, -ENOMEM. */
int input_read(int fd, size_t max, char **ret_bytes, size_t *ret_size);

/* What `fd` is, opened once more, for reading alone and from its start: the description is nobody else's. -errno. */
int input_reopen(int fd);

/* All of it, through short writes. write(2)'s errors. */
int output_write(int fd, const char *bytes, size_t size);

#endif
