/*
 * The recorder, as seen from here, and what outlives it: the log of events and the rendezvous. All of it is made when
 * something uses events, and then stays until the end. Which recorder is to run follows from a generation's settings:
 * one whose settings changed ends before its successor begins, since there is one writer at a time.
 */
#ifndef BERTH_SUPERVISOR_RECORDING_H
#define BERTH_SUPERVISOR_RECORDING_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/error.h"

struct generation;
struct process;
struct recording;
struct supervisor;

int recording_new(struct supervisor *supervisor, struct recording **ret_recording);
void recording_close(struct recording *recording); /* its handles, before the loop ends */
void recording_free(struct recording *recording);  /* NULL is allowed */

/* The first generation is about to start: if its settings ask for events, the recorder starts as well. */
int recording_begin(struct recording *recording, struct generation *generation, struct error *error);

/* Whether a recorder that was asked for from the start is not yet ready. */
bool recording_is_awaited(const struct recording *recording);

/* The generation is ready to take over: whether the recorder has its settings, too. If not, it will, and then
 * supervisor_on_recorder_ready or supervisor_on_recorder_failed is called. */
bool recording_follow(struct recording *recording, struct generation *generation);

/* The generation is about to be freed. */
void recording_forget(struct recording *recording, const struct generation *generation);

/* A worker uses events: gives it the log and the rendezvous, which are made now if they are not there. */
void recording_admit(struct recording *recording, struct process *process);

/* A child has ended; false: it was not the recorder. */
bool recording_reaped(struct recording *recording, pid_t pid, int status);

/* The log was opened again. */
void recording_send_log(struct recording *recording);

/* All workers have gone: ends it. Whether it has ended. */
bool recording_end(struct recording *recording);
void recording_kill(struct recording *recording);

#endif
