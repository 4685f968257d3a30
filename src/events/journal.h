/*
 * The journal: what --event-log FILE keeps on disk, so that the log of events outlives the server. Only the recorder
 * touches it, with pwrite under a lock (flock), never by a map: neither truncation nor a full disk can kill anybody.
 *
 * The file begins with a header (magic, the id that the sequence began with, that of the file's first record, a
 * checksum); then come frames, one for each append: size, checksums, records. Their ids grow by one from record to
 * record, but where it is said before that they jump. The end of a journal that was closed is marked: where that mark
 * is missing, more may have been in it than is found. When the file has reached its limit it becomes FILE.old, in place
 * of the one before, and a new one begins: so the two hold at least `limit` bytes of the latest records and, an append
 * aside, at most twice as much.
 *
 * A FILE that somebody removes is missed at the next sync, with a notice: a new one begins with the next append.
 *
 * When it is opened, an end that was torn off is cut away with a notice in the log; a file that is foreign, or damaged
 * at its beginning, is set aside as FILE.damaged-N and never deleted; so is one with a damaged frame in the middle, and
 * what came before that frame goes on in a new one (written as FILE.new, until it is complete).
 */
#ifndef BERTH_EVENTS_JOURNAL_H
#define BERTH_EVENTS_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

struct journal;

/* The longest name of the file within its folder: the others' names are longer. */
#define JOURNAL_NAME_MAX 200

/* More is never appended at once: a quarter of the largest log. */
#define JOURNAL_APPEND_MAX (256 * 1024 * 1024)

/* Opens or makes it (mode 0600), and locks it. -EBUSY: another one has it; -errno of what failed, with a message that
 * names the path. */
int journal_open(const char *path, size_t limit, struct error *error, struct journal **ret_journal);

/* Hands over what is in it, oldest first, a frame at a time: whole records, valid and in order. Returns what `take`
 * returned if that was not 0; 0; or a negative errno. */
int journal_replay(struct journal *journal, int (*take)(void *data, const void *records, size_t size), void *data);

/* Whether it is known that nothing is missing: it was empty when it was opened, or its end was marked; and nothing had
 * to be cut off or set aside. */
bool journal_is_certain(const struct journal *journal);

/* The id that the sequence began with, and the last one used: of the last record that is in it, or was; 0: none. */
uint64_t journal_first_id(const struct journal *journal);
uint64_t journal_last_id(const struct journal *journal);

/* The id that follows on what was before the first record that is left, and the first of the run in which that was. */
uint64_t journal_base_id(const struct journal *journal);
uint64_t journal_base_run(const struct journal *journal);

/* The id that the next record must have; 0: no sequence. */
uint64_t journal_next_id(const struct journal *journal);

/* The next record has this id. Is in the file from the next append on, or when it is closed. -EINVAL: less than the one
 * that is due, or UINT64_MAX, or no sequence; -errno. */
int journal_skip_to(struct journal *journal, uint64_t id);

/* Begins a new sequence: what was there is set aside, unless it was empty. Is in the file from the first append on. */
int journal_start(struct journal *journal, uint64_t first_id);

/*
 * Appends whole records, all of them or none: on failure (-ENOSPC, -EDQUOT, -EFBIG, -EIO, …) the file is as it was.
 * -EFBIG takes SIGXFSZ being ignored. -EMSGSIZE: more than JOURNAL_APPEND_MAX. -EBADMSG: not records, or not the ids
 * that are due; none are before a sequence was begun.
 */
int journal_append(struct journal *journal, const void *records, size_t size);

/* Writes to the disk what was appended (fdatasync), and the files' names; may be called on another thread than append,
 * at the same time. After -EIO nobody knows how much of what was appended since the last time is on the disk. */
int journal_sync(struct journal *journal);
bool journal_is_dirty(const struct journal *journal);

/* Marks its end, syncs, unlocks and frees; NULL is allowed. Without room for the mark there is none. */
void journal_close(struct journal *journal);

#endif
