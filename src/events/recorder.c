#include "events/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "common/signals.h"
#include "events/recorder_parts.h"
#include "socket/names.h"

/* The last turns of the loop, in which libuv closes handles. */
#define CLOSE_TURNS_MAX 100

static void tell(struct recorder *recorder, enum control_type type, const char *body)
{
    int r;

    if (recorder->control_ended)
        return;
    r = control_send(CONTRACT_CONTROL_FD, CONTROL_WORKER, type, body, -1);
    if (r < 0 && r != -EPIPE)
        log_warning("the supervisor could not be told: %s", strerror(-r));
}

/* ---- turns ---- */

void recorder_end_turn(struct recorder *recorder)
{
    turn_flush(recorder);
    if (recorder->turn.news)
        workers_wake(recorder);
    recorder->turn.news = false;
}

static void on_turn_end(uv_check_t *check)
{
    recorder_end_turn(check->data);
}

/* ---- the disk ---- */

static void run_sync(uv_work_t *work)
{
    struct recorder *recorder = work->data;

    recorder->sync_result = journal_sync(recorder->journal);
}

static void on_synced(uv_work_t *work, int status)
{
    struct recorder *recorder = work->data;

    recorder->syncing = false;
    if (status == 0 && recorder->sync_result < 0)
        log_error("--event-log %s: what was written may not be on the disk: %s", recorder->launch.settings.event_log,
                  strerror(-recorder->sync_result));
}

static void on_sync_due(uv_timer_t *timer)
{
    struct recorder *recorder = timer->data;

    if (recorder->syncing || !journal_is_dirty(recorder->journal))
        return;
    recorder->sync.data = recorder;
    recorder->syncing = uv_queue_work(&recorder->loop, &recorder->sync, run_sync, on_synced) == 0;
}

/* ---- the supervisor ---- */

static void finish(struct recorder *recorder)
{
    recorder->ending = true;
    uv_stop(&recorder->loop);
}

static void on_farewell(uv_timer_t *timer)
{
    struct recorder *recorder = timer->data;

    log_warning("still %zu workers at the end of --timeout-graceful-shutdown: ending", recorder->channel_count);
    finish(recorder);
}

/* Without a supervisor there are no new workers, but those that are left may have something to publish still. */
void recorder_on_worker_gone(struct recorder *recorder)
{
    if (recorder->control_ended && recorder->channel_count == 0 && recorder->rendezvous_ended)
        finish(recorder);
}

static void obey(struct recorder *recorder, const struct control_message *message)
{
    switch (message->type) {
    case CONTROL_PING:
        tell(recorder, CONTROL_PONG, NULL);
        break;
    case CONTROL_DRAIN:
    case CONTROL_STOP:
        finish(recorder);
        break;
    case CONTROL_LOG:
        dup3(message->fd, STDERR_FILENO, 0);
        break;
    default:
        break;
    }
}

static void on_control(uv_poll_t *poll, int status, int events)
{
    struct recorder *recorder = poll->data;
    struct control_message message;
    int r;

    (void)status;
    (void)events;
    while ((r = control_receive(CONTRACT_CONTROL_FD, CONTROL_WORKER, &message)) > 0) {
        obey(recorder, &message);
        if (message.fd >= 0)
            close(message.fd);
    }
    if (r == 0)
        return;
    log_info("the supervisor is gone: going on until the workers are, too");
    recorder->control_ended = true;
    uv_poll_stop(poll);
    uv_timer_start(&recorder->farewell, on_farewell, recorder->launch.settings.graceful_ms, 0);
    recorder_on_worker_gone(recorder);
}

/* ---- beginning and end ---- */

static int open_loop(struct recorder *recorder)
{
    int r = uv_loop_init(&recorder->loop);

    if (r < 0)
        return r;
    uv_timer_init(&recorder->loop, &recorder->sync_timer);
    uv_timer_init(&recorder->loop, &recorder->farewell);
    uv_check_init(&recorder->loop, &recorder->turn_end);
    recorder->control.data = recorder->sync_timer.data = recorder->farewell.data = recorder->turn_end.data = recorder;
    uv_check_start(&recorder->turn_end, on_turn_end);
    r = uv_poll_init(&recorder->loop, &recorder->control, CONTRACT_CONTROL_FD);
    if (r == 0)
        r = uv_poll_start(&recorder->control, UV_READABLE, on_control);
    if (r == 0)
        r = workers_open(recorder);
    return r == 0 ? names_init(&recorder->loop) : r;
}

static int start(struct recorder *recorder, struct error *error)
{
    const struct settings *settings = &recorder->launch.settings;
    int r = launch_read(CONTRACT_LAUNCH_FD, &recorder->launch, error);

    if (r < 0)
        return r;
    log_init(settings->log_level, "berth recorder");
    log_use_json(settings->log_format == LOG_FORMAT_JSON);
    for (int fd = CONTRACT_CONTROL_FD; fd < CONTRACT_FIRST_FD + (int)recorder->launch.listener_count; fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    r = history_open(recorder, error);
    if (r < 0)
        return r;
    turn_init(recorder);
    r = open_loop(recorder);
    if (r < 0)
        return error_set(error, r, "the event loop cannot be made: %s", strerror(-r));
    if (recorder->journal)
        uv_timer_start(&recorder->sync_timer, on_sync_due, settings->event_sync_ms, settings->event_sync_ms);
    return datagrams_open(recorder, error);
}

/* Takes what waits, and closes. */
static void stop(struct recorder *recorder)
{
    recorder->ending = true;
    workers_read_all(recorder);
    datagrams_read_all(recorder);
    recorder_end_turn(recorder);
    datagrams_close(recorder);
    workers_close(recorder);
    uv_close((uv_handle_t *)&recorder->control, NULL);
    uv_close((uv_handle_t *)&recorder->turn_end, NULL);
    uv_close((uv_handle_t *)&recorder->sync_timer, NULL);
    uv_close((uv_handle_t *)&recorder->farewell, NULL);
    names_done();
    /* A sync that runs has the journal. */
    while (recorder->syncing && uv_run(&recorder->loop, UV_RUN_ONCE) != 0)
        ;
    for (int turn = 0; turn < CLOSE_TURNS_MAX && uv_run(&recorder->loop, UV_RUN_NOWAIT) != 0; turn++)
        ;
    journal_close(recorder->journal);
    event_log_writer_close(recorder->writer);
    turn_done(recorder);
    free(recorder->sockets);
    launch_done(&recorder->launch);
}

static bool started_by_supervisor(int argc)
{
    int type = 0;
    socklen_t size = sizeof(type);

    return argc == 1 && getsockopt(CONTRACT_CONTROL_FD, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
           type == SOCK_SEQPACKET;
}

/* What only other settings can mend; the rest may be otherwise the next time. */
static int exit_code(int r)
{
    switch (r) {
    case -EINVAL:
    case -ENOENT:
    case -ENOTDIR:
    case -EISDIR:
    case -EACCES:
    case -EPERM:
    case -ELOOP:
    case -ENAMETOOLONG:
    case -EROFS:
        return EXIT_USAGE;
    default:
        return EXIT_FAILURE;
    }
}

int recorder_main(int argc, char **argv)
{
    static struct recorder recorder;
    struct error error = { "" };
    int r;

    (void)argv;
    if (!started_by_supervisor(argc)) {
        fputs("berth recorder: this is started by berth serve\n", stderr);
        return EXIT_USAGE;
    }
    prctl(PR_SET_NAME, "berth recorder");
    log_init(BERTH_LOG_INFO, "berth recorder");
    signals_ignore();
    r = start(&recorder, &error);
    if (r < 0) {
        tell(&recorder, CONTROL_FAILED, error.text);
        return exit_code(r);
    }
    tell(&recorder, CONTROL_READY, NULL);
    uv_run(&recorder.loop, UV_RUN_DEFAULT);
    stop(&recorder);
    return EXIT_SUCCESS;
}
