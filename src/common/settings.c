#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/settings_parts.h"
#include "common/suggestion.h"

#define FIELD(member) .offset = offsetof(struct settings, member), .width = sizeof(((struct settings *)NULL)->member)

#define DAY_MS (UINT64_C(24) * 60 * 60 * 1000)
#define SIZE_KEPT                                                                                                      \
    (UINT64_C(1) << 62) /* a limit above which a size is none any more, and sums of two do not overflow                \
                         */

static const struct option_entry options[] = {
    { "Sockets", "uds", OPTION_TEXT_LIST, FIELD(uds), .metavar = "PATH", .distinct = true,
      .help = "listen on a Unix socket at PATH" },
    { .name = "fd",
      .kind = OPTION_NUMBER_LIST,
      FIELD(fds),
      .max = INT_MAX,
      .metavar = "N",
      .distinct = true,
      .help = "listen on an inherited descriptor, a listening Unix socket" },
    { .name = "allow-abstract",
      .kind = OPTION_FLAG,
      FIELD(abstract_sockets),
      .help = "allow --uds @NAME: an abstract name has no owner and no mode, so anybody may connect" },
    { .name = "socket-mode",
      .kind = OPTION_MODE,
      FIELD(socket_mode),
      .fallback = "0660",
      .metavar = "MODE",
      .help = "the socket file's permissions, octal" },
    { .name = "socket-user",
      .kind = OPTION_TEXT,
      FIELD(socket_user),
      .metavar = "USER",
      .help = "the socket file's owner, by name or number" },
    { .name = "socket-group",
      .kind = OPTION_TEXT,
      FIELD(socket_group),
      .metavar = "GROUP",
      .help = "the socket file's group, by name or number" },
    { .name = "backlog",
      .kind = OPTION_NUMBER,
      FIELD(backlog),
      .min = 1,
      .max = 65535,
      .fallback = "2048",
      .metavar = "N",
      .help = "how many connections may wait to be accepted (the kernel caps it at net.core.somaxconn)" },

    { "Processes", "config", OPTION_TEXT, FIELD(config), .metavar = "FILE", .not_in_file = true,
      .help = "read settings from FILE as well; flag beats environment beats file" },
    { .name = "workers",
      .kind = OPTION_WORKERS,
      FIELD(workers),
      .min = 1,
      .max = SETTINGS_WORKERS_MAX,
      .fallback = "1",
      .metavar = "N|auto",
      .help = "how many worker processes; auto: one for each usable CPU" },
    { .name = "user",
      .kind = OPTION_TEXT,
      FIELD(user),
      .metavar = "USER",
      .help = "run the workers as this user, by name or number" },
    { .name = "group",
      .kind = OPTION_TEXT,
      FIELD(group),
      .metavar = "GROUP",
      .help = "run the workers with this group, by name or number" },
    { .name = "worker-timeout",
      .kind = OPTION_DURATION,
      FIELD(worker_timeout_ms),
      .min = 100,
      .max = DAY_MS,
      .fallback = "30s",
      .metavar = "TIME",
      .help = "replace a worker that does not answer for this long" },
    { .name = "max-requests",
      .kind = OPTION_NUMBER,
      FIELD(max_requests),
      .max = SIZE_KEPT,
      .fallback = "0",
      .metavar = "N",
      .help = "replace a worker after N requests; 0: never" },
    { .name = "max-requests-jitter",
      .kind = OPTION_NUMBER,
      FIELD(max_requests_jitter),
      .max = SIZE_KEPT,
      .fallback = "0",
      .metavar = "N",
      .help = "add up to N to that, at random, so that not all are replaced at once" },
    { .name = "timeout-graceful-shutdown",
      .kind = OPTION_DURATION,
      FIELD(graceful_ms),
      .max = DAY_MS,
      .fallback = "10s",
      .metavar = "TIME",
      .help = "how long open requests may take to end when a worker is to end" },
    { .name = "exit-idle-time",
      .kind = OPTION_DURATION,
      FIELD(exit_idle_ms),
      .max = DAY_MS,
      .fallback = "0",
      .metavar = "TIME",
      .help = "exit when there was no connection for this long, under socket activation; 0: never" },
    { .name = "pid", .kind = OPTION_TEXT, FIELD(pid_file), .metavar = "FILE", .help = "write the process id to FILE" },

    { "HTTP", "root-path", OPTION_PREFIX, FIELD(root_path), .fallback = "/", .metavar = "PATH",
      .help = "the path under which a proxy shows this server" },
    { .name = "allow-host",
      .kind = OPTION_TEXT_LIST,
      FIELD(allow_host),
      .metavar = "HOST",
      .help = "answer requests for this host, besides the local names" },
    { .name = "timeout-keep-alive",
      .kind = OPTION_DURATION,
      FIELD(keep_alive_ms),
      .min = 1,
      .max = DAY_MS,
      .fallback = "75s",
      .metavar = "TIME",
      .help = "close a connection that is idle for this long" },
    { .name = "timeout-header",
      .kind = OPTION_DURATION,
      FIELD(header_ms),
      .min = 1,
      .max = DAY_MS,
      .fallback = "15s",
      .metavar = "TIME",
      .help = "how long a request's header may take to arrive" },
    { .name = "timeout-body",
      .kind = OPTION_DURATION,
      FIELD(body_ms),
      .min = 1,
      .max = DAY_MS,
      .fallback = "60s",
      .metavar = "TIME",
      .help = "how long a request's body may take to arrive" },
    { .name = "limit-connections",
      .kind = OPTION_NUMBER,
      FIELD(limit_connections),
      .min = 1,
      .max = 1000000,
      .fallback = "1024",
      .metavar = "N",
      .help = "connections at a time for each worker; 503 for more" },
    { .name = "limit-request-body",
      .kind = OPTION_SIZE,
      FIELD(limit_body),
      .max = SIZE_KEPT,
      .fallback = "1M",
      .metavar = "SIZE",
      .help = "the longest request body; 413 for more" },
    { .name = "limit-request-header",
      .kind = OPTION_SIZE,
      FIELD(limit_header),
      .min = 1024,
      .max = 1024 * 1024,
      .fallback = "8K",
      .metavar = "SIZE",
      .help = "the longest request line and header fields together; 431 for more" },
    { .name = "limit-request-target",
      .kind = OPTION_SIZE,
      FIELD(limit_target),
      .min = 64,
      .max = 1024 * 1024,
      .fallback = "4K",
      .metavar = "SIZE",
      .help = "the longest request target; 414 for more" },

    { "Log", "log-level", OPTION_LEVEL, FIELD(log_level), .fallback = "info", .metavar = "LEVEL",
      .help = "error, warning, info or debug: the least important lines to show" },
    { .name = "log",
      .kind = OPTION_TEXT,
      FIELD(log_file),
      .metavar = "FILE",
      .help = "append the log to FILE instead of standard error; SIGUSR1 opens it again" },
};

#define OPTION_COUNT (sizeof(options) / sizeof(options[0]))

const struct option_entry *settings_option(const char *name)
{
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (strcmp(options[i].name, name) == 0)
            return &options[i];
    return NULL;
}

const char *settings_suggest(const char *name)
{
    struct suggestion suggestion = SUGGESTION(name);

    for (size_t i = 0; i < OPTION_COUNT; i++)
        suggestion_consider(&suggestion, options[i].name);
    return suggestion.best;
}

void settings_help(FILE *stream)
{
    option_help(options, OPTION_COUNT, stream);
}

static int collect(struct assignment_list *list, enum assignment_level level, const struct option_entry *option,
                   const char *name, const char *text, struct error *error)
{
    struct assignment where = { .option = option, .level = level };
    int r;

    /* Checked here, though it may be beaten by a higher level: what is wrong should not wait to be found until then. */
    if (option) {
        r = option_read(option, text, NULL, error);
        if (r < 0)
            return assignment_error(&where, NULL, r, error);
    }
    r = assignment_add(list, &where, name, text);
    return r < 0 ? error_set(error, r, "%s", strerror(-r)) : 0;
}

static int unknown_flag(const char *argument, size_t length, struct error *error)
{
    char name[64];
    const char *near;

    snprintf(name, sizeof(name), "%.*s", (int)length, argument + 2);
    near = settings_suggest(name);
    if (argument[1] != '-')
        return error_set(error, -EINVAL, "%s: there are no short options; \"berth serve --help\" lists the long ones",
                         argument);
    if (near)
        return error_set(error, -EINVAL, "--%s: there is no such option; did you mean --%s?", name, near);
    return error_set(error, -EINVAL, "--%s: there is no such option; \"berth serve --help\" lists them", name);
}

/* One option at argv[*i], which is moved to its value if that is an argument of its own. */
static int collect_flag(struct assignment_list *list, int argc, char **argv, int *i, struct error *error)
{
    const char *argument = argv[*i], *value = NULL;
    const struct option_entry *option = NULL;
    size_t length = strlen(argument) > 2 ? strcspn(argument + 2, "=") : 0;
    char name[64];

    if (argument[1] == '-' && length < sizeof(name)) {
        snprintf(name, sizeof(name), "%.*s", (int)length, argument + 2);
        option = settings_option(name);
    }
    if (!option)
        return unknown_flag(argument, length, error);
    if (argument[2 + length] == '=')
        value = argument + 2 + length + 1;
    else if (option->kind == OPTION_FLAG)
        value = "yes";
    else if (*i + 1 >= argc)
        return error_set(error, -EINVAL, "--%s: %s must follow", name, option->metavar);
    else if (strncmp(argv[*i + 1], "--", 2) == 0)
        return error_set(error, -EINVAL, "--%s: %s must follow, not %s (if that is meant: --%s=%s)", name,
                         option->metavar, argv[*i + 1], name, argv[*i + 1]);
    else
        value = argv[++*i];
    return collect(list, ASSIGNMENT_FLAG, option, name, value, error);
}

static int collect_app(struct assignment_list *list, const char *argument, struct error *error)
{
    const char *app;
    char *name;
    int r = app_from_argument(argument, &name, &app, error);

    if (r < 0)
        return r;
    r = collect(list, ASSIGNMENT_FLAG, NULL, name, app, error);
    free(name);
    return r;
}

static int collect_arguments(struct assignment_list *list, int argc, char **argv, struct error *error)
{
    bool only_apps = false;
    int r = 0;

    for (int i = 0; r == 0 && i < argc; i++) {
        if (!only_apps && strcmp(argv[i], "--") == 0)
            only_apps = true;
        else if (!only_apps && argv[i][0] == '-')
            r = collect_flag(list, argc, argv, &i, error);
        else
            r = collect_app(list, argv[i], error);
    }
    return r;
}

/* A list's variable: entries between commas, blanks around them do not count. */
static int collect_entries(struct assignment_list *list, const struct option_entry *option, const char *text,
                           struct error *error)
{
    char *copy = strdup(text), *next = copy, *entry;
    int r = 0;

    if (!copy)
        return error_set(error, -ENOMEM, "%s", strerror(ENOMEM));
    while (r == 0 && (entry = strsep(&next, ","))) {
        size_t length;

        entry += strspn(entry, " \t");
        for (length = strlen(entry); length > 0 && strchr(" \t", entry[length - 1]); length--)
            entry[length - 1] = '\0';
        r = collect(list, ASSIGNMENT_ENVIRONMENT, option, option->name, entry, error);
    }
    free(copy);
    return r;
}

static int collect_environment(struct assignment_list *list, struct error *error)
{
    char variable[ASSIGNMENT_VARIABLE_MAX];
    int r = 0;

    for (size_t i = 0; r == 0 && i < OPTION_COUNT; i++) {
        const char *text;

        assignment_variable(options[i].name, variable);
        text = getenv(variable);
        if (!text || !*text) /* BERTH_UDS= is how a script says: not this time */
            continue;
        if (option_is_list(&options[i]))
            r = collect_entries(list, &options[i], text, error);
        else
            r = collect(list, ASSIGNMENT_ENVIRONMENT, &options[i], options[i].name, text, error);
    }
    return r;
}

static const char *config_path(const struct assignment_list *list)
{
    const struct assignment *best = NULL;

    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].name, "config") == 0 && (!best || list->items[i].level >= best->level))
            best = &list->items[i];
    return best ? best->text : NULL;
}

/* Whether a later or higher assignment takes this one's place. */
static bool is_beaten(const struct assignment_list *list, size_t index)
{
    const struct assignment *this = &list->items[index], *other;

    for (size_t i = 0; i < list->count; i++) {
        other = &list->items[i];
        if (other->option == this->option && other->level > this->level)
            return true;
        if (other->option == this->option && other->level == this->level && i > index && !option_is_list(this->option))
            return true;
    }
    return false;
}

/* Those of an option that are not beaten, in the table's order: so that settings which mean the same are the same list.
 */
static int choose_options(const struct assignment_list *all, struct assignment_list *chosen)
{
    int r = 0;

    for (size_t i = 0; i < OPTION_COUNT; i++)
        for (size_t j = 0; r == 0 && j < all->count; j++)
            if (all->items[j].option == &options[i] && !is_beaten(all, j))
                r = assignment_add(chosen, &all->items[j], all->items[j].name, all->items[j].text);
    return r;
}

/* An application, and the settings that any level has for its mount: who tries another one there keeps them. */
static int choose_app(const struct assignment_list *all, const struct assignment *app, struct assignment_list *chosen)
{
    size_t length = strlen(app->name);
    int r = assignment_add(chosen, app, app->name, app->text);

    for (size_t i = 0; r == 0 && i < all->count; i++)
        if (!all->items[i].option && app_name_length(all->items[i].name) == length &&
            strncmp(all->items[i].name, app->name, length) == 0)
            r = assignment_add(chosen, &all->items[i], all->items[i].name, all->items[i].text);
    return r;
}

static bool is_app(const struct assignment *assignment)
{
    return !assignment->option && app_name_length(assignment->name) == 0;
}

static int choose_apps(const struct assignment_list *all, const char *config, struct assignment_list *chosen,
                       struct error *error)
{
    enum assignment_level level = ASSIGNMENT_FILE;
    int r = 0;

    for (size_t i = 0; i < all->count; i++)
        if (is_app(&all->items[i]) && all->items[i].level > level)
            level = all->items[i].level;
    for (size_t i = 0; r == 0 && i < all->count; i++) {
        const struct assignment *app = &all->items[i];

        if (!is_app(app) || app->level != level)
            continue;
        if (level == ASSIGNMENT_FILE && !*app->text)
            return error_set(error, -EINVAL, "%s:%u: [%s] has no \"app = …\"", config, app->line, app->name);
        r = choose_app(all, app, chosen);
    }
    return r;
}

static int defaults_set(struct settings *settings, struct error *error)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < OPTION_COUNT; i++)
        if (options[i].fallback)
            r = option_read(&options[i], options[i].fallback, settings, error);
    return r;
}

static int settings_check(const struct settings *settings, struct error *error)
{
    if (settings->max_requests_jitter > 0 && settings->max_requests == 0)
        return error_set(error, -EINVAL, "--max-requests-jitter needs --max-requests");
    return 0;
}

int settings_from_assignments(struct assignment_list *list, const char *config, struct settings *ret_settings,
                              struct error *error)
{
    struct settings settings = { .assignments = list->items, .assignment_count = list->count };
    int r = defaults_set(&settings, error);

    *list = (struct assignment_list){ 0 };
    for (size_t i = 0; r == 0 && i < settings.assignment_count; i++) {
        const struct assignment *assignment = &settings.assignments[i];

        if (assignment->option)
            r = option_read(assignment->option, assignment->text, &settings, error);
        else
            r = app_assign(&settings, assignment->name, assignment->text, error);
        if (r < 0)
            assignment_error(assignment, config, r, error);
    }
    if (r == 0)
        r = settings_check(&settings, error);
    if (r < 0) {
        settings_done(&settings);
        return r;
    }
    *ret_settings = settings;
    return 0;
}

int settings_load(struct settings *ret_settings, int argc, char **argv, struct error *error)
{
    struct assignment_list all = { 0 }, chosen = { 0 };
    const char *config;
    int r;

    r = collect_arguments(&all, argc, argv, error);
    if (r == 0)
        r = collect_environment(&all, error);
    config = config_path(&all);
    if (r == 0 && config)
        r = settings_file_read(config, &all, error);
    if (r < 0)
        goto out;
    config = config_path(&all);
    r = choose_options(&all, &chosen);
    if (r < 0)
        error_set(error, r, "%s", strerror(-r));
    else
        r = choose_apps(&all, config, &chosen, error);
    if (r == 0)
        r = settings_from_assignments(&chosen, config, ret_settings, error);
out:
    assignment_list_done(&chosen);
    assignment_list_done(&all);
    return r;
}

void settings_done(struct settings *settings)
{
    struct assignment_list list = { settings->assignments, settings->assignment_count };

    for (size_t i = 0; i < OPTION_COUNT; i++)
        option_done(&options[i], settings);
    apps_done(settings);
    assignment_list_done(&list);
    *settings = (struct settings){ 0 };
}
