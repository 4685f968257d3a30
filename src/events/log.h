/*
 * The event log: a memfd, mapped by one writer and by any number of readers in other processes, without locks and
 * without system calls.
 *
 *   first         magic, capacity; oldest and newest; the id that the sequence began with; the last runs; statistics
 *   then          the index: for each block of 128 KiB of positions where the first record in it begins
 *   then          the ring, mapped twice in a row, so that a record is in one piece wherever it lies
 *
 * A position counts all bytes ever written, and never falls. Before the writer overwrites, it stores the new `oldest`
 * and fences; it writes, and publishes `newest` with release. A reader copies out, issues an acquire fence, reads
 * `oldest` again, and discards what was overtaken; nothing is ever sent from the map, and every length that is found in
 * it is bounded. A writer that was killed at any instant leaves a log that its successor goes on with from `newest`.
 * Why that is right is told in log.c.
 *
 * Ids grow by one from record to record. Where the recorder cannot know which ones its readers have seen, they jump,
 * and a new *run* of them begins: what was missed is counted within a run, and nowhere else.
 *
 * The memfd is sealed against shrinking and growing, and its mode is 0400: workers that run as another user than the
 * recorder cannot write to it. Under the same user that guards against bugs, not against attackers.
 */
#ifndef BERTH_EVENTS_LOG_H
#define BERTH_EVENTS_LOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/settings.h"
#include "events/event.h"

#define EVENT_LOG_SIZE_MIN SETTINGS_EVENT_LOG_SIZE_MIN
#define EVENT_LOG_SIZE_MAX SETTINGS_EVENT_LOG_SIZE_MAX

/* More than a quarter of the ring cannot be appended at once. */
#define EVENT_LOG_APPEND_PART 4

/* What the recorder counts; never falls while the memfd lives. Written by the writer, read by anybody. */
enum event_log_figure {
    EVENT_LOG_STORED,      /* events, however they came */
    EVENT_LOG_DATAGRAMS,   /* received, the refused ones included */
    EVENT_LOG_TRUNCATED,   /* datagrams that were longer than an event may be */
    EVENT_LOG_MALFORMED,   /* datagrams that were no event */
    EVENT_LOG_DESCRIPTORS, /* datagrams that brought descriptors, which were closed */
    EVENT_LOG_NO_ROOM,     /* events that the disk had no room for */
    EVENT_LOG_FIGURES,
};

/* To whole pages, as a ring's size is. */
size_t event_log_round_up(size_t size);

/* Makes the memfd: `size` is the ring's, rounded up. -EINVAL for one that is out of bounds; -errno. */
int event_log_make(size_t size, int *ret_fd);

/* The size of the ring of such a memfd; 0: it is none, or not sealed. */
size_t event_log_size(int fd);

/* ---- the writer ---- */

struct event_log_writer;

/* Maps it; one that was never written to begins empty, one that was goes on: all its records are gone through.
 * -EBADMSG: it is no event log, or what is in it cannot be believed. The fd stays the caller's, and is not needed any
 * more. There is one writer at a time: the one before has ended. */
int event_log_writer_open(int fd, struct event_log_writer **ret_writer);
void event_log_writer_close(struct event_log_writer *writer);

/* Whether it has no sequence yet: event_log_start has to be called. */
bool event_log_is_fresh(const struct event_log_writer *writer);

/* Of a fresh log: the id that its sequence begins with; greater than 0. */
void event_log_start(struct event_log_writer *writer, uint64_t first_id);

/* The same for a sequence that a journal has kept: it began with first_id; next_id is the first that this log gets, and
 * run_id the first of the run in which that one is. Readers who ask for one from there on learn how many they missed.
 */
void event_log_start_at(struct event_log_writer *writer, uint64_t first_id, uint64_t run_id, uint64_t next_id);

/* The next record has this id, with which a run begins, also if the writer is killed before there is one. The id that
 * is due already: nothing. -EINVAL: less than that, UINT64_MAX, or the log has not begun. */
int event_log_skip_to(struct event_log_writer *writer, uint64_t id);

/* Whether what was kept elsewhere is in it, and the next id is settled: a writer that is killed before has to be
 * followed by one that does the rest. */
bool event_log_is_settled(const struct event_log_writer *writer);
void event_log_settle(struct event_log_writer *writer);

/* The id that the next record must have, and the least time that it may have. */
uint64_t event_log_next_id(const struct event_log_writer *writer);
uint64_t event_log_last_time(const struct event_log_writer *writer);

/* Appends whole records with the ids that are due; readers see all of them or none, also when the writer is killed
 * meanwhile. On failure nothing has changed. -EMSGSIZE: more than the ring takes at once. -EBADMSG: not records, or not
 * the ids that are due, or times that fall. -EIO: what is in the log was damaged since it was opened. -EOVERFLOW: after
 * nine million gigabytes. */
int event_log_append(struct event_log_writer *writer, const void *records, size_t size);

/* `n` more of what the recorder counts; event_log_append counts nothing by itself. */
void event_log_count(struct event_log_writer *writer, enum event_log_figure figure, uint64_t n);

/* The same log for a reader in the writer's own process; valid as long as the writer. */
struct event_log;
const struct event_log *event_log_writer_view(const struct event_log_writer *writer);

/* ---- readers ---- */

/* Maps it read-only. -EBADMSG as above. A log that its writer has not yet begun is empty. The fd stays the caller's. */
int event_log_open(int fd, struct event_log **ret_log);
void event_log_close(struct event_log *log);

uint64_t event_log_figure(const struct event_log *log, enum event_log_figure figure);

/* A place between two records, before the first, or behind the last. */
struct event_cursor {
    uint64_t position;
    uint64_t after_id; /* of the record before it, or one less than that of the next; 0: the log has not begun */
};

#define EVENTS_MISSED_UNKNOWN UINT64_MAX

/* Behind the last record. */
void event_log_seek_end(const struct event_log *log, struct event_cursor *ret_cursor);

/* Before the first record whose id is greater. Returns how many of those after `after_id` are not there any more: 0;
 * a number; or EVENTS_MISSED_UNKNOWN for an id that is not of this log's sequence, or that the ids have jumped over,
 * and where something is not there any more and they have jumped since `after_id`. 0 asks for all that there is: it
 * stands for the id before the sequence's first, which may be given as well. One less than that gives all that there
 * is, and UNKNOWN; one greater than the last gives the end, and UNKNOWN. Who had the last id before the last jump has
 * missed nothing while the first one behind it is there. In runs older than the last two UNKNOWN stands for any number.
 */
uint64_t event_log_seek_id(const struct event_log *log, uint64_t after_id, struct event_cursor *ret_cursor);

/* Before the first record of that time or later. */
void event_log_seek_time(const struct event_log *log, uint64_t time_us, struct event_cursor *ret_cursor);

/*
 * Copies as many whole records as there are and have room, of one run; `room` is at least EVENT_RECORD_MAX. Returns
 * their size: 0 at the end of the log. *ret_missed: how many were overwritten before they could be read, 0 for none,
 * UNKNOWN if the ids have jumped among them; what is returned comes after them. A reader that is overtaken over and
 * over, or a log that was damaged, may leave nothing to return: the cursor is at the end then, and *ret_missed says how
 * many were passed over, or EVENTS_MISSED_UNKNOWN.
 */
size_t event_log_read(const struct event_log *log, struct event_cursor *cursor, void *buffer, size_t room,
                      uint64_t *ret_missed);

/* Whether there is something behind the cursor. */
bool event_log_has_more(const struct event_log *log, const struct event_cursor *cursor);

#endif
