/*
 * Who is at the other end of a connection: struct berth_peer (berth.h), from the kernel.
 */
#ifndef BERTH_SOCKET_PEER_H
#define BERTH_SOCKET_PEER_H

#include <berth.h>

/* Asks the kernel (SO_PEERCRED, SO_PEERGROUPS, SO_PEERPIDFD where there is one). A kernel without SO_PEERPIDFD gives pidfd -1. Other failures:
 * -errno, and nothing to free. */
int peer_init(struct berth_peer *peer, int fd);
void peer_done(struct berth_peer *peer); /* closes the pidfd, frees the groups */

#endif
