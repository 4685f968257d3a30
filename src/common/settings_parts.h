/*
 * What the files of the settings share among themselves; everybody else includes settings.h.
 */
#ifndef BERTH_COMMON_SETTINGS_PARTS_H
#define BERTH_COMMON_SETTINGS_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "common/mistakes.h"
#include "common/option.h"
#include "common/settings.h"

/* More than anybody writes by hand, and little enough to read into memory. */
#define SETTINGS_FILE_MAX     (1024 * 1024)
#define SETTINGS_MOUNT_MAX    255
#define SETTINGS_ASSIGNED_MAX 4000
#define SETTINGS_PACKED_MAX   (4 * SETTINGS_FILE_MAX) /* of settings_write */

/* text_list.c */
int text_list_add(struct text_list *list, const char *text); /* copies; 0 or -ENOMEM */
void text_list_done(struct text_list *list);

/* bytes.c: all that is left to read from `fd`, followed by a NUL that *ret_size does not count; to be freed. -EFBIG
 * when it is more than `max`, read(2)'s, -ENOMEM. */
int input_read(int fd, size_t max, char **ret_bytes, size_t *ret_size);

/* All of it, through short writes. write(2)'s errors. */
int output_write(int fd, const char *bytes, size_t size);

/* assignment.c: a name and a text, and where they were said. */
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

/* settings_listen.c */
int listen_name_check(const char *name, struct error *error);         /* its message begins with the name in quotes */
bool listen_option(const char *key, struct option_entry *ret_option); /* a key's, for a struct settings_listener */
const char *listen_suggest(const char *key);                          /* as settings_suggest */
bool is_listen_name(const char *name);                                /* whether an assignment's is "listen …" */

/* Adds what such an assignment says; a section comes before its keys. */
int listen_assign(struct settings *settings, const struct assignment *assignment, struct error *error);
int listeners_complete(struct settings *settings); /* what they do not say is as for all; 0 or -ENOMEM */
void listeners_done(struct settings *settings);

/* settings_collect.c: adds what arguments and environment assign. As settings_file_read. */
int settings_collect(int argc, char **argv, struct assignment_list *list, struct mistakes *mistakes);

/* settings_file.c: adds what the file assigns. A section without "app" or "uds" leaves an assignment with an empty
 * text. Mistakes are collected; a negative errno is returned only for what nobody can go on after. */
int settings_file_read(const char *path, struct assignment_list *list, struct mistakes *mistakes);

/* settings_pack.c: the next NUL-terminated text of the bytes, which are moved behind it; NULL when there is none. */
const char *packed_take(const char **bytes, size_t *size);

/* What settings_write wrote, from memory. */
int settings_unpack(const char *bytes, size_t size, struct settings *ret_settings, struct error *error);
int settings_pack(const struct settings *settings, FILE *stream); /* buffered; flushing is the caller's */

/* settings.c: defaults, then the assignments in their order, then what must hold between them. Takes the list over.
 * Always gives settings, with what is no mistake of them. */
void settings_from_assignments(struct assignment_list *list, struct settings *ret_settings, struct mistakes *mistakes);

#endif
