#include "socket/inspect.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <unistd.h>

enum {
    ANSWER_SIZE = 32 * 1024, /* netlink(7): what the kernel puts into one datagram of a dump, at most */
    PATIENCE_S = 1,
    STATE_CONNECTED = 1, /* TCP_ESTABLISHED and TCP_LISTEN of the kernel, whose states Unix sockets share */
    STATE_LISTEN = 10,
};

bool inspected_is_file(const struct inspected *socket, const struct stat *file)
{
    /* The kernel's own form of a device's number. Where stat(2) shows another number than that of the file system
     * (btrfs), it looks like another file. */
    uint32_t device = (uint32_t)major(file->st_dev) << 20 | (uint32_t)minor(file->st_dev);

    return socket->has_file && socket->file_inode == (uint32_t)file->st_ino && socket->file_device == device;
}

void inspected_name(struct inspected *socket, const char *bytes, size_t size)
{
    if (size > sizeof(socket->raw_name))
        size = sizeof(socket->raw_name);
    /* A path comes with its NUL. */
    while (size > 0 && bytes[0] != '\0' && bytes[size - 1] == '\0')
        size--;
    memcpy(socket->raw_name, bytes, size);
    socket->raw_name_size = size;
    for (size_t i = 0; i < size; i++)
        socket->name[i] = bytes[i] == '\0' ? '@' : bytes[i];
    socket->name[size] = '\0';
}

static void queue_read(const struct unix_diag_rqlen *queue, struct inspected *socket)
{
    if (socket->listening) {
        socket->has_queue = true;
        socket->queued = queue->udiag_rqueue;
        socket->limit = queue->udiag_wqueue;
    } else {
        socket->has_bytes = true;
        socket->unread = queue->udiag_rqueue;
        socket->unsent = queue->udiag_wqueue;
    }
}

static void attribute_read(const struct rtattr *attribute, struct inspected *socket)
{
    const void *bytes = RTA_DATA(attribute);
    size_t size = RTA_PAYLOAD(attribute);
    struct unix_diag_vfs file;
    struct unix_diag_rqlen queue;

    if (attribute->rta_type == UNIX_DIAG_NAME) {
        inspected_name(socket, bytes, size);
    } else if (attribute->rta_type == UNIX_DIAG_VFS && size >= sizeof(file)) {
        memcpy(&file, bytes, sizeof(file));
        socket->has_file = true;
        socket->file_device = file.udiag_vfs_dev;
        socket->file_inode = file.udiag_vfs_ino;
    } else if (attribute->rta_type == UNIX_DIAG_RQLEN && size >= sizeof(queue)) {
        memcpy(&queue, bytes, sizeof(queue));
        queue_read(&queue, socket);
    } else if (attribute->rta_type == UNIX_DIAG_PEER && size >= sizeof(socket->peer)) {
        memcpy(&socket->peer, bytes, sizeof(socket->peer));
    } else if (attribute->rta_type == UNIX_DIAG_UID && size >= sizeof(socket->uid)) {
        memcpy(&socket->uid, bytes, sizeof(socket->uid));
        socket->has_uid = true;
    }
}

static void message_read(const struct nlmsghdr *header, struct inspected *ret_socket)
{
    const struct unix_diag_msg *message = NLMSG_DATA(header);
    const char *end = (const char *)header + header->nlmsg_len;
    const char *at = (const char *)message + NLMSG_ALIGN(sizeof(*message));

    *ret_socket = (struct inspected){ .type = message->udiag_type,
                                      .listening = message->udiag_state == STATE_LISTEN,
                                      .connected = message->udiag_state == STATE_CONNECTED,
                                      .inode = message->udiag_ino };
    while (end - at >= (ptrdiff_t)sizeof(struct rtattr)) {
        const struct rtattr *attribute = (const void *)at;

        if (attribute->rta_len < sizeof(*attribute) || attribute->rta_len > end - at)
            return;
        attribute_read(attribute, ret_socket);
        if ((ptrdiff_t)RTA_ALIGN(attribute->rta_len) > end - at)
            return;
        at += RTA_ALIGN(attribute->rta_len);
    }
}

static int request_send(int fd)
{
    struct {
        struct nlmsghdr header;
        struct unix_diag_req body;
    } request = { .header = { .nlmsg_len = sizeof(request),
                              .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                              .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
                  .body = { .sdiag_family = AF_UNIX,
                            .udiag_states = UINT32_MAX,
                            .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_VFS | UDIAG_SHOW_RQLEN | UDIAG_SHOW_PEER |
                                          UDIAG_SHOW_UID } };
    struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

    return sendto(fd, &request, sizeof(request), 0, (const struct sockaddr *)&kernel, sizeof(kernel)) < 0 ? -errno : 0;
}

static int error_of(const struct nlmsghdr *header)
{
    const struct nlmsgerr *error = NLMSG_DATA(header);

    return header->nlmsg_len >= NLMSG_LENGTH(sizeof(*error)) && error->error < 0 ? error->error : -EPROTO;
}

int inspect_parse(const char *bytes, size_t size, int (*take)(const struct inspected *socket, void *data), void *data,
                  bool *ret_end)
{
    struct inspected socket;
    int r = 0;

    *ret_end = false;
    for (size_t at = 0; r == 0 && size - at >= sizeof(struct nlmsghdr);) {
        const struct nlmsghdr *header = (const void *)(bytes + at);

        if (header->nlmsg_len < sizeof(*header) || header->nlmsg_len > size - at)
            return -EPROTO;
        *ret_end = header->nlmsg_type == NLMSG_DONE;
        if (*ret_end)
            return 0;
        if (header->nlmsg_type == NLMSG_ERROR)
            return error_of(header);
        if (header->nlmsg_len < NLMSG_LENGTH(sizeof(struct unix_diag_msg)))
            return -EPROTO;
        message_read(header, &socket);
        r = take(&socket, data);
        at += NLMSG_ALIGN((size_t)header->nlmsg_len);
        if (at > size)
            return r;
    }
    return r;
}

int inspect_all(int (*take)(const struct inspected *socket, void *data), void *data)
{
    static char bytes[ANSWER_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
    struct timeval patience = { .tv_sec = PATIENCE_S };
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG), r;
    bool end = false;

    if (fd < 0)
        return -errno;
    r = setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ? -errno : request_send(fd);
    while (r == 0 && !end) {
        ssize_t size = recv(fd, bytes, sizeof(bytes), 0);

        if (size > 0)
            r = inspect_parse(bytes, (size_t)size, take, data, &end);
        else if (size == 0)
            end = true;
        else if (errno != EINTR)
            r = errno == EAGAIN ? -ETIME : -errno;
    }
    close(fd);
    return r;
}

struct bound {
    int (*take)(const struct inspected *socket, void *data);
    void *data;
};

static int take_bound(const struct inspected *socket, void *data)
{
    const struct bound *bound = data;

    return socket->raw_name_size == 0 ? 0 : bound->take(socket, bound->data);
}

int inspect_each(int (*take)(const struct inspected *socket, void *data), void *data)
{
    struct bound bound = { take, data };

    return inspect_all(take_bound, &bound);
}
