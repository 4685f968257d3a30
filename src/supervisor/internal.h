/*
 * What the supervisor's files share: a supervisor has generations, a generation has processes (its workers). Calls go
 * down by process_… and generation_…, news comes up by generation_on_… and supervisor_on_….
 */
#ifndef BERTH_SUPERVISOR_INTERNAL_H
#define BERTH_SUPERVISOR_INTERNAL_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "common/contract.h"
#include "common/counters.h"
#include "socket/notify.h"
#include "supervisor/identity.h"
#include "supervisor/modules.h"
#include "supervisor/recording.h"
#include "supervisor/sockets.h"

enum {
    LINGER_MS = 2000, /* beyond its own deadline, before a worker is killed */
    ABORT_MS = 1000,  /* between SIGABRT and SIGKILL */
    STEADY_MS = 250,  /* a worker that lived so long was no failed start */
    BACKOFF_MIN_MS = 100,
    BACKOFF_MAX_MS = 5000,
    PING_MAX_MS = 10000,
};

/* ---- a worker, as seen from here: process.c ---- */

enum process_state {
    PROCESS_STARTING, /* until READY */
    PROCESS_SERVING,
    PROCESS_RETIRING,  /* serves until its replacement does */
    PROCESS_LEAVING,   /* was told to drain or to stop */
    PROCESS_CONDEMNED, /* failed us: ended, or about to be */
};

struct process {
    struct process *next;
    struct generation *generation;
    unsigned int number; /* `berth worker NUMBER` */
    pid_t pid;
    enum process_state state;
    bool busy;         /* has connections */
    bool pinged;       /* and has not answered */
    bool explained;    /* why it ends was said already */
    bool timed_out;    /* --worker-timeout was over */
    bool reaped;       /* its pid is nobody's, or somebody else's */
    uint64_t ready_at; /* on the loop's clock; 0: never */
    int channel;       /* -1: over */
    uv_poll_t poll;    /* on the channel */
    uv_timer_t timer;  /* the next thing that is due, by state */
    int open_handles;  /* freed with the last */
};

int process_start(struct generation *generation, unsigned int number, struct process **ret_process);
void process_drain(struct process *process);
void process_stop(struct process *process);
void process_kill(struct process *process);
void process_send_log(struct process *process);
void process_send_access_log(struct process *process);
void process_send_events(struct process *process, int log_fd, int rendezvous_fd);
void process_reaped(struct process *process, int status); /* frees it */
bool process_lived(const struct process *process);        /* long enough to be no failed start */

/* ---- workers with the same settings: generation.c ---- */

enum generation_state {
    GENERATION_COMPILING,
    GENERATION_STARTING, /* until all are READY */
    GENERATION_SERVING,
    GENERATION_LEAVING, /* nobody is started any more; freed with the last process */
};

/* Borrowed from the sockets until the generation leaves. */
struct generation_datagram {
    int fd;
    const char *name;
};

struct generation {
    struct generation *next;
    struct supervisor *supervisor;
    enum generation_state state;
    struct settings settings;
    struct identity identity;
    struct modules modules;
    int *fds; /* the listeners'; borrowed from the sockets until the generation leaves */
    size_t listener_count;
    struct generation_datagram *datagrams; /* the recorder's sockets */
    size_t datagram_count;
    int launch_fd;
    int access_fd;             /* where the workers write their access log to */
    struct process *processes; /* the last started first */
    unsigned int wanted;       /* how many are to serve */
    unsigned int streak;       /* starts that failed in a row */
    uv_timer_t backoff;        /* active: no start before it fires */
    struct error failure;      /* what the last FAILED said */
};

/* Takes settings and identity over, on failure too. */
int generation_new(struct supervisor *supervisor, struct settings *settings, struct identity *identity,
                   struct generation **ret_generation);
void generation_free(struct generation *generation);

/* Opens where its access log goes; once more, only if that is a file of its own. */
int generation_open_access_log(struct generation *generation, struct error *error);
void generation_reopen_access_log(struct generation *generation);

/* Starts the workers, as soon as nothing is compiled any more. */
void generation_start(struct generation *generation);
/* Starts, drains and replaces until as many serve as are wanted. */
void generation_reconcile(struct generation *generation);
void generation_drain(struct generation *generation);
void generation_stop(struct generation *generation);
void generation_kill(struct generation *generation);
/* It did not come to serve: those of it that accepted drain, the others stop. */
void generation_abort(struct generation *generation);
bool generation_is_empty(const struct generation *generation);
unsigned int generation_count(const struct generation *generation, enum process_state state);
uint64_t generation_ping_ms(const struct generation *generation);

/* After how many milliseconds the next start may be: 0, 100, 200, 400, …; the streak grows by one. */
unsigned int backoff_delay(unsigned int *streak);

/* A child has ended; false: none of this generation's. */
bool generation_reaped(struct generation *generation, pid_t pid, int status);
void generation_on_ready(struct generation *generation, const char *target);
void generation_on_retire(struct generation *generation);
void generation_on_end(struct generation *generation, struct process *process, int status);
bool generation_replaces(const struct generation *generation, const struct process *process); /* once it has ended */

/* ---- the whole: supervisor.c, reload.c, report.c ---- */

struct supervisor {
    int argc;
    char **argv;
    char program_path[PATH_MAX];
    struct program program; /* what children are started from */
    uv_loop_t loop;
    struct sockets sockets;
    struct counters *counters;
    struct notify *notify;
    struct recording *recording;
    struct generation *generations; /* all that are being compiled, or have processes */
    struct generation *current;     /* serves; NULL until the first does, and when it has ended */
    struct generation *next;        /* is being started, to take over from current */
    uv_signal_t signals[9];
    uv_timer_t idle;                   /* --exit-idle-time */
    uv_timer_t progress;               /* while stopping: tells the service manager that it goes on */
    char *pid_file;                    /* written, and ours to remove */
    bool announced;                    /* READY=1 was said */
    bool worker_ready;                 /* one at least, once */
    char target[CONTROL_BODY_MAX + 1]; /* what the first of them says to try */
    int banner_fd;                     /* where somebody looks on; -1: nobody does, or it was shown */
    bool reload_again;                 /* HUP came during a reload */
    bool stopping, forced;
    int exit_code;
};

void supervisor_on_worker_ready(struct supervisor *supervisor, const char *target);
void supervisor_on_ready(struct supervisor *supervisor, struct generation *generation);
void supervisor_on_failed(struct supervisor *supervisor, struct generation *generation, const char *reason);
void supervisor_on_recorder_ready(struct supervisor *supervisor);
/* With the settings of the first generation, or of the one that is to take over. */
void supervisor_on_recorder_failed(struct supervisor *supervisor, int exit_code, const char *reason);
void supervisor_on_activity(struct supervisor *supervisor);
void supervisor_drain(struct supervisor *supervisor);
void supervisor_reopen_logs(struct supervisor *supervisor);

/* reload.c: the next generation, from the settings as they are now. 0, or the exit code that this failure means. */
int reload_begin(struct supervisor *supervisor, struct error *error);
int reload_exit_code(int r); /* of a negative errno: wrong configuration, or a failure */
void reload_request(struct supervisor *supervisor);
void reload_commit(struct supervisor *supervisor);
void reload_fail(struct supervisor *supervisor, const char *reason);

/* report.c: what others are told. */
void report_prepare_banner(struct supervisor *supervisor);
void report_banner(struct supervisor *supervisor, const char *target); /* what the first worker says to try */
void report_state(struct supervisor *supervisor, const char *news);    /* "READY=1" and the like, with STATUS */
int report_pid(struct supervisor *supervisor, const char *path, struct error *error);
void report_pid_remove(struct supervisor *supervisor);

#endif
