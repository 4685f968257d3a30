/*
 * What `berth serve` was told, from its flags, its environment (BERTH_…) and its file (berth.conf): flag beats
 * environment beats file. One table in settings_table.c holds each option's name, kind, limits, default and help;
 * parsing, --help and the handing over to workers go by that table, manual pages and completions are made from it.
 *
 * In the environment --socket-mode is BERTH_SOCKET_MODE; a list has commas between its entries (paths and hosts seldom
 * have them), and an empty variable is as good as none. In the file an option is a key, repeated for a list;
 * applications are sections:
 *
 *   uds = /run/api.sock            ; "[berth]" may stand before the options
 *   [app /files]
 *   app = ./files.so
 *   folder = /srv/files            ; any other key is the application's own: berth_setting
 *   allow = GET * group:staff      ; but allow and deny, repeated, are rules: access/rules.h
 *   [listen admin]
 *   uds = /run/api-admin.sock      ; one more listener, which rules can name
 *   socket-mode = 0600             ; also socket-user, socket-group, backlog: where they are not said, as for all
 *
 * A list of a higher level replaces one of a lower level, also that of the applications; but an application of the
 * command line gets the settings that the file has for its mount. Named
 * listeners are no list that could be replaced: where the file is read, they are there. Paths are relative to the
 * working directory, in the file as on the command line.
 *
 * Settings are a list of assignments, name and text, and the typed values that follow from it. The list is what a
 * worker is handed (contract.h), so that one that is replaced later sees what the others see, whatever became of the
 * file.
 */
#ifndef BERTH_COMMON_SETTINGS_H
#define BERTH_COMMON_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include <berth.h>
#include "common/error.h"
#include "common/mistakes.h"
#include "common/text_list.h"

/* One application: "/mount=APP" or "APP" (mount ""), and the other keys of its section `[app /mount]`. What an
 * application reads with berth_setting. */
struct berth_settings {
    char *mount; /* "" or "/x", never with a slash at its end */
    char *app;   /* "./x.so", "x.c", or the name of a built-in one */
    struct text_list keys, values;
    struct text_list rules; /* "allow …" and "deny …", in their order, as access/rules.h has them */
};

/* `[listen NAME]` of the file. */
struct settings_listener {
    char *name;
    char *path;
    mode_t mode;
    char *user, *group; /* NULL: as we are */
    unsigned int backlog;
};

enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };
/* As many workers as --workers and SIGTTIN come to. */
#define SETTINGS_WORKERS_MAX 512

/* What --event-log-size may be. */
#define SETTINGS_EVENT_LOG_SIZE_MIN (1024 * 1024)
#define SETTINGS_EVENT_LOG_SIZE_MAX (1024 * 1024 * 1024)

struct settings {
    /* sockets */
    struct text_list uds;  /* --uds PATH, repeatable */
    struct text_list fds;  /* --fd N, repeatable; numbers, checked */
    bool abstract_sockets; /* --allow-abstract: an abstract name has no owner and no mode, anybody may connect */
    mode_t socket_mode;    /* --socket-mode, 0660 */
    char *socket_user;     /* --socket-user, NULL: as we are */
    char *socket_group;    /* --socket-group */
    unsigned int backlog;  /* --backlog, 2048 */
    struct settings_listener *listeners;
    size_t listener_count;

    /* processes */
    char *config;         /* --config FILE */
    unsigned int workers; /* --workers N|auto; auto is resolved to the number of usable CPUs */
    char *user, *group;   /* --user, --group: whom the children become */
    unsigned int worker_timeout_ms;
    uint64_t max_requests, max_requests_jitter; /* 0: no limit */
    unsigned int graceful_ms;                   /* --timeout-graceful-shutdown */
    unsigned int exit_idle_ms;                  /* --exit-idle-time, 0: never */
    char *pid_file;                             /* --pid FILE */

    /* HTTP */
    char *root_path; /* "" or "/x" */
    struct text_list allow_host;
    unsigned int keep_alive_ms;     /* --timeout-keep-alive */
    unsigned int header_ms;         /* --timeout-header */
    unsigned int body_ms;           /* --timeout-body: with pauses or without, a body may take this long in all */
    unsigned int heartbeat_ms;      /* --heartbeat: of streams on which nothing is written; 0: none */
    unsigned int limit_connections; /* of each worker */
    uint64_t limit_body;            /* --limit-request-body, bytes */
    size_t limit_header;            /* --limit-request-header, bytes: request line and all fields */
    size_t limit_target;            /* --limit-request-target, bytes */

    /* access */
    struct text_list trust_proxy;        /* --trust-proxy USER, repeatable */
    struct text_list allow_origin;       /* --allow-origin ORIGIN, repeatable; access/origin.h */
    unsigned int limit_user_connections; /* of one uid, in each worker, as the next two; 0: no limit */
    unsigned int limit_user_rate;        /* requests per second */
    unsigned int limit_user_streams;

    /* events */
    char *event_log;            /* --event-log FILE: the journal; NULL: none */
    size_t event_log_size;      /* --event-log-size, bytes */
    unsigned int event_sync_ms; /* --event-log-sync */
    struct text_list datagrams; /* --datagram APP:PATH, repeatable; see settings_datagram_path */

    /* the logs */
    enum berth_log_level log_level;
    char *log_file;   /* --log FILE, NULL: standard error */
    char *access_log; /* --access-log FILE, NULL: standard output */
    bool no_access_log;
    enum log_format log_format; /* of both logs */

    struct berth_settings *apps;
    size_t app_count;

    struct assignment *assignments; /* what all of this follows from */
    size_t assignment_count;
};

/* From argv (after the subcommand), the environment and the file that --config names. Everything that is wrong becomes
 * a line of `mistakes`, for the file with its name and line; then nothing is returned but the first one's errno:
 * -EINVAL, -ENOMEM, or why the file could not be read. Warnings may come with success. --help and --version are the
 * caller's. */
int settings_load(struct settings *ret_settings, int argc, char **argv, struct mistakes *mistakes);

/* The same for who looks for more mistakes: always gives settings, with what is no mistake of them. */
void settings_salvage(struct settings *ret_settings, int argc, char **argv, struct mistakes *mistakes);

/*
 * Asks `judge` about each value that was said, for what only the system knows: whether a folder or a user is there.
 * `key` is the option's name, also for what a named listener says; or "app" for an application, "allow" or "deny" for a
 * rule. What it answers is placed among the mistakes: 0, a negative errno with a message, or 1 for a warning.
 * "--socket-user: " at a message's beginning is taken away, for the place to be put there.
 */
typedef int settings_judge(const struct settings *settings, const char *key, const char *text, struct error *error);
void settings_judge_all(const struct settings *settings, settings_judge *judge, struct mistakes *mistakes);

/* Lets `rewrite` put another text, from malloc, in the place of each that was said, by the same keys, for whom the
 * settings are handed to: the typed values stay. Ends with the first negative errno. */
typedef int settings_rewrite(const char *key, char **text, struct error *error);
int settings_rewrite_all(struct settings *settings, settings_rewrite *rewrite, struct error *error);

/* Where it was said: the line of the file in which the section of an application begins, by its place in `apps`, and
 * that of one of its rules. 0: not in a file. */
unsigned int settings_app_line(const struct settings *settings, size_t app);
unsigned int settings_rule_line(const struct settings *settings, size_t app, size_t rule);

/* As NUL-terminated names and values in turn, into an fd at its offset; and back, reading to the end. A list that ends
 * early, goes on after its end, or that settings_load would have refused is -EINVAL. */
int settings_write(const struct settings *settings, int fd);
int settings_read(struct settings *ret_settings, int fd, struct error *error);

/* The path in an entry of `datagrams`. */
const char *settings_datagram_path(const char *datagram);

/* Whether they themselves ask for events: an application, a datagram socket, or the journal. A module may, too. */
bool settings_use_events(const struct settings *settings);
/* Whether there is an `events` application to read them from: it is named, or no application is and the default set has
 * one. */
bool settings_serve_events(const struct settings *settings);

void settings_done(struct settings *settings);

/* The options, as --help shows them. */
void settings_help(FILE *stream);

#endif
