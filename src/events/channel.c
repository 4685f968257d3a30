#include "events/channel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "berth.h"
#include "events/input.h"

/* As many descriptors a packet may bring; room for more, so that those that come too many can be closed. What does not
 * even fit there is closed by the kernel, which then says MSG_CTRUNC. */
enum { DESCRIPTORS_MAX = 2, DESCRIPTOR_ROOM = 4 };

union control_buffer {
    char bytes[CMSG_SPACE(DESCRIPTOR_ROOM * sizeof(int))];
    struct cmsghdr align;
};

/* ---- packets ---- */

static void attach_descriptors(struct msghdr *message, union control_buffer *buffer, const int descriptors[2])
{
    int there[DESCRIPTORS_MAX];
    size_t count = 0;
    struct cmsghdr *control;

    for (size_t i = 0; descriptors && i < DESCRIPTORS_MAX; i++)
        if (descriptors[i] >= 0)
            there[count++] = descriptors[i];
    if (count == 0)
        return;
    memset(buffer, 0, sizeof(*buffer));
    message->msg_control = buffer->bytes;
    message->msg_controllen = CMSG_SPACE(count * sizeof(int));
    control = CMSG_FIRSTHDR(message);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(control), there, count * sizeof(int));
}

int channel_send(int fd, const struct channel_header *header, const void *body, const int descriptors[2])
{
    struct channel_header copy = *header;
    struct iovec parts[2] = { { &copy, sizeof(copy) }, { (void *)(uintptr_t)body, header->size } };
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
    union control_buffer buffer;

    if (header->size > CHANNEL_BODY_MAX)
        return -EMSGSIZE;
    attach_descriptors(&message, &buffer, descriptors);
    while (sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
        if (errno == ECONNRESET || errno == ENOTCONN)
            return -EPIPE;
        if (errno != EINTR)
            return -errno;
    }
    return 0;
}

/* Takes the descriptors out of a received packet, at most DESCRIPTOR_ROOM. */
static size_t detach_descriptors(struct msghdr *message, int ret_descriptors[DESCRIPTOR_ROOM])
{
    size_t count = 0;

    for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control; control = CMSG_NXTHDR(message, control)) {
        size_t here = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; i < here && count < DESCRIPTOR_ROOM; i++)
            memcpy(&ret_descriptors[count++], CMSG_DATA(control) + i * sizeof(int), sizeof(int));
    }
    return count;
}

static int receive_packet(int fd, struct msghdr *message, size_t *ret_size)
{
    ssize_t size;

    do
        size = recvmsg(fd, message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (size < 0 && errno == EINTR);
    if (size < 0)
        message->msg_controllen = 0; /* left as it was: nothing came */
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

static bool is_packet(const struct msghdr *message, const struct channel_header *header, size_t size, size_t fd_count)
{
    return size >= sizeof(*header) && !(message->msg_flags & (MSG_TRUNC | MSG_CTRUNC)) &&
           header->type >= CHANNEL_HELLO && header->type <= CHANNEL_REFUSED && header->size == size - sizeof(*header) &&
           fd_count <= DESCRIPTORS_MAX;
}

int channel_receive(int fd, struct channel_header *ret_header, void *body, int ret_descriptors[2])
{
    struct channel_header header = { 0 };
    struct iovec parts[2] = { { &header, sizeof(header) }, { body, CHANNEL_BODY_MAX } };
    union control_buffer buffer;
    struct msghdr message = {
        .msg_iov = parts, .msg_iovlen = 2, .msg_control = buffer.bytes, .msg_controllen = sizeof(buffer.bytes)
    };
    int descriptors[DESCRIPTOR_ROOM];
    size_t size = 0, count;
    int r = receive_packet(fd, &message, &size);

    /* Also for an empty packet: it may have brought descriptors. */
    count = detach_descriptors(&message, descriptors);
    if (r == 1 && !is_packet(&message, &header, size, count))
        r = -EPROTO;
    if (r != 1) {
        for (size_t i = 0; i < count; i++)
            close(descriptors[i]);
        return r;
    }
    *ret_header = header;
    for (size_t i = 0; i < DESCRIPTORS_MAX; i++)
        ret_descriptors[i] = i < count ? descriptors[i] : -1;
    return 1;
}

/* ---- the body of a batch ---- */

/* What each event begins with; its user, type and data follow, without anything between. */
struct event_head {
    uint32_t uid;
    int32_t pid;
    uint32_t data_size;
    uint16_t type_size;
    uint16_t user_size;
};

static bool sizes_hold(size_t user_size, size_t type_size, size_t data_size)
{
    return user_size <= EVENT_USER_MAX && type_size > 0 && type_size <= BERTH_EVENT_TYPE_MAX && data_size > 0 &&
           data_size <= BERTH_EVENT_SIZE_MAX - type_size;
}

static int batch_reserve(struct channel_batch *batch, size_t more)
{
    size_t room = batch->allocated > 0 ? batch->allocated : 1024;
    char *larger;

    if (more > CHANNEL_BATCH_MAX - batch->size)
        return -EMSGSIZE;
    while (room - batch->size < more)
        room *= 2;
    if (room == batch->allocated)
        return 0;
    larger = realloc(batch->bytes, room);
    if (!larger)
        return -ENOMEM;
    batch->bytes = larger;
    batch->allocated = room;
    return 0;
}

static void batch_append(struct channel_batch *batch, const void *bytes, size_t size)
{
    if (size > 0)
        memcpy(batch->bytes + batch->size, bytes, size);
    batch->size += size;
}

int channel_batch_add(struct channel_batch *batch, const struct event *event)
{
    struct event_head head = { .uid = event->uid, .pid = event->pid };
    int r;

    if (!sizes_hold(event->user_size, event->type_size, event->data_size))
        return -EMSGSIZE;
    head.user_size = (uint16_t)event->user_size;
    head.type_size = (uint16_t)event->type_size;
    head.data_size = (uint32_t)event->data_size;
    r = batch_reserve(batch, sizeof(head) + event->user_size + event->type_size + event->data_size);
    if (r < 0)
        return r;
    batch_append(batch, &head, sizeof(head));
    batch_append(batch, event->user, event->user_size);
    batch_append(batch, event->type, event->type_size);
    batch_append(batch, event->data, event->data_size);
    batch->count++;
    return 0;
}

void channel_batch_done(struct channel_batch *batch)
{
    free(batch->bytes);
    *batch = (struct channel_batch){ 0 };
}

int channel_batch_next(const void *bytes, size_t size, size_t *offset, struct event *ret_event)
{
    const char *at = (const char *)bytes + *offset;
    size_t left = size - *offset;
    struct event_head head;
    struct event event;

    if (left == 0)
        return 0;
    if (left < sizeof(head))
        return -EPROTO;
    memcpy(&head, at, sizeof(head));
    left -= sizeof(head);
    if (!sizes_hold(head.user_size, head.type_size, head.data_size) ||
        left < (size_t)head.user_size + head.type_size + head.data_size)
        return -EPROTO;
    event = (struct event){ .uid = head.uid, .pid = head.pid };
    event.user = at + sizeof(head);
    event.user_size = head.user_size;
    event.type = event.user + event.user_size;
    event.type_size = head.type_size;
    event.data = event.type + event.type_size;
    event.data_size = head.data_size;
    if (event_type_check(event.type, event.type_size, NULL) < 0)
        return -EPROTO;
    *offset = (size_t)(event.data + event.data_size - (const char *)bytes);
    *ret_event = event;
    return 1;
}
