/*
 * A line of the access log: from what is known of a request to the bytes of its line. Pure; access_log.h writes them.
 *
 *   2026-11-22T15:02:54.123+01:00 alice uid=1000 pid=4711 "GET /index" 200 1234 0.085ms "curl/7.88.1"
 *   {"time":"2026-11-22T15:02:54.123+01:00","user":"alice","uid":1000,"pid":4711,"client":null,"method":"GET",
 *    "target":"/index","status":200,"bytes":1234,"milliseconds":0.085,"user_agent":"curl/7.88.1","complete":true}
 *
 * What is not known is "-", and null in JSON. What came through a trusted proxy has " client=203.0.113.7" behind the
 * pid, or " client=-" where the proxy did not say; user, uid and pid are the proxy's. A reply that was not sent to its
 * end has " incomplete" behind its line.
 */
#ifndef BERTH_WORKER_ACCESS_LINE_H
#define BERTH_WORKER_ACCESS_LINE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/line.h"
#include "common/settings.h" /* enum log_format */

/* With its newline. Below PIPE_BUF, so that a write to a pipe has room for it, and usually for many. */
#define ACCESS_LINE_MAX 2048

/* How much of each text a line shows, escaped, with its quotes and the mark at the end of what was cut. */
#define ACCESS_USER_MAX   128
#define ACCESS_CLIENT_MAX 64
#define ACCESS_METHOD_MAX 64
#define ACCESS_TARGET_MAX 1024
#define ACCESS_AGENT_MAX  512

struct access_entry {
    struct timespec time; /* when the request was over */
    const char *user;     /* not "" */
    uid_t uid;
    pid_t pid;                   /* 0: not known */
    const char *client;          /* the address that a trusted proxy told of; "": it did not; NULL: came through none */
    const char *method, *target; /* "": not known */
    const char *user_agent;      /* NULL: none */
    unsigned int status;         /* 0: not known, or none */
    uint64_t bytes;
    uint64_t nanoseconds;
    bool complete;
};

/* What the lines share that were made last. Begins as zeroes but for the format. */
struct access_style {
    enum log_format format;
    struct line_clock clock;
    /* Of the user that came last: as it was given, and as it is shown. */
    char user[ACCESS_USER_MAX];
    uid_t uid;
    char peer[ACCESS_USER_MAX + 64];
    size_t peer_size;
};

/* Adds one line, of at most ACCESS_LINE_MAX bytes, for which there must be room. */
void access_line_add(struct line *line, struct access_style *style, const struct access_entry *entry);

/* A line that says that `lost` lines are missing at this place. */
void access_line_add_lost(struct line *line, struct access_style *style, const struct timespec *time, uint64_t lost,
                          const char *role);

#endif
