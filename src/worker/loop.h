/*
 * The worker's loop, as berth_loop gives it to applications.
 */
#ifndef BERTH_WORKER_LOOP_H
#define BERTH_WORKER_LOOP_H

#include <uv.h>

void loop_set(uv_loop_t *loop);

#endif
