/*
 * The counters as Prometheus reads them: text, exposition format 0.0.4.
 */
#ifndef BERTH_COMMON_METRICS_H
#define BERTH_COMMON_METRICS_H

#include <stdio.h>

#include "common/counters.h"

/* The stream tells of its own errors. Labels are escaped; what is no UTF-8 in them, or a control character, is shown as
 * '?'. */
void metrics_write(const struct counters_snapshot *snapshot, const char *version, FILE *stream);

/* One figure without labels. `type` is "counter" or "gauge". */
void metrics_write_one(FILE *stream, const char *name, const char *type, const char *help, uint64_t value);

#endif
