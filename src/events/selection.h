/*
 * Which part of the log a query of berth.h asks for: where it begins, and when it is over.
 */
#ifndef BERTH_EVENTS_SELECTION_H
#define BERTH_EVENTS_SELECTION_H

#include <stdbool.h>
#include <stdint.h>

#include <berth.h>
#include "events/log.h"

/* The later place of those that it asks for. Returns how many events are missing before it, as event_log_seek_id. */
uint64_t selection_seek(const struct event_log *log, const struct berth_event_query *query,
                        struct event_cursor *ret_cursor);

/* The position at which it ends; UINT64_MAX where it goes on with what is new. */
uint64_t selection_stop(const struct event_log *log, const struct berth_event_query *query);

/* Whether no event that comes now can be from before until_us. 0, which is never, is allowed. */
bool selection_is_past(uint64_t until_us);

/* After how many milliseconds to look again: at most a minute, since the wall clock may be set. */
uint64_t selection_wait_ms(uint64_t until_us);

#endif
