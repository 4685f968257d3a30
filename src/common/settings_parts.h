/*
 * What the files of the settings share among themselves; everybody else includes settings.h.
 */
#ifndef BERTH_COMMON_SETTINGS_PARTS_H
#define BERTH_COMMON_SETTINGS_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/assignment.h"
#include "common/bytes.h"
#include "common/error.h"
#include "common/option.h"
#include "common/settings.h"
#include "common/settings_pack.h"
#include "common/text_list.h"

/* More than anybody writes by hand, and little enough to read into memory. */
#define SETTINGS_FILE_MAX  (1024 * 1024)
#define SETTINGS_MOUNT_MAX 255

/* settings.c: an option by its name, NULL if there is none. */
const struct option_entry *settings_option(const char *name);
const char *settings_suggest(const char *name); /* the name nearest to one that is none; or NULL */

/* settings_app.c */
int mount_check(const char *text, struct error *error); /* "/" or "/x/y"; its message begins with the text in quotes */

/* "/mount=APP" or "APP" of the command line as an assignment, whose name is to be freed and whose text points into
 * `argument`. */
int app_from_argument(const char *argument, char **ret_name, const char **ret_app, struct error *error);

/* Adds what an assignment without an option says: an application, or a setting of one that is there already. */
int app_assign(struct settings *settings, const char *name, const char *text, struct error *error);
void apps_done(struct settings *settings);

/* The length of the "app MOUNT" that the name of an application's setting begins with; 0 for other names. */
size_t app_name_length(const char *name);

/* settings_file.c: adds what the file assigns. A section without "app" leaves an assignment with an empty text. */
int settings_file_read(const char *path, struct assignment_list *list, struct error *error);

/* settings.c: defaults, then the assignments in their order, then what must hold between them. Takes the list over,
 * also when it fails. */
int settings_from_assignments(struct assignment_list *list, const char *config, struct settings *ret_settings,
                              struct error *error);

#endif
