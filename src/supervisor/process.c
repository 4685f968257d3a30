/*
 * The life of a worker, as the supervisor sees it:
 *
 *     STARTING ──READY──▶ SERVING ──RETIRE──▶ RETIRING
 *         │                  │ ◀─PING, PONG─▶     │          drain, stop
 *         ├──────────────────┴────────────────────┴──────────────────────▶ LEAVING ──▶ reaped
 *         └── FAILED, not READY in time, a ping not answered in time ────▶ CONDEMNED ─▶ reaped
 *
 * Each has one timer, whose meaning follows from the state: see on_timer.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/log.h"
#include "supervisor/child.h"
#include "supervisor/internal.h"

/* How many to read; a channel's queue never holds as many as ALL. */
enum { SOME_MESSAGES = 64, ALL_MESSAGES = 4096 };

static void on_timer(uv_timer_t *timer);
static void read_channel(struct process *process, unsigned int limit);

static void arm(struct process *process, uint64_t ms)
{
    uv_timer_start(&process->timer, on_timer, ms, 0);
}

static void on_closed(uv_handle_t *handle)
{
    struct process *process = handle->data;

    if (--process->open_handles == 0)
        free(process);
}

static void on_poll_closed(uv_handle_t *handle)
{
    struct process *process = handle->data;

    close(process->channel);
    process->channel = -1;
    on_closed(handle);
}

/* ---- starting ---- */

/* The descriptors from 3 on, as contract.h lists them. */
static int *list_fds(const struct generation *generation, int channel, int launch, size_t *ret_count)
{
    size_t count = 4 + generation->listener_count + generation->modules.count, n = 0;
    int *fds = calloc(count, sizeof(*fds));

    if (!fds)
        return NULL;
    fds[n++] = channel;
    fds[n++] = launch;
    fds[n++] = counters_fd(generation->supervisor->counters);
    fds[n++] = generation->access_fd;
    for (size_t i = 0; i < generation->listener_count; i++)
        fds[n++] = generation->fds[i];
    for (size_t i = 0; i < generation->modules.count; i++)
        fds[n++] = generation->modules.items[i].fd;
    *ret_count = count;
    return fds;
}

static int run(const struct generation *generation, unsigned int number, int channel, pid_t *ret_pid)
{
    char name[] = "berth", subcommand[] = "worker", text[16];
    char *argv[] = { name, subcommand, text, NULL };
    struct child_spec spec = {
        .program = &generation->supervisor->program, .argv = argv, .identity = &generation->identity, .deaf = true
    };
    int launch = input_reopen(generation->launch_fd); /* each worker reads it from its start */
    int *fds, r = -ENOMEM;

    if (launch < 0)
        return launch;
    snprintf(text, sizeof(text), "%u", number);
    fds = list_fds(generation, channel, launch, &spec.fd_count);
    spec.fds = fds;
    if (fds)
        r = child_spawn(&spec, ret_pid);
    free(fds);
    close(launch);
    return r;
}

static void on_channel(uv_poll_t *poll, int status, int events)
{
    (void)status; /* reading says what is wrong */
    (void)events;
    read_channel(poll->data, SOME_MESSAGES);
}

static struct process *make(struct generation *generation, unsigned int number, int channel)
{
    struct process *process = calloc(1, sizeof(*process));

    if (!process)
        return NULL;
    process->generation = generation;
    process->number = number;
    process->channel = channel;
    process->poll.data = process;
    process->timer.data = process;
    if (uv_poll_init(&generation->supervisor->loop, &process->poll, channel) < 0) {
        free(process);
        return NULL;
    }
    uv_timer_init(&generation->supervisor->loop, &process->timer);
    process->open_handles = 2;
    return process;
}

static void close_handles(struct process *process)
{
    uv_close((uv_handle_t *)&process->timer, on_closed);
    if (!uv_is_closing((uv_handle_t *)&process->poll))
        uv_close((uv_handle_t *)&process->poll, on_poll_closed);
}

int process_start(struct generation *generation, unsigned int number, struct process **ret_process)
{
    struct process *process;
    int channels[2], r;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, channels) < 0)
        return -errno;
    process = make(generation, number, channels[0]);
    if (!process) {
        close(channels[0]);
        close(channels[1]);
        return -ENOMEM;
    }
    r = run(generation, number, channels[1], &process->pid);
    close(channels[1]);
    if (r < 0) {
        close_handles(process);
        return r;
    }
    uv_poll_start(&process->poll, UV_READABLE, on_channel);
    arm(process, generation->settings.worker_timeout_ms);
    log_debug("worker %u (pid %d) was started", number, (int)process->pid);
    *ret_process = process;
    return 0;
}

/* ---- what it says ---- */

/* Without its channel it can be told nothing any more. One that ends closes it a moment earlier. */
static void on_channel_end(struct process *process)
{
    uv_close((uv_handle_t *)&process->poll, on_poll_closed);
    if (process->state != PROCESS_LEAVING && process->state != PROCESS_CONDEMNED) {
        process->state = PROCESS_CONDEMNED;
        arm(process, ABORT_MS);
    }
}

static void on_offence(struct process *process)
{
    log_error("worker %u (pid %d) sent what no worker may send%s", process->number, (int)process->pid,
              process->reaped ? "" : ": it is killed");
    process->explained = true;
    process_kill(process);
    on_channel_end(process);
}

static void on_ready(struct process *process, const char *target)
{
    if (process->state == PROCESS_STARTING) {
        process->state = PROCESS_SERVING;
        process->ready_at = uv_now(&process->generation->supervisor->loop);
        counters_admit(process->generation->supervisor->counters, process->number, process->pid);
        arm(process, generation_ping_ms(process->generation));
        log_info("worker %u (pid %d) is ready", process->number, (int)process->pid);
    }
    generation_on_ready(process->generation, target);
}

static void on_pong(struct process *process)
{
    process->pinged = false;
    if (process->state == PROCESS_SERVING || process->state == PROCESS_RETIRING)
        arm(process, generation_ping_ms(process->generation));
    notify_send(process->generation->supervisor->notify, "WATCHDOG=1");
}

static void on_failed(struct process *process, const char *reason)
{
    error_set(&process->generation->failure, 0, "%s", reason);
    process->state = PROCESS_CONDEMNED;
    arm(process, ABORT_MS);
}

static void on_retire(struct process *process)
{
    if (process->state != PROCESS_SERVING)
        return;
    process->state = PROCESS_RETIRING;
    log_info("worker %u (pid %d) has served its --max-requests: it is replaced", process->number, (int)process->pid);
    counters_restarted(process->generation->supervisor->counters, COUNTERS_RESTART_RETIRED);
    generation_on_retire(process->generation);
}

static void set_busy(struct process *process, bool busy)
{
    process->busy = busy;
    supervisor_on_activity(process->generation->supervisor);
}

static void on_message(struct process *process, const struct control_message *message)
{
    switch (message->type) {
    case CONTROL_READY:
        on_ready(process, message->body);
        break;
    case CONTROL_PONG:
        on_pong(process);
        break;
    case CONTROL_FAILED:
        on_failed(process, message->body);
        break;
    case CONTROL_BUSY:
        set_busy(process, true);
        break;
    case CONTROL_IDLE:
        set_busy(process, false);
        break;
    case CONTROL_RETIRE:
        on_retire(process);
        break;
    case CONTROL_EVENTS:
        recording_admit(process->generation->supervisor->recording, process);
        break;
    default: /* control_receive lets nothing else through */
        break;
    }
}

/* At most `limit` messages at a time: a worker that sends without end must not keep us from the others. */
static void read_channel(struct process *process, unsigned int limit)
{
    struct control_message message;
    int r = 0;

    while (limit-- > 0 && !uv_is_closing((uv_handle_t *)&process->poll)) {
        r = control_receive(process->channel, CONTROL_SUPERVISOR, &message);
        if (r != 1)
            break;
        on_message(process, &message);
    }
    if (r == -EPROTO)
        on_offence(process);
    else if (r < 0)
        on_channel_end(process);
}

/* ---- what it is told ---- */

/* What cannot be sent is no matter: the channel's end, or the timer, brings it to an end. */
static void tell(struct process *process, enum control_type type, const char *body, int fd)
{
    int r;

    if (uv_is_closing((uv_handle_t *)&process->poll))
        return;
    r = control_send(process->channel, CONTROL_SUPERVISOR, type, body, fd);
    if (r < 0)
        log_debug("worker %u (pid %d) does not listen: %s", process->number, (int)process->pid, strerror(-r));
}

void process_drain(struct process *process)
{
    if (process->state == PROCESS_LEAVING || process->state == PROCESS_CONDEMNED)
        return;
    process->state = PROCESS_LEAVING;
    tell(process, CONTROL_DRAIN, NULL, -1);
    arm(process, (uint64_t)process->generation->settings.graceful_ms + LINGER_MS);
}

void process_stop(struct process *process)
{
    if (process->state == PROCESS_CONDEMNED)
        return;
    process->state = PROCESS_LEAVING;
    tell(process, CONTROL_STOP, NULL, -1);
    arm(process, LINGER_MS);
}

void process_kill(struct process *process)
{
    if (!process->reaped)
        kill(process->pid, SIGKILL);
}

void process_send_log(struct process *process)
{
    tell(process, CONTROL_LOG, NULL, STDERR_FILENO);
}

void process_send_access_log(struct process *process)
{
    tell(process, CONTROL_LOG, CONTROL_ACCESS_LOG, process->generation->access_fd);
}

void process_send_events(struct process *process, int log_fd, int rendezvous_fd)
{
    tell(process, CONTROL_EVENT_LOG, NULL, log_fd);
    tell(process, CONTROL_RENDEZVOUS, NULL, rendezvous_fd);
}

static void abort_it(struct process *process, const char *complaint)
{
    const struct generation *generation = process->generation;

    log_error("worker %u (pid %d) %s within %u ms: it is ended with SIGABRT%s", process->number, (int)process->pid,
              complaint, generation->settings.worker_timeout_ms,
              generation_replaces(generation, process) ? " and replaced" : "");
    process->explained = true;
    process->timed_out = true;
    process->state = PROCESS_CONDEMNED;
    kill(process->pid, SIGABRT);
    arm(process, ABORT_MS);
}

/* Its loop may have stopped right after it answered the last ping: with the pause before this one, --worker-timeout is
 * over when the answer is due. So a loop that stops is found out after at most that time, and one that goes on after
 * three quarters of it is left alone. */
static void ping_or_abort(struct process *process)
{
    const struct generation *generation = process->generation;

    if (process->pinged) {
        abort_it(process, "did not answer");
        return;
    }
    process->pinged = true;
    tell(process, CONTROL_PING, NULL, -1);
    arm(process, generation->settings.worker_timeout_ms - generation_ping_ms(generation));
}

static void on_timer(uv_timer_t *timer)
{
    struct process *process = timer->data;

    /* The loop may have been late itself, or we stopped and continued: what it has said meanwhile counts. */
    read_channel(process, ALL_MESSAGES);
    if (uv_is_active((uv_handle_t *)timer))
        return;
    switch (process->state) {
    case PROCESS_STARTING:
        abort_it(process, "was not ready");
        break;
    case PROCESS_SERVING:
    case PROCESS_RETIRING:
        ping_or_abort(process);
        break;
    case PROCESS_LEAVING:
        log_warning("worker %u (pid %d) did not end in time: it is killed", process->number, (int)process->pid);
        process->explained = true;
        process_kill(process);
        break;
    case PROCESS_CONDEMNED:
        process_kill(process);
        break;
    }
}

/* ---- its end ---- */

bool process_lived(const struct process *process)
{
    return process->ready_at > 0 && uv_now(&process->generation->supervisor->loop) - process->ready_at >= STEADY_MS;
}

void process_reaped(struct process *process, int status)
{
    process->reaped = true;
    read_channel(process, ALL_MESSAGES); /* its last words, such as why it failed */
    counters_retire(process->generation->supervisor->counters, process->number);
    generation_on_end(process->generation, process, status);
    close_handles(process);
}
