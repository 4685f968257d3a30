/*
 * Replies that the kernel sends from a file. libmicrohttpd would wait for bytes that no longer come when such a file
 * becomes shorter under it: so the files that are being sent are looked at now and then, and the connection of one that
 * lost what was promised is cut, which is how a client sees that something is missing. So is one from which the client
 * took all that was sent, and nothing came after it: that file had become shorter in between.
 */
#ifndef BERTH_HTTP_FILE_H
#define BERTH_HTTP_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

/* How often the files of replies under way are looked at. */
#define FILE_WATCH_MS 1000

struct connection;

/* One reply under way; it is in its connection. */
struct file_sending {
    struct connection *connection; /* NULL: none */
    int fd;                        /* the response's */
    uint64_t end;                  /* of what was promised */
    bool taken;                    /* the client had read everything when we last looked */
    struct file_sending *previous, *next;
};

/* All of them. */
struct file_watch {
    struct file_sending *first;
    uv_timer_t timer;
    bool armed;
};

void file_watch_init(struct file_watch *watch, uv_loop_t *loop);
void file_watch_done(struct file_watch *watch);

void file_sending_start(struct connection *connection, int fd, uint64_t end);
void file_sending_stop(struct connection *connection);

#endif
