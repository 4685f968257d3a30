/*
 * What the tests of the journal share: one journal, FOLDER/j, of which the log is read, and a small one to break.
 */
#ifndef TESTS_EVENTS_JOURNALS_H
#define TESTS_EVENTS_JOURNALS_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "events/journal.h"
#include "events/records.h"

/* The form of the files. */
enum { HEADER = 40, HEAD = 16, MARK = HEAD + 8, RECORD = RECORD_MIN };

#define FIRST UINT64_C(1000)
#define ROOM  ((size_t)1 << 20) /* a limit that is not reached */

extern struct journal *journal;

/* A checked fixture: a folder (scratch.h), and standard error as a file. */
void journal_setup(void);
void journal_teardown(void);

/* What was logged since the last time. */
const char *journal_said(void);
/* To the real standard error. */
void say(const char *text);

int try_open(size_t limit, struct error *error);
void open_journal(size_t limit);
void close_journal(void);
/* Leaves FILE as after a kill, which is how most files are that tests break: without the mark at its end. */
void kill_journal(void);
/* That another one is told that it is taken. */
void is_busy(void);

/* Records of `size` bytes, from `id` on. */
int append(uint64_t id, int count, size_t size);

struct replayed {
    uint64_t first, last, count, frames, bytes, jumps;
};
/* Reads back, and checks that records are as they were made and, in a frame, follow each other; that there are jumps
 * between frames is counted. */
struct replayed replay(void);

/* What is left goes on: another append, and both are there at the next start, which finds nothing wrong. Closes. */
void goes_on(size_t limit);

char *file_read(const char *path, size_t *ret_size);
void file_write(const char *name, const char *bytes, size_t size);

/* Three frames, killed: FIRST; the three after it; the one after those. */
enum { SMALL_FRAMES = 3, SMALL_RECORDS = 5 };
extern const size_t small_ends[SMALL_FRAMES + 1];
extern const uint64_t small_counts[SMALL_FRAMES + 1];
char *small_make(size_t *ret_size);

/* The same as FILE.old, and FILE with the two records after them. */
void pair_make(void);

void assert_has(const char *text, const char *part);

#endif
