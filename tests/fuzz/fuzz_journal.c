/*
 * A journal whose FILE and FILE.old are anything: it opens, hands over nothing but records whose ids rise, and in a
 * frame by one, the same at the next start, goes on, also with a jump, and loses none of the bytes that were there,
 * except for a torn end.
 *
 * Input: a byte of flags; two bytes, how long FILE is; FILE; the rest is FILE.old. Flags 1 and 2
 * mend the checksums of FILE and FILE.old, so that what they protect is reached; 4 and 8 make FILE and FILE.old absent.
 */
#include "property.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "events/checksum.h"
#include "events/event.h"
#include "events/journal.h"

/* The form of the files: where the header's and a head's checksums are, behind what they are of. */
enum { HEADER = 40, HEADER_VERSION = 32, HEADER_CHECKSUM = 36, HEAD = 16, HEAD_CHECKSUM = 12 };

enum { FLAG_MEND = 1, FLAG_MEND_OLD = 2, FLAG_NONE = 4, FLAG_NO_OLD = 8 };

static char folder[] = "/tmp/berth-fuzz-XXXXXX";
static int folder_fd = -1;

static void remove_entries(void)
{
    DIR *list = opendir(folder);
    struct dirent *entry;

    while (list && (entry = readdir(list)))
        unlinkat(folder_fd, entry->d_name, 0);
    closedir(list);
}

static void remove_folder(void)
{
    remove_entries();
    rmdir(folder);
}

static void prepare(void)
{
    PROPERTY(mkdtemp(folder));
    atexit(remove_folder);
    folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    PROPERTY(folder_fd >= 0);
    log_init(BERTH_LOG_ERROR, "fuzz");
}

static void put_checksum(uint8_t *bytes, size_t size, uint8_t *to)
{
    uint32_t value = checksum(bytes, size);

    memcpy(to, &value, sizeof(value));
}

static void mend(uint8_t *bytes, size_t size)
{
    static const uint8_t magic[] = "berth-ev";
    static const uint32_t version = 2;

    if (size < HEADER)
        return;
    memcpy(bytes, magic, 8);
    memcpy(bytes + HEADER_VERSION, &version, sizeof(version));
    put_checksum(bytes, HEADER_CHECKSUM, bytes + HEADER_CHECKSUM);
    for (size_t at = HEADER; size - at >= HEAD;) {
        uint32_t length;

        memcpy(&length, bytes + at, sizeof(length));
        if (length <= size - at - HEAD)
            put_checksum(bytes + at + HEAD, length, bytes + at + 4);
        put_checksum(bytes + at, HEAD_CHECKSUM, bytes + at + HEAD_CHECKSUM);
        if (length > size - at - HEAD)
            return;
        at += HEAD + length;
    }
}

static void file_write(const char *name, const uint8_t *bytes, size_t size)
{
    int fd = openat(folder_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    PROPERTY(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
    close(fd);
}

/* Whether these bytes are the beginning of a frame, or none: what may be cut off. */
static bool is_torn(const uint8_t *bytes, size_t size)
{
    uint32_t length, sum;
    bool blank = true;

    for (size_t i = 0; i < size; i++)
        blank = blank && bytes[i] == 0;
    if (blank || size < HEAD)
        return true;
    memcpy(&length, bytes, sizeof(length));
    memcpy(&sum, bytes + HEAD_CHECKSUM, sizeof(sum));
    return sum == checksum(bytes, HEAD_CHECKSUM) && length > size - HEAD;
}

/* Whether the file of this name has these bytes, or all but a torn end. */
static bool has_bytes(const char *name, const uint8_t *bytes, size_t size)
{
    int fd = openat(folder_fd, name, O_RDONLY | O_CLOEXEC);
    uint8_t *found = malloc(size + 1);
    ssize_t n;
    bool has;

    PROPERTY(fd >= 0 && found);
    n = read(fd, found, size + 1);
    PROPERTY(n >= 0);
    has = (size_t)n <= size && memcmp(found, bytes, (size_t)n) == 0;
    if (has && (size_t)n < size)
        has = (n == 0 && size < HEADER) || (n >= HEADER && is_torn(bytes + n, size - (size_t)n));
    free(found);
    close(fd);
    return has;
}

static bool is_kept(const uint8_t *bytes, size_t size)
{
    DIR *list = opendir(folder);
    struct dirent *entry;
    bool kept =
        size < HEADER && is_torn(bytes, size) && (size == 0 || memcmp(bytes, "berth-ev", size < 8 ? size : 8) == 0);

    PROPERTY(list);
    while (!kept && (entry = readdir(list)))
        kept = entry->d_name[0] != '.' && has_bytes(entry->d_name, bytes, size);
    closedir(list);
    return kept;
}

struct replayed {
    uint64_t last, count;
};

static int take(void *data, const void *records, size_t size)
{
    struct replayed *replayed = data;
    struct event_record record;
    bool is_first = true;

    for (const char *at = records; size > 0; at += record.size, size -= record.size) {
        PROPERTY(event_record_valid(at, size));
        memcpy(&record, at, sizeof(record));
        PROPERTY(replayed->count == 0 || record.id == replayed->last + 1 || (is_first && record.id > replayed->last));
        is_first = false;
        replayed->last = record.id;
        replayed->count++;
    }
    return 0;
}

static struct journal *open_journal(struct replayed *ret_replayed)
{
    struct replayed replayed = { 0 };
    struct journal *journal;
    struct error error = { "" };
    char path[64];

    snprintf(path, sizeof(path), "%s/j", folder);
    if (journal_open(path, 512, &error, &journal) != 0) {
        fprintf(stderr, "%s\n", error.text);
        abort();
    }
    PROPERTY(journal_replay(journal, take, &replayed) == 0);
    PROPERTY(replayed.count == 0 || replayed.last == journal_last_id(journal));
    PROPERTY(journal_next_id(journal) == 0 || journal_next_id(journal) > journal_last_id(journal));
    PROPERTY(journal_base_run(journal) <= journal_base_id(journal));
    *ret_replayed = replayed;
    return journal;
}

static size_t count_entries(void)
{
    DIR *list = opendir(folder);
    size_t count = 0;

    PROPERTY(list);
    while (readdir(list))
        count++;
    closedir(list);
    return count;
}

static void append(struct journal *journal, uint64_t by)
{
    struct event_record record = { .size = 56, .text_size = 8, .type_size = 1, .data_size = 1 };
    char bytes[56] = { 0 };

    if (journal_first_id(journal) == 0 || journal_next_id(journal) >= UINT64_MAX - 1 - by)
        PROPERTY(journal_start(journal, 1000) == 0);
    record.id = journal_next_id(journal) + by;
    PROPERTY(journal_skip_to(journal, record.id) == 0);
    memcpy(bytes, &record, sizeof(record));
    PROPERTY(journal_append(journal, bytes, sizeof(bytes)) == 0);
    PROPERTY(journal_last_id(journal) == record.id);
}

static void check(const uint8_t *file, size_t size, const uint8_t *old, size_t old_size)
{
    struct replayed first, second;
    struct journal *journal = open_journal(&first);
    size_t entries;
    uint64_t last;

    PROPERTY(is_kept(file, size));
    PROPERTY(is_kept(old, old_size));
    journal_close(journal);
    entries = count_entries();
    journal = open_journal(&second);
    PROPERTY(first.count == second.count && first.last == second.last);
    PROPERTY(count_entries() == entries);
    append(journal, 0);
    append(journal, 100);
    last = journal_last_id(journal);
    journal_close(journal);
    journal = open_journal(&second);
    PROPERTY(second.last == last && journal_next_id(journal) == last + 1);
    PROPERTY(journal_is_certain(journal));
    journal_close(journal);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t file_size, old_size;
    uint8_t *bytes;

    if (size < 3)
        return 0;
    if (folder_fd < 0)
        prepare();
    bytes = malloc(size);
    PROPERTY(bytes);
    memcpy(bytes, data, size);
    file_size = (size_t)data[1] << 8 | data[2];
    file_size = data[0] & FLAG_NONE ? 0 : file_size < size - 3 ? file_size : size - 3;
    old_size = data[0] & FLAG_NO_OLD ? 0 : size - 3 - file_size;
    if (data[0] & FLAG_MEND)
        mend(bytes + 3, file_size);
    if (data[0] & FLAG_MEND_OLD)
        mend(bytes + 3 + file_size, old_size);
    if (!(data[0] & FLAG_NONE))
        file_write("j", bytes + 3, file_size);
    if (!(data[0] & FLAG_NO_OLD))
        file_write("j.old", bytes + 3 + file_size, old_size);
    check(bytes + 3, file_size, bytes + 3 + file_size, old_size);
    remove_entries();
    free(bytes);
    return 0;
}
