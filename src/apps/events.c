/*
 * `events`: the log of events, to be read by everybody who may connect, and written to by the server's own user and
 * root; unless rules say otherwise.
 */
#define BERTH_APP_SYMBOL app_events
#include <berth.h>

#include <string.h>
#include <strings.h>

#include "apps/event_query.h"

static int read_events(struct berth_request *request, struct berth_reply *reply)
{
    struct event_query_texts texts = {
        .since = berth_request_query(request, "since", 0),
        .until = berth_request_query(request, "until", 0),
        .since_id = berth_request_query(request, "since_id", 0),
        .follow = berth_request_query(request, "follow", 0),
        .format = berth_request_query(request, "format", 0),
        .last_event_id = berth_request_header(request, "Last-Event-ID", 0),
        .accept = berth_request_header(request, "Accept", 0),
    };
    struct berth_event_query query;
    struct event_query_fault fault;
    bool server_sent;
    const char *type;

    while ((type = berth_request_query(request, "type", texts.type_count))) {
        if (texts.type_count == EVENT_QUERY_TYPES_MAX)
            return berth_reply_error(reply, 400, "type: at most %d of them can be asked for", EVENT_QUERY_TYPES_MAX);
        texts.types[texts.type_count++] = type;
    }
    if (event_query_parse(&texts, &query, &server_sent, &fault) < 0)
        return berth_reply_error(reply, 400, "%s: \"%s\" is not %s", fault.name, fault.value, fault.wanted);
    return berth_reply_event_log(reply, &query, server_sent);
}

/* Without its parameters. */
static bool is_media_type(const char *field, const char *type)
{
    size_t size = strlen(type);

    return strncasecmp(field, type, size) == 0 && (field[size] == '\0' || strchr("; \t", field[size]));
}

static int publish(struct berth_request *request, struct berth_reply *reply)
{
    const char *type = berth_request_header(request, "Content-Type", 0);

    if (type && is_media_type(type, "application/json"))
        return berth_reply_publish(request, reply, false);
    if (type && is_media_type(type, "application/x-ndjson"))
        return berth_reply_publish(request, reply, true);
    return berth_reply_error(reply, 415,
                             "an event is sent as application/json, several as application/x-ndjson, not as %s",
                             type ? type : "what has no Content-Type");
}

static const struct berth_route routes[] = {
    { "GET", "/", read_events },
    { "POST", "/", publish, .self_only = true },
    { 0 },
};

static int start(const struct berth_settings *settings, void **ret_state)
{
    (void)settings;
    (void)ret_state;
    return berth_events_open();
}

BERTH_APP("events", .routes = routes, .start = start);
