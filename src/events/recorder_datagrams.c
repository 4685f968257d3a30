/*
 * Datagrams: each is an event, and the kernel says whose. A socket is read in batches into memory of its own; where the
 * name of a sender is not yet known, the batch waits for it, and with it the socket: so events keep their order.
 *
 * There is no room for descriptors that come along: the kernel closes them itself, and says so (MSG_CTRUNC).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <berth.h>
#include "common/log.h"
#include "events/input.h"
#include "events/recorder_parts.h"
#include "socket/names.h"

enum {
    BATCH = 64,
    BATCHES_IN_TURN = 16,
    BATCHES_AT_END = 64,
    COMPLAINT_MS = 10000, /* one line at most in so long, of each socket */
};

/* An event's longest JSON: what it is written in beside type and data, and blanks. More is cut, and seen to be. */
#define DATAGRAM_MAX (BERTH_EVENT_SIZE_MAX + 4096)

#define CONTROL_SIZE CMSG_SPACE(sizeof(struct ucred))

/* What recvmmsg(2) fills. */
struct received {
    struct mmsghdr headers[BATCH];
    struct iovec parts[BATCH];
    union {
        char bytes[CONTROL_SIZE];
        struct cmsghdr align;
    } controls[BATCH];
    char bytes[BATCH][DATAGRAM_MAX];
};

struct datagram_socket {
    struct recorder *recorder;
    uv_poll_t poll;
    int fd;
    const char *name;
    struct received *received; /* mapped: only what is used takes memory */
    unsigned int count, next;  /* of those that were received, and have not been looked at */
    struct peer_names *names;  /* of the last sender */
    uid_t uid;
    gid_t gid;
    struct names_waiter waiter; /* while the socket waits for them */
    bool waiting;
    uint64_t complained_at, odd; /* since then */
};

/* ---- what is not as it should be ---- */

static void complain(struct datagram_socket *socket, const struct ucred *sender, const char *reason)
{
    uint64_t now = uv_now(&socket->recorder->loop);

    socket->odd++;
    if (socket->complained_at > 0 && now - socket->complained_at < COMPLAINT_MS)
        return;
    log_warning("%s: datagrams that were not as they should be: %" PRIu64 "; the last, from pid %d of uid %u: %s",
                socket->name, socket->odd, (int)sender->pid, (unsigned int)sender->uid, reason);
    socket->complained_at = now > 0 ? now : 1;
    socket->odd = 0;
}

static void count(const struct datagram_socket *socket, enum event_log_figure figure, uint64_t n)
{
    event_log_count(socket->recorder->writer, figure, n);
}

/* ---- senders ---- */

/* Datagrams that were sent before anybody asked for credentials come without: nobody's. */
static struct ucred sender_of(struct msghdr *header)
{
    struct ucred sender = { .pid = 0, .uid = (uid_t)-1, .gid = (gid_t)-1 };

    for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control; control = CMSG_NXTHDR(header, control))
        if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_CREDENTIALS &&
            control->cmsg_len == CMSG_LEN(sizeof(sender)))
            memcpy(&sender, CMSG_DATA(control), sizeof(sender));
    return sender;
}

static void forget_names(struct datagram_socket *socket)
{
    names_release(socket->names);
    socket->names = NULL;
}

static void on_known(struct names_waiter *waiter);

/* Whether the sender's name is there, or will not come; otherwise the socket waits. */
static bool know_sender(struct datagram_socket *socket, const struct ucred *sender)
{
    if (!socket->names || socket->uid != sender->uid || socket->gid != sender->gid) {
        forget_names(socket);
        socket->names = names_take(sender->uid, sender->gid);
        socket->uid = sender->uid;
        socket->gid = sender->gid;
    }
    if (!socket->names || names_known(socket->names) || socket->recorder->ending)
        return true;
    socket->waiting = true;
    socket->waiter.known = on_known;
    names_wait(socket->names, &socket->waiter);
    uv_poll_stop(&socket->poll);
    return false;
}

/* ---- events ---- */

static int add_event(struct datagram_socket *socket, const struct ucred *sender, const struct event_input *input,
                     uint64_t time_us)
{
    struct recorder *recorder = socket->recorder;
    char number[16];
    struct event event = { .uid = sender->uid, .pid = sender->pid };
    int r;

    snprintf(number, sizeof(number), "%u", (unsigned int)sender->uid);
    event.user = socket->names ? names_user(socket->names) : number;
    event.user_size = strlen(event.user);
    event.type = input->type;
    event.type_size = strlen(input->type);
    event.data = input->data;
    event.data_size = input->data_size;
    r = turn_begin(recorder, NULL, 0, turn_bound(&event));
    if (r < 0)
        return r;
    r = turn_add(recorder, &event, time_us);
    if (r < 0)
        turn_refuse(recorder, r);
    return r;
}

static enum event_log_figure figure_of(int r)
{
    if (r == -ENOMEM)
        return EVENT_LOG_NO_ROOM;
    return r == -EMSGSIZE ? EVENT_LOG_TRUNCATED : EVENT_LOG_MALFORMED;
}

static void take_datagram(struct datagram_socket *socket, const struct mmsghdr *message, const struct ucred *sender,
                          uint64_t time_us)
{
    struct event_input input;
    struct error error = { "" };
    int r;

    if (message->msg_hdr.msg_flags & MSG_TRUNC) {
        r = error_set(&error, -EMSGSIZE, "it is longer than an event may be");
    } else {
        r = event_input_parse_datagram(message->msg_hdr.msg_iov->iov_base, message->msg_len, &input, &error);
        if (r == 0) {
            r = add_event(socket, sender, &input, time_us);
            event_input_done(&input);
        }
    }
    if (r == 0)
        return;
    count(socket, figure_of(r), 1);
    complain(socket, sender, error.text[0] != '\0' ? error.text : strerror(-r));
}

/* Goes on with what was received. false: it waits for a name. */
static bool take_received(struct datagram_socket *socket)
{
    uint64_t time_us = turn_time(socket->recorder);

    for (; socket->next < socket->count; socket->next++) {
        struct mmsghdr *message = &socket->received->headers[socket->next];
        struct ucred sender = sender_of(&message->msg_hdr);

        if (!know_sender(socket, &sender))
            return false;
        if (message->msg_hdr.msg_flags & MSG_CTRUNC) {
            count(socket, EVENT_LOG_DESCRIPTORS, 1);
            complain(socket, &sender, "it brought descriptors, which were closed");
        }
        take_datagram(socket, message, &sender, time_us);
    }
    return true;
}

/* 1: there may be more. Also of a queue that was emptied: who waited for room in it is sending now, and the more comes
 * in a turn the cheaper it is. */
static int receive(struct datagram_socket *socket)
{
    struct received *received = socket->received;
    int n;

    for (size_t i = 0; i < BATCH; i++) {
        received->headers[i].msg_hdr.msg_controllen = CONTROL_SIZE;
        received->headers[i].msg_hdr.msg_flags = 0;
    }
    do
        n = recvmmsg(socket->fd, received->headers, BATCH, MSG_DONTWAIT | MSG_CMSG_CLOEXEC, NULL);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return 0;
    socket->count = (unsigned int)n;
    socket->next = 0;
    count(socket, EVENT_LOG_DATAGRAMS, (uint64_t)n);
    return 1;
}

/* Names are asked for again with each batch: the cache knows which are fresh. */
static void read_socket(struct datagram_socket *socket, int batches)
{
    int more = 1;

    while (more && batches-- > 0) {
        more = receive(socket);
        if (!take_received(socket))
            return;
        forget_names(socket);
    }
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    read_socket(poll->data, BATCHES_IN_TURN);
}

static void on_known(struct names_waiter *waiter)
{
    struct datagram_socket *socket =
        (struct datagram_socket *)((char *)waiter - offsetof(struct datagram_socket, waiter));

    socket->waiting = false;
    if (!take_received(socket))
        return;
    uv_poll_start(&socket->poll, UV_READABLE, on_readable);
    recorder_end_turn(socket->recorder); /* it may be a timer that called: then this turn has no end of its own */
}

/* ---- beginning and end ---- */

static int socket_open(struct recorder *recorder, struct datagram_socket *socket, int fd, const char *name)
{
    struct received *received =
        mmap(NULL, sizeof(*received), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int r;

    if (received == MAP_FAILED)
        return -errno;
    for (size_t i = 0; i < BATCH; i++) {
        received->parts[i] = (struct iovec){ received->bytes[i], DATAGRAM_MAX };
        received->headers[i].msg_hdr.msg_iov = &received->parts[i];
        received->headers[i].msg_hdr.msg_iovlen = 1;
        received->headers[i].msg_hdr.msg_control = received->controls[i].bytes;
    }
    *socket = (struct datagram_socket){ .recorder = recorder, .fd = fd, .name = name, .received = received };
    r = uv_poll_init(&recorder->loop, &socket->poll, fd);
    if (r < 0) {
        munmap(received, sizeof(*received));
        return r;
    }
    socket->poll.data = socket;
    return uv_poll_start(&socket->poll, UV_READABLE, on_readable);
}

int datagrams_open(struct recorder *recorder, struct error *error)
{
    const struct launch *launch = &recorder->launch;

    recorder->sockets = calloc(launch->listener_count + 1, sizeof(*recorder->sockets));
    if (!recorder->sockets)
        return error_set(error, -ENOMEM, "%s", strerror(ENOMEM));
    for (size_t i = 0; i < launch->listener_count; i++) {
        int r = socket_open(recorder, &recorder->sockets[i], CONTRACT_FIRST_FD + (int)i, launch->listeners[i]);

        if (r < 0)
            return error_set(error, r, "%s: cannot be read: %s", launch->listeners[i], strerror(-r));
        recorder->socket_count++;
    }
    return 0;
}

void datagrams_read_all(struct recorder *recorder)
{
    for (size_t i = 0; i < recorder->socket_count; i++) {
        struct datagram_socket *socket = &recorder->sockets[i];

        if (socket->waiting)
            names_leave(socket->names, &socket->waiter);
        socket->waiting = false;
        take_received(socket);
        read_socket(socket, BATCHES_AT_END);
    }
}

void datagrams_close(struct recorder *recorder)
{
    for (size_t i = 0; i < recorder->socket_count; i++) {
        struct datagram_socket *socket = &recorder->sockets[i];

        if (socket->odd > 0)
            log_warning("%s: datagrams that were not as they should be: %" PRIu64 " more", socket->name, socket->odd);
        forget_names(socket);
        munmap(socket->received, sizeof(*socket->received));
        uv_close((uv_handle_t *)&socket->poll, NULL);
    }
}
