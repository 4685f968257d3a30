#include "apps/site_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apps/beneath.h"

/* How often a file that changes while it is read is read again. */
#define READ_TRIES 3

int site_error(int r)
{
    switch (r) {
    case -ENOTDIR:
    case -EISDIR:
    case -ELOOP:
    case -EXDEV:
    case -ENAMETOOLONG:
    case -EINVAL:
    case -ENXIO: /* a socket */
    case -ENODEV:
        return -ENOENT;
    }
    return r;
}

void site_mark_set(struct site_mark *mark, const struct stat *status)
{
    *mark = (struct site_mark){
        .device = status->st_dev,
        .inode = status->st_ino,
        .size = (uint64_t)status->st_size,
        .modified = status->st_mtim,
        .changed = status->st_ctim,
    };
}

static bool times_equal(const struct timespec *one, const struct timespec *other)
{
    return one->tv_sec == other->tv_sec && one->tv_nsec == other->tv_nsec;
}

bool site_marks_equal(const struct site_mark *one, const struct site_mark *other)
{
    return one->device == other->device && one->inode == other->inode && one->size == other->size &&
           times_equal(&one->modified, &other->modified) && times_equal(&one->changed, &other->changed);
}

struct site_file *site_file_use(struct site_file *file)
{
    file->users++;
    return file;
}

void site_file_release(struct site_file *file)
{
    if (--file->users > 0)
        return;
    if (file->fd >= 0)
        close(file->fd);
    free(file->bytes);
    free(file);
}

/* ---- Opening -------------------------------------------------------------------------------------------------- */

/* Neither a FIFO nor a device may keep us waiting. */
static int open_regular(int folder, const char *path, struct site_mark *ret_mark)
{
    struct stat status;
    int fd = beneath_open(folder, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return site_error(fd);
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
        close(fd);
        return -ENOENT;
    }
    site_mark_set(ret_mark, &status);
    return fd;
}

static ssize_t read_at(int fd, uint64_t offset, void *buffer, size_t room)
{
    ssize_t size;

    do
        size = pread(fd, buffer, room, (off_t)offset);
    while (size < 0 && errno == EINTR);
    return size < 0 ? -errno : size;
}

/* -EAGAIN: it is not what its mark says any more. */
static int read_once(struct site_file *file)
{
    struct site_mark now;
    struct stat status;

    for (uint64_t offset = 0; offset < file->mark.size;) {
        ssize_t size = read_at(file->fd, offset, file->bytes + offset, file->mark.size - offset);

        if (size <= 0)
            return size < 0 ? (int)size : -EAGAIN;
        offset += (uint64_t)size;
    }
    if (fstat(file->fd, &status) < 0)
        return -errno;
    site_mark_set(&now, &status);
    if (site_marks_equal(&file->mark, &now))
        return 0;
    file->mark = now;
    return -EAGAIN;
}

/* Takes a small file into memory. One that does not hold still is sent from its descriptor. */
static int read_whole(struct site_file *file)
{
    int r = -EAGAIN;

    for (int i = 0; r == -EAGAIN && i < READ_TRIES && file->mark.size <= SITE_MEMORY_FILE_MAX; i++) {
        free(file->bytes);
        file->bytes = malloc(file->mark.size + 1);
        if (!file->bytes)
            return -ENOMEM;
        r = read_once(file);
    }
    if (r == 0) {
        close(file->fd);
        file->fd = -1;
        return 0;
    }
    free(file->bytes);
    file->bytes = NULL;
    return r == -EAGAIN ? 0 : r;
}

static void describe(struct site_file *file)
{
    const struct site_mark *mark = &file->mark;
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    file->settled = mark->modified.tv_sec > now.tv_sec + SITE_SETTLE_SECONDS ||
                    mark->modified.tv_sec < now.tv_sec - SITE_SETTLE_SECONDS;
    /* The weak tag is not the strong one with a W/: compared weakly, it would vouch for bytes that nobody knew yet. */
    snprintf(file->tag, sizeof(file->tag), "%s\"%llx-%llx-%llx%s\"", file->settled ? "" : "W/",
             (unsigned long long)mark->inode, (unsigned long long)mark->size,
             (unsigned long long)mark->modified.tv_sec * 1000000000 + (unsigned long long)mark->modified.tv_nsec,
             file->settled ? "" : "-new");
    /* A Last-Modified must not be later than the Date (RFC 9110 section 8.8.2.1). One whose second is not over could
     * come to stand for other bytes: a client could join two versions with it (section 8.8.2.2). */
    if (!file->settled || mark->modified.tv_sec > now.tv_sec ||
        http_date_format(mark->modified.tv_sec, file->modified) < 0)
        file->modified[0] = '\0';
}

int site_file_add_fields(const struct site_file *file, int (*add)(void *target, const char *name, const char *value),
                         void *target)
{
    static const char *const codings[ENCODING_COUNT] = { NULL, "gzip", "br" };
    int r = add(target, "ETag", file->tag);

    if (r == 0 && file->modified[0])
        r = add(target, "Last-Modified", file->modified);
    if (r == 0 && codings[file->encoding])
        r = add(target, "Content-Encoding", codings[file->encoding]);
    if (r == 0 && file->varies)
        r = add(target, "Vary", "Accept-Encoding");
    if (r == 0)
        r = add(target, "Accept-Ranges", "bytes");
    if (r == 0)
        r = add(target, "X-Content-Type-Options", "nosniff");
    return r;
}

static int add_prepared(void *prepared, const char *name, const char *value)
{
    return berth_prepared_header(prepared, name, value);
}

static void body_over(void *file)
{
    site_file_release(file);
}

static int prepare(struct site_file *file)
{
    int fd, r;

    if (file->bytes) {
        site_file_use(file);
        r = berth_prepared_bytes(file->type, file->bytes, file->mark.size, body_over, file, &file->whole);
    } else {
        fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 0);
        if (fd < 0)
            return -errno;
        r = berth_prepared_fd(file->type, fd, 0, file->mark.size, &file->whole);
    }
    return r < 0 ? r : site_file_add_fields(file, add_prepared, file->whole);
}

/* The prepared reply uses the file while it is there: whoever lets go of the file lets go of both. */
void site_file_close(struct site_file *file)
{
    if (!file)
        return;
    berth_prepared_free(file->whole);
    file->whole = NULL;
    site_file_release(file);
}

int site_file_open(int folder, const char *path, const char *type, enum encoding encoding, bool varies,
                   struct site_file **ret_file)
{
    struct site_file *file = calloc(1, sizeof(*file));
    int r;

    if (!file)
        return -ENOMEM;
    file->users = 1;
    file->type = type;
    file->encoding = encoding;
    file->varies = varies;
    file->fd = r = open_regular(folder, path, &file->mark);
    if (r >= 0)
        r = read_whole(file);
    if (r >= 0) {
        describe(file);
        r = prepare(file);
    }
    if (r < 0) {
        site_file_close(file);
        return r;
    }
    *ret_file = file;
    return 0;
}

ssize_t site_file_read(const struct site_file *file, uint64_t offset, void *buffer, size_t room)
{
    uint64_t left = offset < file->mark.size ? file->mark.size - offset : 0;

    if (!file->bytes)
        return read_at(file->fd, offset, buffer, room);
    if (room > left)
        room = left;
    memcpy(buffer, file->bytes + offset, room);
    return (ssize_t)room;
}
