/*
 * What the settings say of events. The only application that datagrams can go to is the built-in one of that name.
 */
#include <errno.h>
#include <string.h>

#include "common/settings_parts.h"

static const char events_app[] = "events";

int datagram_check(const char *text, struct error *error)
{
    const char *colon = strchr(text, ':');
    size_t length = colon ? (size_t)(colon - text) : strlen(text);

    if (!colon || length == 0)
        return error_set(error, -EINVAL, "\"%s\" does not say APP:PATH, such as events:/run/events.sock", text);
    if (length != strlen(events_app) || strncmp(text, events_app, length) != 0)
        return error_set(error, -EINVAL, "\"%s\": \"%.*s\" takes no datagrams; only events does: events:%s", text,
                         (int)length, text, colon[1] != '\0' ? colon + 1 : "PATH");
    if (colon[1] == '\0')
        return error_set(error, -EINVAL, "\"%s\" has no path, such as events:/run/events.sock", text);
    return 0;
}

const char *settings_datagram_path(const char *datagram)
{
    return strchr(datagram, ':') + 1;
}

static bool has_events_app(const struct settings *settings)
{
    for (size_t i = 0; i < settings->app_count; i++)
        if (strcmp(settings->apps[i].app, events_app) == 0)
            return true;
    return false;
}

bool settings_use_events(const struct settings *settings)
{
    return settings->event_log || settings->datagrams.count > 0 || has_events_app(settings);
}

bool settings_serve_events(const struct settings *settings)
{
    return settings->app_count == 0 || has_events_app(settings);
}
