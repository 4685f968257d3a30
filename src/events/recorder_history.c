/*
 * What was before: the log may have survived the last recorder, and the journal the last server. Each is brought up to
 * the other, if both are of one sequence; if they are not, the log counts, since its readers are here.
 *
 *     the log is new, there is no journal    both begin, with the time as the first number
 *     the log is new, there is a journal     the log goes on with what the journal has
 *     the log goes on, the journal is new    the journal begins with what the log has
 *     both go on                             what the one has beyond the other's last goes there; or, where they do not
 *                                            agree on a record, or there is a gap, the journal is set aside
 *
 * Numbers are never used twice. Where the log is new, its readers may have seen later events than the journal has, if
 * that one was not closed (the power went), or damaged: then the next number is, again, the time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "events/recorder_parts.h"

/* How much of the log is read at a time. */
#define COPY_SIZE (4 * EVENT_RECORD_MAX)

/* ---- records ---- */

static const struct event_record *record_at(const void *records, size_t offset)
{
    return (const struct event_record *)(const void *)((const char *)records + offset);
}

static bool same_record(const struct event_record *a, const struct event_record *b)
{
    return a->size == b->size && memcmp(a, b, a->size) == 0;
}

/* A record that is looked for in a journal. */
struct scan {
    uint64_t wanted_id;
    struct event_record *found;
};

static int scan_records(void *data, const void *records, size_t size)
{
    struct scan *scan = data;

    for (size_t offset = 0; offset < size; offset += record_at(records, offset)->size) {
        const struct event_record *record = record_at(records, offset);

        if (record->id != scan->wanted_id || scan->found)
            continue;
        scan->found = malloc(record->size);
        if (!scan->found)
            return -ENOMEM;
        memcpy(scan->found, record, record->size);
    }
    return 0;
}

/* ---- from one into the other ---- */

static size_t skip_known(const void *records, size_t size, uint64_t next_id)
{
    size_t offset = 0;

    while (offset < size && record_at(records, offset)->id < next_id)
        offset += record_at(records, offset)->size;
    return offset;
}

/* In pieces that the log takes: it may be smaller than the one that the journal was written beside. */
static int add_to_log(void *data, const void *records, size_t size)
{
    struct recorder *recorder = data;
    size_t max = event_log_size(CONTRACT_EVENT_LOG_FD) / EVENT_LOG_APPEND_PART;
    size_t offset = skip_known(records, size, event_log_next_id(recorder->writer));
    int r = offset < size ? event_log_skip_to(recorder->writer, record_at(records, offset)->id) : 0;

    while (r == 0 && offset < size) {
        size_t end = offset;

        while (end < size && end - offset + record_at(records, end)->size <= max)
            end += record_at(records, end)->size;
        r = event_log_append(recorder->writer, (const char *)records + offset, end - offset);
        offset = end;
    }
    return r;
}

static int copy_to_log(struct recorder *recorder)
{
    return journal_replay(recorder->journal, add_to_log, recorder);
}

/* The number of the log's first record, or of the one that is due. */
static uint64_t log_first_id(const struct recorder *recorder)
{
    struct event_cursor cursor;

    event_log_seek_id(event_log_writer_view(recorder->writer), 0, &cursor);
    return cursor.after_id + 1;
}

/* The number of its last one, or the one before the one that it began with. */
static uint64_t log_last_id(const struct recorder *recorder)
{
    struct event_cursor cursor;

    event_log_seek_end(event_log_writer_view(recorder->writer), &cursor);
    return cursor.after_id;
}

static int copy_to_journal(struct recorder *recorder, uint64_t after_id)
{
    const struct event_log *log = event_log_writer_view(recorder->writer);
    char *buffer = malloc(COPY_SIZE);
    struct event_cursor cursor;
    uint64_t missed;
    size_t size;
    int r = 0;

    if (!buffer)
        return -ENOMEM;
    event_log_seek_id(log, after_id, &cursor);
    while (r == 0 && (size = event_log_read(log, &cursor, buffer, COPY_SIZE, &missed)) > 0) {
        r = journal_skip_to(recorder->journal, record_at(buffer, 0)->id);
        if (r == 0)
            r = journal_append(recorder->journal, buffer, size);
    }
    free(buffer);
    return r;
}

/* The journal begins anew, with what the log has. */
static int begin_journal(struct recorder *recorder)
{
    uint64_t first_id = log_first_id(recorder);
    int r = journal_start(recorder->journal, first_id);

    return r < 0 ? r : copy_to_journal(recorder, first_id - 1);
}

/* ---- what is done when ---- */

static uint64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec > 0 ? (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000 : 1;
}

static int begin_log(struct recorder *recorder)
{
    const struct journal *journal = recorder->journal;

    if (!journal || journal_last_id(journal) == 0) {
        event_log_start(recorder->writer, now_us());
        return journal ? begin_journal(recorder) : 0;
    }
    event_log_start_at(recorder->writer, journal_first_id(journal), journal_base_run(journal),
                       journal_base_id(journal));
    return copy_to_log(recorder);
}

/* Whether log and journal have the same record of that number. */
static bool agree(const struct recorder *recorder, uint64_t id, const struct scan *scan)
{
    const struct event_log *log = event_log_writer_view(recorder->writer);
    char *buffer = malloc(EVENT_RECORD_MAX);
    struct event_cursor cursor;
    uint64_t missed;
    bool same;

    if (!buffer)
        return false;
    event_log_seek_id(log, id - 1, &cursor);
    same = event_log_read(log, &cursor, buffer, EVENT_RECORD_MAX, &missed) > 0 && record_at(buffer, 0)->id == id &&
           scan->found && same_record(record_at(buffer, 0), scan->found);
    free(buffer);
    return same;
}

/* Whether the one goes on where the other ends, or they overlap in the same records. */
static bool is_one_sequence(const struct recorder *recorder, uint64_t log_last, const struct scan *scan)
{
    uint64_t log_first = log_first_id(recorder), journal_last = journal_last_id(recorder->journal);

    if (log_first == log_last + 1) /* the recorder before had no time to copy the journal into it */
        return journal_base_id(recorder->journal) <= log_first && log_first <= journal_last + 1;
    if (journal_last + 1 == log_first)
        return journal_first_id(recorder->journal) < log_first;
    return agree(recorder, scan->wanted_id, scan);
}

static int reconcile(struct recorder *recorder)
{
    uint64_t log_last = log_last_id(recorder), journal_last = journal_last_id(recorder->journal);
    struct scan scan = { .wanted_id = log_last < journal_last ? log_last : journal_last };
    bool one;
    int r;

    if (journal_last == 0)
        return begin_journal(recorder);
    r = journal_replay(recorder->journal, scan_records, &scan);
    one = r == 0 && is_one_sequence(recorder, log_last, &scan);
    free(scan.found);
    if (r < 0)
        return r;
    if (!one) {
        log_warning("--event-log %s: it is not the file of the events that are here: it is set aside, and begins anew",
                    recorder->launch.settings.event_log);
        return begin_journal(recorder);
    }
    return journal_last > log_last ? copy_to_log(recorder) : copy_to_journal(recorder, journal_last);
}

/* The number that comes next: the same for both, and none that anybody may have seen. */
static int settle(struct recorder *recorder)
{
    struct event_log_writer *writer = recorder->writer;
    uint64_t next_id = event_log_next_id(writer), now = now_us();
    int r = 0;

    if (recorder->journal) {
        if (journal_next_id(recorder->journal) > next_id)
            next_id = journal_next_id(recorder->journal);
        if (!event_log_is_settled(writer) && journal_last_id(recorder->journal) > 0 &&
            !journal_is_certain(recorder->journal)) {
            if (now > next_id)
                next_id = now;
            log_warning("--event-log %s: it was not closed, or is damaged: events may be missing at its end, and their "
                        "numbers go on with %llu",
                        recorder->launch.settings.event_log, (unsigned long long)next_id);
        }
        r = journal_skip_to(recorder->journal, next_id);
    }
    if (r == 0)
        r = event_log_skip_to(writer, next_id);
    if (r == 0)
        event_log_settle(writer);
    return r;
}

int history_open(struct recorder *recorder, struct error *error)
{
    const char *path = recorder->launch.settings.event_log;
    int r = event_log_writer_open(CONTRACT_EVENT_LOG_FD, &recorder->writer);

    if (r < 0)
        return error_set(error, r, "the log of events cannot be opened: %s", strerror(-r));
    if (path) {
        r = journal_open(path, event_log_size(CONTRACT_EVENT_LOG_FD), error, &recorder->journal);
        if (r < 0)
            return r;
    }
    if (event_log_is_fresh(recorder->writer))
        r = begin_log(recorder);
    else if (recorder->journal)
        r = reconcile(recorder);
    if (r == 0)
        r = settle(recorder);
    return r < 0 ? error_set(error, r, "--event-log %s: what is in it cannot be brought together with the log: %s",
                             path, strerror(-r))
                 : 0;
}
