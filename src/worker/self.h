/*
 * What the worker is, for chapter 7 of berth.h.
 */
#ifndef BERTH_WORKER_SELF_H
#define BERTH_WORKER_SELF_H

struct applications;
struct counters_file;
struct http_server;

struct self {
    const struct http_server *http;
    const struct applications *applications; /* from the first request on */
    const struct counters_file *counters;    /* NULL: none */
};

/* Once; it stays where it is. */
void self_set(const struct self *self);

#endif
