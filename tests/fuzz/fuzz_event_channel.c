/*
 * What comes over the channel between a worker and the recorder: packets, and the bodies of batches. The first byte
 * says which: a packet (P), or a body. Whatever is taken as an event makes a record that holds.
 */
#include "events/channel.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "berth.h"
#include "events/batch.h"
#include "events/input.h"
#include "property.h"

static void check_packet(const uint8_t *bytes, size_t size)
{
    static char body[CHANNEL_BODY_MAX];
    struct channel_header header = { .type = 77 };
    int ends[2], descriptors[2] = { 77, 77 }, r;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        return;
    if (send(ends[1], bytes, size, MSG_NOSIGNAL) == (ssize_t)size) {
        r = channel_receive(ends[0], &header, body, descriptors);
        PROPERTY(r == 1 || r == -EPROTO || (r == -EPIPE && size == 0));
        PROPERTY((r == 1) == (header.type != 77) && (r == 1) == (descriptors[0] == -1));
        if (r == 1) {
            PROPERTY(header.type >= CHANNEL_HELLO && header.type <= CHANNEL_REFUSED && descriptors[1] == -1);
            PROPERTY(header.size == size - sizeof(header));
            PROPERTY(memcmp(&header, bytes, sizeof(header)) == 0);
            PROPERTY(memcmp(body, bytes + sizeof(header), header.size) == 0);
        }
    }
    close(ends[0]);
    close(ends[1]);
}

static void check_event(const struct event *event, const char *begin, const char *end)
{
    struct event_batch batch = { 0 };
    const struct event_record *record;

    PROPERTY(event->user >= begin && event->user_size <= EVENT_USER_MAX);
    PROPERTY(!event->client || (event->client >= begin && event->client_size <= EVENT_CLIENT_MAX &&
                                event->user == event->client + event->client_size));
    PROPERTY(event->type == event->user + event->user_size && event->data == event->type + event->type_size);
    PROPERTY(event->data + event->data_size <= end);
    PROPERTY(event->type_size + event->data_size <= BERTH_EVENT_SIZE_MAX);
    PROPERTY(event_type_check(event->type, event->type_size, NULL) == 0);
    PROPERTY(event_batch_add(&batch, event, 1, 0, 0) == 0);
    PROPERTY(event_record_valid(batch.buffer.bytes, batch.buffer.size));
    record = (const struct event_record *)(const void *)batch.buffer.bytes;
    PROPERTY(record->size == batch.buffer.size && batch.buffer.size % 8 == 0);
    PROPERTY(record->data_size == event->data_size);
    PROPERTY(memcmp(record->text + record->data_offset, event->data, event->data_size) == 0);
    event_batch_done(&batch);
}

/* What was read, added again, makes the same bytes. */
static void check_body(const char *bytes, size_t size)
{
    struct channel_batch again = { 0 };
    struct event event = { .uid = 77 };
    size_t offset = 0, before;
    int r;

    do {
        before = offset;
        r = channel_batch_next(bytes, size, &offset, &event);
        PROPERTY(r == 1 ? offset > before && offset <= size : offset == before);
        if (r == 1) {
            check_event(&event, bytes + before, bytes + offset);
            PROPERTY(channel_batch_add(&again, &event) == 0);
        }
    } while (r == 1);
    PROPERTY(r == -EPROTO || (r == 0 && offset == size));
    PROPERTY(again.buffer.size == offset && (offset == 0 || memcmp(again.buffer.bytes, bytes, offset) == 0));
    channel_batch_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *body;

    if (size < 1)
        return 0;
    if (data[0] == 'P') {
        check_packet(data + 1, size - 1);
        return 0;
    }
    body = malloc(size); /* one more than there is, so that it is never none */
    if (!body)
        abort();
    memcpy(body + 1, data + 1, size - 1);
    check_body(body + 1, size - 1);
    free(body);
    return 0;
}
