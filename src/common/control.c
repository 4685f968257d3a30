/*
 * The control channel between the supervisor and a child: contract.h lists the messages; here is who may send which,
 * and nothing that the table does not permit is sent or believed.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "common/contract.h"
#include "common/packet.h"

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

static bool permitted(uint32_t type, enum control_side sender, size_t body_size, size_t fd_count)
{
    const struct control_rule *rule;

    if (type >= sizeof(rules) / sizeof(rules[0]) || !rules[type].known)
        return false;
    rule = &rules[type];
    return rule->sender == sender && body_size <= (rule->body ? CONTROL_BODY_MAX : 0) && fd_count == (rule->fd ? 1 : 0);
}

int control_send(int channel, enum control_side me, enum control_type type, const char *body, int fd)
{
    uint32_t wire_type = (uint32_t)type;
    size_t size = body ? strlen(body) : 0;
    char text[CONTROL_BODY_MAX];
    struct iovec parts[2] = { { &wire_type, sizeof(wire_type) }, { text, size } };
    struct packet packet = { .parts = parts, .part_count = 2, .fds = { fd }, .fd_count = fd < 0 ? 0 : 1 };

    if (size > CONTROL_BODY_MAX)
        return -EMSGSIZE;
    if (!permitted(wire_type, me, size, packet.fd_count))
        return -EINVAL;
    if (size > 0)
        memcpy(text, body, size);
    return packet_send(channel, &packet);
}

int control_receive(int channel, enum control_side me, struct control_message *ret_message)
{
    enum control_side sender = me == CONTROL_SUPERVISOR ? CONTROL_WORKER : CONTROL_SUPERVISOR;
    uint32_t type = 0;
    char body[CONTROL_BODY_MAX];
    struct iovec parts[2] = { { &type, sizeof(type) }, { body, sizeof(body) } };
    struct packet packet = { .parts = parts, .part_count = 2 };
    int r = packet_receive(channel, &packet);

    if (r != 1)
        return r;
    if (packet.size < sizeof(type) || !permitted(type, sender, packet.size - sizeof(type), packet.fd_count)) {
        packet_close(&packet);
        return -EPROTO;
    }
    ret_message->type = (enum control_type)type;
    ret_message->fd = packet.fd_count == 1 ? packet.fds[0] : -1;
    ret_message->size = packet.size - sizeof(type);
    memcpy(ret_message->body, body, ret_message->size);
    ret_message->body[ret_message->size] = '\0';
    return 1;
}
