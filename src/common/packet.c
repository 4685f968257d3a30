#include "common/packet.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Room for more than a packet may bring, so that those that come too many can be closed. What does not even fit here is
 * closed by the kernel, which then says MSG_CTRUNC. */
enum { FD_ROOM = 2 * PACKET_FDS_MAX };

union control_buffer {
    char bytes[CMSG_SPACE(FD_ROOM * sizeof(int))];
    struct cmsghdr align;
};

static void attach_fds(struct msghdr *header, union control_buffer *buffer, const struct packet *packet)
{
    size_t size = packet->fd_count * sizeof(int);
    struct cmsghdr *control;

    memset(buffer, 0, sizeof(*buffer));
    header->msg_control = buffer->bytes;
    header->msg_controllen = CMSG_SPACE(size);
    control = CMSG_FIRSTHDR(header);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(control), packet->fds, size);
}

int packet_send(int socket, const struct packet *packet)
{
    struct msghdr header = { .msg_name = packet->to,
                             .msg_namelen = packet->to_size,
                             .msg_iov = packet->parts,
                             .msg_iovlen = packet->part_count };
    union control_buffer buffer;

    if (packet->fd_count > PACKET_FDS_MAX)
        return -EINVAL;
    if (packet->fd_count > 0)
        attach_fds(&header, &buffer, packet);
    while (sendmsg(socket, &header, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
        if (errno == ECONNRESET || errno == ENOTCONN)
            return -EPIPE;
        if (errno != EINTR)
            return -errno;
    }
    return 0;
}

/* Takes the descriptors out of what was received, at most FD_ROOM. */
static size_t detach_fds(struct msghdr *header, int ret_fds[FD_ROOM])
{
    size_t count = 0;

    for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control; control = CMSG_NXTHDR(header, control)) {
        size_t here = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; i < here && count < FD_ROOM; i++)
            memcpy(&ret_fds[count++], CMSG_DATA(control) + i * sizeof(int), sizeof(int));
    }
    return count;
}

static int receive(int socket, struct msghdr *header, size_t *ret_size)
{
    ssize_t size;

    do
        size = recvmsg(socket, header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (size < 0 && errno == EINTR);
    if (size < 0)
        header->msg_controllen = 0; /* left as it was: nothing came */
    if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return 0;
    if (size < 0)
        return errno == ECONNRESET ? -EPIPE : -errno;
    /* The end, or an empty packet, which recvmsg(2) cannot tell apart and nobody may send. */
    if (size == 0)
        return -EPIPE;
    *ret_size = (size_t)size;
    return 1;
}

static void close_all(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        close(fds[i]);
}

int packet_receive(int socket, struct packet *packet)
{
    union control_buffer buffer;
    struct msghdr header = { .msg_iov = packet->parts,
                             .msg_iovlen = packet->part_count,
                             .msg_control = buffer.bytes,
                             .msg_controllen = sizeof(buffer.bytes) };
    int fds[FD_ROOM];
    size_t size = 0, count;
    int r = receive(socket, &header, &size);

    /* Also for an empty packet: it may have brought descriptors. */
    count = detach_fds(&header, fds);
    if (r == 1 && (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC) || count > PACKET_FDS_MAX))
        r = -EPROTO;
    if (r != 1) {
        close_all(fds, count);
        return r;
    }
    packet->size = size;
    packet->fd_count = count;
    memcpy(packet->fds, fds, count * sizeof(int));
    return 1;
}

void packet_close(struct packet *packet)
{
    close_all(packet->fds, packet->fd_count);
    packet->fd_count = 0;
}
