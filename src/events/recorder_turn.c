/*
 * A turn of the recorder: what was gathered goes into the journal in one piece, and then into the log. Where the
 * journal does not take it, the publications are tried one by one, in their order; the first that finds no room is
 * refused, and all behind it, whose records have the numbers that follow from its own. The next turn tries again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "events/recorder_parts.h"

/* A batch that was larger than usual does not stay. */
#define KEPT_MEMORY_MAX (2 * TURN_SIZE_MAX)

/* A record's own head, the names and numbers of its text, and padding. */
#define RECORD_FRAME 512

/* A byte of a user's name becomes so many at most (batch.h). */
#define USER_FACTOR 6

void turn_init(struct recorder *recorder)
{
    recorder->turn.append_max = event_log_size(CONTRACT_EVENT_LOG_FD) / EVENT_LOG_APPEND_PART;
    recorder->turn.next_id = event_log_next_id(recorder->writer);
}

void turn_done(struct recorder *recorder)
{
    event_batch_done(&recorder->turn.batch);
    free(recorder->turn.items);
    recorder->turn.items = NULL;
}

uint64_t turn_time(const struct recorder *recorder)
{
    uint64_t least = event_log_last_time(recorder->writer), us;
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    us = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
    return us > least ? us : least;
}

/* ---- gathering ---- */

size_t turn_bound(const struct event *event)
{
    return RECORD_FRAME + event->user_size * USER_FACTOR + event->type_size + event->data_size;
}

static int items_reserve(struct turn *turn)
{
    size_t room = turn->allocated > 0 ? turn->allocated * 2 : 64;
    struct gathered *larger;

    if (turn->count < turn->allocated)
        return 0;
    larger = reallocarray(turn->items, room, sizeof(*larger));
    if (!larger)
        return -ENOMEM;
    turn->items = larger;
    turn->allocated = room;
    return 0;
}

int turn_begin(struct recorder *recorder, struct worker_channel *channel, uint64_t token, size_t bound)
{
    struct turn *turn = &recorder->turn;
    size_t room = turn->append_max < TURN_SIZE_MAX ? turn->append_max : TURN_SIZE_MAX;
    int r;

    if (turn->batch.buffer.size > 0 && turn->batch.buffer.size + bound > room)
        turn_flush(recorder);
    r = items_reserve(turn);
    if (r == 0)
        turn->items[turn->count++] =
            (struct gathered){ .channel = channel, .token = token, .offset = turn->batch.buffer.size };
    return r;
}

int turn_add(struct recorder *recorder, const struct event *event, uint64_t time_us)
{
    struct turn *turn = &recorder->turn;
    struct gathered *item = &turn->items[turn->count - 1];
    int r = event_batch_add(&turn->batch, event, turn->next_id, time_us, item->token);

    if (r < 0)
        return r;
    turn->next_id++;
    item->count++;
    item->size = turn->batch.buffer.size - item->offset;
    return item->size > turn->append_max ? -EMSGSIZE : 0;
}

void turn_refuse(struct recorder *recorder, int r)
{
    struct turn *turn = &recorder->turn;
    struct gathered *item = &turn->items[turn->count - 1];

    turn->next_id -= item->count;
    turn->batch.count -= item->count;
    turn->batch.buffer.size = item->offset;
    item->size = item->count = 0;
    item->refused = r;
}

void turn_forget(struct recorder *recorder, const struct worker_channel *channel)
{
    for (size_t i = 0; i < recorder->turn.count; i++)
        if (recorder->turn.items[i].channel == channel)
            recorder->turn.items[i].channel = NULL;
}

/* ---- storing ---- */

/* Once it is in the journal it must get into the log; our successor sees to that. */
static void store_in_log(struct recorder *recorder, const char *bytes, size_t size)
{
    int r = event_log_append(recorder->writer, bytes, size);

    if (r == 0)
        return;
    log_error("the log of events does not take what is due: %s: beginning again", strerror(-r));
    _exit(EXIT_FAILURE);
}

static int store(struct recorder *recorder, size_t offset, size_t size, size_t count)
{
    const char *bytes = recorder->turn.batch.buffer.bytes + offset;
    int r = 0;

    if (size == 0)
        return 0;
    if (recorder->journal)
        r = journal_append(recorder->journal, bytes, size);
    if (r < 0)
        return r;
    store_in_log(recorder, bytes, size);
    event_log_count(recorder->writer, EVENT_LOG_STORED, count);
    recorder->turn.news = true;
    return 0;
}

static void answer(struct recorder *recorder, const struct gathered *item, uint64_t first_id, int r)
{
    struct channel_header header = { .type = r == 0 ? CHANNEL_STORED : CHANNEL_REFUSED, .token = item->token };

    if (!item->channel)
        return;
    header.value = r == 0 ? first_id : (uint64_t)-r;
    header.count = r == 0 ? item->count : 0;
    workers_answer(recorder, item->channel, &header);
}

static void tell_of_room(struct recorder *recorder, int r)
{
    struct turn *turn = &recorder->turn;
    const char *path = recorder->launch.settings.event_log;

    if (r < 0 && turn->trouble == 0)
        log_error("--event-log %s: cannot write: %s: events are refused until that is mended", path, strerror(-r));
    else if (r == 0 && turn->trouble < 0)
        log_info("--event-log %s: can be written again; events refused meanwhile: %llu", path,
                 (unsigned long long)turn->left_out);
    if (r == 0)
        turn->left_out = 0;
    turn->trouble = r;
}

/* From the first on that has no room, all are refused. */
static void store_one_by_one(struct recorder *recorder)
{
    struct turn *turn = &recorder->turn;
    uint64_t id = event_log_next_id(recorder->writer);
    int trouble = 0;

    for (size_t i = 0; i < turn->count; i++) {
        const struct gathered *item = &turn->items[i];

        if (item->refused == 0 && trouble == 0)
            trouble = store(recorder, item->offset, item->size, item->count);
        if (item->refused == 0 && trouble < 0) {
            turn->left_out += item->count;
            event_log_count(recorder->writer, EVENT_LOG_NO_ROOM, item->count);
        }
        answer(recorder, item, id, item->refused < 0 ? item->refused : trouble);
        if (item->refused == 0 && trouble == 0)
            id += item->count;
    }
    tell_of_room(recorder, trouble);
}

static void store_all(struct recorder *recorder)
{
    struct turn *turn = &recorder->turn;
    uint64_t id = event_log_next_id(recorder->writer);

    if (store(recorder, 0, turn->batch.buffer.size, turn->batch.count) < 0) {
        store_one_by_one(recorder);
        return;
    }
    if (turn->batch.buffer.size > 0 && turn->trouble < 0)
        tell_of_room(recorder, 0);
    for (size_t i = 0; i < turn->count; i++) {
        answer(recorder, &turn->items[i], id, turn->items[i].refused);
        id += turn->items[i].count;
    }
}

void turn_flush(struct recorder *recorder)
{
    struct turn *turn = &recorder->turn;

    if (turn->count == 0)
        return;
    store_all(recorder);
    turn->count = 0;
    if (turn->batch.buffer.allocated > KEPT_MEMORY_MAX)
        event_batch_done(&turn->batch);
    else
        event_batch_clear(&turn->batch);
    turn->next_id = event_log_next_id(recorder->writer);
}
