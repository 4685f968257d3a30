/*
 * A recorder's life is a worker's (process.c), with fewer states:
 *
 *     STARTING ──READY──▶ SERVING ──drain──▶ LEAVING ──▶ reaped
 *         │                  │ ◀─PING, PONG─▶
 *         └── FAILED, not READY, a ping not answered in time ─▶ CONDEMNED ─▶ reaped
 */
#include "supervisor/recorder.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "supervisor/child.h"
#include "supervisor/internal.h"

enum { MESSAGES_AT_A_TIME = 64 };

static void on_timer(uv_timer_t *timer);
static void read_channel(struct recorder *recorder);

/* ---- starting ---- */

static void on_closed(uv_handle_t *handle)
{
    struct recorder *recorder = handle->data;

    if (--recorder->open_handles == 0)
        free(recorder);
}

static void on_poll_closed(uv_handle_t *handle)
{
    struct recorder *recorder = handle->data;

    close(recorder->channel);
    recorder->channel = -1;
    on_closed(handle);
}

static int make_launch_file(const struct generation *generation, int *ret_fd)
{
    const char **names = calloc(generation->datagram_count + 1, sizeof(*names));
    int r;

    if (!names)
        return -ENOMEM;
    for (size_t i = 0; i < generation->datagram_count; i++)
        names[i] = generation->datagrams[i].name;
    r = launch_make(names, NULL, generation->datagram_count, &generation->settings, ret_fd);
    free(names);
    return r;
}

/* Channel, log and rendezvous: the descriptors from 3 on, as contract.h lists them. */
static int run(const struct generation *generation, const int own[3], pid_t *ret_pid)
{
    char name[] = "berth", subcommand[] = "recorder";
    char *argv[] = { name, subcommand, NULL };
    size_t count = 4 + generation->datagram_count, n = 0;
    int *fds = calloc(count, sizeof(*fds)), launch, r;
    struct child_spec spec = { .program = &generation->supervisor->program,
                               .argv = argv,
                               .fds = fds,
                               .fd_count = count,
                               .identity = &generation->identity,
                               .deaf = true };

    r = fds ? make_launch_file(generation, &launch) : -ENOMEM;
    if (r < 0) {
        free(fds);
        return r;
    }
    fds[n++] = own[0];
    fds[n++] = launch;
    fds[n++] = own[1];
    fds[n++] = own[2];
    for (size_t i = 0; i < generation->datagram_count; i++)
        fds[n++] = generation->datagrams[i].fd;
    r = child_spawn(&spec, ret_pid);
    free(fds);
    close(launch);
    return r;
}

static void arm(struct recorder *recorder, uint64_t ms)
{
    uv_timer_start(&recorder->timer, on_timer, ms, 0);
}

static void on_channel(uv_poll_t *poll, int status, int events)
{
    (void)status; /* reading says what is wrong */
    (void)events;
    read_channel(poll->data);
}

static struct recorder *recorder_new(struct recording *recording, const struct generation *generation, int channel)
{
    struct recorder *recorder = calloc(1, sizeof(*recorder));

    if (!recorder)
        return NULL;
    recorder->recording = recording;
    recorder->loop = &generation->supervisor->loop;
    recorder->timeout_ms = generation->settings.worker_timeout_ms;
    recorder->graceful_ms = generation->settings.graceful_ms;
    recorder->channel = channel;
    recorder->poll.data = recorder->timer.data = recorder;
    if (uv_poll_init(recorder->loop, &recorder->poll, channel) < 0) {
        free(recorder);
        return NULL;
    }
    uv_timer_init(recorder->loop, &recorder->timer);
    recorder->open_handles = 2;
    return recorder;
}

void recorder_free(struct recorder *recorder)
{
    uv_close((uv_handle_t *)&recorder->timer, on_closed);
    if (!uv_is_closing((uv_handle_t *)&recorder->poll))
        uv_close((uv_handle_t *)&recorder->poll, on_poll_closed);
}

int recorder_start(struct recording *recording, const struct generation *generation, int log_fd, int rendezvous_fd,
                   struct recorder **ret_recorder)
{
    struct recorder *recorder;
    int channels[2], r;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, channels) < 0)
        return -errno;
    recorder = recorder_new(recording, generation, channels[0]);
    if (!recorder) {
        close(channels[0]);
        close(channels[1]);
        return -ENOMEM;
    }
    r = run(generation, (const int[]){ channels[1], log_fd, rendezvous_fd }, &recorder->pid);
    close(channels[1]);
    if (r < 0) {
        recorder_free(recorder);
        return r;
    }
    uv_poll_start(&recorder->poll, UV_READABLE, on_channel);
    arm(recorder, recorder->timeout_ms);
    log_debug("the recorder (pid %d) was started", (int)recorder->pid);
    *ret_recorder = recorder;
    return 0;
}

/* ---- what it says ---- */

static void tell(struct recorder *recorder, enum control_type type, int fd)
{
    int r;

    if (uv_is_closing((uv_handle_t *)&recorder->poll))
        return;
    r = control_send(recorder->channel, CONTROL_SUPERVISOR, type, NULL, fd);
    if (r < 0)
        log_debug("the recorder (pid %d) does not listen: %s", (int)recorder->pid, strerror(-r));
}

void recorder_drain(struct recorder *recorder)
{
    if (recorder->state == PROCESS_LEAVING || recorder->state == PROCESS_CONDEMNED)
        return;
    recorder->state = PROCESS_LEAVING;
    recorder->on_trial = false;
    tell(recorder, CONTROL_DRAIN, -1);
    arm(recorder, (uint64_t)recorder->graceful_ms + LINGER_MS);
}

/* A quarter of --worker-timeout at most: see ping_or_abort in process.c. */
static uint64_t ping_ms(const struct recorder *recorder)
{
    uint64_t ms = recorder->timeout_ms / 4;

    return ms > PING_MAX_MS ? PING_MAX_MS : ms;
}

static void on_channel_end(struct recorder *recorder)
{
    uv_close((uv_handle_t *)&recorder->poll, on_poll_closed);
    if (recorder->state != PROCESS_LEAVING && recorder->state != PROCESS_CONDEMNED) {
        recorder->state = PROCESS_CONDEMNED;
        arm(recorder, ABORT_MS);
    }
}

static void on_ready(struct recorder *recorder)
{
    if (recorder->state != PROCESS_STARTING)
        return;
    recorder->state = PROCESS_SERVING;
    recorder->ready_at = uv_now(recorder->loop);
    arm(recorder, ping_ms(recorder));
    log_info("the recorder (pid %d) is ready", (int)recorder->pid);
    recording_on_ready(recorder->recording);
}

static void on_pong(struct recorder *recorder)
{
    recorder->pinged = false;
    if (recorder->state == PROCESS_SERVING)
        arm(recorder, ping_ms(recorder));
}

static void on_failed(struct recorder *recorder, const char *reason)
{
    recording_on_failed(recorder->recording, reason);
    recorder->state = PROCESS_CONDEMNED;
    arm(recorder, ABORT_MS);
}

void recorder_kill(struct recorder *recorder)
{
    recorder->explained = true;
    if (!recorder->reaped)
        kill(recorder->pid, SIGKILL);
}

static void on_offence(struct recorder *recorder)
{
    log_error("the recorder (pid %d) sent what no recorder may send%s", (int)recorder->pid,
              recorder->reaped ? "" : ": it is killed");
    recorder_kill(recorder);
    on_channel_end(recorder);
}

/* false: what a worker may send, and no recorder. */
static bool on_message(struct recorder *recorder, const struct control_message *message)
{
    switch (message->type) {
    case CONTROL_READY:
        on_ready(recorder);
        return true;
    case CONTROL_PONG:
        on_pong(recorder);
        return true;
    case CONTROL_FAILED:
        on_failed(recorder, message->body);
        return true;
    default:
        return false;
    }
}

static void read_channel(struct recorder *recorder)
{
    struct control_message message;
    int r = 0;

    for (int i = 0; i < MESSAGES_AT_A_TIME && !uv_is_closing((uv_handle_t *)&recorder->poll); i++) {
        r = control_receive(recorder->channel, CONTROL_SUPERVISOR, &message);
        if (r != 1)
            break;
        if (!on_message(recorder, &message)) {
            r = -EPROTO;
            break;
        }
    }
    if (r == -EPROTO)
        on_offence(recorder);
    else if (r < 0)
        on_channel_end(recorder);
}

/* ---- what is due ---- */

static void abort_it(struct recorder *recorder, const char *complaint)
{
    log_error("the recorder (pid %d) %s within %u ms: it is ended with SIGABRT and replaced", (int)recorder->pid,
              complaint, recorder->timeout_ms);
    recorder->explained = true;
    recorder->state = PROCESS_CONDEMNED;
    kill(recorder->pid, SIGABRT);
    arm(recorder, ABORT_MS);
}

static void ping_or_abort(struct recorder *recorder)
{
    if (recorder->pinged) {
        abort_it(recorder, "did not answer");
        return;
    }
    recorder->pinged = true;
    tell(recorder, CONTROL_PING, -1);
    arm(recorder, recorder->timeout_ms - ping_ms(recorder));
}

static void on_timer(uv_timer_t *timer)
{
    struct recorder *recorder = timer->data;

    read_channel(recorder); /* the loop may have been late itself: what it has said meanwhile counts */
    if (uv_is_active((uv_handle_t *)timer))
        return;
    switch (recorder->state) {
    case PROCESS_STARTING:
        abort_it(recorder, "was not ready");
        break;
    case PROCESS_SERVING:
        ping_or_abort(recorder);
        break;
    case PROCESS_LEAVING:
        log_warning("the recorder (pid %d) did not end in time: it is killed", (int)recorder->pid);
        recorder_kill(recorder);
        break;
    default:
        recorder_kill(recorder);
        break;
    }
}

void recorder_send_log(struct recorder *recorder)
{
    tell(recorder, CONTROL_LOG, STDERR_FILENO);
}

/* ---- its end ---- */

bool recorder_lived(const struct recorder *recorder)
{
    return recorder->ready_at > 0 && uv_now(recorder->loop) - recorder->ready_at >= STEADY_MS;
}

void recorder_reaped(struct recorder *recorder)
{
    recorder->reaped = true;
    read_channel(recorder);
}
