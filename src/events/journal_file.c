#include "events/journal_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "events/checksum.h"
#include "events/event.h"

/* Grows with every change to what is in the file: records included. */
#define JOURNAL_VERSION 2

static const char magic[8] = "berth-ev";

struct header {
    char magic[8];
    uint64_t first_id, base_run, base_id;
    uint32_t version;
    uint32_t checksum; /* of what is before it */
};

enum kind {
    KIND_RECORDS,
    KIND_JUMP, /* marks */
    KIND_END,
    KINDS,
};

struct head {
    uint32_t size; /* of the body behind it */
    uint32_t body_checksum;
    uint32_t kind;
    uint32_t checksum; /* of what is before it */
};

struct mark {
    struct head head;
    uint64_t next_id;
};

/* So that records are where they may be read in place. */
_Static_assert(sizeof(struct header) % 8 == 0 && sizeof(struct head) % 8 == 0, "records begin at a multiple of 8");

enum { CHUNK = 65536 };

/* What frames are read into; grows to the largest, and no further: one may be a large part of the file. */
struct frame_body {
    char *bytes;
    size_t allocated;
};

static uint32_t header_checksum(const struct header *header)
{
    return checksum(header, offsetof(struct header, checksum));
}

static uint32_t head_checksum(const struct head *head)
{
    return checksum(head, offsetof(struct head, checksum));
}

struct journal_file journal_file_fresh(int fd, uint64_t first_id)
{
    struct journal_file file = { .fd = fd };

    journal_file_begin(&file, first_id);
    return file;
}

struct journal_file journal_file_after(int fd, const struct journal_file *before)
{
    struct journal_file file = { .fd = fd,
                                 .first_id = before->first_id,
                                 .base_run = before->run_id,
                                 .base_id = before->due_id,
                                 .run_id = before->run_id,
                                 .due_id = before->due_id,
                                 .next_id = before->next_id };

    return file;
}

void journal_file_begin(struct journal_file *file, uint64_t first_id)
{
    file->first_id = file->base_run = file->base_id = file->run_id = file->due_id = file->next_id = first_id;
}

/* All of it or -errno. What the disk cannot read is damaged, as is what somebody cut off meanwhile. */
static int bytes_read(int fd, void *bytes, size_t size, uint64_t offset)
{
    size_t done = 0;

    while (done < size) {
        ssize_t n = pread(fd, (char *)bytes + done, size - done, (off_t)(offset + done));

        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0 || (n < 0 && errno == EIO))
            return -EBADMSG;
        if (n < 0)
            return -errno;
        done += (size_t)n;
    }
    return 0;
}

static int bytes_write(int fd, struct iovec *parts, int count, uint64_t offset)
{
    while (count > 0) {
        ssize_t n = pwritev(fd, parts, count, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        offset += (uint64_t)n;
        for (; count > 0 && (size_t)n >= parts->iov_len; parts++, count--)
            n -= (ssize_t)parts->iov_len;
        if (count > 0) {
            parts->iov_base = (char *)parts->iov_base + n;
            parts->iov_len -= (size_t)n;
        }
    }
    return 0;
}

/* 1: there are only zeroes from `offset` on; 0; -errno. */
static int is_blank(int fd, uint64_t offset, uint64_t end)
{
    static const char zeroes[4096];
    char bytes[sizeof(zeroes)];

    while (offset < end) {
        size_t size = end - offset < sizeof(bytes) ? (size_t)(end - offset) : sizeof(bytes);
        int r = bytes_read(fd, bytes, size, offset);

        if (r < 0)
            return r;
        if (memcmp(bytes, zeroes, size) != 0)
            return 0;
        offset += size;
    }
    return 1;
}

static int frame_body_reserve(struct frame_body *body, size_t size)
{
    char *bytes;

    if (size <= body->allocated)
        return 0;
    bytes = realloc(body->bytes, size);
    if (!bytes)
        return -ENOMEM;
    body->bytes = bytes;
    body->allocated = size;
    return 0;
}

uint64_t journal_records_check(const void *records, size_t size, uint64_t next_id)
{
    const char *at = records;
    struct event_record record;

    for (; size > 0; at += record.size, size -= record.size) {
        if (!event_record_valid(at, size))
            return 0;
        memcpy(&record, at, sizeof(record));
        if (record.id != next_id || next_id == UINT64_MAX)
            return 0;
        next_id++;
    }
    return next_id;
}

/* The head of the frame at `offset`. -ENODATA: the file ends before the frame does. -EBADMSG: it is damaged. */
static int head_read(int fd, uint64_t offset, uint64_t end, struct head *ret_head)
{
    struct head head;
    int r;

    if (end - offset < sizeof(head))
        return -ENODATA;
    r = bytes_read(fd, &head, sizeof(head), offset);
    if (r < 0)
        return r;
    if (head.checksum != head_checksum(&head)) {
        /* A file system that stored the file's new length before its new bytes, when the power went. */
        r = is_blank(fd, offset, end);
        return r < 0 ? r : r > 0 ? -ENODATA : -EBADMSG;
    }
    if (head.kind >= KINDS || head.size == 0 || (head.kind != KIND_RECORDS && head.size != sizeof(uint64_t)))
        return -EBADMSG;
    if (head.size > end - offset - sizeof(head))
        return -ENODATA;
    *ret_head = head;
    return 0;
}

/* The id that is due behind what is in `body`, of that kind; 0: it is not what it may be. */
static uint64_t body_check(const struct frame_body *body, const struct head *head, uint64_t next_id)
{
    uint64_t marked;

    if (head->kind == KIND_RECORDS)
        return journal_records_check(body->bytes, head->size, next_id);
    memcpy(&marked, body->bytes, sizeof(marked));
    return marked >= next_id ? marked : 0;
}

/* The whole frame, checked: its body is in `body`, and *ret_next is the id that is due behind it. */
static int frame_read(int fd, uint64_t offset, uint64_t end, uint64_t next_id, struct frame_body *body,
                      struct head *ret_head, uint64_t *ret_next)
{
    struct head head;
    uint64_t next;
    int r = head_read(fd, offset, end, &head);

    if (r < 0)
        return r;
    r = frame_body_reserve(body, head.size);
    if (r < 0)
        return r;
    r = bytes_read(fd, body->bytes, head.size, offset + sizeof(head));
    if (r < 0)
        return r;
    if (checksum(body->bytes, head.size) != head.body_checksum)
        return -EBADMSG;
    next = body_check(body, &head, next_id);
    if (next == 0)
        return -EBADMSG;
    *ret_head = head;
    *ret_next = next;
    return 0;
}

/* Records up to next_id are in it. */
static void records_added(struct journal_file *file, size_t size, uint64_t next_id)
{
    if (file->next_id != file->due_id)
        file->run_id = file->next_id;
    file->held += size;
    file->due_id = file->next_id = next_id;
}

/* Frame by frame from file->size, which grows with them, to the end. */
static int frames_walk(struct journal_file *file, uint64_t end,
                       int (*take)(void *data, const void *records, size_t size), void *data)
{
    struct frame_body body = { 0 };
    struct head head;
    uint64_t next_id;
    int r = 0;

    while (r == 0 && file->size < end) {
        r = frame_read(file->fd, file->size, end, file->next_id, &body, &head, &next_id);
        if (r < 0)
            break;
        file->size += sizeof(head) + head.size;
        file->ended = head.kind == KIND_END;
        if (head.kind != KIND_RECORDS) {
            file->next_id = next_id;
            continue;
        }
        records_added(file, head.size, next_id);
        if (take)
            r = take(data, body.bytes, head.size);
    }
    free(body.bytes);
    return r;
}

static int header_check(struct journal_file *file, uint64_t end)
{
    struct header header;
    size_t size = end < sizeof(header) ? (size_t)end : sizeof(header);
    int r = bytes_read(file->fd, &header, size, 0);

    if (r < 0)
        return r == -EBADMSG ? JOURNAL_FILE_DAMAGED : r;
    if (memcmp(header.magic, magic, size < sizeof(magic) ? size : sizeof(magic)) != 0)
        return JOURNAL_FILE_FOREIGN;
    if (size < sizeof(header))
        return JOURNAL_FILE_TORN;
    if (header.checksum != header_checksum(&header))
        return JOURNAL_FILE_DAMAGED;
    if (header.version != JOURNAL_VERSION)
        return JOURNAL_FILE_FOREIGN;
    if (header.first_id == 0 || header.base_run < header.first_id || header.base_id < header.base_run ||
        header.base_id == UINT64_MAX)
        return JOURNAL_FILE_DAMAGED;
    file->first_id = header.first_id;
    file->base_run = file->run_id = header.base_run;
    file->base_id = file->due_id = file->next_id = header.base_id;
    file->size = sizeof(header);
    return JOURNAL_FILE_WHOLE;
}

int journal_file_check(struct journal_file *file)
{
    struct stat status;
    uint64_t end;
    int r;

    *file = journal_file_fresh(file->fd, 0);
    if (fstat(file->fd, &status) < 0)
        return -errno;
    end = (uint64_t)status.st_size;
    if (end == 0)
        return JOURNAL_FILE_WHOLE;
    r = header_check(file, end);
    if (r != JOURNAL_FILE_WHOLE)
        return r;
    r = frames_walk(file, end, NULL, NULL);
    if (r == -ENODATA)
        return JOURNAL_FILE_TORN;
    if (r == -EBADMSG)
        return JOURNAL_FILE_DAMAGED;
    return r < 0 ? r : JOURNAL_FILE_WHOLE;
}

int journal_file_each(const struct journal_file *file, int (*take)(void *data, const void *records, size_t size),
                      void *data)
{
    struct journal_file walked = { .fd = file->fd, .due_id = file->base_id, .next_id = file->base_id };
    int r;

    if (file->size == 0)
        return 0;
    walked.size = sizeof(struct header);
    r = frames_walk(&walked, file->size, take, data);
    return r == -ENODATA ? -EBADMSG : r;
}

int journal_file_cut(struct journal_file *file)
{
    if (ftruncate(file->fd, (off_t)file->size) < 0) {
        file->untidy = true;
        return -errno;
    }
    file->untidy = false;
    return 0;
}

static struct head head_make(enum kind kind, const void *body, size_t size)
{
    struct head head = { .size = (uint32_t)size, .body_checksum = checksum(body, size), .kind = kind };

    head.checksum = head_checksum(&head);
    return head;
}

static struct mark mark_make(enum kind kind, uint64_t next_id)
{
    return (struct mark){ .head = head_make(kind, &next_id, sizeof(next_id)), .next_id = next_id };
}

/* All of it or nothing. */
static int parts_append(struct journal_file *file, struct iovec *parts, int count)
{
    uint64_t size = 0;
    int r = file->untidy ? journal_file_cut(file) : 0;

    for (int i = 0; i < count; i++)
        size += parts[i].iov_len;
    if (r == 0) {
        r = bytes_write(file->fd, parts, count, file->size);
        if (r < 0)
            journal_file_cut(file);
    }
    if (r == 0)
        file->size += size;
    return r;
}

int journal_file_append(struct journal_file *file, const void *records, size_t size, uint64_t next_id)
{
    struct header header = {
        .first_id = file->first_id, .base_run = file->base_run, .base_id = file->base_id, .version = JOURNAL_VERSION
    };
    struct mark jump = mark_make(KIND_JUMP, file->next_id);
    struct head head = head_make(KIND_RECORDS, records, size);
    struct iovec parts[4];
    int count = 0, r;

    memcpy(header.magic, magic, sizeof(magic));
    header.checksum = header_checksum(&header);
    if (file->size == 0)
        parts[count++] = (struct iovec){ &header, sizeof(header) };
    if (file->next_id != file->due_id)
        parts[count++] = (struct iovec){ &jump, sizeof(jump) };
    parts[count++] = (struct iovec){ &head, sizeof(head) };
    parts[count++] = (struct iovec){ (void *)(uintptr_t)records, size };
    r = parts_append(file, parts, count);
    if (r == 0)
        records_added(file, size, next_id);
    return r;
}

int journal_file_end(struct journal_file *file)
{
    struct mark end = mark_make(KIND_END, file->next_id);
    struct iovec part = { &end, sizeof(end) };
    int r = parts_append(file, &part, 1);

    if (r == 0)
        file->ended = true;
    return r;
}

int journal_file_resume(struct journal_file *file)
{
    uint64_t size = file->size - sizeof(struct mark);

    if (!file->ended)
        return 0;
    if (ftruncate(file->fd, (off_t)size) < 0 || fsync(file->fd) < 0)
        return -errno;
    file->size = size;
    file->ended = false;
    return 0;
}

int journal_file_copy(const struct journal_file *file, int fd)
{
    char *bytes = malloc(CHUNK);
    int r = bytes ? 0 : -ENOMEM;

    for (uint64_t done = 0; r == 0 && done < file->size;) {
        size_t size = file->size - done < CHUNK ? (size_t)(file->size - done) : CHUNK;
        struct iovec part = { bytes, size };

        r = bytes_read(file->fd, bytes, size, done);
        if (r == 0)
            r = bytes_write(fd, &part, 1, done);
        done += size;
    }
    free(bytes);
    return r;
}
