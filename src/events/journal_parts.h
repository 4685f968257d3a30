/*
 * What the journal's files share: what a journal is, and how its two files and their names change.
 */
#ifndef BERTH_EVENTS_JOURNAL_PARTS_H
#define BERTH_EVENTS_JOURNAL_PARTS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "events/journal_file.h"
#include "events/journal_place.h"

struct journal {
    struct journal_place place;
    uint64_t limit;
    bool disturbed, certain;
    struct journal_file file, old; /* no FILE.old: -1. The appending thread's, but for the descriptors */
    pthread_mutex_t mutex;         /* of the descriptors, while they change or are copied; and of what follows */
    uint64_t old_changes;          /* how many changes there were when FILE became FILE.old */
    uint64_t name_changes;         /* and when a name last changed */
    _Atomic uint64_t changes;      /* counts appends, cuts and new names */
    _Atomic uint64_t synced;       /* so many of them are on the disk */
    atomic_bool nameless;          /* somebody removed FILE: seen when it was synced */
};

/* ---- journal.c: every change of a name is counted, so that the folder is synced after it ---- */

/* Another file in the place of this one, which is closed; that ends its lock. */
void journal_put_file(struct journal *journal, struct journal_file *file, struct journal_file by);

/* As in journal_place.h; what was set aside disturbs the journal. */
int journal_set_aside(struct journal *journal, const char *suffix, const char *why, struct error *error);
int journal_rename(struct journal *journal, const char *from, const char *to, bool replace, struct error *error);
int journal_make_file(struct journal *journal, const char *suffix, struct error *error, int *ret_fd);

/* FILE.new; one that is in the way is set aside. */
int journal_make_successor(struct journal *journal, struct error *error, int *ret_fd);

#endif
