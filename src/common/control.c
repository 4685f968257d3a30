/*
 * The control channel between the supervisor and a child: contract.h lists the messages; here is who may send which,
 * and nothing that the table does not permit is sent or believed.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/contract.h"

static const struct control_rule {
    bool known;
    enum control_side sender;
    bool body; /* may carry text */
    bool fd;   /* carries exactly one descriptor */
} rules[] = {
    [CONTROL_PING] = { .known = true, .sender = CONTROL_SUPERVISOR },
    [CONTROL_DRAIN] = { .known = true, .sender = CONTROL_SUPERVISOR },
    [CONTROL_STOP] = { .known = true, .sender = CONTROL_SUPERVISOR },
    [CONTROL_LOG] = { .known = true, .sender = CONTROL_SUPERVISOR, .body = true, .fd = true },
    [CONTROL_READY] = { .known = true, .sender = CONTROL_WORKER, .body = true },
    [CONTROL_PONG] = { .known = true, .sender = CONTROL_WORKER },
    [CONTROL_FAILED] = { .known = true, .sender = CONTROL_WORKER, .body = true },
    [CONTROL_BUSY] = { .known = true, .sender = CONTROL_WORKER },
    [CONTROL_IDLE] = { .known = true, .sender = CONTROL_WORKER },
    [CONTROL_RETIRE] = { .known = true, .sender = CONTROL_WORKER },
    [CONTROL_EVENTS] = { .known = true, .sender = CONTROL_WORKER },
    [CONTROL_EVENT_LOG] = { .known = true, .sender = CONTROL_SUPERVISOR, .fd = true },
    [CONTROL_RENDEZVOUS] = { .known = true, .sender = CONTROL_SUPERVISOR, .fd = true },
};

/* Room for more descriptors than any message may carry, so that those that come can be closed; what does not even fit
 * here is closed by the kernel, which then says MSG_CTRUNC. */
enum { FD_ROOM = 4 };

union control_buffer {
    char bytes[CMSG_SPACE(FD_ROOM * sizeof(int))];
    struct cmsghdr align;
};

static bool permitted(uint32_t type, enum control_side sender, size_t body_size, size_t fd_count)
{
    const struct control_rule *rule;

    if (type >= sizeof(rules) / sizeof(rules[0]) || !rules[type].known)
        return false;
    rule = &rules[type];
    return rule->sender == sender && body_size <= (rule->body ? CONTROL_BODY_MAX : 0) && fd_count == (rule->fd ? 1 : 0);
}

static void attach_fd(struct msghdr *header, union control_buffer *buffer, int fd)
{
    struct cmsghdr *control;

    memset(buffer, 0, sizeof(*buffer));
    header->msg_control = buffer->bytes;
    header->msg_controllen = CMSG_SPACE(sizeof(int));
    control = CMSG_FIRSTHDR(header);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(control), &fd, sizeof(int));
}

int control_send(int channel, enum control_side me, enum control_type type, const char *body, int fd)
{
    uint32_t wire_type = (uint32_t)type;
    size_t size = body ? strlen(body) : 0;
    char text[CONTROL_BODY_MAX];
    struct iovec parts[2] = { { &wire_type, sizeof(wire_type) }, { text, size } };
    struct msghdr header = { .msg_iov = parts, .msg_iovlen = 2 };
    union control_buffer buffer;

    if (size > CONTROL_BODY_MAX)
        return -EMSGSIZE;
    if (!permitted(wire_type, me, size, fd < 0 ? 0 : 1))
        return -EINVAL;
    if (size > 0)
        memcpy(text, body, size);
    if (fd >= 0)
        attach_fd(&header, &buffer, fd);
    while (sendmsg(channel, &header, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
        if (errno == ECONNRESET || errno == ENOTCONN)
            return -EPIPE;
        if (errno != EINTR)
            return -errno;
    }
    return 0;
}

/* Takes the descriptors out of a received packet, at most FD_ROOM. */
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

static int receive_packet(int channel, struct msghdr *header, size_t *ret_size)
{
    ssize_t size;

    do
        size = recvmsg(channel, header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
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

int control_receive(int channel, enum control_side me, struct control_message *ret_message)
{
    enum control_side sender = me == CONTROL_SUPERVISOR ? CONTROL_WORKER : CONTROL_SUPERVISOR;
    uint32_t type = 0;
    char body[CONTROL_BODY_MAX];
    union control_buffer buffer;
    struct iovec parts[2] = { { &type, sizeof(type) }, { body, sizeof(body) } };
    struct msghdr header = {
        .msg_iov = parts, .msg_iovlen = 2, .msg_control = buffer.bytes, .msg_controllen = sizeof(buffer.bytes)
    };
    int fds[FD_ROOM];
    size_t size = 0, fd_count;
    int r = receive_packet(channel, &header, &size);

    /* Also for an empty packet: it may have brought descriptors. */
    fd_count = detach_fds(&header, fds);
    if (r == 1 && (size < sizeof(type) || (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) ||
                   !permitted(type, sender, size - sizeof(type), fd_count)))
        r = -EPROTO;
    if (r != 1) {
        for (size_t i = 0; i < fd_count; i++)
            close(fds[i]);
        return r;
    }
    ret_message->type = (enum control_type)type;
    ret_message->fd = fd_count == 1 ? fds[0] : -1;
    ret_message->size = size - sizeof(type);
    memcpy(ret_message->body, body, ret_message->size);
    ret_message->body[ret_message->size] = '\0';
    return 1;
}
