#include "http/deadline.h"

#include "http/connection.h"

void deadline_stop(struct connection *connection)
{
    struct deadline *list = connection->deadline;

    if (!list)
        return;
    if (connection->previous_waiting)
        connection->previous_waiting->next_waiting = connection->next_waiting;
    else
        list->first = connection->next_waiting;
    if (connection->next_waiting)
        connection->next_waiting->previous_waiting = connection->previous_waiting;
    else
        list->last = connection->previous_waiting;
    connection->deadline = NULL;
}

/* A client that began a request is told why it ends; one that was idle has asked nothing. */
static void deadline_over(struct deadlines *deadlines, struct connection *connection)
{
    const struct deadline *list = connection->deadline;

    deadline_stop(connection);
    if (connection->refused)
        connection_last_word(connection, 503);
    else if (list == &deadlines->lists[DEADLINE_IDLE] && connection->request.state == REQUEST_NONE) {
        connection_stop_reading(connection);
        return;
    } else
        connection_last_word(connection, 408);
    connection_cut(connection);
}

static bool is_due(const struct deadlines *deadlines, uint64_t now)
{
    for (unsigned int i = 0; i < DEADLINE_COUNT; i++)
        if (deadlines->lists[i].first && deadlines->lists[i].first->due <= now)
            return true;
    return false;
}

static void deadlines_due(uv_timer_t *timer)
{
    struct deadlines *deadlines = timer->data;
    uint64_t now = uv_now(timer->loop);
    uint64_t next = UINT64_MAX;

    /* Timers come before what is readable: after a handler that took long, what arrived in time is read first. */
    if (is_due(deadlines, now))
        deadlines->look(deadlines);
    for (unsigned int i = 0; i < DEADLINE_COUNT; i++) {
        struct deadline *list = &deadlines->lists[i];

        while (list->first && list->first->due <= now)
            deadline_over(deadlines, list->first);
        if (list->first && list->first->due < next)
            next = list->first->due;
    }
    deadlines->timer_due = next;
    if (next != UINT64_MAX)
        uv_timer_start(timer, deadlines_due, next - now, 0);
}

static void timer_sooner(struct deadlines *deadlines, uint64_t due)
{
    uint64_t now = uv_now(deadlines->timer.loop);

    if (due >= deadlines->timer_due)
        return;
    deadlines->timer_due = due;
    uv_timer_start(&deadlines->timer, deadlines_due, due > now ? due - now : 0, 0);
}

void deadlines_init(struct deadlines *deadlines, uv_loop_t *loop)
{
    uv_timer_init(loop, &deadlines->timer);
    deadlines->timer.data = deadlines;
    deadlines->timer_due = UINT64_MAX;
}

void deadlines_done(struct deadlines *deadlines)
{
    uv_close((uv_handle_t *)&deadlines->timer, NULL);
}

void deadline_start(struct deadlines *deadlines, unsigned int which, struct connection *connection)
{
    struct deadline *list = &deadlines->lists[which];

    deadline_stop(connection);
    connection->deadline = list;
    connection->due = uv_now(deadlines->timer.loop) + list->ms;
    connection->previous_waiting = list->last;
    connection->next_waiting = NULL;
    if (list->last)
        list->last->next_waiting = connection;
    else
        list->first = connection;
    list->last = connection;

    /* The timer is left alone while it is due earlier: it then finds what is next. So a request costs no timer. */
    timer_sooner(deadlines, connection->due);
}

void deadlines_shorten(struct deadlines *deadlines, unsigned int which, uint64_t ms)
{
    struct deadline *list = &deadlines->lists[which];
    uint64_t less = list->ms > ms ? list->ms - ms : 0;

    list->ms -= less;
    for (struct connection *connection = list->first; connection; connection = connection->next_waiting)
        connection->due -= less;
    if (list->first)
        timer_sooner(deadlines, list->first->due);
}
