#include "access/rules.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "common/account.h"
#include "common/number.h"
#include "http/field.h"
#include "http/pattern.h"
#include "socket/peer.h"

static const char blanks[] = " \t";

struct rule {
    bool allow;
    char *words;             /* the text, cut into its words */
    const char *methods;     /* with commas between them, or "*" */
    struct pattern *pattern; /* NULL: every path */
    struct rule_term terms[RULE_TERMS_MAX];
    size_t term_count;
};

struct rules {
    struct rule **items;
    size_t count;
};

/* ---- Reading one ---------------------------------------------------------------------------------------------- */

static const char shape[] = "METHODS PATH WHO, such as GET,HEAD /status/* any";

static const struct {
    const char *word; /* with its colon, where something is behind that */
    enum rule_who who;
} term_words[] = {
    { "any", RULE_ANY },
    { "self", RULE_SELF },
    { "user:", RULE_USER },
    { "uid:", RULE_UID },
    { "group:", RULE_GROUP },
    { "gid:", RULE_GID },
    { "proxied", RULE_PROXIED },
    { "proxied:", RULE_PROXIED_USER },
    { "listener:", RULE_LISTENER },
};

/* Methods are written in capitals, all that are registered: "delete" would be a rule about nothing. */
static bool method_is_capitals(const char *method)
{
    return method_valid(method) && !strpbrk(method, "abcdefghijklmnopqrstuvwxyz");
}

static int method_check(const char *text, size_t size, struct error *error)
{
    char method[64];

    if (size == 0)
        return error_set(error, -EINVAL, "a method is empty; they have commas between them and no blanks: GET,POST");
    if (size == 1 && *text == '*')
        return error_set(error, -EINVAL, "* is every method, and stands alone");
    if (size >= sizeof(method))
        return error_set(error, -EINVAL, "\"%.16s…\" is too long for a method", text);
    memcpy(method, text, size);
    method[size] = '\0';
    if (!method_is_capitals(method))
        return error_set(error, -EINVAL, "\"%s\" is no method such as GET; a rule is %s", method, shape);
    return 0;
}

static int methods_read(struct rule *rule, const char *word, struct error *error)
{
    int r = 0;

    rule->methods = word;
    if (strcmp(word, "*") == 0)
        return 0;
    for (;;) {
        size_t size = strcspn(word, ",");

        r = method_check(word, size, error);
        if (r < 0 || word[size] == '\0')
            return r;
        word += size + 1;
    }
}

static int path_read(struct rule *rule, const char *mount, const char *word, struct error *error)
{
    int r;

    if (strcmp(word, "*") == 0)
        return 0;
    if (*word != '/')
        return error_set(error, -EINVAL, "\"%s\" is no path such as /status/*, nor * for all; a rule is %s", word,
                         shape);
    r = pattern_new("path", mount, word, &rule->pattern, error);
    return r == -E2BIG ? -EINVAL : r;
}

static int term_find(const char *word, struct rule_term *ret_term, struct error *error)
{
    const char *colon = strchr(word, ':');
    size_t size = colon ? (size_t)(colon + 1 - word) : strlen(word);

    for (size_t i = 0; i < sizeof(term_words) / sizeof(term_words[0]); i++)
        if (strlen(term_words[i].word) == size && memcmp(term_words[i].word, word, size) == 0) {
            *ret_term = (struct rule_term){ .who = term_words[i].who, .word = word, .name = word + size };
            return 0;
        }
    return error_set(error, -EINVAL,
                     "\"%s\" names nobody; there are any, self, user:NAME, uid:N, group:NAME, gid:N, listener:NAME, "
                     "proxied and proxied:USER",
                     word);
}

static int term_read(struct rule *rule, const char *word, struct error *error)
{
    struct error reason;
    struct rule_term term;
    uint64_t number;
    int r = term_find(word, &term, error);

    if (r < 0)
        return r;
    if (rule->term_count == RULE_TERMS_MAX)
        return error_set(error, -EINVAL, "more than %d of WHO; make two rules of it", RULE_TERMS_MAX);
    if (term.name > word && term.name[-1] == ':' && *term.name == '\0')
        return error_set(error, -EINVAL, "\"%s\" lacks what should be behind its colon", word);
    if (strchr(word, ','))
        return error_set(error, -EINVAL, "\"%s\": between the words of WHO are blanks and no commas", word);
    if (term.who == RULE_UID || term.who == RULE_GID) {
        r = number_parse(term.name, 0, (uint64_t)UINT32_MAX - 1, &number, &reason);
        if (r < 0)
            return error_set(error, -EINVAL, "%.*s%s", (int)(term.name - word), word, reason.text);
        term.id = (id_t)number;
    }
    rule->terms[rule->term_count++] = term;
    return 0;
}

/* The words in their order; each NULL once there are no more. */
static int words_read(struct rule *rule, const char *mount, struct error *error)
{
    char *rest, *verb = strtok_r(rule->words, blanks, &rest), *methods, *path, *who;
    int r;

    if (!verb || (strcmp(verb, "allow") != 0 && strcmp(verb, "deny") != 0))
        return error_set(error, -EINVAL, "\"%s\" is neither allow nor deny", verb ? verb : "");
    rule->allow = *verb == 'a';
    methods = strtok_r(NULL, blanks, &rest);
    if (!methods)
        return error_set(error, -EINVAL, "nothing is said; a rule is %s", shape);
    r = methods_read(rule, methods, error);
    if (r < 0)
        return r;
    path = strtok_r(NULL, blanks, &rest);
    if (!path)
        return error_set(error, -EINVAL, "there is no path behind \"%s\"; a rule is %s", methods, shape);
    r = path_read(rule, mount, path, error);
    if (r < 0)
        return r;
    who = strtok_r(NULL, blanks, &rest);
    if (!who)
        return error_set(error, -EINVAL, "nobody is named behind \"%s\"; a rule is %s", path, shape);
    for (; r == 0 && who; who = strtok_r(NULL, blanks, &rest))
        r = term_read(rule, who, error);
    return r;
}

static void rule_free(struct rule *rule)
{
    if (!rule)
        return;
    pattern_free(rule->pattern);
    free(rule->words);
    free(rule);
}

static int rule_new(const char *mount, const char *text, struct rule **ret_rule, struct error *error)
{
    struct rule *rule = calloc(1, sizeof(*rule));
    int r;

    if (rule)
        rule->words = strdup(text);
    if (!rule || !rule->words) {
        rule_free(rule);
        return error_set(error, -ENOMEM, "out of memory");
    }
    r = words_read(rule, mount, error);
    if (r < 0) {
        rule_free(rule);
        return r;
    }
    *ret_rule = rule;
    return 0;
}

int rule_check(const char *text, struct error *error)
{
    struct rule *rule;
    int r = rule_new("", text, &rule, error);

    if (r == 0)
        rule_free(rule);
    return r;
}

/* ---- All of an application ------------------------------------------------------------------------------------ */

/* The number of a name. The rule, which the message will begin with, says where it is. */
static int term_resolve(struct rule_term *term, struct error *error)
{
    struct error reason = { "" };
    int r = 0;

    if (term->who == RULE_USER || term->who == RULE_PROXIED_USER)
        r = account_uid("", term->name, &term->id, &reason);
    else if (term->who == RULE_GROUP)
        r = account_gid("", term->name, &term->id, &reason);
    return r < 0 ? error_set(error, r, "%s", reason.text + strlen(": ")) : 0;
}

/* As the file has it: "allow = GET /x any". */
static int rule_error(const char *text, int r, const char *reason, struct error *error)
{
    int verb = (int)strcspn(text, blanks);

    return error_set(error, r, "%.*s =%s: %s", verb, text, text + verb, reason);
}

static int rules_add(struct rules *rules, const char *mount, const char *text, struct error *error)
{
    struct error reason = { "" };
    struct rule *rule;
    int r = rule_new(mount, text, &rule, &reason);

    if (r < 0)
        return rule_error(text, r, reason.text, error);
    rules->items[rules->count++] = rule;
    for (size_t i = 0; r == 0 && i < rule->term_count; i++)
        r = term_resolve(&rule->terms[i], &reason);
    return r < 0 ? rule_error(text, r, reason.text, error) : 0;
}

int rules_new(const char *mount, const struct text_list *texts, struct rules **ret_rules, struct error *error)
{
    struct rules *rules;
    int r = 0;

    if (texts->count == 0) {
        *ret_rules = NULL;
        return 0;
    }
    if (texts->count > RULES_MAX)
        return error_set(error, -E2BIG, "the application at %s has more than %d rules", *mount ? mount : "/",
                         RULES_MAX);
    rules = calloc(1, sizeof(*rules));
    if (rules)
        rules->items = calloc(texts->count, sizeof(struct rule *));
    if (!rules || !rules->items)
        r = error_set(error, -ENOMEM, "out of memory");
    for (size_t i = 0; r == 0 && i < texts->count; i++)
        r = rules_add(rules, mount, texts->items[i], error);
    if (r < 0) {
        rules_free(rules);
        return r;
    }
    *ret_rules = rules;
    return 0;
}

void rules_free(struct rules *rules)
{
    if (!rules)
        return;
    for (size_t i = 0; i < rules->count; i++)
        rule_free(rules->items[i]);
    free(rules->items);
    free(rules);
}

int rules_each_term(const struct rules *rules, int (*look)(const struct rule_term *term, void *data), void *data)
{
    int r = 0;

    for (size_t i = 0; r == 0 && rules && i < rules->count; i++)
        for (size_t j = 0; r == 0 && j < rules->items[i]->term_count; j++)
            r = look(&rules->items[i]->terms[j], data);
    return r;
}

/* ---- Asking them ---------------------------------------------------------------------------------------------- */

bool rules_caller_is_self(const struct caller *caller)
{
    const struct berth_peer *peer = caller->peer;

    if (!caller->self)
        return berth_peer_is_self(peer);
    return !peer->proxied && (peer_is_uid(peer, 0) || peer_is_uid(peer, *caller->self));
}

/* What comes through a proxy has no user, no group and no self: it is said of its proxy, who vouches for nobody. */
static bool term_matches(const struct rule_term *term, const struct caller *caller)
{
    const struct berth_peer *peer = caller->peer;

    switch (term->who) {
    case RULE_ANY:
        return true;
    case RULE_LISTENER:
        return strcmp(term->name, caller->listener) == 0;
    case RULE_PROXIED:
        return peer->proxied;
    case RULE_PROXIED_USER:
        return peer->proxied && peer_is_uid(peer, term->id);
    case RULE_SELF:
        return !peer->proxied && rules_caller_is_self(caller);
    case RULE_USER:
    case RULE_UID:
        return !peer->proxied && peer_is_uid(peer, term->id);
    case RULE_GROUP:
    case RULE_GID:
        return !peer->proxied && berth_peer_in_gid(peer, term->id);
    }
    return false;
}

static bool methods_have(const char *methods, const char *method, size_t size)
{
    for (;;) {
        size_t length = strcspn(methods, ",");

        if (length == size && memcmp(methods, method, size) == 0)
            return true;
        if (methods[length] == '\0')
            return false;
        methods += length + 1;
    }
}

static bool rule_has_method(const struct rule *rule, const char *method)
{
    return strcmp(rule->methods, "*") == 0 || methods_have(rule->methods, method, strlen(method)) ||
           (strcmp(method, "HEAD") == 0 && methods_have(rule->methods, "GET", 3));
}

static bool rule_matches(const struct rule *rule, const struct caller *caller, const char *method,
                         const struct target *target)
{
    if (!rule_has_method(rule, method) || (rule->pattern && !pattern_matches(rule->pattern, target)))
        return false;
    for (size_t i = 0; i < rule->term_count; i++)
        if (term_matches(&rule->terms[i], caller))
            return true;
    return false;
}

bool rules_allow(const struct rules *rules, const struct caller *caller, const char *method,
                 const struct target *target, size_t *ret_index)
{
    size_t count = rules ? rules->count : 0, i = 0;

    while (i < count && !rule_matches(rules->items[i], caller, method, target))
        i++;
    if (ret_index)
        *ret_index = i;
    return i < count ? rules->items[i]->allow : !rules;
}
