/* The applications among the settings, and what they read of them (berth_setting). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/number.h"
#include "common/settings_parts.h"

static const char app_prefix[] = "app ";
#define APP_PREFIX_SIZE (sizeof(app_prefix) - 1)

const char *berth_setting(const struct berth_settings *settings, const char *key, const char *fallback)
{
    const char *colon;

    for (size_t i = 0; i < settings->keys.count; i++)
        if (strcmp(settings->keys.items[i], key) == 0)
            return settings->values.items[i];
    /* A built-in application's: "site:DIR". */
    colon = strcmp(key, "argument") == 0 ? strchr(settings->app, ':') : NULL;
    return colon ? colon + 1 : fallback;
}

int berth_setting_u64(const struct berth_settings *settings, const char *key, uint64_t fallback, uint64_t min,
                      uint64_t max, uint64_t *ret_value)
{
    const char *text = berth_setting(settings, key, NULL);
    struct error error;
    uint64_t value = fallback;

    if (text && number_parse(text, min, max, &value, &error) < 0) {
        log_error("[app %s]: %s: %s", *settings->mount ? settings->mount : "/", key, error.text);
        return -EINVAL;
    }
    *ret_value = value;
    return 0;
}

static bool is_dots(const char *segment, size_t length)
{
    return (length == 1 && segment[0] == '.') || (length == 2 && segment[0] == '.' && segment[1] == '.');
}

/* What a decoded path never holds, or what means something else in a target or in a route. */
static bool is_path_character(unsigned char c)
{
    return c > ' ' && c != 0x7f && !strchr("?#%{}*\\\"<>", c);
}

int mount_check(const char *text, struct error *error)
{
    const char *segment = text;
    size_t length;

    if (text[0] != '/')
        return error_set(error, -EINVAL, "\"%s\" does not begin with \"/\"", text);
    if (strlen(text) > SETTINGS_MOUNT_MAX)
        return error_set(error, -EINVAL, "\"%.32s…\" is longer than %d bytes", text, SETTINGS_MOUNT_MAX);
    for (const char *c = text; *c; c++)
        if (!is_path_character((unsigned char)*c))
            return error_set(error, -EINVAL, "\"%s\" has a character that a mount cannot have (0x%02x)", text,
                             (unsigned int)(unsigned char)*c);
    if (text[1] == '\0')
        return 0;
    for (; *segment == '/'; segment += length) {
        length = strcspn(++segment, "/");
        if (length == 0)
            return error_set(error, -EINVAL, "\"%s\" has an empty segment: no \"//\", and no \"/\" at the end", text);
        if (is_dots(segment, length))
            return error_set(error, -EINVAL, "\"%s\" has a segment \"%.*s\"", text, (int)length, segment);
    }
    return 0;
}

static int app_check(const char *mount, const char *app, struct error *error)
{
    int r = mount_check(mount, error);

    if (r < 0)
        return r;
    if (*app == '\0')
        return error_set(error, -EINVAL, "there is no application for %s; say which: %s=./x.so", mount, mount);
    for (const char *c = app; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return error_set(error, -EINVAL, "the application at %s has control characters in its name", mount);
    return 0;
}

int app_from_argument(const char *argument, char **ret_name, const char **ret_app, struct error *error)
{
    const char *equals = argument[0] == '/' ? strchr(argument, '=') : NULL;
    const char *app = equals ? equals + 1 : argument;
    char *mount = equals ? strndup(argument, (size_t)(equals - argument)) : strdup("/");
    int r;

    if (!mount)
        return error_set(error, -ENOMEM, "%s", strerror(ENOMEM));
    r = app_check(mount, app, error);
    if (r == 0 && asprintf(ret_name, "%s%s", app_prefix, mount) < 0)
        r = error_set(error, -ENOMEM, "%s", strerror(ENOMEM));
    if (r == 0)
        *ret_app = app;
    free(mount);
    return r;
}

size_t app_name_length(const char *name)
{
    size_t length;

    if (strncmp(name, app_prefix, APP_PREFIX_SIZE) != 0)
        return 0;
    length = APP_PREFIX_SIZE + strcspn(name + APP_PREFIX_SIZE, " ");
    return name[length] == ' ' ? length : 0;
}

/* Several may share a mount, as a site and an API at the root do: the router refuses only what two of them answer. Keys
 * belong to the one that was named last. */
static struct berth_settings *app_find(const struct settings *settings, const char *mount)
{
    for (size_t i = settings->app_count; i-- > 0;)
        if (strcmp(settings->apps[i].mount, mount) == 0)
            return &settings->apps[i];
    return NULL;
}

static int app_add(struct settings *settings, const char *mount, const char *app, struct error *error)
{
    struct berth_settings *apps, new = { 0 };
    int r = app_check(mount, app, error);

    if (r < 0)
        return r;
    mount = strcmp(mount, "/") == 0 ? "" : mount;
    apps = reallocarray(settings->apps, settings->app_count + 1, sizeof(*apps));
    if (!apps)
        return error_set(error, -ENOMEM, "%s", strerror(ENOMEM));
    settings->apps = apps;
    new.mount = strdup(mount);
    new.app = strdup(app);
    if (!new.mount || !new.app) {
        free(new.mount);
        free(new.app);
        return error_set(error, -ENOMEM, "%s", strerror(ENOMEM));
    }
    apps[settings->app_count++] = new;
    return 0;
}

static int key_add(struct settings *settings, const char *mount, const char *key, const char *value,
                   struct error *error)
{
    struct berth_settings *app = app_find(settings, strcmp(mount, "/") == 0 ? "" : mount);

    if (!app)
        return error_set(error, -EINVAL, "\"%s\" is a setting of an application at %s, and there is none", key, mount);
    if (is_rule_key(key))
        return rule_assign(app, key, value, error);
    if (*key == '\0' || berth_setting(app, key, NULL))
        return error_set(error, -EINVAL, "\"%s\" is there twice, or empty", key);
    if (text_list_add(&app->keys, key) < 0 || text_list_add(&app->values, value) < 0)
        return error_set(error, -ENOMEM, "%s", strerror(ENOMEM));
    return 0;
}

int app_assign(struct settings *settings, const char *name, const char *text, struct error *error)
{
    size_t length = app_name_length(name);
    char *mount;
    int r;

    if (strncmp(name, app_prefix, APP_PREFIX_SIZE) != 0)
        return error_set(error, -EINVAL, "\"%s\" is no option", name);
    if (length == 0)
        return app_add(settings, name + APP_PREFIX_SIZE, text, error);
    mount = strndup(name + APP_PREFIX_SIZE, length - APP_PREFIX_SIZE);
    if (!mount)
        return error_set(error, -ENOMEM, "%s", strerror(ENOMEM));
    r = key_add(settings, mount, name + length + 1, text, error);
    free(mount);
    return r;
}

void apps_done(struct settings *settings)
{
    for (size_t i = 0; i < settings->app_count; i++) {
        free(settings->apps[i].mount);
        free(settings->apps[i].app);
        text_list_done(&settings->apps[i].keys);
        text_list_done(&settings->apps[i].values);
        text_list_done(&settings->apps[i].rules);
    }
    free(settings->apps);
    settings->apps = NULL;
    settings->app_count = 0;
}
