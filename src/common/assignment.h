/*
 * A name and a text, and where they were said: what settings are made of.
 */
#ifndef BERTH_COMMON_ASSIGNMENT_H
#define BERTH_COMMON_ASSIGNMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/mistakes.h"
#include "common/option.h"

#define SETTINGS_ASSIGNED_MAX 4000

enum assignment_level { ASSIGNMENT_FILE, ASSIGNMENT_ENVIRONMENT, ASSIGNMENT_FLAG }; /* each beats the ones before */

struct assignment {
    /* An option's name; or "app MOUNT", with the application as text; or "app MOUNT KEY", with the setting as text; or
     * "listen NAME", with the path as text; or "listen NAME KEY". Mounts and names have no spaces; at the root a mount
     * is "/". This is how a section of the file is headed, too. */
    char *name;
    char *text;
    const struct option_entry *option; /* NULL: one of the others */
    enum assignment_level level;
    unsigned int line; /* in the file */
    unsigned int head; /* of a section: the line that it begins in */
    bool bad;          /* a mistake, and told: it sets nothing, but it is not missing either */
};

struct assignment_list {
    struct assignment *items;
    size_t count;
};

/* Adds `where` with copies of name and text. -E2BIG past SETTINGS_ASSIGNED_MAX, -ENOMEM. */
int assignment_add(struct assignment_list *list, const struct assignment *where, const char *name, const char *text);
void assignment_list_done(struct assignment_list *list);

/* What stands before a message about it: "--uds: ", "BERTH_UDS: ", "berth.conf:3: uds: ". */
void assignment_place(const struct assignment *assignment, const char *config, struct error *ret_place);

/* A mistake at that place. Returns `r`. */
int assignment_mistake(const struct assignment *assignment, const char *config, int r, const char *text,
                       struct mistakes *mistakes);

/* "--socket-mode" as BERTH_SOCKET_MODE. */
#define ASSIGNMENT_VARIABLE_MAX 64
void assignment_variable(const char *name, char *ret_variable);

#endif
