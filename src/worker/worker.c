#include "worker/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "common/contract.h"
#include "common/log.h"
#include "common/number.h"
#include "common/signals.h"
#include "events/client.h"
#include "events/feed.h"
#include "http/reply.h"
#include "http/server.h"
#include "socket/names.h"
#include "worker/access_log.h"
#include "worker/application.h"
#include "worker/loop.h"
#include "worker/self.h"

/* The last turns of the loop, in which libuv closes handles. Handles that an application left open end with the
 * process. */
#define CLOSE_TURNS_MAX 100

struct worker {
    uv_loop_t loop;
    uv_poll_t control;
    uv_timer_t grace; /* from the begin of a drain to its end */
    struct launch launch;
    struct proxies proxies;
    struct router *router;
    struct applications *applications;
    unsigned int number;
    struct self self;
    struct http_server http;
    struct access_log access_log;
    uint64_t retire_at; /* how many requests make it ask for its replacement; UINT64_MAX: never */
    int event_log_fd;   /* between the two messages that bring the events; -1: none */
    bool control_ended;
    bool last_accepted; /* drains, and nobody can connect any more: while it is emptied, the queue may bring somebody */
    char log_role[32];
};

static void tell(struct worker *worker, enum control_type type, const char *body)
{
    int r;

    if (worker->control_ended)
        return;
    r = control_send(CONTRACT_CONTROL_FD, CONTROL_WORKER, type, body, -1);
    if (r < 0 && r != -EPIPE)
        log_warning("the supervisor could not be told: %s", strerror(-r));
}

/* With something to try. */
static void tell_ready(struct worker *worker)
{
    char target[CONTROL_BODY_MAX];

    applications_first_page(worker->applications, target, sizeof(target));
    tell(worker, CONTROL_READY, target);
}

static void finish(struct worker *worker)
{
    uv_stop(&worker->loop);
}

static void grace_over(uv_timer_t *timer)
{
    struct worker *worker = timer->data;

    log_warning(
        "still %zu connections, %zu pieces of offloaded work and %zu events that the recorder has not stored at "
        "the end of --timeout-graceful-shutdown: ending them",
        worker->http.connection_count, worker->http.work_count, client_pending());
    finish(worker);
}

/* Nothing is open, and nothing is on its way to the log of events. */
static void finish_if_idle(struct worker *worker)
{
    if (worker->last_accepted && http_server_is_idle(&worker->http) && client_pending() == 0)
        finish(worker);
}

static void drain(struct worker *worker)
{
    if (worker->http.draining)
        return;
    http_server_drain(&worker->http);
    worker->last_accepted = true;
    uv_timer_start(&worker->grace, grace_over, worker->launch.settings.graceful_ms, 0);
    finish_if_idle(worker);
}

static void take_log(struct worker *worker, const struct control_message *message)
{
    if (strcmp(message->body, CONTROL_ACCESS_LOG) == 0)
        access_log_replace(&worker->access_log, message->fd);
    else
        dup3(message->fd, STDERR_FILENO, 0);
}

/* The log comes before the rendezvous, and both descriptors are closed by whoever received the messages. */
static void take_events(struct worker *worker, const struct control_message *message)
{
    int fd = fcntl(message->fd, F_DUPFD_CLOEXEC, 0), r;

    if (fd < 0) {
        log_error("the log of events cannot be used: %s", strerror(errno));
    } else if (message->type == CONTROL_EVENT_LOG) {
        if (worker->event_log_fd >= 0)
            close(worker->event_log_fd);
        worker->event_log_fd = fd;
    } else {
        r = client_connect(worker->event_log_fd, fd);
        worker->event_log_fd = -1;
        if (r < 0)
            log_error("the log of events cannot be used: %s", strerror(-r));
    }
}

static void obey(struct worker *worker, const struct control_message *message)
{
    switch (message->type) {
    case CONTROL_PING:
        tell(worker, CONTROL_PONG, NULL);
        break;
    case CONTROL_DRAIN:
        drain(worker);
        break;
    case CONTROL_STOP:
        finish(worker);
        break;
    case CONTROL_LOG:
        take_log(worker, message);
        break;
    case CONTROL_EVENT_LOG:
    case CONTROL_RENDEZVOUS:
        take_events(worker, message);
        break;
    default:
        break;
    }
}

static void on_control(uv_poll_t *poll, int status, int events)
{
    struct worker *worker = poll->data;
    struct control_message message;
    int r;

    (void)status;
    (void)events;
    while ((r = control_receive(CONTRACT_CONTROL_FD, CONTROL_WORKER, &message)) > 0) {
        obey(worker, &message);
        if (message.fd >= 0)
            close(message.fd);
    }
    if (r == 0)
        return;
    log_info("the supervisor is gone: finishing what is open");
    worker->control_ended = true;
    uv_poll_stop(poll);
    drain(worker);
}

static void activity_changed(struct http_server *http)
{
    struct worker *worker = (struct worker *)((char *)http - offsetof(struct worker, http));

    if (worker->launch.settings.exit_idle_ms > 0)
        tell(worker, http_server_is_idle(http) ? CONTROL_IDLE : CONTROL_BUSY, NULL);
    finish_if_idle(worker);
}

static void request_completed(struct http_server *http, const struct http_record *record)
{
    struct worker *worker = (struct worker *)((char *)http - offsetof(struct worker, http));

    access_log_add(&worker->access_log, record);
    if (http->request_count == worker->retire_at)
        tell(worker, CONTROL_RETIRE, NULL);
}

static void library_refused(struct http_server *http, const struct berth_peer *peer, unsigned int status)
{
    struct worker *worker = (struct worker *)((char *)http - offsetof(struct worker, http));

    access_log_add_refused(&worker->access_log, peer, status);
}

/* What was inherited is ours alone: none of it goes on to the children of an application. */
static void keep_descriptors(size_t count)
{
    for (int fd = CONTRACT_CONTROL_FD; fd < CONTRACT_FIRST_FD + (int)count; fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void ask_for_events(void *data)
{
    tell(data, CONTROL_EVENTS, NULL);
}

static void events_settled(void *data)
{
    finish_if_idle(data);
}

static void count_subscribers(void *data, size_t count)
{
    struct worker *worker = data;

    atomic_store_explicit(&worker->http.counters->gauges[COUNTERS_SUBSCRIBERS], count, memory_order_relaxed);
}

static void open_events(struct worker *worker)
{
    worker->event_log_fd = -1;
    client_init(&worker->loop, ask_for_events, events_settled, worker);
    feed_init(&worker->loop, worker->launch.settings.heartbeat_ms, count_subscribers, worker);
}

static uint64_t retire_at(const struct settings *settings)
{
    uint64_t jitter = 0;

    if (settings->max_requests == 0)
        return UINT64_MAX;
    if (settings->max_requests_jitter > 0 && getrandom(&jitter, sizeof(jitter), 0) == sizeof(jitter))
        jitter %= settings->max_requests_jitter + 1;
    return settings->max_requests + jitter;
}

static int open_loop(struct worker *worker)
{
    int r = uv_loop_init(&worker->loop);

    if (r < 0)
        return r;
    loop_set(&worker->loop);
    worker->control.data = worker->grace.data = worker;
    uv_timer_init(&worker->loop, &worker->grace);
    r = uv_poll_init(&worker->loop, &worker->control, CONTRACT_CONTROL_FD);
    if (r == 0)
        r = uv_poll_start(&worker->control, UV_READABLE, on_control);
    return r == 0 ? names_init(&worker->loop) : r;
}

static int open_access_log(struct worker *worker, struct error *error)
{
    struct access_log *log = &worker->access_log;
    int r = 0;

    log->format = worker->launch.settings.log_format;
    log->role = worker->log_role;
    log->dropped = &worker->http.counters->figures[COUNTERS_LOG_DROPPED];
    if (!worker->launch.settings.no_access_log)
        r = access_log_open(log, &worker->loop, CONTRACT_ACCESS_LOG_FD);
    return r < 0 ? error_set(error, r, "the access log cannot begin: %s", strerror(-r)) : 0;
}

static int open_http(struct worker *worker, struct error *error)
{
    int r;

    worker->http.loop = &worker->loop;
    worker->http.settings = &worker->launch.settings;
    worker->http.proxies = &worker->proxies;
    worker->http.router = worker->router;
    worker->http.ruled = applications_ruled(worker->applications);
    worker->http.on_activity = activity_changed;
    worker->http.on_request = request_completed;
    worker->http.on_library_error = library_refused;
    worker->retire_at = retire_at(&worker->launch.settings);
    r = http_server_open(&worker->http);
    for (size_t i = 0; r == 0 && i < worker->launch.listener_count; i++)
        r = http_server_listen(&worker->http, CONTRACT_FIRST_FD + (int)i, worker->launch.names[i]);
    return r < 0 ? error_set(error, r, "serving cannot begin: %s", strerror(-r)) : 0;
}

static int start(struct worker *worker, struct error *error)
{
    int r = launch_read(CONTRACT_LAUNCH_FD, &worker->launch, error);

    if (r < 0)
        return r;
    log_init(worker->launch.settings.log_level, worker->log_role);
    log_use_json(worker->launch.settings.log_format == LOG_FORMAT_JSON);
    keep_descriptors(worker->launch.listener_count + worker->launch.settings.app_count);
    counters_attach(CONTRACT_COUNTERS_FD, worker->number, &worker->self.counters, &worker->http.counters);
    worker->self.http = &worker->http;
    self_set(&worker->self);
    r = proxies_init(&worker->launch.settings.trust_proxy, &worker->proxies, error);
    if (r < 0)
        return r;
    worker->router = router_new();
    if (!worker->router)
        return error_set(error, -ENOMEM, "no memory for the router");
    r = open_loop(worker);
    if (r < 0)
        return error_set(error, r, "the event loop cannot be made: %s", strerror(-r));
    open_events(worker);
    r = open_access_log(worker, error);
    if (r < 0)
        return r;
    r = applications_start(&worker->launch.settings, CONTRACT_FIRST_FD + (int)worker->launch.listener_count,
                           worker->router, worker->http.counters, &worker->applications, error);
    if (r < 0)
        return r;
    worker->self.applications = worker->applications;
    return open_http(worker, error);
}

/* Whether nothing is left: neither handles that an application forgot nor work on other threads. */
static bool stop(struct worker *worker)
{
    http_server_close(&worker->http);
    feed_done();
    client_done(); /* whoever published is told, while it is there to be told */
    if (worker->http.work_count > 0)
        return false; /* it uses what the applications' `stop` would free */
    applications_stop(worker->applications);
    access_log_close(&worker->access_log);
    uv_close((uv_handle_t *)&worker->control, NULL);
    uv_close((uv_handle_t *)&worker->grace, NULL);
    for (int turn = 0; turn < CLOSE_TURNS_MAX && uv_run(&worker->loop, UV_RUN_NOWAIT) != 0; turn++)
        ;
    constants_done();
    names_done();
    router_free(worker->router);
    proxies_done(&worker->proxies);
    launch_done(&worker->launch);
    return uv_loop_close(&worker->loop) == 0;
}

/* Its number is the only argument. */
static bool started_by_supervisor(int argc, char **argv, uint64_t *ret_number)
{
    int type = 0;
    socklen_t size = sizeof(type);

    return argc == 2 && number_parse(argv[1], 1, UINT_MAX, ret_number, NULL) == 0 &&
           getsockopt(CONTRACT_CONTROL_FD, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

int worker_main(int argc, char **argv)
{
    static struct worker worker;
    struct error error = { "" };
    uint64_t number;

    if (!started_by_supervisor(argc, argv, &number)) {
        fputs("berth worker: this is started by berth serve\n", stderr);
        return EXIT_USAGE;
    }
    worker.number = (unsigned int)number;
    snprintf(worker.log_role, sizeof(worker.log_role), "berth worker %.10s", argv[1]);
    prctl(PR_SET_NAME, worker.log_role);
    log_init(BERTH_LOG_INFO, worker.log_role);
    signals_ignore();
    if (start(&worker, &error) < 0) {
        tell(&worker, CONTROL_FAILED, error.text);
        /* The applications that did start are not stopped: the process ends, and with it all that it has. */
        return EXIT_APPLICATION;
    }
    tell_ready(&worker);
    uv_run(&worker.loop, UV_RUN_DEFAULT);
    if (stop(&worker))
        return EXIT_SUCCESS;
    fflush(NULL);
    _exit(EXIT_SUCCESS); /* destructors must not meet work that still runs on other threads */
}
