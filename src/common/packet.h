/*
 * One packet of a SOCK_SEQPACKET channel, or one datagram, and the descriptors that come along with it (SCM_RIGHTS,
 * unix(7)). What the bytes mean, and which packet may bring how many descriptors, is for whoever sends and receives it.
 */
#ifndef BERTH_COMMON_PACKET_H
#define BERTH_COMMON_PACKET_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* As many descriptors a packet may bring. */
enum { PACKET_FDS_MAX = 2 };

struct packet {
    struct iovec *parts; /* the bytes to be sent, or room for those that come */
    size_t part_count;
    size_t size; /* received, over all parts */
    int fds[PACKET_FDS_MAX];
    size_t fd_count;
    struct sockaddr *to; /* of a datagram; NULL: the other end */
    socklen_t to_size;
};

/* Sends without blocking; the descriptors stay the caller's. -EPIPE when the other end is gone, -EAGAIN when nobody
 * reads, -EINVAL for more than PACKET_FDS_MAX descriptors, -errno. */
int packet_send(int socket, const struct packet *packet);

/* Receives one without blocking: 1, and the descriptors that came are the caller's, CLOEXEC; 0 when there is none now;
 * -EPIPE at the end, for which an empty packet is taken; -EPROTO for one with more bytes than there is room for, or
 * with more than PACKET_FDS_MAX descriptors. Unless it is 1, every descriptor that came has been closed, and of
 * `packet` only the bytes in the parts may have changed. */
int packet_receive(int socket, struct packet *packet);

/* Closes the descriptors of a packet that is refused for what it says. */
void packet_close(struct packet *packet);

#endif
