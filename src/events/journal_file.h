/*
 * One file of a journal, by its descriptor: what it consists of, whether that is whole, and how it grows. Names and
 * locks are journal_place.c's; what becomes of a file that is not whole is journal_open.c's.
 *
 * A header; then frames, one for each append: a head, then records. Two more kinds of frames are *marks*, which have an
 * id in the place of records: one is before the records of an append whose ids jump, and says to which; the other one
 * ends a file that was closed in an orderly way, says which id is due, and is cut off before the next append. Header
 * and head have checksums of their own, so that a length is never believed that is not what was written: a frame that
 * goes beyond the file's end was torn off, and is not just a length that went bad. All in the machine's own byte order.
 */
#ifndef BERTH_EVENTS_JOURNAL_FILE_H
#define BERTH_EVENTS_JOURNAL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct journal_file {
    int fd;            /* -1: there is none */
    uint64_t size;     /* of what is whole; 0: nothing, not even the header, which comes with the first frame */
    uint64_t held;     /* of that the records, without what is around them */
    uint64_t first_id; /* that the sequence began with, perhaps in a file before; 0: no sequence */
    uint64_t base_run; /* with which the run began in which base_id is */
    uint64_t base_id;  /* of the first record in this file, if its ids do not begin with a jump */
    uint64_t run_id;   /* with which the last run began of which there is a record */
    uint64_t due_id;   /* behind that record */
    uint64_t next_id;  /* that the next record must have: a greater one is a jump */
    bool ended;        /* its end is marked: nothing is missing */
    bool untidy;       /* there may be bytes behind `size`, which could not be cut off */
};

#define JOURNAL_FILE_NONE                                                                                              \
    {                                                                                                                  \
        .fd = -1                                                                                                       \
    }

/* A file in which nothing is yet. */
struct journal_file journal_file_fresh(int fd, uint64_t first_id);

/* The same for what follows on what is in another one. */
struct journal_file journal_file_after(int fd, const struct journal_file *before);

/* One in which nothing is yet begins a sequence. */
void journal_file_begin(struct journal_file *file, uint64_t first_id);

enum journal_file_state {
    JOURNAL_FILE_WHOLE,
    JOURNAL_FILE_TORN,    /* the rest is the beginning of a frame, or zeroes: it was never all there */
    JOURNAL_FILE_DAMAGED, /* the rest is something else */
    JOURNAL_FILE_FOREIGN, /* it is no journal, or one of another version */
};

/* Reads all of file->fd, sets the other members to what is whole, and says what is behind it. Or -errno. */
int journal_file_check(struct journal_file *file);

/* Hands over the records of what is whole, a frame at a time. Returns what `take` returned if that was not 0; 0; or
 * -errno: -EBADMSG if it has changed. */
int journal_file_each(const struct journal_file *file, int (*take)(void *data, const void *records, size_t size),
                      void *data);

/* The id behind those of whole records that begin with `next_id` and follow each other; 0 for anything else. */
uint64_t journal_records_check(const void *records, size_t size, uint64_t next_id);

/* Appends records that were checked, up to next_id, as one frame. On failure the file is as it was. */
int journal_file_append(struct journal_file *file, const void *records, size_t size, uint64_t next_id);

/* Cuts off what is behind `size`. */
int journal_file_cut(struct journal_file *file);

/* Marks the end of one in which something is. On failure the file is as it was. */
int journal_file_end(struct journal_file *file);

/* Cuts that mark off again, if there is one, also on the disk. */
int journal_file_resume(struct journal_file *file);

/* Writes what is whole of it to another. */
int journal_file_copy(const struct journal_file *file, int fd);

#endif
