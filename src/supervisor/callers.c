#include "supervisor/callers.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access/proxies.h"
#include "access/rules.h"
#include "common/account.h"
#include "socket/activation_names.h"
#include "socket/peer.h"

/* ---- terms that match nobody ---- */

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

static int warn_of_overflow(const struct rule_term *term, const char *what, struct error *error)
{
    return error_set(error, 1, "%s matches nobody: the kernel shows %u for every %s that has no number here",
                     term->word, term->id, what);
}

static int warn_of_proxy(const struct settings *settings, const struct rule_term *term, struct error *error)
{
    uid_t trusted;

    for (size_t i = 0; i < settings->trust_proxy.count; i++)
        if (account_uid("", settings->trust_proxy.items[i], &trusted, NULL) == 0 && trusted == term->id)
            return 0;
    return error_set(error, 1, "%s matches nobody: there is no \"trust-proxy = %s\"", term->word, term->name);
}

struct warning {
    const struct settings *settings;
    struct error text;
};

/* A rules_each_term's. */
static int warn_of_term(const struct rule_term *term, void *data)
{
    struct warning *warning = data;
    const struct settings *settings = warning->settings;
    struct error *error = &warning->text;
    struct berth_peer member = { .gid = term->id }; /* is in that group, unless nobody is */

    switch (term->who) {
    case RULE_USER:
    case RULE_UID:
        return peer_uid_is_overflow(term->id) ? warn_of_overflow(term, "user", error) : 0;
    case RULE_GROUP:
    case RULE_GID:
        return berth_peer_in_gid(&member, term->id) ? 0 : warn_of_overflow(term, "group", error);
    case RULE_LISTENER:
        return warn_of_listener(settings, term->name, error);
    case RULE_PROXIED:
        if (settings->trust_proxy.count > 0)
            return 0;
        return error_set(error, 1, "%s matches nobody: there is no trust-proxy", term->word);
    case RULE_PROXIED_USER:
        return warn_of_proxy(settings, term, error);
    case RULE_ANY:
    case RULE_SELF:
        break;
    }
    return 0;
}

/* ---- the rule ---- */

/* That one alone. */
static int rule_read(const char *key, const char *text, struct rules **ret_rules, struct error *error)
{
    struct text_list texts = { .count = 1 };
    char *whole;
    int r;

    if (asprintf(&whole, "%s %s", key, text) < 0)
        return error_set(error, -ENOMEM, "%s", strerror(ENOMEM));
    texts.items = &whole;
    r = rules_new("", &texts, ret_rules, error);
    free(whole);
    return r;
}

static int judge_rule(const struct settings *settings, const char *key, const char *text, struct error *error)
{
    struct warning warning = { .settings = settings };
    struct rules *rules;
    int r = rule_read(key, text, &rules, error);

    if (r < 0)
        return r;
    r = rules_each_term(rules, warn_of_term, &warning);
    rules_free(rules);
    return r == 0 ? 0 : error_set(error, r, "%s = %s: %s", key, text, warning.text.text);
}

int callers_judge(const struct settings *settings, const char *key, const char *text, struct error *error)
{
    uid_t uid;

    if (strcmp(key, "trust-proxy") == 0)
        return proxy_uid(text, &uid, error);
    if (strcmp(key, "allow") == 0 || strcmp(key, "deny") == 0)
        return judge_rule(settings, key, text, error);
    return 0;
}

/* ---- numbers ---- */

/* Of methods and path: what stands before WHO. */
static size_t size_before_who(const char *text)
{
    const char *at = text;

    for (int word = 0; word < 2; word++) {
        at += strspn(at, " \t");
        at += strcspn(at, " \t");
    }
    return (size_t)(at - text);
}

static int write_term(const struct rule_term *term, void *data)
{
    FILE *stream = data;

    if (term->who == RULE_USER)
        fprintf(stream, " uid:%u", term->id);
    else if (term->who == RULE_GROUP)
        fprintf(stream, " gid:%u", term->id);
    else if (term->who == RULE_PROXIED_USER)
        fprintf(stream, " proxied:%u", term->id);
    else
        fprintf(stream, " %s", term->word);
    return 0;
}

static int resolve_rule(const char *key, const char *text, char **ret_text, struct error *error)
{
    struct rules *rules;
    size_t size;
    FILE *stream;
    int r = rule_read(key, text, &rules, error);

    if (r < 0)
        return r;
    *ret_text = NULL;
    stream = open_memstream(ret_text, &size);
    if (stream) {
        fwrite(text, 1, size_before_who(text), stream);
        rules_each_term(rules, write_term, stream);
    }
    rules_free(rules);
    if (stream && fclose(stream) == 0)
        return 0;
    free(*ret_text);
    return error_set(error, -ENOMEM, "%s", strerror(ENOMEM));
}

static int resolve_proxy(const char *text, char **ret_text, struct error *error)
{
    uid_t uid;
    int r = proxy_uid(text, &uid, error);

    if (r == 0 && asprintf(ret_text, "%u", uid) < 0)
        r = error_set(error, -ENOMEM, "%s", strerror(ENOMEM));
    return r;
}

int callers_resolve(const char *key, char **text, struct error *error)
{
    char *resolved;
    int r;

    if (strcmp(key, "trust-proxy") == 0)
        r = resolve_proxy(*text, &resolved, error);
    else if (strcmp(key, "allow") == 0 || strcmp(key, "deny") == 0)
        r = resolve_rule(key, *text, &resolved, error);
    else
        return 0;
    if (r < 0)
        return r;
    free(*text);
    *text = resolved;
    return 0;
}
