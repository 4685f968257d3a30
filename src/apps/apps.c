#include "apps/apps.h"

#include <string.h>

extern const struct berth_app app_events, app_site, app_status;

static const struct builtin builtins[] = {
    { "events", &app_events, NULL },
    { "site", &app_site, "DIR" },
    { "status", &app_status, NULL },
};

const char *const builtin_default_set[] = { "/=site:%s", "/events=events", "status", NULL };

const struct builtin *builtin_find(const char *spec, const char **ret_argument)
{
    const char *colon = strchr(spec, ':');
    size_t size = colon ? (size_t)(colon - spec) : strlen(spec);

    for (size_t i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++) {
        const struct builtin *builtin = &builtins[i];

        if (strlen(builtin->name) != size || strncmp(builtin->name, spec, size) != 0)
            continue;
        if (!colon != !builtin->argument || (colon && colon[1] == '\0'))
            return NULL;
        *ret_argument = colon ? colon + 1 : NULL;
        return builtin;
    }
    return NULL;
}

const struct builtin *builtin_at(size_t index)
{
    return index < sizeof(builtins) / sizeof(builtins[0]) ? &builtins[index] : NULL;
}

const char *builtin_names(void)
{
    return "events, site:DIR, status";
}
