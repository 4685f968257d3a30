#include "events/channel.h"

#include <errno.h>
#include <string.h>

#include "berth.h"
#include "common/packet.h"
#include "events/input.h"

/* ---- packets ---- */

int channel_send(int fd, const struct channel_header *header, const void *body, const int descriptors[2])
{
    struct channel_header copy = *header;
    struct iovec parts[2] = { { &copy, sizeof(copy) }, { (void *)(uintptr_t)body, header->size } };
    struct packet packet = { .parts = parts, .part_count = 2 };

    if (header->size > CHANNEL_BODY_MAX)
        return -EMSGSIZE;
    for (size_t i = 0; descriptors && i < 2; i++)
        if (descriptors[i] >= 0)
            packet.fds[packet.fd_count++] = descriptors[i];
    return packet_send(fd, &packet);
}

static bool is_packet(const struct channel_header *header, size_t size)
{
    return size >= sizeof(*header) && header->type >= CHANNEL_HELLO && header->type <= CHANNEL_REFUSED &&
           header->size == size - sizeof(*header);
}

int channel_receive(int fd, struct channel_header *ret_header, void *body, int ret_descriptors[2])
{
    struct channel_header header = { 0 };
    struct iovec parts[2] = { { &header, sizeof(header) }, { body, CHANNEL_BODY_MAX } };
    struct packet packet = { .parts = parts, .part_count = 2 };
    int r = packet_receive(fd, &packet);

    if (r != 1)
        return r;
    if (!is_packet(&header, packet.size)) {
        packet_close(&packet);
        return -EPROTO;
    }
    *ret_header = header;
    for (size_t i = 0; i < 2; i++)
        ret_descriptors[i] = i < packet.fd_count ? packet.fds[i] : -1;
    return 1;
}

/* ---- the body of a batch ---- */

/* What each event begins with; its client, user, type and data follow, without anything between. */
struct event_head {
    uint32_t uid;
    int32_t pid;
    uint32_t data_size;
    uint8_t type_size;
    uint8_t client; /* 0: there is none; else one more than the size of its address */
    uint16_t user_size;
};

static bool sizes_hold(size_t client_size, size_t user_size, size_t type_size, size_t data_size)
{
    return client_size <= EVENT_CLIENT_MAX && user_size <= EVENT_USER_MAX && type_size > 0 &&
           type_size <= BERTH_EVENT_TYPE_MAX && data_size > 0 && data_size <= BERTH_EVENT_SIZE_MAX - type_size;
}

int channel_batch_add(struct channel_batch *batch, const struct event *event)
{
    struct event_head head = { .uid = event->uid, .pid = event->pid };
    size_t client_size = event->client ? event->client_size : 0;
    int r;

    if (!sizes_hold(event->client_size, event->user_size, event->type_size, event->data_size))
        return -EMSGSIZE;
    head.user_size = (uint16_t)event->user_size;
    head.type_size = (uint8_t)event->type_size;
    head.client = event->client ? (uint8_t)(event->client_size + 1) : 0;
    head.data_size = (uint32_t)event->data_size;
    r = buffer_reserve(&batch->buffer,
                       sizeof(head) + client_size + event->user_size + event->type_size + event->data_size,
                       CHANNEL_BATCH_MAX);
    if (r < 0)
        return r;
    buffer_add(&batch->buffer, &head, sizeof(head), CHANNEL_BATCH_MAX);
    buffer_add(&batch->buffer, event->client, client_size, CHANNEL_BATCH_MAX);
    buffer_add(&batch->buffer, event->user, event->user_size, CHANNEL_BATCH_MAX);
    buffer_add(&batch->buffer, event->type, event->type_size, CHANNEL_BATCH_MAX);
    buffer_add(&batch->buffer, event->data, event->data_size, CHANNEL_BATCH_MAX);
    batch->count++;
    return 0;
}

void channel_batch_done(struct channel_batch *batch)
{
    buffer_done(&batch->buffer);
    batch->count = 0;
}

int channel_batch_next(const void *bytes, size_t size, size_t *offset, struct event *ret_event)
{
    const char *at = (const char *)bytes + *offset;
    size_t left = size - *offset, client_size;
    struct event_head head;
    struct event event;

    if (left == 0)
        return 0;
    if (left < sizeof(head))
        return -EPROTO;
    memcpy(&head, at, sizeof(head));
    left -= sizeof(head);
    client_size = head.client > 0 ? head.client - 1U : 0;
    if (!sizes_hold(client_size, head.user_size, head.type_size, head.data_size) ||
        left < client_size + head.user_size + head.type_size + head.data_size)
        return -EPROTO;
    event = (struct event){ .uid = head.uid, .pid = head.pid };
    event.client = head.client > 0 ? at + sizeof(head) : NULL;
    event.client_size = client_size;
    event.user = at + sizeof(head) + client_size;
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
