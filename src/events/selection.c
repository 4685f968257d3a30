#include "events/selection.h"

#include <time.h>

/* An event that came in time may still be on its way into the log for so long. */
#define GRACE_MS 1000
#define LOOK_MS  60000

uint64_t selection_seek(const struct event_log *log, const struct berth_event_query *query,
                        struct event_cursor *ret_cursor)
{
    struct event_cursor by_time;
    uint64_t missed = 0;

    if (query->since_id_given)
        missed = event_log_seek_id(log, query->since_id, ret_cursor);
    else if (query->since_us == 0)
        event_log_seek_end(log, ret_cursor);
    if (query->since_us == 0)
        return missed;
    event_log_seek_time(log, query->since_us, &by_time);
    if (!query->since_id_given || by_time.position > ret_cursor->position)
        *ret_cursor = by_time;
    return missed;
}

static uint64_t wall_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

bool selection_is_past(uint64_t until_us)
{
    uint64_t now = until_us != 0 ? wall_us() : 0;

    return until_us != 0 && until_us <= now && now - until_us >= GRACE_MS * 1000;
}

uint64_t selection_wait_ms(uint64_t until_us)
{
    uint64_t now = wall_us(), ms = until_us > now ? (until_us - now) / 1000 : 0;

    return ms < LOOK_MS - GRACE_MS ? ms + GRACE_MS : LOOK_MS;
}

uint64_t selection_stop(const struct event_log *log, const struct berth_event_query *query)
{
    struct event_cursor end;

    if (!query->past_only && !selection_is_past(query->until_us))
        return UINT64_MAX;
    event_log_seek_end(log, &end);
    return end.position;
}
