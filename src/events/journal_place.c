#include "events/journal_place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "events/journal.h"

enum {
    TRIES_MAX = 100,    /* to lock a file before it gets another name */
    DAMAGED_MAX = 1000, /* files set aside */
};

typedef char name_text[NAME_MAX + 1];

static void name_format(const struct journal_place *place, const char *suffix, name_text name)
{
    snprintf(name, sizeof(name_text), "%s%s", place->name, suffix);
}

/* ---- the folder ---- */

/* The path in two: the folder and the name. */
static int path_split(struct journal_place *place, const char *path, struct error *error)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    size_t size = strlen(path) + 1;

    if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return error_set(error, -EISDIR, "--event-log: \"%s\" is a folder: name a file in it", path);
    if (strlen(name) > JOURNAL_NAME_MAX)
        return error_set(error, -ENAMETOOLONG,
                         "--event-log: \"%s\": the file's name has %zu bytes; at most %d are possible", path,
                         strlen(name), JOURNAL_NAME_MAX);
    place->path = malloc(2 * size);
    if (!place->path)
        return error_set(error, -ENOMEM, "--event-log: %s", strerror(ENOMEM));
    memcpy(place->path, path, size);
    memcpy(place->path + size, path, size);
    place->name = place->path + (name - path);
    place->folder = slash ? place->path + size : ".";
    if (slash)
        place->path[size + (size_t)(slash == path ? 1 : slash - path)] = '\0';
    return 0;
}

int journal_place_open(struct journal_place *place, const char *path, struct error *error)
{
    int r = path_split(place, path, error);

    if (r < 0)
        return r;
    place->folder_fd = open(place->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (place->folder_fd >= 0)
        return 0;
    if (errno == ENOENT)
        return error_set(error, -errno, "--event-log: \"%s\": there is no folder %s; make it first: mkdir -p %s", path,
                         place->folder, place->folder);
    return error_set(error, -errno, "--event-log: \"%s\": cannot open the folder %s as uid %u: %s", path, place->folder,
                     (unsigned int)geteuid(), strerror(errno));
}

void journal_place_close(struct journal_place *place)
{
    if (place->folder_fd >= 0)
        close(place->folder_fd);
    place->folder_fd = -1;
    free(place->path);
    place->path = NULL;
}

/* ---- opening and locking ---- */

static int open_error(const struct journal_place *place, const char *suffix, int r, struct error *error)
{
    const char *what = NULL;

    if (r == -ELOOP)
        what = "a symbolic link, which is never followed: name its target";
    else if (r == -EISDIR)
        what = "a folder: name a file in it";
    else if (r == -ENXIO || r == -ENODEV || r == -EOPNOTSUPP)
        what = "no regular file; it is left alone: choose another path";
    if (what)
        return error_set(error, r, "--event-log: \"%s%s\" is %s", place->path, suffix, what);
    return error_set(error, r, "--event-log: cannot open \"%s%s\" as uid %u: %s", place->path, suffix,
                     (unsigned int)geteuid(), strerror(-r));
}

static int busy_error(const struct journal_place *place, struct error *error)
{
    return error_set(error, -EBUSY, "--event-log: \"%s\": another berth has it; stop that one, or choose another path",
                     place->path);
}

static int file_lock(const struct journal_place *place, const char *suffix, int fd, struct error *error)
{
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    return errno == EWOULDBLOCK ? busy_error(place, error) : open_error(place, suffix, -errno, error);
}

static int regular_check(const struct journal_place *place, const char *suffix, int fd, struct error *error)
{
    struct stat status;

    if (fstat(fd, &status) < 0)
        return open_error(place, suffix, -errno, error);
    return S_ISREG(status.st_mode) ? 0 : open_error(place, suffix, -EOPNOTSUPP, error);
}

/* 1: it got another name before it could be locked. */
static int take_try(const struct journal_place *place, const char *suffix, struct error *error, int *ret_fd)
{
    name_text name;
    int fd, r;

    name_format(place, suffix, name);
    /* O_NONBLOCK is for a FIFO or a device that somebody put there. */
    fd = openat(place->folder_fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return errno == ENOENT ? -ENOENT : open_error(place, suffix, -errno, error);
    r = regular_check(place, suffix, fd, error);
    if (r == 0)
        r = file_lock(place, suffix, fd, error);
    if (r == 0 && !journal_place_is(place, suffix, fd))
        r = 1;
    if (r == 0)
        *ret_fd = fd;
    else
        close(fd);
    return r;
}

int journal_place_take(const struct journal_place *place, const char *suffix, struct error *error, int *ret_fd)
{
    int r = 1;

    for (int tries = 0; r == 1 && tries < TRIES_MAX; tries++)
        r = take_try(place, suffix, error, ret_fd);
    return r == 1 ? busy_error(place, error) : r;
}

int journal_place_make(const struct journal_place *place, const char *suffix, struct error *error, int *ret_fd)
{
    name_text name;
    int fd, r;

    name_format(place, suffix, name);
    fd = openat(place->folder_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
    if (fd < 0 && errno == EEXIST)
        return busy_error(place, error); /* it was not there just now */
    if (fd < 0)
        return error_set(error, -errno, "--event-log: cannot make \"%s%s\" as uid %u: %s", place->path, suffix,
                         (unsigned int)geteuid(), strerror(errno));
    r = file_lock(place, suffix, fd, error);
    /* A umask of 0777 would leave a file that we could not open ourselves the next time. */
    if (r == 0 && fchmod(fd, 0600) < 0)
        r = open_error(place, suffix, -errno, error);
    if (r == 0)
        *ret_fd = fd;
    else
        close(fd);
    return r;
}

/* ---- names ---- */

bool journal_place_has(const struct journal_place *place, const char *suffix)
{
    struct stat status;
    name_text name;

    name_format(place, suffix, name);
    return fstatat(place->folder_fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

bool journal_place_is(const struct journal_place *place, const char *suffix, int fd)
{
    struct stat ours, theirs;
    name_text name;

    name_format(place, suffix, name);
    return fstat(fd, &ours) == 0 && fstatat(place->folder_fd, name, &theirs, AT_SYMLINK_NOFOLLOW) == 0 &&
           ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

/* rename(2) that replaces nothing, also where the file system does not know how. */
static int name_move(int folder, const char *from, const char *to)
{
    if (renameat2(folder, from, folder, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -errno;
    if (linkat(folder, from, folder, to, 0) < 0 || unlinkat(folder, from, 0) < 0)
        return -errno;
    return 0;
}

int journal_place_move(const struct journal_place *place, const char *from, const char *to, bool replace,
                       struct error *error)
{
    name_text from_name, to_name;
    int r;

    name_format(place, from, from_name);
    name_format(place, to, to_name);
    if (!replace)
        r = name_move(place->folder_fd, from_name, to_name);
    else
        r = renameat(place->folder_fd, from_name, place->folder_fd, to_name) < 0 ? -errno : 0;
    if (r < 0)
        return error_set(error, r, "--event-log: cannot rename \"%s%s\" to %s: %s", place->path, from, to_name,
                         strerror(-r));
    return 0;
}

int journal_place_set_aside(const struct journal_place *place, const char *suffix, const char *why, struct error *error)
{
    name_text from, to;
    int r = -EEXIST;

    name_format(place, suffix, from);
    for (int n = 1; r == -EEXIST && n <= DAMAGED_MAX; n++) {
        snprintf(to, sizeof(to), "%s.damaged-%d", place->name, n);
        r = name_move(place->folder_fd, from, to);
    }
    if (r == -EEXIST)
        return error_set(error, r,
                         "--event-log: \"%s%s\" %s, and %d files that were set aside are beside it already; move them "
                         "elsewhere",
                         place->path, suffix, why, DAMAGED_MAX);
    if (r < 0)
        return error_set(error, r, "--event-log: \"%s%s\" %s, and cannot be set aside as %s: %s", place->path, suffix,
                         why, to, strerror(-r));
    log_warning("event log: \"%s%s\" %s; it is set aside as %s", place->path, suffix, why, to);
    return 0;
}

void journal_place_drop(const struct journal_place *place, const char *suffix)
{
    name_text name;

    name_format(place, suffix, name);
    unlinkat(place->folder_fd, name, 0);
}
