/*
 * Who is at the other end of a connection: struct berth_peer (berth.h), from the kernel.
 */
#ifndef BERTH_SOCKET_PEER_H
#define BERTH_SOCKET_PEER_H

#include <stdbool.h>
#include <sys/types.h>

#include <berth.h>

/* Asks the kernel (SO_PEERCRED, SO_PEERGROUPS). `fd` stays the caller's and must outlive the peer: the pidfd is asked
 * for only when an application wants it (berth_peer_pidfd), so that a connection costs one descriptor and not two.
 * -errno, and nothing to free. */
int peer_init(struct berth_peer *ret_peer, int fd);
void peer_done(struct berth_peer *peer); /* closes the pidfd, frees the groups */

/* What the kernel shows in place of an id that has no number in our user namespace (user_namespaces(7)): strangers. */
bool peer_uid_is_overflow(uid_t uid);

/* Whether the peer is that user, as the kernel says; the overflow uid is nobody. */
bool peer_is_uid(const struct berth_peer *peer, uid_t uid);

#endif
