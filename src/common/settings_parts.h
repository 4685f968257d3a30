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
#include "common/mistakes.h"
#include "common/option.h"
#include "common/settings.h"
#include "common/settings_pack.h"
#include "common/text_list.h"

/* More than anybody writes by hand, and little enough to read into memory. */
#define SETTINGS_FILE_MAX  (1024 * 1024)
#define SETTINGS_MOUNT_MAX 255

/* settings_table.c: all options; and one by its name, NULL if there is none. */
extern const struct option_entry settings_options[];
extern const size_t settings_option_count;
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

/* settings_rules.c: an application's keys that are rules (access/rules.h), not settings of its own. */
bool is_rule_key(const char *key);
int rule_key_check(const char *key, struct error *error); /* of other keys: whether one was meant */
int rule_value_check(const char *key, const char *value, struct error *error);
int rule_assign(struct berth_settings *app, const char *key, const char *value, struct error *error);

/* settings_listen.c */
int listen_name_check(const char *name, struct error *error);         /* its message begins with the name in quotes */
bool listen_option(const char *key, struct option_entry *ret_option); /* a key's, for a struct settings_listener */
const char *listen_suggest(const char *key);                          /* as settings_suggest */
bool is_listen_name(const char *name);                                /* whether an assignment's is "listen …" */

/* Adds what such an assignment says; a section comes before its keys. */
int listen_assign(struct settings *settings, const struct assignment *assignment, struct error *error);
int listeners_complete(struct settings *settings); /* what they do not say is as for all; 0 or -ENOMEM */
void listeners_done(struct settings *settings);

/* settings_events.c: "APP:PATH" of --datagram; its message begins with the text in quotes. */
int datagram_check(const char *text, struct error *error);

/* settings_host.c: an entry of --allow-host, which http/host.h compares with; its message begins with the text in
 * quotes.
 */
int host_entry_check(const char *text, struct error *error);
int origin_entry_check(const char *text, struct error *error); /* the same of --allow-origin, for access/origin.h */

/* settings_collect.c: adds what arguments and environment assign. As settings_file_read. */
int settings_collect(int argc, char **argv, struct assignment_list *list, struct mistakes *mistakes);

/* settings_file.c: adds what the file assigns. A section without "app" or "uds" leaves an assignment with an empty
 * text. Mistakes are collected; a negative errno is returned only for what nobody can go on after. */
int settings_file_read(const char *path, struct assignment_list *list, struct mistakes *mistakes);

/* settings.c: defaults, then the assignments in their order, then what must hold between them. Takes the list over.
 * Always gives settings, with what is no mistake of them. */
void settings_from_assignments(struct assignment_list *list, struct settings *ret_settings, struct mistakes *mistakes);

#endif
