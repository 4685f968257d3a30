/*
 * Whoever has the journal holds locks on FILE and on FILE.old, the files themselves, from before they get these names
 * until after they have lost them. Who finds no FILE looks for FILE.new, then for FILE.old, before he makes one; so he
 * comes upon a lock also in the instants in which there is no FILE. Nothing is lost by a kill between two steps:
 *
 *   rotation        FILE becomes FILE.old           then: FILE.old is made FILE again
 *                   FILE is made, empty             then: likewise, in its place
 *   setting aside   FILE.new is made, complete      before: all is as it was; a FILE.new in the way is set aside
 *   and going on    FILE becomes FILE.damaged-N     then: FILE.new is made FILE
 *                   FILE.new becomes FILE
 *
 * What makes a journal certain is the mark at its end. It is written when nothing will follow, and is gone from the
 * disk before something does: so it never stands behind less than was ever told to anybody.
 *
 * A new file is empty, its header comes with its first frame: so an empty FILE is as good as none, and a disk that is
 * full keeps nobody from beginning one.
 */
#include "events/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "events/journal_parts.h"

/* ---- files and their names: journal_parts.h ---- */

static void name_changed(struct journal *journal)
{
    pthread_mutex_lock(&journal->mutex);
    journal->name_changes = ++journal->changes;
    pthread_mutex_unlock(&journal->mutex);
}

void journal_put_file(struct journal *journal, struct journal_file *file, struct journal_file by)
{
    int before = file->fd;

    pthread_mutex_lock(&journal->mutex);
    *file = by;
    pthread_mutex_unlock(&journal->mutex);
    if (before >= 0)
        close(before);
}

int journal_set_aside(struct journal *journal, const char *suffix, const char *why, struct error *error)
{
    int r = journal_place_set_aside(&journal->place, suffix, why, error);

    journal->disturbed = true;
    if (r == 0)
        name_changed(journal);
    return r;
}

int journal_rename(struct journal *journal, const char *from, const char *to, bool replace, struct error *error)
{
    int r = journal_place_move(&journal->place, from, to, replace, error);

    if (r == 0)
        name_changed(journal);
    return r;
}

int journal_make_file(struct journal *journal, const char *suffix, struct error *error, int *ret_fd)
{
    int r = journal_place_make(&journal->place, suffix, error, ret_fd);

    if (r == 0)
        name_changed(journal);
    return r;
}

int journal_make_successor(struct journal *journal, struct error *error, int *ret_fd)
{
    int r = 0;

    if (journal_place_has(&journal->place, ".new"))
        r = journal_set_aside(journal, ".new", "was left behind, perhaps by a berth that was killed", error);
    return r < 0 ? r : journal_make_file(journal, ".new", error, ret_fd);
}

/* ---- reading ---- */

int journal_replay(struct journal *journal, int (*take)(void *data, const void *records, size_t size), void *data)
{
    int r = journal_file_each(&journal->old, take, data);

    return r != 0 ? r : journal_file_each(&journal->file, take, data);
}

bool journal_is_certain(const struct journal *journal)
{
    return journal->certain;
}

uint64_t journal_first_id(const struct journal *journal)
{
    return journal->file.first_id;
}

uint64_t journal_last_id(const struct journal *journal)
{
    return journal->file.due_id == journal->file.first_id ? 0 : journal->file.due_id - 1;
}

uint64_t journal_base_id(const struct journal *journal)
{
    return journal->old.fd >= 0 ? journal->old.base_id : journal->file.base_id;
}

uint64_t journal_base_run(const struct journal *journal)
{
    return journal->old.fd >= 0 ? journal->old.base_run : journal->file.base_run;
}

uint64_t journal_next_id(const struct journal *journal)
{
    return journal->file.next_id;
}

int journal_skip_to(struct journal *journal, uint64_t id)
{
    int r;

    if (journal->file.first_id == 0 || id < journal->file.next_id || id == UINT64_MAX)
        return -EINVAL;
    r = id == journal->file.next_id ? 0 : journal_file_resume(&journal->file);
    if (r == 0)
        journal->file.next_id = id;
    return r;
}

/* ---- writing ---- */

/* FILE, which has what it may hold, becomes FILE.old. There is none then until file_begin. */
static int file_retire(struct journal *journal)
{
    struct journal_file full = journal->file;
    int old = journal->old.fd, r;

    if (!journal_place_is(&journal->place, "", full.fd)) {
        if (journal_place_has(&journal->place, ""))
            return -EBUSY; /* somebody's, who put it there while ours was in use */
        log_warning("event log: \"%s\" was removed while it was in use; a new one begins", journal->place.path);
        journal_put_file(journal, &journal->file, journal_file_after(-1, &full));
        return 0;
    }
    r = journal_rename(journal, "", ".old", true, NULL);
    if (r < 0)
        return r;
    pthread_mutex_lock(&journal->mutex);
    journal->old = full;
    journal->old_changes = journal->changes;
    journal->file = journal_file_after(-1, &full);
    pthread_mutex_unlock(&journal->mutex);
    if (old >= 0)
        close(old); /* its room, on a disk that is full, may be the room for what comes */
    return 0;
}

static int file_begin(struct journal *journal)
{
    struct journal_file file = journal->file;
    int r = journal_make_file(journal, "", NULL, &file.fd);

    if (r == 0)
        journal_put_file(journal, &journal->file, file);
    return r;
}

int journal_append(struct journal *journal, const void *records, size_t size)
{
    uint64_t next_id;
    int r;

    if (size > JOURNAL_APPEND_MAX)
        return -EMSGSIZE;
    next_id = journal->file.first_id == 0 ? 0 : journal_records_check(records, size, journal->file.next_id);
    if (next_id == 0)
        return -EBADMSG;
    if (size == 0)
        return 0;
    r = journal_file_resume(&journal->file);
    if (r == 0 && journal->file.held > 0 && (journal->file.held >= journal->limit || journal->nameless)) {
        r = file_retire(journal);
        journal->nameless = false;
    }
    if (r == 0 && journal->file.fd < 0)
        r = file_begin(journal);
    if (r == 0)
        r = journal_file_append(&journal->file, records, size, next_id);
    if (r == 0)
        journal->changes++;
    return r;
}

/* Both files, of which FILE is not empty, make room for one that has the name already when this returns. */
static int files_set_aside(struct journal *journal, struct error *error)
{
    static const char why[] = "is of an older sequence of events";
    struct journal_file next = JOURNAL_FILE_NONE, none = JOURNAL_FILE_NONE;
    int r = 0;

    if (journal->file.size > 0)
        r = journal_make_successor(journal, error, &next.fd);
    if (r == 0 && journal->old.fd >= 0)
        r = journal_set_aside(journal, ".old", why, error);
    if (r == 0)
        journal_put_file(journal, &journal->old, none);
    if (r < 0 || journal->file.size == 0)
        goto end;
    r = journal_set_aside(journal, "", why, error);
    if (r < 0)
        goto end;
    journal_put_file(journal, &journal->file, none);
    r = journal_rename(journal, ".new", "", false, error);
    if (r == 0)
        journal_put_file(journal, &journal->file, next);
end:
    if (r < 0 && next.fd >= 0) {
        journal_place_drop(&journal->place, ".new");
        close(next.fd);
    }
    return r;
}

int journal_start(struct journal *journal, uint64_t first_id)
{
    struct error error = { "" };
    int r = 0;

    if (first_id == 0 || first_id == UINT64_MAX)
        return -EINVAL;
    if (journal->file.size > 0 || journal->old.fd >= 0)
        r = files_set_aside(journal, &error);
    if (r < 0) {
        log_error("%s", error.text);
        return r;
    }
    journal_sync(journal); /* or the power goes, and what is of another sequence has the name, and a mark */
    journal_file_begin(&journal->file, first_id);
    return 0;
}

/* ---- to the disk ---- */

/* Another descriptor for the same file, so that a rotation cannot close it in the middle; -1 for none. */
static int descriptor_copy(int fd, int *ret_fd)
{
    int copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);

    if (fd >= 0 && copy < 0)
        return -errno;
    *ret_fd = copy;
    return 0;
}

static int descriptor_sync(int fd)
{
    if (fd < 0)
        return 0;
    return fdatasync(fd) < 0 ? -errno : 0;
}

static bool has_no_name(int fd)
{
    struct stat file;

    return fstat(fd, &file) == 0 && file.st_nlink == 0;
}

/* FILE.old first, if it was still FILE the last time, so that what is on the disk has no gap. One that has lost its
 * name meanwhile is not missed. */
int journal_sync(struct journal *journal)
{
    uint64_t changes = journal->changes, synced = journal->synced;
    int file = -1, old = -1, r;
    bool names;

    if (changes == synced)
        return 0;
    pthread_mutex_lock(&journal->mutex);
    names = synced < journal->name_changes;
    r = synced < journal->old_changes ? descriptor_copy(journal->old.fd, &old) : 0;
    if (r == 0)
        r = descriptor_copy(journal->file.fd, &file);
    pthread_mutex_unlock(&journal->mutex);
    if (file >= 0 && has_no_name(file))
        journal->nameless = true;
    if (r == 0)
        r = descriptor_sync(old);
    if (r == 0)
        r = descriptor_sync(file);
    if (r == 0 && names && fsync(journal->place.folder_fd) < 0)
        r = -errno;
    if (file >= 0)
        close(file);
    if (old >= 0)
        close(old);
    if (r == 0)
        journal->synced = changes;
    return r;
}

bool journal_is_dirty(const struct journal *journal)
{
    return atomic_load(&journal->changes) != atomic_load(&journal->synced);
}
