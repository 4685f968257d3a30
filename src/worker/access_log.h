/*
 * The access log: a line for each request, gathered and written once per turn of the loop, and never waited for.
 *
 *   request over ──▶ access_log_add ──▶ buffer ──(before the loop sleeps)──▶ write, whole lines at a time
 *                                         │
 *            nobody takes them: the buffer fills, then lines are dropped and counted, until there is room
 *            again; a line then says how many are missing. The reader is gone: the log ends.
 */
#ifndef BERTH_WORKER_ACCESS_LOG_H
#define BERTH_WORKER_ACCESS_LOG_H

#include <stdatomic.h>
#include <uv.h>

#include "common/sink.h"
#include "http/server.h"
#include "worker/access_line.h"

/* What a busy turn of the loop gathers, and what a reader that pauses may fall behind. */
#define ACCESS_LOG_BUFFER 65536

/* How long after a disk was full it is tried again. */
#define ACCESS_LOG_RETRY_MS 1000

struct access_log {
    /* the worker's to set before access_log_open; dropped may be NULL */
    enum log_format format;
    const char *role;          /* "berth worker 2" */
    _Atomic uint64_t *dropped; /* counts the lines that were */

    /* access_log.c's */
    struct sink sink;
    struct access_style style;
    bool open;       /* requests are logged */
    bool ended;      /* nobody will read what is written */
    bool waiting;    /* nothing is written before somebody takes it again */
    bool watched;    /* by room */
    bool torn;       /* what is written to may end in the middle of a line */
    bool in_line;    /* the buffer begins in the middle of a line, whose beginning was written */
    bool complained; /* since it last worked */
    uint64_t lost;   /* that no line has told of */
    uv_prepare_t prepare;
    uv_timer_t retry; /* of a file */
    uv_poll_t room;   /* of a channel or socket: on an epoll descriptor of our own, since uv_poll_init changes the
                       * description that it is given */
    int room_fd;
    char buffer[ACCESS_LOG_BUFFER];
    struct line lines; /* in the buffer */
};

/* The descriptor stays where it is for the worker's life. -errno; then the log is as if it were off, and needs no
 * closing. */
int access_log_open(struct access_log *log, uv_loop_t *loop, int fd);

/* A request is over. Does nothing where the log is not open. */
void access_log_add(struct access_log *log, const struct http_record *record);

/* libmicrohttpd refused something by itself (http_server.on_library_error): a line with who it was and the status, and
 * "-" for the rest. It is no line of the error log, because clients cause it as they like, and because every answer
 * that a client got is in this one. */
void access_log_add_refused(struct access_log *log, const struct berth_peer *peer, unsigned int status);

/* Puts the description of `fd`, which stays the caller's, in the place of the log's; what was gathered goes to the old
 * one as far as that takes it, the rest to the new one. */
void access_log_replace(struct access_log *log, int fd);

/* Writes what it can; the loop's next turns close its handles. */
void access_log_close(struct access_log *log);

#endif
