/* The options: what each is called, where its value goes, what it may be, and what is said of it. */
#include <limits.h>
#include <string.h>

#include "common/settings_parts.h"
#include "common/suggestion.h"
#include "events/log.h"

#define FIELD(member) .offset = offsetof(struct settings, member), .width = sizeof(((struct settings *)NULL)->member)

#define DAY_MS (UINT64_C(24) * 60 * 60 * 1000)
#define SIZE_KEPT                                                                                                      \
    (UINT64_C(1) << 62) /* a limit above which a size is none any more, and sums of two do not overflow                \
                         */

static const struct option_choice levels[] = {
    { "error", BERTH_LOG_ERROR },
    { "warning", BERTH_LOG_WARNING },
    { "info", BERTH_LOG_INFO },
    { "debug", BERTH_LOG_DEBUG },
    { NULL },
};

static const struct option_choice formats[] = {
    { "text", LOG_FORMAT_TEXT },
    { "json", LOG_FORMAT_JSON },
    { NULL },
};

const struct option_entry settings_options[] = {
    { "Sockets", "uds", OPTION_TEXT_LIST, FIELD(uds), .metavar = "PATH", .distinct = true,
      .help = "listen on a Unix socket at PATH" },
    { .name = "fd",
      .kind = OPTION_NUMBER_LIST,
      FIELD(fds),
      .max = INT_MAX,
      .metavar = "N",
      .distinct = true,
      .help = "listen on an inherited descriptor, a listening Unix socket" },
    { .name = "allow-abstract",
      .kind = OPTION_FLAG,
      FIELD(abstract_sockets),
      .help = "allow --uds @NAME: an abstract name has no owner and no mode, so anybody may connect" },
    { .name = "socket-mode",
      .kind = OPTION_MODE,
      FIELD(socket_mode),
      .fallback = "0660",
      .metavar = "MODE",
      .help = "the socket file's permissions, octal" },
    { .name = "socket-user",
      .kind = OPTION_TEXT,
      FIELD(socket_user),
      .metavar = "USER",
      .help = "the socket file's owner, by name or number" },
    { .name = "socket-group",
      .kind = OPTION_TEXT,
      FIELD(socket_group),
      .metavar = "GROUP",
      .help = "the socket file's group, by name or number" },
    { .name = "backlog",
      .kind = OPTION_NUMBER,
      FIELD(backlog),
      .min = 1,
      .max = 65535,
      .fallback = "2048",
      .metavar = "N",
      .help = "how many connections may wait to be accepted (the kernel caps it at net.core.somaxconn)" },

    { "Processes", "config", OPTION_TEXT, FIELD(config), .metavar = "FILE", .not_in_file = true,
      .help = "read settings from FILE as well; flag beats environment beats file" },
    { .name = "workers",
      .kind = OPTION_WORKERS,
      FIELD(workers),
      .min = 1,
      .max = SETTINGS_WORKERS_MAX,
      .fallback = "1",
      .metavar = "N|auto",
      .help = "how many worker processes; auto: one for each usable CPU" },
    { .name = "user",
      .kind = OPTION_TEXT,
      FIELD(user),
      .metavar = "USER",
      .help = "run the workers as this user, by name or number" },
    { .name = "group",
      .kind = OPTION_TEXT,
      FIELD(group),
      .metavar = "GROUP",
      .help = "run the workers with this group, by name or number" },
    { .name = "worker-timeout",
      .kind = OPTION_DURATION,
      FIELD(worker_timeout_ms),
      .min = 100,
      .max = DAY_MS,
      .fallback = "30s",
      .metavar = "TIME",
      .help = "replace a worker that does not answer for this long" },
    { .name = "max-requests",
      .kind = OPTION_NUMBER,
      FIELD(max_requests),
      .max = SIZE_KEPT,
      .fallback = "0",
      .metavar = "N",
      .help = "replace a worker after N requests; 0: never" },
    { .name = "max-requests-jitter",
      .kind = OPTION_NUMBER,
      FIELD(max_requests_jitter),
      .max = SIZE_KEPT,
      .fallback = "0",
      .metavar = "N",
      .help = "add up to N to that, at random, so that not all are replaced at once" },
    { .name = "timeout-graceful-shutdown",
      .kind = OPTION_DURATION,
      FIELD(graceful_ms),
      .max = DAY_MS,
      .fallback = "10s",
      .metavar = "TIME",
      .help = "how long open requests may take to end when a worker is to end" },
    { .name = "exit-idle-time",
      .kind = OPTION_DURATION,
      FIELD(exit_idle_ms),
      .max = DAY_MS,
      .fallback = "0",
      .metavar = "TIME",
      .help = "exit when there was no connection for this long, under socket activation; 0: never" },
    { .name = "pid", .kind = OPTION_TEXT, FIELD(pid_file), .metavar = "FILE", .help = "write the process id to FILE" },

    { "HTTP", "root-path", OPTION_PREFIX, FIELD(root_path), .fallback = "/", .metavar = "PATH",
      .help = "the path under which a proxy shows this server" },
    { .name = "allow-host",
      .kind = OPTION_TEXT_LIST,
      FIELD(allow_host),
      .metavar = "HOST",
      .help = "answer requests for this host, besides the local names" },
    { .name = "timeout-keep-alive",
      .kind = OPTION_DURATION,
      FIELD(keep_alive_ms),
      .min = 1,
      .max = DAY_MS,
      .fallback = "75s",
      .metavar = "TIME",
      .help = "close a connection that is idle for this long" },
    { .name = "timeout-header",
      .kind = OPTION_DURATION,
      FIELD(header_ms),
      .min = 1,
      .max = DAY_MS,
      .fallback = "15s",
      .metavar = "TIME",
      .help = "how long a request's header may take to arrive" },
    { .name = "timeout-body",
      .kind = OPTION_DURATION,
      FIELD(body_ms),
      .min = 1,
      .max = DAY_MS,
      .fallback = "60s",
      .metavar = "TIME",
      .help = "how long a request's body may take to arrive" },
    { .name = "limit-connections",
      .kind = OPTION_NUMBER,
      FIELD(limit_connections),
      .min = 1,
      .max = 1000000,
      .fallback = "1024",
      .metavar = "N",
      .help = "connections at a time for each worker; 503 for more" },
    { .name = "limit-request-body",
      .kind = OPTION_SIZE,
      FIELD(limit_body),
      .max = SIZE_KEPT,
      .fallback = "1M",
      .metavar = "SIZE",
      .help = "the longest request body; 413 for more" },
    { .name = "limit-request-header",
      .kind = OPTION_SIZE,
      FIELD(limit_header),
      .min = 1024,
      .max = 1024 * 1024,
      .fallback = "8K",
      .metavar = "SIZE",
      .help = "the longest request line and header fields together; 431 for more" },
    { .name = "limit-request-target",
      .kind = OPTION_SIZE,
      FIELD(limit_target),
      .min = 64,
      .max = 1024 * 1024,
      .fallback = "4K",
      .metavar = "SIZE",
      .help = "the longest request target; 414 for more" },

    { "Events", "event-log", OPTION_TEXT, FIELD(event_log), .metavar = "FILE",
      .help = "keep the events in FILE as well, so that they outlive the server" },
    { .name = "event-log-size",
      .kind = OPTION_SIZE,
      FIELD(event_log_size),
      .min = EVENT_LOG_SIZE_MIN,
      .max = EVENT_LOG_SIZE_MAX,
      .fallback = "16M",
      .metavar = "SIZE",
      .help = "how much memory the latest events may take, and how much of the file at least" },
    { .name = "event-log-sync",
      .kind = OPTION_DURATION,
      FIELD(event_sync_ms),
      .min = 1,
      .max = DAY_MS,
      .fallback = "1s",
      .metavar = "TIME",
      .help = "how often the file is written to the disk itself: a power cut loses no more" },
    { .name = "datagram",
      .kind = OPTION_DATAGRAM_LIST,
      FIELD(datagrams),
      .metavar = "APP:PATH",
      .distinct = true,
      .help = "take datagrams at PATH for APP, which is events: each is an event" },

    { "Log", "log-level", OPTION_CHOICE, FIELD(log_level), .choices = levels, .fallback = "info", .metavar = "LEVEL",
      .help = "error, warning, info or debug: the least important lines to show" },
    { .name = "log",
      .kind = OPTION_TEXT,
      FIELD(log_file),
      .metavar = "FILE",
      .help = "append the log to FILE instead of standard error; SIGUSR1 opens it again" },
    { .name = "access-log",
      .kind = OPTION_TEXT,
      FIELD(access_log),
      .metavar = "FILE",
      .help = "append a line for each request to FILE instead of standard output; SIGUSR1 opens it again" },
    { .name = "no-access-log", .kind = OPTION_FLAG, FIELD(no_access_log), .help = "write no line for each request" },
    { .name = "log-format",
      .kind = OPTION_CHOICE,
      FIELD(log_format),
      .choices = formats,
      .fallback = "text",
      .metavar = "FORMAT",
      .help = "text or json: what the lines of both logs are" },
};

const size_t settings_option_count = sizeof(settings_options) / sizeof(settings_options[0]);

const struct option_entry *settings_option(const char *name)
{
    for (size_t i = 0; i < settings_option_count; i++)
        if (strcmp(settings_options[i].name, name) == 0)
            return &settings_options[i];
    return NULL;
}

const char *settings_suggest(const char *name)
{
    struct suggestion suggestion = SUGGESTION(name);

    for (size_t i = 0; i < settings_option_count; i++)
        suggestion_consider(&suggestion, settings_options[i].name);
    return suggestion.best;
}

void settings_help(FILE *stream)
{
    option_help(settings_options, settings_option_count, stream);
}
