#include "common/metrics.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "common/utf8.h"

#define SECOND 1000000000.0

static void describe(FILE *stream, const char *name, const char *type, const char *help)
{
    fprintf(stream, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void metrics_write_one(FILE *stream, const char *name, const char *type, const char *help, uint64_t value)
{
    describe(stream, name, type, help);
    fprintf(stream, "%s %" PRIu64 "\n", name, value);
}

static void write_label(FILE *stream, const char *name, const char *value, size_t size)
{
    const char *at = value, *end = value + size;

    fprintf(stream, "%s=\"", name);
    while (at < end) {
        size_t length = utf8_size(at, (size_t)(end - at));

        if (length == 0 || (length == 1 && (*at < ' ' || *at == 0x7f))) {
            fputc('?', stream);
            at++;
            continue;
        }
        if (*at == '"' || *at == '\\')
            fputc('\\', stream);
        fwrite(at, 1, length, stream);
        at += length;
    }
    fputc('"', stream);
}

/* ---- requests ---- */

static void write_row_labels(FILE *stream, const struct counters_snapshot *snapshot, size_t i)
{
    static const char *const others[] = { [COUNTERS_ROW_NONE] = "none", [COUNTERS_ROW_OTHER] = "other" };
    const char *label = snapshot->total.rows[i].label;
    size_t method = strcspn(label, " ");

    if (i < COUNTERS_ROW_FIRST) {
        fprintf(stream, "method=\"%s\",route=\"%s\"", others[i], others[i]);
        return;
    }
    write_label(stream, "method", label, method);
    label += method + (label[method] == ' ');
    fputc(',', stream);
    write_label(stream, "route", label, strlen(label));
}

static void write_requests(FILE *stream, const struct counters_snapshot *snapshot)
{
    static const char *const classes[COUNTERS_CLASSES] = { "none", "1xx", "2xx", "3xx", "4xx", "5xx" };

    describe(stream, "berth_requests_total", "counter",
             "Requests that are over, by the route that answered and the class of the reply's status. "
             "route=\"none\": no route matched; class=\"none\": ended without a reply.");
    for (size_t i = 0; i < snapshot->total.row_count; i++)
        for (size_t kind = 0; kind < COUNTERS_CLASSES; kind++) {
            uint64_t value = snapshot->total.rows[i].classes[kind];

            if (value == 0)
                continue;
            fputs("berth_requests_total{", stream);
            write_row_labels(stream, snapshot, i);
            fprintf(stream, ",class=\"%s\"} %" PRIu64 "\n", classes[kind], value);
        }
}

static void write_route_times(FILE *stream, const struct counters_snapshot *snapshot)
{
    describe(stream, "berth_route_seconds_total", "counter",
             "From the request line to the end of the reply, by route: by its requests, their mean duration.");
    for (size_t i = 0; i < snapshot->total.row_count; i++) {
        uint64_t value = snapshot->total.rows[i].nanoseconds;

        if (value == 0)
            continue;
        fputs("berth_route_seconds_total{", stream);
        write_row_labels(stream, snapshot, i);
        fprintf(stream, "} %.9f\n", (double)value / SECOND);
    }
}

static void write_latency(FILE *stream, const struct counters_snapshot *snapshot)
{
    const uint64_t *figures = snapshot->total.figures;
    uint64_t count = 0;

    describe(stream, "berth_request_duration_seconds", "histogram", "From the request line to the end of the reply.");
    for (size_t i = 0; i < COUNTERS_BUCKETS; i++) {
        if (__builtin_add_overflow(count, figures[COUNTERS_BUCKET + i], &count))
            count = UINT64_MAX;
        if (counters_bounds[i] == UINT64_MAX)
            fprintf(stream, "berth_request_duration_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n", count);
        else
            fprintf(stream, "berth_request_duration_seconds_bucket{le=\"%g\"} %" PRIu64 "\n",
                    (double)counters_bounds[i] / SECOND, count);
    }
    fprintf(stream, "berth_request_duration_seconds_sum %.9f\n", (double)figures[COUNTERS_NANOSECONDS] / SECOND);
    fprintf(stream, "berth_request_duration_seconds_count %" PRIu64 "\n", count);
}

static void write_library_errors(FILE *stream, const struct counters_snapshot *snapshot)
{
    const uint64_t *values = snapshot->total.figures + COUNTERS_LIBRARY;

    describe(stream, "berth_library_errors_total", "counter",
             "What libmicrohttpd refused by itself, before any route, by the status of its answer.");
    for (size_t i = 0; i < COUNTERS_LIBRARY_STATUSES; i++)
        if (counters_statuses[i] != 0)
            fprintf(stream, "berth_library_errors_total{status=\"%u\"} %" PRIu64 "\n", counters_statuses[i], values[i]);
        else
            fprintf(stream, "berth_library_errors_total{status=\"other\"} %" PRIu64 "\n", values[i]);
}

static void write_denials(FILE *stream, const struct counters_snapshot *snapshot)
{
    static const char *const reasons[COUNTERS_DENIALS] = {
        [COUNTERS_DENIAL_RULE] = "rule",      [COUNTERS_DENIAL_CONNECTIONS] = "user-connections",
        [COUNTERS_DENIAL_RATE] = "user-rate", [COUNTERS_DENIAL_STREAMS] = "user-streams",
        [COUNTERS_DENIAL_ORIGIN] = "origin",
    };

    describe(stream, "berth_denials_total", "counter",
             "Who was refused for who it is, by why: a rule, a limit of what one user may have "
             "(--limit-user-connections, -rate, -streams), or as a page of another site (--allow-origin).");
    for (size_t i = 0; i < COUNTERS_DENIALS; i++)
        fprintf(stream, "berth_denials_total{reason=\"%s\"} %" PRIu64 "\n", reasons[i],
                snapshot->total.figures[COUNTERS_DENIED + i]);
}

static void write_traffic(FILE *stream, const struct counters_snapshot *snapshot)
{
    const uint64_t *figures = snapshot->total.figures;

    metrics_write_one(stream, "berth_reply_bytes_total", "counter", "Bytes of replies' bodies.",
                      figures[COUNTERS_BYTES]);
    metrics_write_one(stream, "berth_connections_total", "counter", "Connections accepted, refused ones included.",
                      figures[COUNTERS_ACCEPTED]);
    metrics_write_one(stream, "berth_connections_refused_total", "counter",
                      "Connections beyond --limit-connections, answered with 503.", figures[COUNTERS_REFUSED]);
    metrics_write_one(stream, "berth_connections", "gauge", "Connections that are open.",
                      snapshot->gauges[COUNTERS_CONNECTIONS]);
    metrics_write_one(stream, "berth_held_replies", "gauge", "Requests whose reply comes later.",
                      snapshot->gauges[COUNTERS_HELD]);
    metrics_write_one(stream, "berth_events_subscribers", "gauge", "Clients that follow the log of events.",
                      snapshot->gauges[COUNTERS_SUBSCRIBERS]);
    metrics_write_one(stream, "berth_log_lines_dropped_total", "counter",
                      "Lines of the logs that were dropped because nobody took them in time.",
                      figures[COUNTERS_LOG_DROPPED]);
}

static void write_users(FILE *stream, const struct counters_snapshot *snapshot)
{
    const char *name = "berth_connections_by_user";

    describe(
        stream, name, "gauge",
        "Connections that are open, by who made them; behind a proxy, the proxy. uid=\"other\": of more users than "
        "are told apart.");
    for (size_t i = 0; i < snapshot->user_count; i++) {
        const struct counters_user *user = &snapshot->users[i];

        fprintf(stream, "%s{uid=\"%u\"", name, user->uid);
        if (user->name[0]) {
            fputc(',', stream);
            write_label(stream, "user", user->name, strlen(user->name));
        }
        fprintf(stream, "} %" PRIu64 "\n", user->connections);
    }
    if (snapshot->other_users > 0)
        fprintf(stream, "%s{uid=\"other\"} %" PRIu64 "\n", name, snapshot->other_users);
}

/* ---- processes ---- */

static void write_events(FILE *stream, const struct counters_snapshot *snapshot)
{
    static const char *const reasons[COUNTERS_RESTARTS] = {
        [COUNTERS_RESTART_SIGNAL] = "signal",
        [COUNTERS_RESTART_EXIT] = "exit",
        [COUNTERS_RESTART_TIMEOUT] = "timeout",
        [COUNTERS_RESTART_RETIRED] = "max-requests",
    };

    describe(stream, "berth_worker_restarts_total", "counter", "Workers that were replaced, by why.");
    for (size_t i = 0; i < COUNTERS_RESTARTS; i++)
        fprintf(stream, "berth_worker_restarts_total{reason=\"%s\"} %" PRIu64 "\n", reasons[i], snapshot->restarts[i]);
    describe(stream, "berth_reloads_total", "counter", "Reloads, by how they ended.");
    fprintf(stream, "berth_reloads_total{result=\"succeeded\"} %" PRIu64 "\n", snapshot->reloads[true]);
    fprintf(stream, "berth_reloads_total{result=\"failed\"} %" PRIu64 "\n", snapshot->reloads[false]);
}

static void write_process(FILE *stream, const char *name, const struct counters_process *process, uint64_t value)
{
    if (process->number == 0)
        fprintf(stream, "%s{process=\"supervisor\"} %" PRIu64 "\n", name, value);
    else
        fprintf(stream, "%s{process=\"worker %u\"} %" PRIu64 "\n", name, process->number, value);
}

static void write_processes(FILE *stream, const struct counters_snapshot *snapshot)
{
    const char *resident = "berth_resident_memory_bytes", *proportional = "berth_proportional_memory_bytes";

    metrics_write_one(stream, "berth_workers", "gauge", "Workers that serve or drain.", snapshot->process_count - 1);
    describe(stream, resident, "gauge", "Resident memory of each process, shared pages counted in each (RSS).");
    for (size_t i = 0; i < snapshot->process_count; i++)
        if (snapshot->processes[i].resident > 0)
            write_process(stream, resident, &snapshot->processes[i], snapshot->processes[i].resident);
    describe(stream, proportional, "gauge",
             "Resident memory of each process, shared pages divided (PSS); of those that may be asked.");
    for (size_t i = 0; i < snapshot->process_count; i++)
        if (snapshot->processes[i].proportional > 0)
            write_process(stream, proportional, &snapshot->processes[i], snapshot->processes[i].proportional);
}

void metrics_write(const struct counters_snapshot *snapshot, const char *version, FILE *stream)
{
    describe(stream, "berth_info", "gauge", "Which berth this is.");
    fputs("berth_info{", stream);
    write_label(stream, "version", version, strlen(version));
    fputs("} 1\n", stream);
    describe(stream, "berth_start_time_seconds", "gauge", "When the server was started, since 1970.");
    fprintf(stream, "berth_start_time_seconds %.3f\n", (double)snapshot->started_at / SECOND);
    write_requests(stream, snapshot);
    write_route_times(stream, snapshot);
    write_latency(stream, snapshot);
    write_traffic(stream, snapshot);
    write_users(stream, snapshot);
    write_denials(stream, snapshot);
    write_library_errors(stream, snapshot);
    write_events(stream, snapshot);
    write_processes(stream, snapshot);
}
