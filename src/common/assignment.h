/*
 * A name and a text, and where they were said: what settings are made of.
 */
#ifndef BERTH_COMMON_ASSIGNMENT_H
#define BERTH_COMMON_ASSIGNMENT_H

#include <stddef.h>

#include "common/error.h"
#include "common/option.h"

#define SETTINGS_ASSIGNED_MAX 4000

enum assignment_level { ASSIGNMENT_FILE, ASSIGNMENT_ENVIRONMENT, ASSIGNMENT_FLAG }; /* each beats the ones before */

struct assignment {
    /* An option's name; or "app MOUNT", with the application as text; or "app MOUNT KEY", with the setting as text.
     * A mount has no spaces; at the root it is "/". This is how a section of the file is headed, too. */
    char *name;
    char *text;
    const struct option_entry *option; /* NULL: one of the latter two */
    enum assignment_level level;
    unsigned int line; /* in the file */
};

struct assignment_list {
    struct assignment *items;
    size_t count;
};

/* Adds `where` with copies of name and text. -E2BIG past SETTINGS_ASSIGNED_MAX, -ENOMEM. */
int assignment_add(struct assignment_list *list, const struct assignment *where, const char *name, const char *text);
void assignment_list_done(struct assignment_list *list);

/* Puts before error's text where the assignment was made: "--uds: …", "BERTH_UDS: …", "berth.conf:3: uds: …". */
int assignment_error(const struct assignment *assignment, const char *config, int r, struct error *error);

/* "--socket-mode" as BERTH_SOCKET_MODE. */
#define ASSIGNMENT_VARIABLE_MAX 64
void assignment_variable(const char *name, char *ret_variable);

#endif
