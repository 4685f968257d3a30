/* The control channel: a packet gives a message that its sender may send, or an error and nothing. */
#include "common/contract.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "property.h"

static bool may_come_from_worker(enum control_type type)
{
    return type >= CONTROL_READY && type <= CONTROL_EVENTS;
}

static void check_message(const struct control_message *message, enum control_side receiver, size_t size)
{
    PROPERTY(may_come_from_worker(message->type) == (receiver == CONTROL_SUPERVISOR));
    PROPERTY(message->type >= CONTROL_PING && message->type <= CONTROL_EVENTS);
    PROPERTY(message->size == size - 4 && message->size <= CONTROL_BODY_MAX);
    PROPERTY(message->size == 0 || message->type == CONTROL_FAILED || message->type == CONTROL_READY);
    PROPERTY(message->body[message->size] == '\0');
    PROPERTY(message->fd == -1);
}

/* The first byte says which side receives, the rest is the packet. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct control_message message = { .fd = 77 };
    enum control_side receiver;
    int ends[2], r;

    if (size < 1 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        return 0;
    receiver = data[0] & 1 ? CONTROL_WORKER : CONTROL_SUPERVISOR;
    if (send(ends[1], data + 1, size - 1, MSG_NOSIGNAL) == (ssize_t)size - 1) {
        r = control_receive(ends[0], receiver, &message);
        PROPERTY(r == 1 || r == -EPROTO || (r == -EPIPE && size == 1));
        if (r == 1)
            check_message(&message, receiver, size - 1);
        else
            PROPERTY(message.fd == 77);
    }
    close(ends[0]);
    close(ends[1]);
    return 0;
}
