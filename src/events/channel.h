/*
 * What workers and the recorder say to each other.
 *
 * The rendezvous is one SOCK_SEQPACKET pair that the supervisor makes and keeps. Its recorder end every recorder
 * inherits, its worker end goes to every worker that asks. A worker sends one packet over it: CHANNEL_HELLO, with two
 * descriptors: its channel's other end (SOCK_SEQPACKET) and an eventfd, which the recorder writes to, at most once per
 * turn of its loop, when there is something new in the log. The recorder answers on the channel: READY. When the
 * channel ends, the recorder is gone: the worker makes a new one in the same way.
 *
 * Over the channel go publications: a batch of events, all stored or none, under a sequence number of the worker's. One
 * that does not fit into a packet goes in several; the last one says so. The recorder answers each batch, in order.
 * Every record of it carries the batch's token (the worker's random base plus its sequence number), by which the worker
 * finds out, after a recorder's death, whether it was stored.
 *
 * Each side checks every length before it reads; whoever breaks the rules loses the channel.
 */
#ifndef BERTH_EVENTS_CHANNEL_H
#define BERTH_EVENTS_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buffer.h"
#include "events/event.h"

#define CHANNEL_VERSION 2

/* A packet is at most so long; so long is what follows its header. */
#define CHANNEL_PACKET_MAX 65536
#define CHANNEL_BODY_MAX   (CHANNEL_PACKET_MAX - sizeof(struct channel_header))
/* A batch, all its packets' bodies together. */
#define CHANNEL_BATCH_MAX (2 * 1024 * 1024)

enum channel_type {
    CHANNEL_HELLO = 1, /* worker, over the rendezvous, with two descriptors: value is CHANNEL_VERSION */
    CHANNEL_READY,     /* recorder: what it found is in the log; value is CHANNEL_VERSION */
    CHANNEL_PUBLISH,   /* worker: a part of a batch; token is the batch's; last: nothing follows */
    CHANNEL_STORED,    /* recorder: token; value is the first id, count how many */
    CHANNEL_REFUSED,   /* recorder: token; value is an errno, positive: ENOSPC, EMSGSIZE, EIO, … */
};

/* Every packet begins with it. */
struct channel_header {
    uint32_t type;
    uint32_t size; /* of what follows in this packet */
    uint64_t token;
    uint64_t value;
    uint32_t count;
    uint32_t last;
};

/* Sends a packet without blocking, with up to two descriptors (-1, or NULL in place of both: none), which stay the
 * caller's. A body of more than CHANNEL_BODY_MAX is -EMSGSIZE: a batch is the caller's to cut. -EAGAIN, -EPIPE, -errno.
 */
int channel_send(int fd, const struct channel_header *header, const void *body, const int descriptors[2]);

/* Receives one: 1; 0 when there is none now; -EPIPE at the end; -EPROTO for what is no packet. `body` has
 * room for CHANNEL_BODY_MAX bytes, and may have changed whatever is returned. Descriptors that came, and are the
 * caller's, are in `ret_descriptors` (-1: none); more than two are closed, and -EPROTO. */
int channel_receive(int fd, struct channel_header *ret_header, void *body, int ret_descriptors[2]);

/* ---- the body of a batch: events one behind the other ---- */

struct channel_batch {
    struct buffer buffer;
    uint32_t count;
};

/* -EMSGSIZE past CHANNEL_BATCH_MAX, and for an event whose sizes are not an event's; -ENOMEM. */
int channel_batch_add(struct channel_batch *batch, const struct event *event);
void channel_batch_done(struct channel_batch *batch);

/* The next event of a body, from *offset on: 1, and the offset behind it; 0 at the end; -EPROTO for bytes that are no
 * event: every size is checked, the type's characters and its owner ("berth." is no worker's) too. That data is JSON
 * is the worker's word. Texts point into the body. */
int channel_batch_next(const void *bytes, size_t size, size_t *offset, struct event *ret_event);

#endif
