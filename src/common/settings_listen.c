/*
 * The named listeners among the settings, `[listen NAME]`. Their keys are options of the same names, read by the same
 * rows of the table, but into a struct of their own.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/settings_parts.h"
#include "common/suggestion.h"

static const char listen_prefix[] = "listen ";
#define LISTEN_PREFIX_SIZE (sizeof(listen_prefix) - 1)
#define LISTEN_NAME_MAX    64

#define FIELD(member) offsetof(struct settings_listener, member), sizeof(((struct settings_listener *)NULL)->member)

static const struct {
    const char *key;
    size_t offset, width;
} keys[] = {
    { "uds", FIELD(path) },           { "socket-mode", FIELD(mode) }, { "socket-user", FIELD(user) },
    { "socket-group", FIELD(group) }, { "backlog", FIELD(backlog) },
};

#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))

/* What a listener has that does not say it. */
#define MODE_OF_ALL ((mode_t)-1)

bool listen_option(const char *key, struct option_entry *ret_option)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (strcmp(keys[i].key, key) != 0)
            continue;
        *ret_option = *settings_option(key);
        ret_option->offset = keys[i].offset;
        ret_option->width = keys[i].width;
        if (ret_option->kind == OPTION_TEXT_LIST)
            ret_option->kind = OPTION_TEXT;
        return true;
    }
    return false;
}

const char *listen_suggest(const char *key)
{
    struct suggestion suggestion = SUGGESTION(key);

    for (size_t i = 0; i < KEY_COUNT; i++)
        suggestion_consider(&suggestion, keys[i].key);
    return suggestion.best;
}

int listen_name_check(const char *name, struct error *error)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

    if (*name == '\0' || name[strspn(name, allowed)] != '\0')
        return error_set(error, -EINVAL, "\"%s\" is no name for a listener: letters, digits, \"-\", \"_\" and \".\"",
                         name);
    if (strlen(name) > LISTEN_NAME_MAX)
        return error_set(error, -EINVAL, "\"%.16s…\" is longer than %d bytes", name, LISTEN_NAME_MAX);
    return 0;
}

static struct settings_listener *listener_find(const struct settings *settings, const char *name, size_t length)
{
    for (size_t i = 0; i < settings->listener_count; i++)
        if (strlen(settings->listeners[i].name) == length && strncmp(settings->listeners[i].name, name, length) == 0)
            return &settings->listeners[i];
    return NULL;
}

static int listener_add(struct settings *settings, const char *name, struct error *error)
{
    struct settings_listener *listeners, new = { .mode = MODE_OF_ALL };
    int r = listen_name_check(name, error);

    if (r < 0)
        return r;
    if (listener_find(settings, name, strlen(name)))
        return error_set(error, -EINVAL, "[listen %s] is there twice", name);
    listeners = reallocarray(settings->listeners, settings->listener_count + 1, sizeof(*listeners));
    if (!listeners)
        return error_set(error, -ENOMEM, "%s", strerror(ENOMEM));
    settings->listeners = listeners;
    new.name = strdup(name);
    if (!new.name)
        return error_set(error, -ENOMEM, "%s", strerror(ENOMEM));
    listeners[settings->listener_count++] = new;
    return 0;
}

int listen_assign(struct settings *settings, const struct assignment *assignment, struct error *error)
{
    const char *name = assignment->name + LISTEN_PREFIX_SIZE;
    size_t length = strcspn(name, " ");
    const char *key = name[length] == ' ' ? name + length + 1 : "uds";
    struct settings_listener *listener;
    struct option_entry option;
    int r;

    if (name[length] == '\0') {
        r = listener_add(settings, name, error);
        if (r < 0)
            return r;
    }
    if (assignment->bad) /* but its keys may be good */
        return 0;
    listener = listener_find(settings, name, length);
    if (!listener || !listen_option(key, &option) || (name[length] == ' ' && strcmp(key, "uds") == 0))
        return error_set(error, -EINVAL, "\"%s\" is no setting of a listener", assignment->name);
    return option_read(&option, assignment->text, listener, error);
}

bool is_listen_name(const char *name)
{
    return strncmp(name, listen_prefix, LISTEN_PREFIX_SIZE) == 0;
}

static int listener_complete(const struct settings *settings, struct settings_listener *listener)
{
    if (listener->mode == MODE_OF_ALL)
        listener->mode = settings->socket_mode;
    if (listener->backlog == 0)
        listener->backlog = settings->backlog;
    if (!listener->user && settings->socket_user) {
        listener->user = strdup(settings->socket_user);
        if (!listener->user)
            return -ENOMEM;
    }
    if (!listener->group && settings->socket_group) {
        listener->group = strdup(settings->socket_group);
        if (!listener->group)
            return -ENOMEM;
    }
    return 0;
}

int listeners_complete(struct settings *settings)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < settings->listener_count; i++)
        r = listener_complete(settings, &settings->listeners[i]);
    return r;
}

void listeners_done(struct settings *settings)
{
    for (size_t i = 0; i < settings->listener_count; i++) {
        free(settings->listeners[i].name);
        free(settings->listeners[i].path);
        free(settings->listeners[i].user);
        free(settings->listeners[i].group);
    }
    free(settings->listeners);
    settings->listeners = NULL;
    settings->listener_count = 0;
}
