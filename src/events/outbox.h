/*
 * What a worker has published and no recorder has answered: a queue, oldest first. Those that were sent, in whole or in
 * part, come before those that were not.
 *
 * A recorder answers in order, so an answer is always for the first. When a new recorder is ready, what was sent to the
 * one before is either in the log by then or will never be: the log is read from where it ended when the first of them
 * was sent, and what is found there by its token counts as answered. The rest is sent as if it had never been.
 */
#ifndef BERTH_EVENTS_OUTBOX_H
#define BERTH_EVENTS_OUTBOX_H

#include <stddef.h>
#include <stdint.h>

#include "events/channel.h"
#include "events/log.h"

typedef void outbox_stored(void *data, int r, uint64_t first_id, size_t count);

/* Once, before anything else; `settled`, which may be NULL, is called when nothing is pending any more. */
void outbox_init(void (*settled)(void *data), void *data);

/* Takes a batch on success: client_publish, without the sending. */
int outbox_add(struct channel_batch *batch, outbox_stored *stored, void *data);

/* Sends as much as the channel takes: 0, -EAGAIN where it took less than all, -errno. */
int outbox_send(int channel, const struct event_log *log);

/* An answer: STORED or REFUSED. -EPROTO for one that is not due. */
int outbox_answer(const struct channel_header *header);

/* A new recorder is ready, and over its channel nothing was sent yet. -ENOMEM: nothing has changed. */
int outbox_resolve(const struct event_log *log);

size_t outbox_pending(void);

/* All end with -EIO; `settled` is not called. */
void outbox_done(void);

#endif
