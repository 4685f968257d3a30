/* What the command line and the environment say, as assignments. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/settings_parts.h"

/* Like all that collects, it returns a negative errno only for what nobody can go on after. */
static int collect(struct assignment_list *list, struct assignment *where, const char *name, const char *text,
                   struct mistakes *mistakes)
{
    struct error error;
    int r;

    /* Checked here, though it may be beaten by a higher level: what is wrong should not wait to be found until then. */
    if (where->option) {
        r = option_read(where->option, text, NULL, &error);
        where->bad = r < 0;
        if (r < 0)
            assignment_mistake(where, NULL, r, error.text, mistakes);
    }
    r = assignment_add(list, where, name, text);
    return r < 0 ? mistakes_add(mistakes, r, 0, "%s", r == -E2BIG ? "there are too many settings" : strerror(-r)) : 0;
}

/* What follows an unknown option that is nearly one with a value is its value, and no application. */
static void unknown_flag(const char *name, const char *argument, bool *ret_has_value, struct mistakes *mistakes)
{
    const char *near = argument[1] == '-' ? settings_suggest(name) : NULL;

    if (argument[1] != '-')
        mistakes_add(mistakes, -EINVAL, 0, "%s: there are no short options; \"berth serve --help\" lists the long ones",
                     argument);
    else if (near)
        mistakes_add(mistakes, -EINVAL, 0, "--%s: there is no such option; did you mean --%s?", name, near);
    else
        mistakes_add(mistakes, -EINVAL, 0, "--%s: there is no such option; \"berth serve --help\" lists them", name);
    *ret_has_value = near && settings_option(near)->kind != OPTION_FLAG && !strchr(argument, '=');
}

/* One option at argv[*i], which is moved to its value if that is an argument of its own. */
static int collect_flag(struct assignment_list *list, int argc, char **argv, int *i, struct mistakes *mistakes)
{
    const char *argument = argv[*i], *value = NULL;
    struct assignment where = { .level = ASSIGNMENT_FLAG };
    size_t length = strlen(argument) > 2 ? strcspn(argument + 2, "=") : 0;
    bool follows = *i + 1 < argc && strncmp(argv[*i + 1], "--", 2) != 0, has_value;
    char name[64];

    snprintf(name, sizeof(name), "%.*s", (int)length, argument[1] ? argument + 2 : "");
    if (argument[1] == '-' && length < sizeof(name))
        where.option = settings_option(name);
    if (!where.option) {
        unknown_flag(name, argument, &has_value, mistakes);
        *i += has_value && follows;
        return 0;
    }
    if (argument[2 + length] == '=')
        value = argument + 2 + length + 1;
    else if (where.option->kind == OPTION_FLAG)
        value = "yes";
    else if (follows)
        value = argv[++*i];
    else if (*i + 1 < argc)
        mistakes_add(mistakes, -EINVAL, 0, "--%s: %s must follow, not %s (if that is meant: --%s=%s)", name,
                     where.option->metavar, argv[*i + 1], name, argv[*i + 1]);
    else
        mistakes_add(mistakes, -EINVAL, 0, "--%s: %s must follow", name, where.option->metavar);
    return value ? collect(list, &where, name, value, mistakes) : 0;
}

static int collect_app(struct assignment_list *list, const char *argument, struct mistakes *mistakes)
{
    struct assignment where = { .level = ASSIGNMENT_FLAG };
    struct error error;
    const char *app;
    char *name;
    int r = app_from_argument(argument, &name, &app, &error);

    if (r < 0) {
        mistakes_add(mistakes, r, 0, "%s", error.text);
        return r == -ENOMEM ? r : 0;
    }
    r = collect(list, &where, name, app, mistakes);
    free(name);
    return r;
}

static int collect_arguments(struct assignment_list *list, int argc, char **argv, struct mistakes *mistakes)
{
    bool only_apps = false;
    int r = 0;

    for (int i = 0; r == 0 && i < argc; i++) {
        if (!only_apps && strcmp(argv[i], "--") == 0)
            only_apps = true;
        else if (!only_apps && argv[i][0] == '-')
            r = collect_flag(list, argc, argv, &i, mistakes);
        else
            r = collect_app(list, argv[i], mistakes);
    }
    return r;
}

/* A list's variable: entries between commas, blanks around them do not count. */
static int collect_entries(struct assignment_list *list, struct assignment *where, const char *text,
                           struct mistakes *mistakes)
{
    char *copy = strdup(text), *next = copy, *entry;
    int r = 0;

    if (!copy)
        return mistakes_add(mistakes, -ENOMEM, 0, "%s", strerror(ENOMEM));
    while (r == 0 && (entry = strsep(&next, ","))) {
        size_t length;

        entry += strspn(entry, " \t");
        for (length = strlen(entry); length > 0 && strchr(" \t", entry[length - 1]); length--)
            entry[length - 1] = '\0';
        r = collect(list, where, where->option->name, entry, mistakes);
    }
    free(copy);
    return r;
}

static int collect_environment(struct assignment_list *list, struct mistakes *mistakes)
{
    char variable[ASSIGNMENT_VARIABLE_MAX];
    int r = 0;

    for (size_t i = 0; r == 0 && i < settings_option_count; i++) {
        struct assignment where = { .option = &settings_options[i], .level = ASSIGNMENT_ENVIRONMENT };
        const char *text;

        assignment_variable(where.option->name, variable);
        text = getenv(variable);
        if (!text || !*text) /* BERTH_UDS= is how a script says: not this time */
            continue;
        if (option_is_list(where.option))
            r = collect_entries(list, &where, text, mistakes);
        else
            r = collect(list, &where, where.option->name, text, mistakes);
    }
    return r;
}

/* A variable that is no option's does no harm, but whoever set it waits for what it should do. */
static void warn_of_variables(struct mistakes *mistakes)
{
    char name[ASSIGNMENT_VARIABLE_MAX], variable[ASSIGNMENT_VARIABLE_MAX], known[ASSIGNMENT_VARIABLE_MAX];

    for (char **entry = environ; entry && *entry; entry++) {
        size_t length = strcspn(*entry, "=");
        const char *near;

        if (strncmp(*entry, "BERTH_", 6) != 0 || length >= sizeof(variable) || (*entry)[length] == '\0' ||
            (*entry)[length + 1] == '\0')
            continue;
        snprintf(variable, sizeof(variable), "%.*s", (int)length, *entry);
        for (size_t i = 6; i <= length; i++)
            name[i - 6] = variable[i] == '_' ? '-' : (char)tolower((unsigned char)variable[i]);
        near = settings_suggest(name);
        assignment_variable(near ? near : "", known);
        if (near && strcmp(known, variable) == 0)
            continue;
        if (near)
            mistakes_warn(mistakes, 0, "%s: there is no such option; did you mean %s?", variable, known);
        else
            mistakes_warn(mistakes, 0, "%s: there is no such option, it is ignored", variable);
    }
}

int settings_collect(int argc, char **argv, struct assignment_list *list, struct mistakes *mistakes)
{
    int r = collect_arguments(list, argc, argv, mistakes);

    if (r == 0)
        r = collect_environment(list, mistakes);
    warn_of_variables(mistakes);
    return r;
}
