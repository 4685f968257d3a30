/*
 * For tests of channels: a pair of ends, and packets as somebody without our library could send them.
 */
#ifndef BERTH_TESTS_PACKETS_H
#define BERTH_TESTS_PACKETS_H

#include <stddef.h>

/* A SOCK_SEQPACKET pair; and away with it. */
void ends_open(int ret_ends[2]);
void ends_close(const int ends[2]);

/* Sends a packet with `fd_count` descriptors, at most 8. */
void raw_send(int socket, const void *bytes, size_t size, size_t fd_count);

#endif
