/*
 * One recorder, from its start to its end. What is to be done then, recording.c says.
 */
#ifndef BERTH_SUPERVISOR_RECORDER_H
#define BERTH_SUPERVISOR_RECORDER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervisor/internal.h"

struct recorder {
    struct recording *recording;
    uv_loop_t *loop;
    pid_t pid;
    enum process_state state;
    bool on_trial; /* with the settings of a generation that is still to take over */
    bool pinged, explained, reaped;
    uint64_t ready_at; /* on the loop's clock; 0: never */
    unsigned int timeout_ms, graceful_ms;
    int channel; /* -1: over */
    uv_poll_t poll;
    uv_timer_t timer;
    int open_handles; /* freed with the last */
};

/* With the generation's settings, datagram sockets and identity. -errno. */
int recorder_start(struct recording *recording, const struct generation *generation, int log_fd, int rendezvous_fd,
                   struct recorder **ret_recorder);

void recorder_send_log(struct recorder *recorder);
void recorder_drain(struct recorder *recorder);
void recorder_kill(struct recorder *recorder);
bool recorder_lived(const struct recorder *recorder); /* long enough to be no failed start */

/* It has ended: its last words are heard. Then it can be freed, which happens on the loop. */
void recorder_reaped(struct recorder *recorder);
void recorder_free(struct recorder *recorder);

/* recording.c: what it said. */
void recording_on_ready(struct recording *recording);
void recording_on_failed(struct recording *recording, const char *reason);

#endif
