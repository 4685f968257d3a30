#include "events/journals.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "socket/scratch.h"

struct journal *journal;
static int log_file, kept_stderr;

void journal_setup(void)
{
    scratch_setup();
    kept_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
    log_file = memfd_create("log", MFD_CLOEXEC);
    ck_assert_int_eq(dup3(log_file, STDERR_FILENO, 0), STDERR_FILENO);
    unsetenv("JOURNAL_STREAM");
    log_init(BERTH_LOG_INFO, "berth");
    journal = NULL;
}

void journal_teardown(void)
{
    journal_close(journal);
    dup2(kept_stderr, STDERR_FILENO);
    close(kept_stderr);
    close(log_file);
    scratch_teardown();
}

const char *journal_said(void)
{
    static char text[8192];
    ssize_t n = pread(log_file, text, sizeof(text) - 1, 0);

    ck_assert_int_ge(n, 0);
    text[n] = '\0';
    ck_assert_int_eq(ftruncate(log_file, 0), 0);
    ck_assert_int_eq(lseek(log_file, 0, SEEK_SET), 0);
    return text;
}

void say(const char *text)
{
    dprintf(kept_stderr, "%s\n", text);
}

void assert_has(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "no \"%s\" in: %s", part, text);
}

int try_open(size_t limit, struct error *error)
{
    return journal_open(scratch_path("j"), limit, error, &journal);
}

void open_journal(size_t limit)
{
    struct error error = { "" };
    int r = try_open(limit, &error);

    ck_assert_msg(r == 0, "%d: %s", r, error.text);
}

void close_journal(void)
{
    journal_close(journal);
    journal = NULL;
}

void kill_journal(void)
{
    struct stat status;

    close_journal();
    ck_assert_int_eq(stat(scratch_path("j"), &status), 0);
    ck_assert_int_eq(truncate(scratch_path("j"), status.st_size - MARK), 0);
}

int append(uint64_t id, int count, size_t size)
{
    static char bytes[65536];

    must((size_t)count * size <= sizeof(bytes));
    for (int i = 0; i < count; i++)
        record_make(bytes + (size_t)i * size, size, id + (uint64_t)i, id);
    return journal_append(journal, bytes, (size_t)count * size);
}

static int replay_take(void *data, const void *records, size_t size)
{
    struct replayed *replayed = data;

    replayed->frames++;
    replayed->bytes += size;
    for (const char *at = records, *end = at + size; at < end;) {
        uint64_t id = 0;
        bool may_jump = at == records;

        at += record_check(at, (size_t)(end - at), &id);
        if (replayed->count++ == 0)
            replayed->first = id;
        else if (may_jump && id > replayed->last + 1)
            replayed->jumps++;
        else
            must(id == replayed->last + 1);
        replayed->last = id;
    }
    return 0;
}

struct replayed replay(void)
{
    struct replayed replayed = { 0 };

    ck_assert_int_eq(journal_replay(journal, replay_take, &replayed), 0);
    if (replayed.count > 0)
        ck_assert_uint_eq(replayed.last, journal_last_id(journal));
    return replayed;
}

char *file_read(const char *path, size_t *ret_size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat status;
    char *bytes;

    if (fd < 0 || fstat(fd, &status) < 0)
        ck_abort_msg("%s: %s", path, strerror(errno));
    bytes = malloc((size_t)status.st_size + 1);
    ck_assert_int_eq(read(fd, bytes, (size_t)status.st_size + 1), status.st_size);
    close(fd);
    *ret_size = (size_t)status.st_size;
    return bytes;
}

void file_write(const char *name, const char *bytes, size_t size)
{
    int fd = open(scratch_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
    close(fd);
}

const size_t small_ends[SMALL_FRAMES + 1] = { HEADER, HEADER + HEAD + RECORD, HEADER + 2 * HEAD + 4 * RECORD,
                                              HEADER + 3 * HEAD + 5 * RECORD };
const uint64_t small_counts[SMALL_FRAMES + 1] = { 0, 1, 4, 5 };

char *small_make(size_t *ret_size)
{
    open_journal(ROOM);
    ck_assert_int_eq(journal_start(journal, FIRST), 0);
    ck_assert_int_eq(append(FIRST, 1, RECORD), 0);
    ck_assert_int_eq(append(FIRST + 1, 3, RECORD), 0);
    ck_assert_int_eq(append(FIRST + 4, 1, RECORD), 0);
    kill_journal();
    return file_read(scratch_path("j"), ret_size);
}

void goes_on(size_t limit)
{
    struct replayed before = replay(), after;
    uint64_t due = journal_next_id(journal);

    if (journal_first_id(journal) == 0) {
        ck_assert_uint_eq(before.count, 0);
        ck_assert_int_eq(append(1, 1, RECORD), -EBADMSG);
        ck_assert_int_eq(journal_start(journal, 7 * FIRST), 0);
        due = 7 * FIRST;
    }
    ck_assert_int_eq(append(due, 2, RECORD), 0);
    close_journal();
    journal_said();
    open_journal(limit);
    ck_assert_str_eq(journal_said(), "");
    ck_assert(journal_is_certain(journal));
    after = replay();
    ck_assert_uint_eq(after.last, due + 1);
    if (limit == ROOM)
        ck_assert_uint_eq(after.count, before.count + 2);
    close_journal();
}

void is_busy(void)
{
    struct error error = { "" };
    struct journal *other;

    ck_assert_int_eq(journal_open(scratch_path("j"), ROOM, &error, &other), -EBUSY);
    assert_has(error.text, "/j\": another berth has it; stop that one, or choose another path");
}

void pair_make(void)
{
    size_t size;

    free(small_make(&size));
    open_journal(SMALL_RECORDS * RECORD);
    ck_assert_int_eq(append(FIRST + 5, 2, RECORD), 0);
    kill_journal();
    ck_assert_str_eq(scratch_list(), "j j.old ");
}
