/*
 * One open file of a site: what its replies say about it, and its bytes or descriptor.
 */
#ifndef BERTH_APPS_SITE_FILE_H
#define BERTH_APPS_SITE_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include <berth.h>

#include "apps/accept_encoding.h"
#include "apps/http_date.h"

/*
 * Files up to this size are kept in memory: their reply is one system call, where head and sendfile are two. Measured,
 * a socket's copy of 4 KiB costs 1 µs less than the second call, one of 16 KiB half a microsecond more.
 */
#define SITE_MEMORY_FILE_MAX (8 * 1024)

/* The clock of a file system may tick as rarely as every two seconds (FAT); two changes within a tick look the same. A
 * file that changed so recently has a weak entity tag, of its own name, until its time is over. */
#define SITE_SETTLE_SECONDS 2

/* What tells whether a file is still the same one, unchanged. All zero: there is none. */
struct site_mark {
    dev_t device;
    ino_t inode;
    uint64_t size;
    struct timespec modified, changed;
};

struct site_file {
    unsigned int users; /* the cache, its prepared reply, replies that read from it */
    struct site_mark mark;
    const char *type;
    enum encoding encoding;
    bool varies;  /* the same path has files of several encodings */
    bool settled; /* its tag is for ever */
    char tag[64];
    char modified[HTTP_DATE_SIZE]; /* "": it says that it comes from the future */
    int fd;                        /* -1: */
    char *bytes;                   /* they are here; otherwise NULL */
    struct berth_prepared *whole;
};

/* -ENOENT for every error that a path which is not served has, other errors as they are: what is not served looks the
 * same as what is not there. */
int site_error(int r);

void site_mark_set(struct site_mark *mark, const struct stat *status);
bool site_marks_equal(const struct site_mark *one, const struct site_mark *other);

/*
 * Opens a regular file below a folder. `type` is a constant text. -ENOENT for what is not served (no regular file,
 * a link that leads out), -EACCES, and what else open(2) has to say.
 */
int site_file_open(int folder, const char *path, const char *type, enum encoding encoding, bool varies,
                   struct site_file **ret_file);

/* For whoever opened it: its prepared reply goes, and it too when nobody uses it any more. NULL is allowed. */
void site_file_close(struct site_file *file);

/* For replies that read from it later. */
struct site_file *site_file_use(struct site_file *file);
void site_file_release(struct site_file *file);

/* The header fields of every reply with this file: add(target, name, value), until it fails. */
int site_file_add_fields(const struct site_file *file, int (*add)(void *target, const char *name, const char *value),
                         void *target);

/* Up to `room` bytes from `offset` on; 0 behind the end, or a negative errno. */
ssize_t site_file_read(const struct site_file *file, uint64_t offset, void *buffer, size_t room);

#endif
