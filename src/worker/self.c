#include <config.h>

#include "worker/self.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include <berth.h>
#include <jansson.h>
#include <uv.h>

#include "common/counters.h"
#include "common/metrics.h"
#include "events/client.h"
#include "http/server.h"
#include "socket/names.h"
#include "worker/application.h"
#include "worker/memory.h"

/* The kernel walks through a process to tell what it shares: this many are asked. */
#define PROPORTIONAL_MAX 64

static const struct self *the_self;

void self_set(const struct self *self)
{
    the_self = self;
}

static void ask_memory(struct counters_snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->process_count; i++) {
        struct counters_process *process = &snapshot->processes[i];

        process->resident = memory_resident(process->pid);
        if (i < PROPORTIONAL_MAX)
            process->proportional = memory_proportional(process->pid);
    }
}

/* No reader of figures waits for NSS: what is not known yet is known when they are read again. As a group, the one that
 * nobody has (chown(2)): only the user is looked for. */
static void ask_name(struct counters_user *user)
{
    const char *name = names_last_user(user->uid);
    char number[16];

    snprintf(number, sizeof(number), "%u", user->uid);
    if (name && strcmp(name, number) != 0)
        snprintf(user->name, sizeof(user->name), "%s", name);
    names_release(names_take(user->uid, (gid_t)-1)); /* looks it up again now and then */
}

static void ask_names(struct counters_snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->user_count; i++)
        ask_name(&snapshot->users[i]);
}

/* What the recorder counts stands in the log itself. */
static void write_events(FILE *stream)
{
    static const struct {
        enum event_log_figure figure;
        const char *name, *help;
    } rows[] = {
        { EVENT_LOG_STORED, "berth_events_stored_total", "Events in the log, however they came." },
        { EVENT_LOG_NO_ROOM, "berth_events_no_room_total", "Events that the disk had no room for." },
        { EVENT_LOG_DATAGRAMS, "berth_events_datagrams_total", "Datagrams received, refused ones included." },
        { EVENT_LOG_TRUNCATED, "berth_events_datagrams_truncated_total",
          "Datagrams refused because they are longer than an event may be." },
        { EVENT_LOG_MALFORMED, "berth_events_datagrams_malformed_total",
          "Datagrams refused because they are no event." },
        { EVENT_LOG_DESCRIPTORS, "berth_events_descriptors_total",
          "Descriptors that came with datagrams and were closed." },
    };
    const struct event_log *log = client_log();

    for (size_t i = 0; log && i < sizeof(rows) / sizeof(rows[0]); i++)
        metrics_write_one(stream, rows[i].name, "counter", rows[i].help, event_log_figure(log, rows[i].figure));
}

static int write_text(const struct counters_snapshot *snapshot, char **ret_text)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);

    if (!stream)
        return -ENOMEM;
    metrics_write(snapshot, PACKAGE_VERSION, stream);
    write_events(stream);
    if (ferror(stream) | fclose(stream)) {
        free(text);
        return -ENOMEM;
    }
    *ret_text = text;
    return 0;
}

int berth_server_metrics(char **ret_text)
{
    struct counters_snapshot *snapshot;
    int r;

    if (!the_self->counters)
        return -ENODATA;
    snapshot = malloc(sizeof(*snapshot));
    if (!snapshot)
        return -ENOMEM;
    r = counters_read(the_self->counters, snapshot);
    if (r == 0) {
        ask_memory(snapshot);
        ask_names(snapshot);
        r = write_text(snapshot, ret_text);
    }
    free(snapshot);
    return r;
}

int berth_server_version(struct json_t **ret_json)
{
    time_t started_at = (time_t)(counters_started_at(the_self->counters) / 1000000000);
    struct utsname kernel;
    struct tm calendar;
    char started[32];
    json_t *json;

    uname(&kernel);
    strftime(started, sizeof(started), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&started_at, &calendar));
    json = json_pack("{s:s, s:i, s:{s:s, s:s, s:s}, s:s+++, s:s}", "version", PACKAGE_VERSION, "abi", BERTH_ABI,
                     "libraries", "libmicrohttpd", http_library_version(), "libuv", uv_version_string(), "jansson",
                     jansson_version_str(), "kernel", kernel.sysname, " ", kernel.release, "", "started", started);
    if (!json)
        return -ENOMEM;
    *ret_json = json;
    return 0;
}

int berth_server_routes(struct json_t **ret_json)
{
    return applications_describe(the_self->applications, ret_json);
}

bool berth_server_is_draining(void)
{
    return the_self->http->draining;
}
