/*
 * Where a journal lives: a folder and a name in it, and the files beside it whose names begin with that one. Files are
 * opened, made, locked and renamed here, so that nothing is ever followed, replaced or deleted that is not ours.
 *
 * A `suffix` is what comes after the name: "" for FILE itself. Messages name the path as it was given.
 */
#ifndef BERTH_EVENTS_JOURNAL_PLACE_H
#define BERTH_EVENTS_JOURNAL_PLACE_H

#include <stdbool.h>

#include "common/error.h"

struct journal_place {
    char *path;         /* as it was given */
    const char *folder; /* likewise; both in one allocation with the path */
    const char *name;
    int folder_fd;
};

/* -errno with a message: no such folder, no name, one that is too long. */
int journal_place_open(struct journal_place *place, const char *path, struct error *error);
/* Takes one that was never opened, if it is all zeroes but for folder_fd, which is -1. */
void journal_place_close(struct journal_place *place);

/* Opens an existing regular file and locks it. -ENOENT, without a message; -EBUSY: another one has it; -errno. */
int journal_place_take(const struct journal_place *place, const char *suffix, struct error *error, int *ret_fd);

/* Makes one, empty, mode 0600, and locks it. -EBUSY: there is one. */
int journal_place_make(const struct journal_place *place, const char *suffix, struct error *error, int *ret_fd);

/* Whether there is something of that name, and whether it is this file. */
bool journal_place_has(const struct journal_place *place, const char *suffix);
bool journal_place_is(const struct journal_place *place, const char *suffix, int fd);

/* Renames; what is there already is replaced only where that is said. */
int journal_place_move(const struct journal_place *place, const char *from, const char *to, bool replace,
                       struct error *error);

/* Renames to FILE.damaged-N, with the first N that is free, and says so in the log; `why` follows the name there. */
int journal_place_set_aside(const struct journal_place *place, const char *suffix, const char *why,
                            struct error *error);

/* Deletes what was just made here, and has nothing in it that is not elsewhere. */
void journal_place_drop(const struct journal_place *place, const char *suffix);

#endif
