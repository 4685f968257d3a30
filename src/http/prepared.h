/*
 * Replies that an application prepared while it runs (berth.h: struct berth_prepared).
 */
#ifndef BERTH_HTTP_PREPARED_H
#define BERTH_HTTP_PREPARED_H

#include <berth.h>

/* A reply that was answered with it, and has not reached libmicrohttpd, keeps it. */
void prepared_release(struct berth_prepared *prepared);

/* The file that it is sent from, and the end of what is; -1 for bytes. */
void prepared_sending(const struct berth_prepared *prepared, int *ret_fd, uint64_t *ret_end);

#endif
