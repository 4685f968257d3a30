#include "common/assignment.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int assignment_add(struct assignment_list *list, const struct assignment *where, const char *name, const char *text)
{
    struct assignment *items, copy = *where;

    if (list->count >= SETTINGS_ASSIGNED_MAX)
        return -E2BIG;
    items = reallocarray(list->items, list->count + 1, sizeof(*items));
    if (!items)
        return -ENOMEM;
    list->items = items;
    copy.name = strdup(name);
    copy.text = strdup(text);
    if (!copy.name || !copy.text) {
        free(copy.name);
        free(copy.text);
        return -ENOMEM;
    }
    items[list->count++] = copy;
    return 0;
}

void assignment_list_done(struct assignment_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].name);
        free(list->items[i].text);
    }
    free(list->items);
    *list = (struct assignment_list){ 0 };
}

void assignment_variable(const char *name, char *ret_variable)
{
    static const char prefix[] = "BERTH_";
    size_t i = sizeof(prefix) - 1;

    memcpy(ret_variable, prefix, i);
    for (; *name && i < ASSIGNMENT_VARIABLE_MAX - 1; name++)
        ret_variable[i++] = *name == '-' ? '_' : (char)toupper((unsigned char)*name);
    ret_variable[i] = '\0';
}

void assignment_place(const struct assignment *assignment, const char *config, struct error *ret_place)
{
    const char *name = assignment->option ? assignment->option->name : "";
    char variable[ASSIGNMENT_VARIABLE_MAX];

    if (assignment->level == ASSIGNMENT_FILE) {
        error_set(ret_place, 0, "%s:%u: %s%s", config ? config : "settings", assignment->line, name,
                  assignment->option ? ": " : "");
    } else if (!assignment->option) { /* an application: the message names it */
        error_set(ret_place, 0, "%s", "");
    } else if (assignment->level == ASSIGNMENT_ENVIRONMENT) {
        assignment_variable(name, variable);
        error_set(ret_place, 0, "%s: ", variable);
    } else {
        error_set(ret_place, 0, "--%s: ", name);
    }
}

int assignment_mistake(const struct assignment *assignment, const char *config, int r, const char *text,
                       struct mistakes *mistakes)
{
    struct error place;

    assignment_place(assignment, config, &place);
    return mistakes_add(mistakes, r, assignment->level == ASSIGNMENT_FILE ? assignment->line : 0, "%s%s", place.text,
                        text);
}
