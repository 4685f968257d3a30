/*
 * The log: lines for whoever runs the server, on standard error. Under systemd (JOURNAL_STREAM names our standard
 * error) a line begins with its sd-daemon(3) level; elsewhere with the time (at a terminal without the date), the
 * program's role and, unless it is just information, the level. Or it is JSON, wherever it goes. A line is one write(2)
 * of at most 4096 bytes; longer ones are cut. What nobody takes is not waited for: the next line that somebody takes
 * tells how many are missing.
 */
#ifndef BERTH_COMMON_LOG_H
#define BERTH_COMMON_LOG_H

#include <stdbool.h>

#include <berth.h> /* enum berth_log_level, and berth_log itself, which writes one line */
#include "common/error.h"

/* Lines less important than `level` are dropped; `role` ("berth", "berth worker 2") must outlive the program. */
void log_init(enum berth_log_level level, const char *role);

/* Each line a JSON object: time, level, role, message. */
void log_use_json(bool json);

#define log_error(...)   berth_log(BERTH_LOG_ERROR, __VA_ARGS__)
#define log_warning(...) berth_log(BERTH_LOG_WARNING, __VA_ARGS__)
#define log_info(...)    berth_log(BERTH_LOG_INFO, __VA_ARGS__)
#define log_debug(...)   berth_log(BERTH_LOG_DEBUG, __VA_ARGS__)

/* --log FILE: opens it for appending and puts it in the place of standard error; again after SIGUSR1. Until it
 * succeeds, the log goes where it went before. A FIFO that nobody reads is not waited for: -ENXIO. */
int log_open(const char *path, struct error *error);

/* Whether log_open would succeed; the file is there then. */
int log_try(const char *path, struct error *error);

#endif
