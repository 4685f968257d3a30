/*
 * Timers for applications (berth.h, chapter 5), and the loop itself.
 */
#include <errno.h>
#include <stdlib.h>
#include <uv.h>

#include <berth.h>

#include "worker/loop.h"

static uv_loop_t *the_loop;

struct berth_timer {
    uv_timer_t uv;
    void (*fire)(void *data);
    void *data;
};

void loop_set(uv_loop_t *loop)
{
    the_loop = loop;
}

struct uv_loop_s *berth_loop(void)
{
    return the_loop;
}

static void timer_fired(uv_timer_t *uv)
{
    struct berth_timer *timer = (struct berth_timer *)uv;

    timer->fire(timer->data);
}

static void timer_closed(uv_handle_t *handle)
{
    free(handle);
}

int berth_timer_start(uint64_t delay_ms, uint64_t repeat_ms, void (*fire)(void *data), void *data,
                      struct berth_timer **ret_timer)
{
    struct berth_timer *timer = malloc(sizeof(*timer));

    if (!timer)
        return -ENOMEM;
    uv_timer_init(the_loop, &timer->uv);
    timer->fire = fire;
    timer->data = data;
    uv_timer_start(&timer->uv, timer_fired, delay_ms, repeat_ms);
    *ret_timer = timer;
    return 0;
}

void berth_timer_stop(struct berth_timer *timer)
{
    if (timer)
        uv_close((uv_handle_t *)&timer->uv, timer_closed);
}
