/*
 * The supervisor's loop: what signals and the end of children set in motion. See README.md for the other files.
 */
#include "supervisor/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"
#include "supervisor/internal.h"

enum { PROGRESS_MS = 1000 };

/* ---- the end ---- */

/* Without handles the loop returns. */
static void finish(struct supervisor *supervisor)
{
    for (size_t i = 0; i < sizeof(supervisor->signals) / sizeof(supervisor->signals[0]); i++)
        uv_close((uv_handle_t *)&supervisor->signals[i], NULL);
    uv_close((uv_handle_t *)&supervisor->idle, NULL);
    uv_close((uv_handle_t *)&supervisor->progress, NULL);
    recording_close(supervisor->recording);
}

/* Frees the generations of which nothing is left. */
static void release(struct supervisor *supervisor)
{
    struct generation **link = &supervisor->generations;

    while (*link) {
        struct generation *generation = *link;

        if (generation->state != GENERATION_LEAVING || !generation_is_empty(generation)) {
            link = &generation->next;
            continue;
        }
        *link = generation->next;
        if (generation == supervisor->current)
            supervisor->current = NULL;
        if (generation == supervisor->next)
            supervisor->next = NULL;
        recording_forget(supervisor->recording, generation);
        generation_free(generation);
    }
}

static void on_progress(uv_timer_t *timer)
{
    report_state(timer->data, "EXTEND_TIMEOUT_USEC=5000000");
}

/* No path leads to us any more; what was handed to us is not ours to take away. */
static void begin_stopping(struct supervisor *supervisor)
{
    if (supervisor->stopping)
        return;
    supervisor->stopping = true;
    sockets_withdraw(&supervisor->sockets);
    uv_timer_stop(&supervisor->idle);
    report_state(supervisor, "STOPPING=1\nEXTEND_TIMEOUT_USEC=5000000");
    uv_timer_start(&supervisor->progress, on_progress, PROGRESS_MS, PROGRESS_MS);
}

static void check_end(struct supervisor *supervisor)
{
    release(supervisor);
    if (!supervisor->stopping || supervisor->generations || uv_is_closing((uv_handle_t *)&supervisor->progress))
        return;
    if (recording_end(supervisor->recording)) /* the last: workers may have had something to publish */
        finish(supervisor);
}

void supervisor_drain(struct supervisor *supervisor)
{
    if (supervisor->stopping)
        return;
    begin_stopping(supervisor);
    for (struct generation *g = supervisor->generations; g; g = g->next)
        generation_drain(g);
    check_end(supervisor);
}

static void stop(struct supervisor *supervisor)
{
    begin_stopping(supervisor);
    for (struct generation *g = supervisor->generations; g; g = g->next)
        if (supervisor->forced)
            generation_kill(g);
        else
            generation_stop(g);
    if (supervisor->forced)
        recording_kill(supervisor->recording);
    supervisor->forced = true;
    check_end(supervisor);
}

/* ---- news from the generations ---- */

/* With a recorder that serves, if the settings ask for one. */
static void announce(struct supervisor *supervisor)
{
    if (supervisor->announced || supervisor->stopping || !supervisor->worker_ready ||
        recording_is_awaited(supervisor->recording))
        return;
    supervisor->announced = true;
    report_state(supervisor, "READY=1");
    report_banner(supervisor, supervisor->target);
}

void supervisor_on_worker_ready(struct supervisor *supervisor, const char *target)
{
    supervisor_on_activity(supervisor);
    if (!supervisor->worker_ready)
        snprintf(supervisor->target, sizeof(supervisor->target), "%s", target);
    supervisor->worker_ready = true;
    announce(supervisor);
}

void supervisor_on_ready(struct supervisor *supervisor, struct generation *generation)
{
    if (generation == supervisor->next && !supervisor->stopping && recording_follow(supervisor->recording, generation))
        reload_commit(supervisor);
}

void supervisor_on_recorder_ready(struct supervisor *supervisor)
{
    announce(supervisor);
    if (supervisor->next && supervisor->next->state == GENERATION_SERVING)
        supervisor_on_ready(supervisor, supervisor->next);
}

static void fail_to_start(struct supervisor *supervisor, int exit_code, const char *reason)
{
    log_error("could not start: %s", reason);
    supervisor->exit_code = exit_code;
    stop(supervisor);
}

void supervisor_on_failed(struct supervisor *supervisor, struct generation *generation, const char *reason)
{
    if (generation != supervisor->next || supervisor->stopping)
        return;
    if (supervisor->current) {
        reload_fail(supervisor, reason);
        return;
    }
    fail_to_start(supervisor, EXIT_APPLICATION, reason);
}

void supervisor_on_recorder_failed(struct supervisor *supervisor, int exit_code, const char *reason)
{
    if (supervisor->stopping)
        return;
    if (supervisor->current)
        reload_fail(supervisor, reason);
    else
        fail_to_start(supervisor, exit_code, reason);
}

/* ---- --exit-idle-time ---- */

static bool is_idle(const struct supervisor *supervisor)
{
    if (supervisor->stopping || !supervisor->current || supervisor->next ||
        supervisor->current->settings.exit_idle_ms == 0)
        return false;
    for (const struct generation *g = supervisor->generations; g; g = g->next)
        for (const struct process *process = g->processes; process; process = process->next)
            if (process->busy)
                return false;
    return true;
}

static void on_idle(uv_timer_t *timer)
{
    struct supervisor *supervisor = timer->data;

    if (!is_idle(supervisor))
        return;
    log_info("idle for --exit-idle-time: ending; the socket stays with who handed it over");
    supervisor_drain(supervisor);
}

void supervisor_on_activity(struct supervisor *supervisor)
{
    if (!is_idle(supervisor))
        uv_timer_stop(&supervisor->idle);
    else if (!uv_is_active((uv_handle_t *)&supervisor->idle))
        uv_timer_start(&supervisor->idle, on_idle, supervisor->current->settings.exit_idle_ms, 0);
}

/* ---- signals ---- */

static void reopen_error_log(struct supervisor *supervisor)
{
    const struct generation *generation = supervisor->current;
    struct error error = { .text = "" };

    if (!generation || !generation->settings.log_file)
        return;
    if (log_open(generation->settings.log_file, &error) < 0) {
        log_error("%s", error.text);
        return;
    }
    for (const struct generation *g = supervisor->generations; g; g = g->next)
        for (struct process *process = g->processes; process; process = process->next)
            process_send_log(process);
    recording_send_log(supervisor->recording);
}

void supervisor_reopen_logs(struct supervisor *supervisor)
{
    reopen_error_log(supervisor);
    for (struct generation *g = supervisor->generations; g; g = g->next)
        generation_reopen_access_log(g);
}

static void reopen_logs(struct supervisor *supervisor)
{
    const struct generation *generation = supervisor->current;

    if (generation && !generation->settings.log_file && !generation->settings.access_log)
        log_info("SIGUSR1: there is neither --log nor --access-log to open again");
    supervisor_reopen_logs(supervisor);
}

/* One worker more or less. */
static void change_count(struct supervisor *supervisor, int by)
{
    struct generation *generation = supervisor->current;

    if (!generation)
        return;
    if ((by < 0 && generation->wanted <= 1) || (by > 0 && generation->wanted >= SETTINGS_WORKERS_MAX)) {
        log_warning("workers: %u; there can't be %s", generation->wanted, by < 0 ? "fewer" : "more");
        return;
    }
    generation->wanted += (unsigned int)by;
    log_info("workers from now on: %u", generation->wanted);
    generation_reconcile(generation);
}

static void reap(struct supervisor *supervisor)
{
    pid_t pid;
    int status;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        struct generation *g = supervisor->generations;

        if (recording_reaped(supervisor->recording, pid, status))
            continue;
        while (g && !generation_reaped(g, pid, status))
            g = g->next;
        if (!g)
            log_debug("reaped pid %d, which is not ours", (int)pid); /* as PID 1 we inherit every orphan */
    }
    supervisor_on_activity(supervisor);
    check_end(supervisor);
}

/* What makes sense only for a server that goes on serving. */
static void adjust(struct supervisor *supervisor, int number)
{
    if (supervisor->stopping) {
        log_info("SIG%s: ignored, berth is ending", sigabbrev_np(number));
        return;
    }
    switch (number) {
    case SIGHUP:
        reload_request(supervisor);
        break;
    case SIGUSR1:
        reopen_logs(supervisor);
        break;
    case SIGUSR2:
        log_warning("SIGUSR2: ignored, berth cannot be upgraded in place yet; restart it");
        break;
    case SIGTTIN:
    case SIGTTOU:
        change_count(supervisor, number == SIGTTIN ? 1 : -1);
        break;
    }
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct supervisor *supervisor = handle->data;

    switch (number) {
    case SIGCHLD:
        reap(supervisor);
        break;
    case SIGTERM:
        log_info("SIGTERM: draining");
        supervisor_drain(supervisor);
        break;
    case SIGINT:
    case SIGQUIT:
        log_info("%s: stopping", number == SIGINT ? "SIGINT" : "SIGQUIT");
        stop(supervisor);
        break;
    default:
        adjust(supervisor, number);
        break;
    }
}

/* ---- the beginning ---- */

/* The link itself does without rights to the folders above; the path is what is true under valgrind as well. */
static int open_program(struct supervisor *supervisor, struct error *error)
{
    ssize_t length = readlink("/proc/self/exe", supervisor->program_path, sizeof(supervisor->program_path) - 1);

    if (length < 0)
        return error_set(error, -errno, "/proc/self/exe: %s; is /proc mounted?", strerror(errno));
    supervisor->program_path[length] = '\0';
    supervisor->program.path = supervisor->program_path;
    supervisor->program.fd = open(supervisor->program_path, O_PATH | O_CLOEXEC);
    if (supervisor->program.fd < 0)
        supervisor->program.fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
    return supervisor->program.fd < 0 ? error_set(error, -errno, "/proc/self/exe: %s", strerror(errno)) : 0;
}

/* Every connection is a descriptor: take all that we may have. */
static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        log_warning("cannot raise the limit on open files: %s", strerror(errno));
}

static void prepare_signals(struct supervisor *supervisor)
{
    static const int numbers[] = { SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGTTIN, SIGTTOU, SIGCHLD };
    sigset_t none;

    _Static_assert(sizeof(numbers) / sizeof(numbers[0]) == sizeof(supervisor->signals) / sizeof(supervisor->signals[0]),
                   "a handle for each signal");
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        uv_signal_init(&supervisor->loop, &supervisor->signals[i]);
        supervisor->signals[i].data = supervisor;
        uv_signal_start(&supervisor->signals[i], on_signal, numbers[i]);
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static int prepare_loop(struct supervisor *supervisor, struct error *error)
{
    int r = uv_loop_init(&supervisor->loop);

    if (r < 0)
        return error_set(error, r, "cannot make an event loop: %s", uv_strerror(r));
    uv_timer_init(&supervisor->loop, &supervisor->idle);
    uv_timer_init(&supervisor->loop, &supervisor->progress);
    supervisor->idle.data = supervisor;
    supervisor->progress.data = supervisor;
    prepare_signals(supervisor);
    r = recording_new(supervisor, &supervisor->recording);
    return r < 0 ? error_set(error, r, "out of memory") : 0;
}

static int prepare_counters(struct supervisor *supervisor, struct error *error)
{
    int r = counters_new(&supervisor->counters);

    return r < 0 ? error_set(error, r, "cannot make the shared counters: %s", strerror(-r)) : 0;
}

/* What is opened later must not come to be standard output by accident, and get the log. */
static void occupy_standard_descriptors(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    while (fd >= 0 && fd <= STDERR_FILENO && fcntl(fd, F_SETFD, 0) == 0);
    if (fd > STDERR_FILENO)
        close(fd);
}

/* Before anything is written, or made to have a size: then it is an error, and says what could not be done. */
static void ignore_signals(void)
{
    signal(SIGPIPE, SIG_IGN); /* a log that nobody reads any more must not end the server */
    signal(SIGXFSZ, SIG_IGN); /* nor one that may not grow */
}

/* In this order: see sockets_take_activation and report_prepare_banner. */
static int prepare(struct supervisor *supervisor, struct error *error)
{
    int r;

    occupy_standard_descriptors();
    ignore_signals();
    r = sockets_take_activation(&supervisor->sockets, error);
    if (r < 0)
        return reload_exit_code(r);
    report_prepare_banner(supervisor);
    r = notify_open(&supervisor->notify);
    if (r < 0)
        error_set(error, r, "NOTIFY_SOCKET, WATCHDOG_USEC or WATCHDOG_PID: %s", strerror(-r));
    if (r == 0)
        r = open_program(supervisor, error);
    if (r == 0)
        r = prepare_counters(supervisor, error);
    if (r == 0)
        r = prepare_loop(supervisor, error);
    return r < 0 ? reload_exit_code(r) : 0;
}

static void done(struct supervisor *supervisor)
{
    report_pid_remove(supervisor);
    sockets_done(&supervisor->sockets);
    recording_free(supervisor->recording);
    notify_free(supervisor->notify);
    counters_free(supervisor->counters);
    if (supervisor->banner_fd >= 0)
        close(supervisor->banner_fd);
    if (supervisor->program.fd >= 0)
        close(supervisor->program.fd);
}

static int serve(struct supervisor *supervisor)
{
    struct error error = { .text = "" };
    int code = reload_begin(supervisor, &error);

    if (code != 0) {
        log_error("%s", error.text);
        finish(supervisor);
    }
    uv_run(&supervisor->loop, UV_RUN_DEFAULT);
    uv_loop_close(&supervisor->loop);
    return code != 0 ? code : supervisor->exit_code;
}

int supervisor_run(int argc, char **argv)
{
    struct supervisor supervisor = { .argc = argc, .argv = argv, .program = { .fd = -1 }, .banner_fd = -1 };
    struct error error = { .text = "" };
    int code = prepare(&supervisor, &error);

    if (code != 0) {
        log_error("%s", error.text);
    } else {
        raise_file_limit();
        code = serve(&supervisor);
    }
    done(&supervisor);
    return code;
}
