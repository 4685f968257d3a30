#include "supervisor/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/log.h"
#include "events/log.h"
#include "supervisor/child.h"
#include "supervisor/recorder.h"

/* The log's name in the service manager's fd store. */
#define STORED_NAME "berth-event-log"

/* For the hellos of workers whose recorder is being replaced. */
#define RENDEZVOUS_ROOM (1024 * 1024)

struct recording {
    struct supervisor *supervisor;
    int log_fd, reader_fd;         /* the log, for the recorder and for workers; -1: nothing uses events */
    int recorder_end, worker_end;  /* of the rendezvous */
    size_t told_size;              /* the --event-log-size that could not be followed, as was said */
    struct generation *generation; /* whose settings count; NULL: it is gone */
    struct generation *switching;  /* whose settings are to count from the next recorder on, if that comes to serve */
    struct recorder *recorder;     /* NULL: none runs */
    uv_timer_t backoff;            /* active: no start before it fires */
    unsigned int streak;           /* starts that failed in a row */
    bool served, ending;
    struct error failure; /* what the last FAILED said */
};

/* ---- what outlives recorders ---- */

static bool is_there(const struct recording *recording)
{
    return recording->log_fd >= 0;
}

static int adopt_log(struct recording *recording, int fd)
{
    int reader = input_reopen(fd); /* for workers: they may look, and not write */

    if (reader < 0)
        return reader;
    recording->log_fd = fd;
    recording->reader_fd = reader;
    return 0;
}

/* The one that the service manager kept for us over a restart. */
static bool take_stored_log(struct recording *recording)
{
    int stored = sockets_stored(&recording->supervisor->sockets, STORED_NAME), fd, r;

    if (stored < 0)
        return false;
    if (event_log_size(stored) == 0) {
        log_warning("fd %d (%s): this is no log of events; a new one is made", stored, STORED_NAME);
        return false;
    }
    fd = fcntl(stored, F_DUPFD_CLOEXEC, 0);
    r = fd < 0 ? -errno : adopt_log(recording, fd);
    if (r < 0) {
        log_warning("fd %d (%s): %s; a new log of events is made", stored, STORED_NAME, strerror(-r));
        if (fd >= 0)
            close(fd);
        return false;
    }
    log_info("going on with the log of events that the service manager has kept");
    return true;
}

static int make_log(struct recording *recording, size_t size)
{
    int fd, r = event_log_make(size, &fd);

    if (r < 0)
        return r;
    r = adopt_log(recording, fd);
    if (r < 0) {
        close(fd);
        return r;
    }
    r = notify_store_fd(recording->supervisor->notify, STORED_NAME, fd);
    if (r < 0)
        log_debug("the service manager does not keep the log of events: %s", strerror(-r));
    return 0;
}

static int make_rendezvous(struct recording *recording)
{
    const int room = RENDEZVOUS_ROOM;
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        return -errno;
    setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)); /* as much of it as we may have */
    recording->recorder_end = ends[0];
    recording->worker_end = ends[1];
    return 0;
}

static void notice_size(struct recording *recording, const struct settings *settings)
{
    size_t has = event_log_size(recording->log_fd), asked = event_log_round_up(settings->event_log_size);

    if (has != asked && recording->told_size != asked)
        log_warning("--event-log-size: the log of events keeps its %zu bytes until the server is stopped", has);
    recording->told_size = asked;
}

static int make(struct recording *recording, const struct settings *settings, struct error *error)
{
    int r = make_rendezvous(recording);

    if (r == 0 && !take_stored_log(recording))
        r = make_log(recording, settings->event_log_size);
    if (r == 0) {
        notice_size(recording, settings);
        return 0;
    }
    if (recording->recorder_end >= 0) {
        close(recording->recorder_end);
        close(recording->worker_end);
    }
    recording->recorder_end = recording->worker_end = -1;
    return error_set(error, r, "the log of events cannot be made: %s", strerror(-r));
}

/* ---- starting ---- */

static void start(struct recording *recording);

static void on_backoff(uv_timer_t *timer)
{
    start(timer->data);
}

/* With the settings that are to count; while we are stopping, with those of any workers that are left. */
static void start(struct recording *recording)
{
    const struct generation *generation = recording->switching ? recording->switching : recording->generation;
    int r;

    if (!generation)
        generation = recording->supervisor->generations;
    if (recording->recorder || recording->ending || !generation)
        return;
    r = recorder_start(recording, generation, recording->log_fd, recording->recorder_end, &recording->recorder);
    if (r == 0) {
        recording->recorder->on_trial = generation == recording->switching;
        return;
    }
    log_error("cannot start the recorder: %s", strerror(-r));
    uv_timer_start(&recording->backoff, on_backoff, BACKOFF_MAX_MS, 0);
}

/* ---- what it says ---- */

void recording_on_ready(struct recording *recording)
{
    recording->served = true;
    if (recording->switching) {
        recording->generation = recording->switching;
        recording->switching = NULL;
    }
    supervisor_on_recorder_ready(recording->supervisor);
}

void recording_on_failed(struct recording *recording, const char *reason)
{
    error_set(&recording->failure, 0, "%s", reason);
}

/* ---- its end ---- */

static const char *reason_of(const struct recording *recording, const struct recorder *recorder, int status,
                             struct error *text)
{
    if (recording->failure.text[0] != '\0')
        return recording->failure.text;
    error_set(text, 0, "the recorder (pid %d) %s before it was ready", (int)recorder->pid, child_fate(status));
    return text->text;
}

/* The new settings do not do: back to those that did. */
static void switch_back(struct recording *recording, const struct recorder *recorder, int status)
{
    struct error text;
    const char *reason = reason_of(recording, recorder, status, &text);

    recording->switching = NULL;
    start(recording);
    supervisor_on_recorder_failed(recording->supervisor, EXIT_FAILURE, reason);
}

static void replace(struct recording *recording, const struct recorder *recorder, int status)
{
    const char *reason = recording->failure.text;
    unsigned int delay = 0;

    if (recorder_lived(recorder))
        recording->streak = 0;
    else
        delay = backoff_delay(&recording->streak);
    if (recorder->explained)
        log_debug("the recorder (pid %d) %s", (int)recorder->pid, child_fate(status));
    else if (delay > 0)
        log_error("the recorder (pid %d) %s%s%s: it is replaced in %u ms, since it did not live long",
                  (int)recorder->pid, child_fate(status), *reason != '\0' ? ", saying " : "", reason, delay);
    else
        log_error("the recorder (pid %d) %s%s%s: it is replaced at once", (int)recorder->pid, child_fate(status),
                  *reason != '\0' ? ", saying " : "", reason);
    if (delay > 0)
        uv_timer_start(&recording->backoff, on_backoff, delay, 0);
    else
        start(recording);
}

/* The settings that it was started with did not let it come to serve, and have never done so. */
static bool is_first_failure(const struct recording *recording)
{
    return !recording->served && !recording->supervisor->current;
}

static void on_end(struct recording *recording, const struct recorder *recorder, int status)
{
    struct error text;

    if (recording->ending) {
        if (!WIFEXITED(status) && !recorder->explained)
            log_warning("the recorder (pid %d), which was to end, %s", (int)recorder->pid, child_fate(status));
    } else if (recording->switching && recorder->on_trial) {
        switch_back(recording, recorder, status);
    } else if (recording->switching) {
        start(recording);
    } else if (is_first_failure(recording)) {
        supervisor_on_recorder_failed(
            recording->supervisor, WIFEXITED(status) && WEXITSTATUS(status) == EXIT_USAGE ? EXIT_USAGE : EXIT_FAILURE,
            reason_of(recording, recorder, status, &text));
    } else {
        replace(recording, recorder, status);
    }
    recording->failure.text[0] = '\0';
}

bool recording_reaped(struct recording *recording, pid_t pid, int status)
{
    struct recorder *recorder = recording->recorder;

    if (!recorder || recorder->pid != pid)
        return false;
    recorder_reaped(recorder);
    recording->recorder = NULL;
    on_end(recording, recorder, status);
    recorder_free(recorder);
    return true;
}

/* ---- whose settings count ---- */

static bool wants_events(const struct generation *generation)
{
    return settings_use_events(&generation->settings) || generation->datagram_count > 0;
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_identity(const struct identity *a, const struct identity *b)
{
    return a->uid == b->uid && a->gid == b->gid && a->group_count == b->group_count &&
           (a->group_count == 0 || memcmp(a->groups, b->groups, a->group_count * sizeof(*a->groups)) == 0);
}

/* Whether a recorder of the one does for the other. */
static bool same_for_recorder(const struct generation *a, const struct generation *b)
{
    const struct settings *x = &a->settings, *y = &b->settings;
    bool same = same_text(x->event_log, y->event_log) && x->event_sync_ms == y->event_sync_ms &&
                x->log_level == y->log_level && x->log_format == y->log_format &&
                same_identity(&a->identity, &b->identity) && a->datagram_count == b->datagram_count;

    for (size_t i = 0; same && i < a->datagram_count; i++)
        same = a->datagrams[i].fd == b->datagrams[i].fd;
    return same;
}

int recording_begin(struct recording *recording, struct generation *generation, struct error *error)
{
    int r;

    if (is_there(recording) || !wants_events(generation))
        return 0;
    r = make(recording, &generation->settings, error);
    if (r < 0)
        return r;
    recording->generation = generation;
    start(recording);
    return 0;
}

bool recording_is_awaited(const struct recording *recording)
{
    return is_there(recording) && !recording->served;
}

static void switch_to(struct recording *recording, struct generation *generation)
{
    recording->switching = generation;
    uv_timer_stop(&recording->backoff);
    if (recording->recorder)
        recorder_drain(recording->recorder);
    else
        start(recording);
}

bool recording_follow(struct recording *recording, struct generation *generation)
{
    struct error error = { .text = "" };

    if (!is_there(recording) && wants_events(generation) && make(recording, &generation->settings, &error) < 0) {
        supervisor_on_recorder_failed(recording->supervisor, EXIT_FAILURE, error.text);
        return false;
    }
    if (!is_there(recording))
        return true;
    notice_size(recording, &generation->settings);
    if (!recording->generation || !same_for_recorder(recording->generation, generation)) {
        switch_to(recording, generation);
        return false;
    }
    recording->generation = generation;
    return recording->served || recording->supervisor->current;
}

void recording_forget(struct recording *recording, const struct generation *generation)
{
    if (recording->generation == generation)
        recording->generation = NULL;
    if (recording->switching == generation)
        recording->switching = NULL;
}

/* ---- workers ---- */

static int make_for(struct recording *recording, struct generation *generation)
{
    struct error error = { .text = "" };
    int r = make(recording, &generation->settings, &error);

    if (r < 0) {
        log_error("%s", error.text);
        return r;
    }
    if (generation->settings.exit_idle_ms > 0 && !generation->settings.event_log)
        log_warning("an application uses events, which will be lost with --exit-idle-time: say --event-log FILE");
    recording->generation = recording->supervisor->current ? recording->supervisor->current : generation;
    recording->served = true; /* the server does not depend on it: what fails is tried again */
    start(recording);
    return 0;
}

void recording_admit(struct recording *recording, struct process *process)
{
    if (is_there(recording) || make_for(recording, process->generation) == 0)
        process_send_events(process, recording->reader_fd, recording->worker_end);
}

/* ---- all of it ---- */

void recording_send_log(struct recording *recording)
{
    if (recording->recorder)
        recorder_send_log(recording->recorder);
}

bool recording_end(struct recording *recording)
{
    recording->ending = true;
    uv_timer_stop(&recording->backoff);
    if (recording->recorder)
        recorder_drain(recording->recorder);
    return !recording->recorder;
}

void recording_kill(struct recording *recording)
{
    if (recording->recorder)
        recorder_kill(recording->recorder);
}

int recording_new(struct supervisor *supervisor, struct recording **ret_recording)
{
    struct recording *recording = calloc(1, sizeof(*recording));

    if (!recording)
        return -ENOMEM;
    recording->supervisor = supervisor;
    recording->log_fd = recording->reader_fd = recording->recorder_end = recording->worker_end = -1;
    uv_timer_init(&supervisor->loop, &recording->backoff);
    recording->backoff.data = recording;
    *ret_recording = recording;
    return 0;
}

void recording_close(struct recording *recording)
{
    uv_close((uv_handle_t *)&recording->backoff, NULL);
}

void recording_free(struct recording *recording)
{
    if (!recording)
        return;
    if (is_there(recording)) {
        close(recording->log_fd);
        close(recording->reader_fd);
        close(recording->recorder_end);
        close(recording->worker_end);
    }
    free(recording);
}
