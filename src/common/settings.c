#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/settings_parts.h"

/* ---- which of what was said counts ---- */

static const char *config_path(const struct assignment_list *list)
{
    const struct assignment *best = NULL;

    for (size_t i = 0; i < list->count; i++) {
        const struct assignment *this = &list->items[i];

        if (strcmp(this->name, "config") == 0 && !this->bad && (!best || this->level >= best->level))
            best = this;
    }
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

    for (size_t i = 0; i < settings_option_count; i++)
        for (size_t j = 0; r == 0 && j < all->count; j++)
            if (all->items[j].option == &settings_options[i] && !is_beaten(all, j))
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
    return !assignment->option && !is_listen_name(assignment->name) && app_name_length(assignment->name) == 0;
}

static void without_value(const struct assignment *section, const char *key, const char *config,
                          struct mistakes *mistakes)
{
    mistakes_add(mistakes, -EINVAL, section->line, "%s:%u: [%s] has no \"%s = …\"", config, section->line,
                 section->name, key);
}

static int choose_apps(const struct assignment_list *all, const char *config, struct assignment_list *chosen,
                       struct mistakes *mistakes)
{
    enum assignment_level level = ASSIGNMENT_FILE;
    int r = 0;

    for (size_t i = 0; i < all->count; i++)
        if (is_app(&all->items[i]) && all->items[i].level > level)
            level = all->items[i].level;
    for (size_t i = 0; r == 0 && i < all->count; i++) {
        const struct assignment *app = &all->items[i];

        if (!is_app(app) || app->level != level || app->bad)
            continue;
        if (level == ASSIGNMENT_FILE && !*app->text)
            without_value(app, "app", config, mistakes);
        else
            r = choose_app(all, app, chosen);
    }
    return r;
}

static bool is_listener(const struct assignment *assignment)
{
    return is_listen_name(assignment->name) && strchr(assignment->name, ' ') == strrchr(assignment->name, ' ');
}

static int choose_listeners(const struct assignment_list *all, const char *config, struct assignment_list *chosen,
                            struct mistakes *mistakes)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < all->count; i++) {
        struct assignment this = all->items[i];

        if (!is_listen_name(this.name))
            continue;
        if (is_listener(&this) && !this.bad && !*this.text) {
            without_value(&this, "uds", config, mistakes);
            this.bad = true;
        }
        r = assignment_add(chosen, &this, this.name, this.text);
    }
    return r;
}

/* ---- what it means ---- */

static int defaults_set(struct settings *settings)
{
    struct error error;
    int r = 0;

    for (size_t i = 0; r == 0 && i < settings_option_count; i++)
        if (settings_options[i].fallback)
            r = option_read(&settings_options[i], settings_options[i].fallback, settings, &error);
    return r;
}

static const struct assignment *assignment_find(const struct settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->assignment_count; i++)
        if (strcmp(settings->assignments[i].name, name) == 0)
            return &settings->assignments[i];
    return NULL;
}

/* The path of a socket, whether it has a name or not. */
static bool is_path(const struct assignment *assignment)
{
    return !assignment->bad && (is_listener(assignment) || strcmp(assignment->name, "uds") == 0);
}

/* Twice among the nameless ones was found before. */
static void check_paths(const struct settings *settings, struct mistakes *mistakes)
{
    for (size_t i = 0; i < settings->assignment_count; i++) {
        const struct assignment *this = &settings->assignments[i], *other = NULL;
        struct error error;

        if (!is_listener(this) || !is_path(this))
            continue;
        for (size_t j = 0; j < i && !other; j++)
            if (is_path(&settings->assignments[j]) && strcmp(settings->assignments[j].text, this->text) == 0)
                other = &settings->assignments[j];
        if (!other)
            continue;
        error_set(&error, 0, "uds: \"%s\" is the path of %s%s%s already", this->text, is_listener(other) ? "[" : "",
                  is_listener(other) ? other->name : "another listener", is_listener(other) ? "]" : "");
        assignment_mistake(this, settings->config, -EINVAL, error.text, mistakes);
    }
}

/* What would be lost with the server, which is started again only by who connects. */
static void check_idle(const struct settings *settings, const struct assignment *idle, struct mistakes *mistakes)
{
    if (settings->uds.count > 0 || settings->listener_count > 0 || settings->datagrams.count > 0)
        assignment_mistake(idle, settings->config, -EINVAL,
                           "only for sockets that are handed over (LISTEN_FDS, --fd): nobody would listen at ours when "
                           "berth is gone",
                           mistakes);
    if (settings_use_events(settings) && !settings->event_log)
        assignment_mistake(idle, settings->config, -EINVAL,
                           "the log of events would be gone with berth: say event-log, the file to keep them in",
                           mistakes);
}

/* What must hold between settings. One that is wrong in itself has been told, and says nothing about another. */
static void settings_check(const struct settings *settings, struct mistakes *mistakes)
{
    const struct assignment *jitter = assignment_find(settings, "max-requests-jitter");
    const struct assignment *idle = assignment_find(settings, "exit-idle-time");

    if (jitter && settings->max_requests_jitter > 0 && settings->max_requests == 0) {
        const struct assignment *requests = assignment_find(settings, "max-requests");

        if (!requests || !requests->bad)
            assignment_mistake(jitter, settings->config, -EINVAL,
                               "it is added to max-requests, and there is no max-requests", mistakes);
    }
    if (idle && settings->exit_idle_ms > 0)
        check_idle(settings, idle, mistakes);
    check_paths(settings, mistakes);
}

static int assign(struct settings *settings, const struct assignment *assignment, struct error *error)
{
    if (is_listen_name(assignment->name))
        return listen_assign(settings, assignment, error);
    if (assignment->bad)
        return 0;
    if (assignment->option)
        return option_read(assignment->option, assignment->text, settings, error);
    return app_assign(settings, assignment->name, assignment->text, error);
}

void settings_from_assignments(struct assignment_list *list, struct settings *ret_settings, struct mistakes *mistakes)
{
    struct settings settings = { .assignments = list->items, .assignment_count = list->count };
    const char *config = config_path(list);
    int r = defaults_set(&settings);

    *list = (struct assignment_list){ 0 };
    for (size_t i = 0; r != -ENOMEM && i < settings.assignment_count; i++) {
        struct assignment *assignment = &settings.assignments[i];
        struct error error = { "" };

        r = assign(&settings, assignment, &error);
        if (r < 0) {
            assignment->bad = true;
            assignment_mistake(assignment, config, r, error.text, mistakes);
        }
    }
    if (r != -ENOMEM)
        r = listeners_complete(&settings);
    if (r == -ENOMEM)
        mistakes_add(mistakes, r, 0, "%s", strerror(ENOMEM));
    settings_check(&settings, mistakes);
    *ret_settings = settings;
}

void settings_salvage(struct settings *ret_settings, int argc, char **argv, struct mistakes *mistakes)
{
    struct assignment_list all = { 0 }, chosen = { 0 };
    const char *config;
    int r;

    r = settings_collect(argc, argv, &all, mistakes);
    config = config_path(&all);
    if (r == 0 && config)
        r = settings_file_read(config, &all, mistakes);
    config = config_path(&all); /* the list may have moved it */
    if (r == 0)
        r = choose_options(&all, &chosen);
    if (r == 0)
        r = choose_apps(&all, config, &chosen, mistakes);
    if (r == 0)
        r = choose_listeners(&all, config, &chosen, mistakes);
    if (r < 0 && mistakes->r == 0)
        mistakes_add(mistakes, r, 0, "%s", strerror(-r));
    settings_from_assignments(&chosen, ret_settings, mistakes);
    mistakes_sort(mistakes);
    assignment_list_done(&chosen);
    assignment_list_done(&all);
}

int settings_load(struct settings *ret_settings, int argc, char **argv, struct mistakes *mistakes)
{
    struct settings settings;

    settings_salvage(&settings, argc, argv, mistakes);
    if (mistakes->r < 0) {
        settings_done(&settings);
        return mistakes->r;
    }
    *ret_settings = settings;
    return 0;
}

/* ---- what others find ---- */

/* The key that `judge` knows an assignment by; NULL for an application's own setting. */
static const char *judged_key(const struct assignment *assignment)
{
    size_t mounted = app_name_length(assignment->name);

    if (assignment->option)
        return assignment->name;
    if (is_app(assignment))
        return "app";
    if (mounted > 0 && is_rule_key(assignment->name + mounted + 1))
        return assignment->name + mounted + 1;
    if (!is_listen_name(assignment->name))
        return NULL;
    return is_listener(assignment) ? "uds" : strrchr(assignment->name, ' ') + 1;
}

void settings_judge_all(const struct settings *settings, settings_judge *judge, struct mistakes *mistakes)
{
    for (size_t i = 0; i < settings->assignment_count; i++) {
        const struct assignment *this = &settings->assignments[i];
        const char *key = judged_key(this), *text;
        struct error error = { "" }, place;
        unsigned int line = this->level == ASSIGNMENT_FILE ? this->line : 0;
        int r = key && !this->bad ? judge(settings, key, this->text, &error) : 0;

        if (r == 0)
            continue;
        text = strncmp(error.text, "--", 2) == 0 ? strstr(error.text, ": ") : NULL;
        text = text ? text + 2 : error.text;
        assignment_place(this, settings->config, &place);
        if (is_listen_name(this->name))
            error_set(&place, 0, "%s%s: ", place.text, key);
        if (r < 0)
            mistakes_add(mistakes, r, line, "%s%s", place.text, text);
        else
            mistakes_warn(mistakes, line, "%s%s", place.text, text);
    }
    mistakes_sort(mistakes);
}

int settings_rewrite_all(struct settings *settings, settings_rewrite *rewrite, struct error *error)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < settings->assignment_count; i++) {
        const char *key = judged_key(&settings->assignments[i]);

        if (key)
            r = rewrite(key, &settings->assignments[i].text, error);
    }
    return r;
}

/* Its place among the assignments, which it and its keys follow one another in; `assignment_count` if it is not there.
 */
static size_t app_place(const struct settings *settings, size_t app)
{
    size_t i, seen = 0;

    for (i = 0; i < settings->assignment_count; i++)
        if (is_app(&settings->assignments[i]) && seen++ == app)
            break;
    return i;
}

unsigned int settings_app_line(const struct settings *settings, size_t app)
{
    size_t place = app_place(settings, app);

    if (place < settings->assignment_count && settings->assignments[place].level == ASSIGNMENT_FILE)
        return settings->assignments[place].head;
    return settings_rule_line(settings, app, 0);
}

unsigned int settings_rule_line(const struct settings *settings, size_t app, size_t rule)
{
    size_t seen = 0;

    for (size_t i = app_place(settings, app) + 1; i < settings->assignment_count; i++) {
        const struct assignment *this = &settings->assignments[i];
        const char *key = judged_key(this);

        if (is_app(this))
            break;
        if (key && is_rule_key(key) && seen++ == rule)
            return this->line;
    }
    return 0;
}

void settings_done(struct settings *settings)
{
    struct assignment_list list = { settings->assignments, settings->assignment_count };

    for (size_t i = 0; i < settings_option_count; i++)
        option_done(&settings_options[i], settings);
    apps_done(settings);
    listeners_done(settings);
    assignment_list_done(&list);
    *settings = (struct settings){ 0 };
}
