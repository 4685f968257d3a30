/*
 * A generation: the workers that were started from the same settings. A reload makes a new one; the old one leaves when
 * all of the new one's workers accept. Who serves and who is started follows from counting (generation_reconcile).
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"
#include "supervisor/access.h"
#include "supervisor/child.h"
#include "supervisor/internal.h"

/* ---- making ---- */

static int take_sockets(struct generation *generation, const struct sockets *sockets)
{
    const char **places = calloc(sockets->count + 1, sizeof(*places));
    const char **names = calloc(sockets->count + 1, sizeof(*names));
    bool memory;
    int r = -ENOMEM;

    generation->fds = calloc(sockets->count + 1, sizeof(*generation->fds));
    generation->datagrams = calloc(sockets->count + 1, sizeof(*generation->datagrams));
    memory = places && names && generation->fds && generation->datagrams;
    for (size_t i = 0; memory && i < sockets->count; i++) {
        const struct server_socket *item = &sockets->items[i];

        if (item->state == SOCKET_VANISHING)
            continue;
        if (item->datagram) {
            generation->datagrams[generation->datagram_count++] =
                (struct generation_datagram){ .fd = item->fd, .name = item->name };
            continue;
        }
        places[generation->listener_count] = item->name;
        names[generation->listener_count] = sockets_listener_name(sockets, item, &generation->settings);
        generation->fds[generation->listener_count++] = item->fd;
    }
    if (memory)
        r = launch_make(places, names, generation->listener_count, &generation->settings, &generation->launch_fd);
    free(places);
    free(names);
    return r;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void generation_free(struct generation *generation)
{
    settings_done(&generation->settings);
    identity_done(&generation->identity);
    modules_done(&generation->modules);
    free(generation->fds);
    free(generation->datagrams);
    if (generation->launch_fd >= 0)
        close(generation->launch_fd);
    if (generation->access_fd >= 0)
        close(generation->access_fd);
    uv_close((uv_handle_t *)&generation->backoff, on_closed);
}

int generation_new(struct supervisor *supervisor, struct settings *settings, struct identity *identity,
                   struct generation **ret_generation)
{
    struct generation *generation = calloc(1, sizeof(*generation));
    int r;

    if (!generation) {
        settings_done(settings);
        identity_done(identity);
        return -ENOMEM;
    }
    generation->supervisor = supervisor;
    generation->settings = *settings;
    generation->identity = *identity;
    generation->launch_fd = generation->access_fd = -1;
    generation->wanted = settings->workers;
    generation->backoff.data = generation;
    uv_timer_init(&supervisor->loop, &generation->backoff);
    r = take_sockets(generation, &supervisor->sockets);
    if (r < 0) {
        generation_free(generation);
        return r;
    }
    *ret_generation = generation;
    return 0;
}

int generation_open_access_log(struct generation *generation, struct error *error)
{
    return access_open(&generation->settings, &generation->access_fd, error);
}

void generation_reopen_access_log(struct generation *generation)
{
    struct error error;
    int fd;

    if (generation->settings.no_access_log || !generation->settings.access_log)
        return;
    if (access_open(&generation->settings, &fd, &error) < 0) {
        log_error("%s", error.text);
        return;
    }
    close(generation->access_fd);
    generation->access_fd = fd;
    for (struct process *process = generation->processes; process; process = process->next)
        process_send_access_log(process);
}

/* ---- counting ---- */

unsigned int generation_count(const struct generation *generation, enum process_state state)
{
    unsigned int count = 0;

    for (const struct process *process = generation->processes; process; process = process->next)
        count += process->state == state;
    return count;
}

bool generation_is_empty(const struct generation *generation)
{
    return !generation->processes && !modules_compiling(&generation->modules);
}

/* Numbers are small and used again; generations that overlap do not share them. */
static bool is_used(const struct supervisor *supervisor, unsigned int number)
{
    for (const struct generation *g = supervisor->generations; g; g = g->next)
        for (const struct process *process = g->processes; process; process = process->next)
            if (process->number == number)
                return true;
    return false;
}

/* A quarter of --worker-timeout at most: see ping_or_abort. */
uint64_t generation_ping_ms(const struct generation *generation)
{
    uint64_t ms = generation->settings.worker_timeout_ms / 4;
    uint64_t watchdog_ms = notify_watchdog_usec(generation->supervisor->notify) / 1000;

    if (ms > PING_MAX_MS)
        ms = PING_MAX_MS;
    if (watchdog_ms > 0 && watchdog_ms / 3 < ms)
        ms = watchdog_ms / 3;
    return ms > 0 ? ms : 1;
}

/* ---- starting and replacing ---- */

static void on_backoff(uv_timer_t *timer)
{
    generation_reconcile(timer->data);
}

unsigned int backoff_delay(unsigned int *streak)
{
    unsigned int delay = BACKOFF_MIN_MS;

    if ((*streak)++ == 0)
        return 0;
    for (unsigned int i = 2; i < *streak && delay < BACKOFF_MAX_MS; i++)
        delay *= 2;
    return delay < BACKOFF_MAX_MS ? delay : BACKOFF_MAX_MS;
}

static bool start_one(struct generation *generation)
{
    struct process *process;
    unsigned int number = 1;
    int r;

    while (is_used(generation->supervisor, number))
        number++;
    r = process_start(generation, number, &process);
    if (r == 0) {
        process->next = generation->processes;
        generation->processes = process;
        return true;
    }
    log_error("cannot start worker %u: %s", number, strerror(-r));
    if (generation->state == GENERATION_STARTING)
        supervisor_on_failed(generation->supervisor, generation, "a worker could not be started");
    else
        uv_timer_start(&generation->backoff, on_backoff, BACKOFF_MAX_MS, 0);
    return false;
}

static unsigned int count_live(const struct generation *generation)
{
    return generation_count(generation, PROCESS_STARTING) + generation_count(generation, PROCESS_SERVING);
}

/* TTOU, or the replacement of one that is to retire came when fewer were wanted: the last started goes. */
static void drain_last(struct generation *generation)
{
    struct process *process = generation->processes;

    while (process && process->state != PROCESS_STARTING && process->state != PROCESS_SERVING)
        process = process->next;
    if (!process)
        return;
    log_info("worker %u (pid %d) is one too many: it drains", process->number, (int)process->pid);
    process_drain(process);
}

static void drain_retiring(struct generation *generation)
{
    for (struct process *process = generation->processes; process; process = process->next)
        if (process->state == PROCESS_RETIRING)
            process_drain(process);
}

void generation_reconcile(struct generation *generation)
{
    if (generation->state != GENERATION_STARTING && generation->state != GENERATION_SERVING)
        return;
    while (count_live(generation) < generation->wanted && !uv_is_active((uv_handle_t *)&generation->backoff))
        if (!start_one(generation))
            return;
    while (count_live(generation) > generation->wanted)
        drain_last(generation);
    if (generation_count(generation, PROCESS_SERVING) < generation->wanted)
        return;
    drain_retiring(generation);
    if (generation->state == GENERATION_STARTING) {
        generation->state = GENERATION_SERVING;
        supervisor_on_ready(generation->supervisor, generation);
    }
}

void generation_start(struct generation *generation)
{
    if (modules_compiling(&generation->modules))
        return;
    generation->state = GENERATION_STARTING;
    generation_reconcile(generation);
}

/* ---- ending ---- */

static void leave(struct generation *generation)
{
    generation->state = GENERATION_LEAVING;
    uv_timer_stop(&generation->backoff);
    modules_kill(&generation->modules, SIGTERM);
}

void generation_drain(struct generation *generation)
{
    leave(generation);
    for (struct process *process = generation->processes; process; process = process->next)
        process_drain(process);
}

void generation_stop(struct generation *generation)
{
    leave(generation);
    for (struct process *process = generation->processes; process; process = process->next)
        process_stop(process);
}

void generation_abort(struct generation *generation)
{
    leave(generation);
    for (struct process *process = generation->processes; process; process = process->next)
        if (process->state == PROCESS_STARTING)
            process_stop(process);
        else
            process_drain(process);
}

void generation_kill(struct generation *generation)
{
    leave(generation);
    modules_kill(&generation->modules, SIGKILL);
    for (struct process *process = generation->processes; process; process = process->next) {
        process->explained = true;
        process_kill(process);
    }
}

/* ---- news ---- */

void generation_on_ready(struct generation *generation, const char *target)
{
    if (generation->state == GENERATION_STARTING || generation->state == GENERATION_SERVING)
        supervisor_on_worker_ready(generation->supervisor, target);
    generation_reconcile(generation);
}

void generation_on_retire(struct generation *generation)
{
    generation_reconcile(generation);
}

static void remove_process(struct generation *generation, const struct process *process)
{
    struct process **link = &generation->processes;

    while (*link != process)
        link = &(*link)->next;
    *link = process->next;
}

/* Nothing is expected of it any more; a violent end is worth a line still. */
static void on_parting(const struct process *process, int status)
{
    if (WIFEXITED(status) || process->explained)
        log_debug("worker %u (pid %d) %s", process->number, (int)process->pid, child_fate(status));
    else
        log_warning("worker %u (pid %d), which was to end, %s", process->number, (int)process->pid, child_fate(status));
}

/* It did not come to serve, and its generation has not yet served: that is for whoever wanted the generation to decide.
 */
static void on_failed_start(struct generation *generation, const struct process *process, int status)
{
    struct error reason;

    if (generation->failure.text[0] != '\0')
        reason = generation->failure;
    else
        error_set(&reason, 0, "worker %u (pid %d) %s before it was ready", process->number, (int)process->pid,
                  child_fate(status));
    supervisor_on_failed(generation->supervisor, generation, reason.text);
}

static enum counters_restart restart_reason(const struct process *process, int status)
{
    if (process->timed_out)
        return COUNTERS_RESTART_TIMEOUT;
    return WIFEXITED(status) ? COUNTERS_RESTART_EXIT : COUNTERS_RESTART_SIGNAL;
}

static void replace(struct generation *generation, const struct process *process, int status)
{
    const char *reason = generation->failure.text;
    unsigned int delay = 0;

    if (process_lived(process))
        generation->streak = 0;
    else
        delay = backoff_delay(&generation->streak);
    if (delay > 0)
        uv_timer_start(&generation->backoff, on_backoff, delay, 0);
    else
        uv_timer_stop(&generation->backoff);
    if (process->explained)
        log_debug("worker %u (pid %d) %s", process->number, (int)process->pid, child_fate(status));
    else if (delay > 0)
        log_error("worker %u (pid %d) %s%s%s: it is replaced in %u ms, since it did not live long", process->number,
                  (int)process->pid, child_fate(status), *reason != '\0' ? ", saying " : "", reason, delay);
    else
        log_error("worker %u (pid %d) %s%s%s: it is replaced at once", process->number, (int)process->pid,
                  child_fate(status), *reason != '\0' ? ", saying " : "", reason);
    generation->failure.text[0] = '\0';
    counters_restarted(generation->supervisor->counters, restart_reason(process, status));
    generation_reconcile(generation);
}

bool generation_replaces(const struct generation *generation, const struct process *process)
{
    bool failed_start = generation->state == GENERATION_STARTING && process->ready_at == 0;

    return generation->state != GENERATION_LEAVING && process->state != PROCESS_LEAVING && !failed_start;
}

void generation_on_end(struct generation *generation, struct process *process, int status)
{
    remove_process(generation, process);
    if (generation_replaces(generation, process))
        replace(generation, process, status);
    else if (process->state == PROCESS_LEAVING || generation->state == GENERATION_LEAVING)
        on_parting(process, status);
    else
        on_failed_start(generation, process, status);
}

static bool on_compiler_end(struct generation *generation, pid_t pid, int status)
{
    struct error error;
    int r = modules_reaped(&generation->modules, pid, status, &error);

    if (r == 0)
        return false;
    if (generation->state != GENERATION_COMPILING)
        return true; /* it was given up meanwhile */
    if (r < 0)
        supervisor_on_failed(generation->supervisor, generation, error.text);
    else
        generation_start(generation);
    return true;
}

bool generation_reaped(struct generation *generation, pid_t pid, int status)
{
    for (struct process *process = generation->processes; process; process = process->next)
        if (process->pid == pid) {
            process_reaped(process, status);
            return true;
        }
    return on_compiler_end(generation, pid, status);
}
