#include "command/explain.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "access/proxies.h"
#include "access/rules.h"
#include "apps/apps.h"
#include "common/account.h"
#include "common/contract.h"
#include "common/settings.h"
#include "http/arena.h"
#include "http/field.h"
#include "http/router.h"
#include "http/target.h"
#include "socket/peer.h"
#include "supervisor/callers.h"
#include "supervisor/default_set.h"

/* ---- the question ---- */

const struct option_entry explain_options[] = {
    { "Which rule decides", "explain", OPTION_TEXT, .metavar = "USER METHOD TARGET",
      .help = "say whether this user may ask for it, by which rule; proxied:USER: whoever comes through that proxy" },
    { .name = "listener",
      .kind = OPTION_TEXT,
      .metavar = "NAME",
      .help = "with --explain: asked by way of the listener of that name" },
};

const size_t explain_option_count = sizeof(explain_options) / sizeof(explain_options[0]);

/* The option's value, which may be an argument of its own; NULL if argv[*i] is another option. */
static const char *value_take(const char *option, int argc, char **argv, int *i)
{
    size_t length = strlen(option);

    if (strncmp(argv[*i], option, length) != 0)
        return NULL;
    if (argv[*i][length] == '=')
        return argv[*i] + length + 1;
    return argv[*i][length] == '\0' && *i + 1 < argc ? argv[++*i] : NULL;
}

static int explain_read(int argc, char **argv, int *i, struct explanation *explanation, struct error *error)
{
    if (explanation->asked)
        return error_set(error, -EINVAL, "--explain: one question at a time");
    explanation->asked = true;
    explanation->user = value_take("--explain", argc, argv, i);
    if (!explanation->user || argc - *i < 3)
        return error_set(error, -EINVAL, "--explain: USER METHOD TARGET must follow, such as alice GET /status");
    explanation->method = argv[++*i];
    explanation->target = argv[++*i];
    return 0;
}

int explain_take(int *argc, char **argv, struct explanation *ret_explanation, struct error *error)
{
    struct explanation explanation = { .listener = "" };
    const char *listener = NULL;
    int kept = 0, r = 0, i;

    for (i = 0; i < *argc && r == 0 && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--explain") == 0 || strncmp(argv[i], "--explain=", 10) == 0) {
            r = explain_read(*argc, argv, &i, &explanation, error);
        } else if (strcmp(argv[i], "--listener") == 0 || strncmp(argv[i], "--listener=", 11) == 0) {
            listener = value_take("--listener", *argc, argv, &i);
            if (!listener || *listener == '\0')
                r = error_set(error, -EINVAL, "--listener: NAME must follow, that of a [listen NAME]");
        } else {
            argv[kept++] = argv[i];
        }
    }
    if (r == 0 && listener && !explanation.asked)
        r = error_set(error, -EINVAL, "--listener: only with --explain, whose question is about that listener");
    if (r < 0)
        return r;
    while (i < *argc)
        argv[kept++] = argv[i++];
    *argc = kept;
    if (listener)
        explanation.listener = listener;
    *ret_explanation = explanation;
    return 0;
}

/* ---- who asks ---- */

static bool is_trusted(const struct settings *settings, uid_t uid)
{
    struct proxies proxies;
    bool trusted;

    if (proxies_init(&settings->trust_proxy, &proxies, NULL) < 0)
        return false;
    trusted = proxies_trust(&proxies, uid);
    proxies_done(&proxies);
    return trusted;
}

/* The peer that such a user's process would be; its groups are to be freed. Whoever is a trusted proxy is one, whether
 * the question says so or not: the server knows it by its uid alone. */
static int peer_of(const struct settings *settings, const char *user, struct berth_peer *ret_peer, gid_t **ret_groups,
                   struct error *error)
{
    static const char prefix[] = "proxied:";
    bool proxied = strncmp(user, prefix, sizeof(prefix) - 1) == 0;
    struct berth_peer peer = { .berth_fd = -1, .berth_pidfd = -1 };
    gid_t *groups = NULL;
    struct account account;
    int r = account_user("--explain", proxied ? user + sizeof(prefix) - 1 : user, &account, error);

    if (r < 0)
        return r;
    peer.uid = account.uid;
    peer.gid = account.gid; /* of a number that nobody has: -1, which is no group */
    peer.proxied = is_trusted(settings, account.uid);
    if (proxied && !peer.proxied)
        r = error_set(error, -EINVAL, "--explain: %s is no trusted proxy; those are named by --trust-proxy",
                      user + sizeof(prefix) - 1);
    else if (account.name && account_groups(account.name, account.gid, &groups, &peer.group_count) < 0)
        r = error_set(error, -ENOMEM, "out of memory");
    free(account.name);
    if (r < 0)
        return r;
    peer.groups = groups;
    *ret_groups = groups;
    *ret_peer = peer;
    return 0;
}

static void print_peer(const char *user, const struct berth_peer *peer)
{
    printf("who: %s, uid %u", user, peer->uid);
    if (peer->proxied) {
        puts(", a trusted proxy: what comes through it has no user and no group");
        return;
    }
    if (peer->group_count > 0)
        printf(", groups");
    for (size_t i = 0; i < peer->group_count; i++)
        printf(" %u", peer->groups[i]);
    putchar('\n');
}

/* ---- whose answer it is ---- */

/* What is known without loading anything: the routes of what is built in, and where the others are mounted. */
struct answer {
    const struct berth_settings *app;  /* NULL: no application is mounted there */
    const struct berth_route *route;   /* NULL: not known, or there is none */
    const struct berth_settings *rest; /* whose answer it is if the application has no such route after all, or NULL */
    char allow[ROUTER_ALLOW_MAX];      /* where there is a route for other methods: those */
    bool known;                        /* that there is such a route, or none: only what is built in is mounted there */
};

static bool is_builtin(const struct berth_settings *app)
{
    const char *argument;

    return builtin_find(app->app, &argument);
}

/* With the longest mount; of several with the same one, the last. `modules`: of those that are not built in. */
static const struct berth_settings *deepest(const struct settings *settings, const struct target *target, bool modules)
{
    const struct berth_settings *best = NULL;

    for (size_t i = 0; i < settings->app_count; i++) {
        const struct berth_settings *app = &settings->apps[i];

        if (target_is_below(target, app->mount) && !(modules && is_builtin(app)) &&
            (!best || strlen(app->mount) >= strlen(best->mount)))
            best = app;
    }
    return best;
}

static int routes_add(struct router *router, const struct berth_settings *app, struct error *error)
{
    const char *argument;
    const struct builtin *builtin = builtin_find(app->app, &argument);
    int r = 0;

    for (const struct berth_route *route = builtin ? builtin->app->routes : NULL; r == 0 && route && route->path;
         route++)
        r = router_add(router, app->mount, route, (void *)(uintptr_t)app, error);
    return r;
}

static int answer_find(const struct settings *settings, const char *method, const struct target *target,
                       struct answer *ret_answer, struct error *error)
{
    const struct berth_settings *module = deepest(settings, target, true);
    struct router *router = router_new();
    struct answer answer = { .known = !module };
    enum router_result result;
    struct match match = { 0 };
    int r = router ? 0 : error_set(error, -ENOMEM, "out of memory");

    for (size_t i = 0; r == 0 && i < settings->app_count; i++)
        r = routes_add(router, &settings->apps[i], error);
    if (r == 0) {
        result = router_match(router, method, target, &match, answer.allow, sizeof(answer.allow));
        answer.app = result == ROUTER_FOUND ? match.owner : deepest(settings, target, false);
        answer.route = match.route;
        if (module && strlen(module->mount) >= strlen(answer.app->mount)) {
            answer.rest = match.owner;
            answer.route = NULL;
            answer.app = module;
        }
        *ret_answer = answer;
    }
    router_free(router);
    return r;
}

/* ---- the verdict ---- */

static const char *shown_mount(const struct berth_settings *app)
{
    return *app->mount ? app->mount : "/";
}

/* "berth.conf:12", or what there is of it. */
static void print_place(const struct settings *settings, unsigned int line)
{
    printf("%s", settings->config ? settings->config : "the settings");
    if (line > 0)
        printf(":%u", line);
}

/* Without rules. */
static bool verdict_of_route(const struct answer *answer, const struct caller *caller)
{
    bool self = rules_caller_is_self(caller);

    if (answer->route && answer->route->self_only) {
        printf("%s: [app %s] has no rules, and %s %s is for the server's own user and root only\n",
               self ? "allowed" : "refused", shown_mount(answer->app), answer->route->method, answer->route->path);
        return self;
    }
    printf("allowed: [app %s] has no rules: whoever can connect may ask", shown_mount(answer->app));
    puts(answer->route || answer->known ? "" : ", but for routes that are for the server's own user and root only");
    return true;
}

static bool verdict(const struct settings *settings, const struct answer *answer, const struct rules *rules,
                    const struct caller *caller, const char *method, const struct target *target)
{
    size_t app = (size_t)(answer->app - settings->apps), index;
    bool allowed;

    if (!rules)
        return verdict_of_route(answer, caller);
    allowed = rules_allow(rules, caller, method, target, &index);
    printf("%s: ", allowed ? "allowed" : "refused");
    if (index < answer->app->rules.count) {
        const char *text = answer->app->rules.items[index];
        int verb = (int)strcspn(text, " ");

        print_place(settings, settings_rule_line(settings, app, index));
        printf(": %.*s =%s\n", verb, text, text + verb);
    } else {
        printf("no rule of [app %s] matches (", shown_mount(answer->app));
        print_place(settings, settings_app_line(settings, app));
        puts(")");
    }
    return allowed;
}

/* Whether the verdict would be another one if the server ran as who is asked about, or as somebody else. */
static bool self_decides(const struct answer *answer, const struct rules *rules, const struct caller *caller,
                         const char *method, const struct target *target)
{
    uid_t own = caller->peer->uid, other = own + 1;
    struct caller as_self = { .peer = caller->peer, .listener = caller->listener, .self = &own };
    struct caller as_other = { .peer = caller->peer, .listener = caller->listener, .self = &other };
    size_t index, other_index;

    if (!rules)
        return answer->route && answer->route->self_only &&
               rules_caller_is_self(&as_self) != rules_caller_is_self(&as_other);
    rules_allow(rules, &as_self, method, target, &index);
    rules_allow(rules, &as_other, method, target, &other_index);
    return index != other_index;
}

static void print_self_note(void)
{
    printf("note: \"self\" is taken for root");
    if (geteuid() != 0)
        printf(" and uid %u", geteuid());
    puts(", who asks; say --user USER for whom the server runs as");
}

/* What the verdict does not say. */
static void print_notes(const struct settings *settings, const struct answer *answer, const struct rules *rules,
                        const struct caller *caller, const char *method, const struct target *target)
{
    for (size_t i = 0; i < settings->app_count; i++) {
        const struct berth_settings *app = &settings->apps[i];

        if (app != answer->app && target_is_below(target, app->mount) && (app == answer->rest || !is_builtin(app)))
            printf("note: [app %s] = %s is mounted there as well: if it is the one that has the route, its rules "
                   "decide\n",
                   shown_mount(app), app->app);
    }
    if (!settings->user && self_decides(answer, rules, caller, method, target))
        print_self_note();
    if (answer->known && answer->allow[0] != '\0')
        printf("note: no route has this method; there are %s\n", answer->allow);
    else if (answer->known && !answer->route)
        puts("note: nothing is there: whoever is not refused gets a 404");
}

static void print_listener_note(const struct settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->listener_count; i++)
        if (strcmp(settings->listeners[i].name, name) == 0)
            return;
    if (*name != '\0')
        printf("note: there is no [listen %s]; only a socket that is handed over could have that name\n", name);
}

/* 1 if it is allowed, 0 if not. */
static int ask(const struct settings *settings, const struct explanation *explanation, const struct berth_peer *peer,
               const struct target *target, struct error *error)
{
    struct caller caller = { .peer = peer, .listener = explanation->listener };
    struct answer answer;
    struct rules *rules;
    uid_t self;
    int r = settings->user ? account_uid("--user", settings->user, &self, error) : 0;

    if (r < 0)
        return r;
    if (settings->user)
        caller.self = &self;
    r = answer_find(settings, explanation->method, target, &answer, error);
    if (r < 0)
        return r;
    print_peer(explanation->user, peer);
    if (!answer.app) {
        puts("refused: no application is mounted there, so the answer is 404");
        return 0;
    }
    printf("what: %s %s, of [app %s] = %s", explanation->method, target->raw, shown_mount(answer.app), answer.app->app);
    if (answer.route)
        printf(", route %s %s", answer.route->method, answer.route->path);
    putchar('\n');
    r = rules_new(answer.app->mount, &answer.app->rules, &rules, error);
    if (r < 0)
        return r;
    r = verdict(settings, &answer, rules, &caller, explanation->method, target);
    print_notes(settings, &answer, rules, &caller, explanation->method, target);
    rules_free(rules);
    print_listener_note(settings, explanation->listener);
    return r;
}

static int answer(const struct settings *settings, const struct explanation *explanation, struct error *error)
{
    struct berth_peer peer;
    const char *reason = "";
    struct target target;
    struct arena arena;
    gid_t *groups;
    int r;

    if (!method_valid(explanation->method))
        return error_set(error, -EINVAL, "--explain: \"%s\" is no method such as GET", explanation->method);
    arena_init(&arena);
    r = target_parse(explanation->target, strlen(explanation->target), &arena, &target, &reason);
    if (r < 0 || target.asterisk) {
        arena_reset(&arena);
        return error_set(error, -EINVAL, "--explain: \"%s\" is no target such as /status: %s", explanation->target,
                         r < 0 ? reason : "it is that of no application");
    }
    r = peer_of(settings, explanation->user, &peer, &groups, error);
    if (r == 0) {
        r = ask(settings, explanation, &peer, &target, error);
        free(groups);
    }
    arena_reset(&arena);
    return r;
}

/* ---- the settings ---- */

/* As "berth serve" would have them. */
static int load(int argc, char **argv, struct settings *ret_settings, struct mistakes *mistakes)
{
    char program[PATH_MAX];
    ssize_t length;
    int r = settings_load(ret_settings, argc, argv, mistakes);

    if (r == 0 && ret_settings->app_count == 0) {
        settings_done(ret_settings);
        mistakes_done(mistakes); /* the warnings come again */
        length = readlink("/proc/self/exe", program, sizeof(program) - 1);
        program[length < 0 ? 0 : length] = '\0';
        r = default_set_load(ret_settings, argc, argv, program, mistakes);
    }
    if (r < 0)
        return r;
    settings_judge_all(ret_settings, callers_judge, mistakes);
    if (mistakes->r < 0)
        settings_done(ret_settings);
    return mistakes->r;
}

int explain(const struct explanation *explanation, int argc, char **argv)
{
    struct mistakes mistakes = { 0 };
    struct error error = { "" };
    struct settings settings;
    int r = load(argc, argv, &settings, &mistakes);

    for (size_t i = 0; i < mistakes.count; i++)
        fprintf(stderr, "%s%s\n", mistakes.items[i].warning ? "warning: " : "", mistakes.items[i].text);
    mistakes_done(&mistakes);
    if (r < 0)
        return EXIT_USAGE;
    r = answer(&settings, explanation, &error);
    settings_done(&settings);
    if (r < 0) {
        fprintf(stderr, "%s\n", error.text);
        return EXIT_USAGE;
    }
    return r > 0 && fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
}
