/*
 * Writing to where logs go without waiting for whoever reads them, and without a change to an open file description
 * that other processes share: O_NONBLOCK would be theirs, too.
 */
#ifndef BERTH_COMMON_SINK_H
#define BERTH_COMMON_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum sink_kind {
    SINK_NONE,    /* not open, or nothing that can be written to */
    SINK_FILE,    /* waits for no reader; the disk may be full */
    SINK_CHANNEL, /* a pipe, a terminal or another device */
    SINK_SOCKET,  /* such as the journal's */
};

struct sink {
    int fd; /* borrowed */
    enum sink_kind kind;
    bool nonblocking; /* the description is */
    /* No more than so many bytes in one write, whole lines: then those of several processes never cut into each
     * other (pipe(7)). */
    size_t piece;
};

/* Looks at what the descriptor is. */
void sink_init(struct sink *sink, int fd);

/* Returns how many bytes were taken, which for a channel or a socket is all of at most `piece`, or -errno: -EAGAIN
 * where it would have to wait, -EPIPE when the reader is gone. */
ssize_t sink_write(const struct sink *sink, const char *bytes, size_t size);

/* Opens what `fd` is once more: a description of our own, O_NONBLOCK, for channels, and a duplicate where that is not
 * needed or not possible. With no `fd` that could be written to it is /dev/null. */
int sink_reopen(int fd);

#endif
