#include "supervisor/callers.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "access/proxies.h"
#include "access/rules.h"
#include "common/account.h"
#include "socket/activation_names.h"
#include "socket/peer.h"

/* ---- words that match nobody ---- */

/* Of a socket that is handed over: printable and without a colon, or systemd would not let anybody set it. */
static bool is_activation_name(const char *name)
{
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f || *c == ':')
            return false;
    return strlen(name) <= ACTIVATION_NAME_MAX;
}

/* Whoever says where to listen is hardly handed a socket as well; but it can be, and so this is no mistake. */
static int warn_of_listener(const struct settings *settings, const char *name, struct error *error)
{
    for (size_t i = 0; i < settings->listener_count; i++)
        if (strcmp(settings->listeners[i].name, name) == 0)
            return 0;
    if (!is_activation_name(name))
        return error_set(error, 1, "no listener can have the name \"%s\"", name);
    if (settings->uds.count == 0 && settings->listener_count == 0)
        return 0;
    return error_set(error, 1, "there is no [listen %s]; only a socket that is handed over could have that name", name);
}

static int warn_of_overflow(const char *word, id_t id, const char *what, struct error *error)
{
    return error_set(error, 1, "%s matches nobody: the kernel shows %u for every %s that has no number here", word, id,
                     what);
}

static int warn_of_user(const char *word, const char *name, struct error *error)
{
    uid_t uid;

    if (account_uid("", name, &uid, NULL) < 0 || !peer_uid_is_overflow(uid))
        return 0;
    return warn_of_overflow(word, uid, "user", error);
}

static int warn_of_group(const char *word, const char *name, struct error *error)
{
    struct berth_peer member = { .uid = 0 };

    if (account_gid("", name, &member.gid, NULL) < 0 || berth_peer_in_gid(&member, member.gid))
        return 0;
    return warn_of_overflow(word, member.gid, "group", error);
}

static int warn_of_proxy(const struct settings *settings, const char *word, const char *name, struct error *error)
{
    uid_t uid, trusted;

    if (account_uid("", name, &uid, NULL) < 0)
        return 0;
    for (size_t i = 0; i < settings->trust_proxy.count; i++)
        if (account_uid("", settings->trust_proxy.items[i], &trusted, NULL) == 0 && trusted == uid)
            return 0;
    return error_set(error, 1, "%s matches nobody: there is no \"trust-proxy = %s\"", word, name);
}

static int warn_of_word(const struct settings *settings, const char *word, struct error *error)
{
    const char *name = strchr(word, ':');
    size_t size = name ? (size_t)(name - word) : strlen(word);

    name = name ? name + 1 : "";
    if (size == strlen("listener") && strncmp(word, "listener", size) == 0)
        return warn_of_listener(settings, name, error);
    if (strncmp(word, "user:", 5) == 0 || strncmp(word, "uid:", 4) == 0)
        return warn_of_user(word, name, error);
    if (strncmp(word, "group:", 6) == 0 || strncmp(word, "gid:", 4) == 0)
        return warn_of_group(word, name, error);
    if (strncmp(word, "proxied:", 8) == 0)
        return warn_of_proxy(settings, word, name, error);
    if (strcmp(word, "proxied") == 0 && settings->trust_proxy.count == 0)
        return error_set(error, 1, "proxied matches nobody: there is no trust-proxy");
    return 0;
}

/* The first one; methods and path are no such words, whatever they are. */
static int warn(const struct settings *settings, const char *key, const char *text, struct error *error)
{
    char *copy = strdup(text), *rest, *word;
    struct error reason;
    int r = 0;

    if (!copy)
        return error_set(error, -ENOMEM, "%s", strerror(ENOMEM));
    strtok_r(copy, " \t", &rest);
    strtok_r(NULL, " \t", &rest);
    while (r == 0 && (word = strtok_r(NULL, " \t", &rest)))
        r = warn_of_word(settings, word, &reason);
    free(copy);
    return r == 0 ? 0 : error_set(error, r, "%s = %s: %s", key, text, reason.text);
}

/* ---- names that nobody has ---- */

static int resolve(const char *key, const char *text, struct error *error)
{
    struct text_list texts = { .count = 1 };
    struct rules *rules;
    char *whole;
    int r;

    if (asprintf(&whole, "%s %s", key, text) < 0)
        return error_set(error, -ENOMEM, "%s", strerror(ENOMEM));
    texts.items = &whole;
    r = rules_new("", &texts, &rules, error);
    if (r == 0)
        rules_free(rules);
    free(whole);
    return r;
}

int callers_judge(const struct settings *settings, const char *key, const char *text, struct error *error)
{
    uid_t uid;
    int r;

    if (strcmp(key, "trust-proxy") == 0)
        return proxy_uid(text, &uid, error);
    if (strcmp(key, "allow") != 0 && strcmp(key, "deny") != 0)
        return 0;
    r = resolve(key, text, error);
    return r == 0 ? warn(settings, key, text, error) : r;
}
