/*
 * What the recorder's files share. In a turn of its loop it gathers what workers and datagram sockets have for it, in a
 * batch; at the turn's end that goes into the journal, then into the log, then everybody is told.
 */
#ifndef BERTH_EVENTS_RECORDER_PARTS_H
#define BERTH_EVENTS_RECORDER_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "common/contract.h"
#include "common/error.h"
#include "events/batch.h"
#include "events/channel.h"
#include "events/journal.h"
#include "events/log.h"

/* So much is gathered at most, if no single publication is larger. */
#define TURN_SIZE_MAX (4 * 1024 * 1024)

/* A worker has one; while workers are replaced there are more of them. */
#define WORKER_CHANNELS_MAX (2 * SETTINGS_WORKERS_MAX)

struct worker_channel;
struct datagram_socket;

/* A publication in the batch; or one that was refused already, and is answered when its turn has come. */
struct gathered {
    struct worker_channel *channel; /* NULL: nobody waits for an answer */
    uint64_t token;
    size_t offset, size; /* in the batch */
    uint32_t count;
    int refused; /* a negative errno; 0: not yet */
};

struct turn {
    struct event_batch batch;
    struct gathered *items;
    size_t count, allocated;
    uint64_t next_id;
    bool news;         /* stored since the workers were woken */
    uint64_t left_out; /* events that were refused since there is no room on the disk */
    int trouble;       /* why: a negative errno; 0: there is room */
    size_t append_max; /* what the log takes at once */
};

struct recorder {
    uv_loop_t loop;
    uv_poll_t control, rendezvous;
    uv_check_t turn_end;
    uv_timer_t sync_timer, farewell;
    uv_work_t sync;
    bool syncing;
    int sync_result;
    struct launch launch;
    struct event_log_writer *writer;
    struct journal *journal; /* NULL: none is kept */
    struct turn turn;
    struct worker_channel *channels;
    size_t channel_count;
    struct datagram_socket *sockets;
    size_t socket_count;
    bool rendezvous_ended; /* no worker is left that could come */
    bool control_ended;    /* the supervisor is gone: so are we, when the workers are */
    bool ending;           /* names are not waited for any more */
};

/* ---- recorder.c ---- */

/* Stores what was gathered, and wakes the workers. */
void recorder_end_turn(struct recorder *recorder);

/* A channel has ended, or nobody can come any more. */
void recorder_on_worker_gone(struct recorder *recorder);

/* ---- recorder_history.c: what was before ---- */

/* Opens log and journal, and brings each up to the other. */
int history_open(struct recorder *recorder, struct error *error);

/* ---- recorder_turn.c ---- */

void turn_init(struct recorder *recorder);
void turn_done(struct recorder *recorder);

/* More than a record of the event takes. */
size_t turn_bound(const struct event *event);

/* Begins a publication of at most so many bytes, if it is no larger than the log takes: what was gathered before goes
 * first where both together would be too much. -ENOMEM. */
int turn_begin(struct recorder *recorder, struct worker_channel *channel, uint64_t token, size_t bound);

/* Adds an event to it. */
int turn_add(struct recorder *recorder, const struct event *event, uint64_t time_us);

/* Takes back what was begun; it will be answered so. */
void turn_refuse(struct recorder *recorder, int r);

/* Stores all that was gathered, and answers. */
void turn_flush(struct recorder *recorder);

/* Nobody waits for this channel's answers any more. */
void turn_forget(struct recorder *recorder, const struct worker_channel *channel);

/* The time that events get which come now: never less than that of one before. */
uint64_t turn_time(const struct recorder *recorder);

/* ---- recorder_workers.c ---- */

int workers_open(struct recorder *recorder);
void workers_answer(struct recorder *recorder, struct worker_channel *channel, const struct channel_header *header);
void workers_wake(struct recorder *recorder);

/* Takes what waits in the channels. */
void workers_read_all(struct recorder *recorder);
void workers_close(struct recorder *recorder);

/* ---- recorder_datagrams.c ---- */

int datagrams_open(struct recorder *recorder, struct error *error);
void datagrams_read_all(struct recorder *recorder);
void datagrams_close(struct recorder *recorder);

#endif
