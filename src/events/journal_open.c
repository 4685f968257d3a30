/*
 * How a journal is opened: which of its files there are, what is mended of them and what is set aside; and how it ends.
 * journal.c says what a kill between two steps may have left.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "events/journal.h"
#include "events/journal_parts.h"

/* ---- what is not whole ---- */

static int read_error(const struct journal *journal, const char *suffix, int r, struct error *error)
{
    return error_set(error, r, "--event-log: cannot read \"%s%s\": %s", journal->place.path, suffix, strerror(-r));
}

static int torn_cut(struct journal *journal, const char *suffix, struct journal_file *file, struct error *error)
{
    struct stat status;
    int r;

    if (fstat(file->fd, &status) < 0)
        return read_error(journal, suffix, -errno, error);
    r = journal_file_cut(file);
    if (r < 0)
        return error_set(error, r, "--event-log: cannot cut off the torn end of \"%s%s\": %s", journal->place.path,
                         suffix, strerror(-r));
    journal->changes++;
    journal->disturbed = true;
    log_warning("event log: \"%s%s\" ends in the middle of a write; the last %llu of its bytes are cut off",
                journal->place.path, suffix, (unsigned long long)status.st_size - file->size);
    return 0;
}

static int whole_copy(const struct journal_file *file, int fd)
{
    int r = journal_file_copy(file, fd);

    if (r < 0)
        return r;
    return fsync(fd) < 0 ? -errno : 0;
}

/* FILE is damaged behind file->size: what is before goes on in a new one. */
static int damaged_replace(struct journal *journal, struct journal_file *file, struct error *error)
{
    char why[64];
    int fd, r = journal_make_successor(journal, error, &fd);

    if (r < 0)
        return r;
    snprintf(why, sizeof(why), "is damaged at byte %llu", (unsigned long long)file->size);
    r = whole_copy(file, fd);
    if (r < 0) {
        error_set(error, r, "--event-log: \"%s\" %s, and what is before that cannot be copied: %s", journal->place.path,
                  why, strerror(-r));
        journal_place_drop(&journal->place, ".new");
    }
    if (r == 0)
        r = journal_set_aside(journal, "", why, error);
    if (r == 0)
        r = journal_rename(journal, ".new", "", false, error);
    if (r < 0) {
        close(fd);
        return r;
    }
    close(file->fd);
    file->fd = fd;
    return 0;
}

/* ---- what is there ---- */

/* Makes *found FILE, in the place of an empty one that is `held`, and mends it. */
static int found_install(struct journal *journal, const char *suffix, int state, bool held, struct journal_file *found,
                         struct error *error)
{
    int r = *suffix ? journal_rename(journal, suffix, "", held, error) : 0;

    if (r < 0)
        return r;
    if (state == JOURNAL_FILE_TORN)
        return torn_cut(journal, "", found, error);
    if (state == JOURNAL_FILE_DAMAGED)
        return damaged_replace(journal, found, error);
    return 0;
}

/* Takes FILE, or what may stand for it where there is none with anything in it. */
static int candidate_take(struct journal *journal, const char *suffix, struct error *error)
{
    struct journal_file found = JOURNAL_FILE_NONE;
    bool held = journal->file.fd >= 0;
    int state, r;

    r = journal_place_take(&journal->place, suffix, error, &found.fd);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    state = journal_file_check(&found);
    if (state < 0)
        r = read_error(journal, suffix, state, error);
    else if (state == JOURNAL_FILE_FOREIGN)
        r = journal_set_aside(journal, suffix, "is no event log of this berth", error);
    else if (state == JOURNAL_FILE_DAMAGED && found.size == 0)
        r = journal_set_aside(journal, suffix, "is damaged at byte 0", error);
    else if (found.size > 0 || !held) {
        r = found_install(journal, suffix, state, held, &found, error);
        if (r == 0) {
            journal_put_file(journal, &journal->file, found);
            return 0;
        }
    }
    close(found.fd);
    return r;
}

/* FILE.old, if it is what came just before FILE. */
static int old_take(struct journal *journal, struct error *error)
{
    struct journal_file old = JOURNAL_FILE_NONE;
    const char *why = NULL;
    int r = journal_place_take(&journal->place, ".old", error, &old.fd);

    if (r < 0)
        return r == -ENOENT ? 0 : r;
    r = journal_file_check(&old);
    if (r < 0)
        read_error(journal, ".old", r, error);
    else if (r == JOURNAL_FILE_FOREIGN)
        why = "is no event log of this berth";
    else if (r == JOURNAL_FILE_DAMAGED)
        why = "is damaged";
    else
        r = r == JOURNAL_FILE_TORN ? torn_cut(journal, ".old", &old, error) : 0;
    if (r == 0 && old.size > 0 && (old.first_id != journal->file.first_id || old.due_id != journal->file.base_id))
        why = "does not end where the file after it begins";
    if (why)
        r = journal_set_aside(journal, ".old", why, error);
    if (r == 0 && !why && old.size > 0)
        journal_put_file(journal, &journal->old, old);
    else
        close(old.fd);
    return r;
}

static int files_open(struct journal *journal, struct error *error)
{
    static const char *const suffixes[] = { "", ".new", ".old" };
    int fd, r = 0;

    for (size_t i = 0; r == 0 && journal->file.size == 0 && i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
        r = candidate_take(journal, suffixes[i], error);
    if (r < 0)
        return r;
    if (journal->file.size > 0)
        return old_take(journal, error);
    if (journal->file.fd >= 0)
        return 0;
    r = journal_make_file(journal, "", error, &fd);
    if (r == 0)
        journal_put_file(journal, &journal->file, journal_file_fresh(fd, 0));
    return r;
}

/* ---- beginning and end ---- */

static void journal_free(struct journal *journal)
{
    if (journal->file.fd >= 0)
        close(journal->file.fd);
    if (journal->old.fd >= 0)
        close(journal->old.fd);
    journal_place_close(&journal->place);
    pthread_mutex_destroy(&journal->mutex);
    free(journal);
}

int journal_open(const char *path, size_t limit, struct error *error, struct journal **ret_journal)
{
    struct journal *journal = calloc(1, sizeof(*journal));
    int r;

    if (!journal)
        return error_set(error, -ENOMEM, "--event-log: %s", strerror(ENOMEM));
    journal->file.fd = journal->old.fd = journal->place.folder_fd = -1;
    journal->limit = limit;
    pthread_mutex_init(&journal->mutex, NULL);
    r = journal_place_open(&journal->place, path, error);
    if (r == 0)
        r = files_open(journal, error);
    if (r < 0) {
        journal_free(journal);
        return r;
    }
    journal->certain = !journal->disturbed && (journal->file.size == 0 || journal->file.ended);
    *ret_journal = journal;
    return 0;
}

void journal_close(struct journal *journal)
{
    int r;

    if (!journal)
        return;
    if (journal->file.size > 0 && !journal->file.ended && journal_file_end(&journal->file) == 0)
        journal->changes++;
    r = journal_sync(journal);
    if (r < 0)
        log_error("event log: cannot write \"%s\" to the disk: %s", journal->place.path, strerror(-r));
    journal_free(journal);
}
