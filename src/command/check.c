/*
 * `berth check`: everything that can be known to be wrong with the settings before something is served. The reader of
 * the settings finds what is wrong with them as such; this adds what the system knows.
 */
#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "apps/apps.h"
#include "command/command.h"
#include "command/explain.h"
#include "common/account.h"
#include "common/contract.h"
#include "common/settings.h"
#include "socket/listener.h"
#include "supervisor/callers.h"
#include "supervisor/modules.h"

void check_help(FILE *stream)
{
    fputs("Usage: berth check [--config FILE] [OPTION …] [APP | /MOUNT=APP …]\n"
          "       berth check --explain USER METHOD TARGET [--listener NAME] [--config FILE] [OPTION …]\n"
          "\n"
          "Says what is wrong with the settings that \"berth serve\" would have with the same arguments and the same\n"
          "environment: every mistake, one on each line, with file, line, the value and what was expected.\n"
          "\n"
          "It also looks whether users, groups, folders and the applications' files are there. It serves nothing\n"
          "and loads no application, so it does not know two routes that get into each other's way, a source that\n"
          "does not compile, or a path that somebody serves already.\n"
          "\n"
          "Exit codes: 0 when there are no mistakes, 1 when there are. \"berth serve --help\" lists the options.\n"
          "\n",
          stream);
    option_help(explain_options, explain_option_count, stream);
    fputs("\n"
          "Exit codes then: 0 for what is allowed, 1 for what is refused, 2 for a question that is none, or settings\n"
          "with mistakes.\n",
          stream);
}

/* ---- what the system knows ---- */

/* What this user may not look at is perhaps right for the one who will serve. */
static int lenient(int r)
{
    return r == -EACCES ? 1 : r;
}

static int judge_path(const struct settings *settings, const char *text, struct error *error)
{
    return lenient(listener_check(text, settings->abstract_sockets, error));
}

static int judge_datagram(const struct settings *settings, const char *text, struct error *error)
{
    int r = judge_path(settings, settings_datagram_path(text), error);

    if (r == 0 && !settings_serve_events(settings))
        return error_set(error, 1,
                         "\"%s\": no application events is served, so nobody but an application that subscribes "
                         "to events can read what comes here; serve it: /events=events",
                         text);
    return r;
}

static int judge_socket_user(const struct settings *settings, const char *text, struct error *error)
{
    uid_t uid;

    (void)settings;
    return account_uid("--socket-user", text, &uid, error);
}

static int judge_socket_group(const struct settings *settings, const char *text, struct error *error)
{
    gid_t gid;

    (void)settings;
    return account_gid("--socket-group", text, &gid, error);
}

/* Whether we could become it is no matter: whoever serves may be root. */
static int judge_user(const struct settings *settings, const char *text, struct error *error)
{
    struct account account;
    int r = account_user("--user", text, &account, error);

    if (r < 0)
        return r;
    if (!account.name && !settings->group)
        r = error_set(error, -EINVAL, "--user: nobody has the number %s, so it has no group: say --group as well",
                      text);
    free(account.name);
    return r;
}

static int judge_group(const struct settings *settings, const char *text, struct error *error)
{
    gid_t gid;

    (void)settings;
    return account_gid("--group", text, &gid, error);
}

static int folder_check(const char *path, const char *folder, struct error *error)
{
    struct stat status;

    if (stat(folder, &status) < 0 && errno == ENOENT)
        return error_set(error, -ENOENT, "%s: there is no folder %s", path, folder);
    if (stat(folder, &status) < 0)
        return lenient(error_set(error, -errno, "%s: cannot reach the folder %s: %s", path, folder, strerror(errno)));
    if (!S_ISDIR(status.st_mode))
        return error_set(error, -ENOTDIR, "%s: %s is not a folder", path, folder);
    return 0;
}

/* A file that will be made, or appended to. */
static int judge_file(const struct settings *settings, const char *text, struct error *error)
{
    struct stat status;
    char *copy;
    int r;

    (void)settings;
    if (stat(text, &status) == 0 && S_ISDIR(status.st_mode))
        return error_set(error, -EISDIR, "%s is a folder; expected a file", text);
    copy = strdup(text);
    if (!copy)
        return error_set(error, -ENOMEM, "%s", strerror(ENOMEM));
    r = folder_check(text, dirname(copy), error);
    free(copy);
    return r;
}

static int judge_app(const struct settings *settings, const char *text, struct error *error)
{
    const char *argument = NULL;
    const struct builtin *builtin = builtin_find(text, &argument);
    size_t length = strlen(text);
    int r;

    (void)settings;
    if (builtin)
        return argument && strcmp(builtin->argument, "DIR") == 0 ? folder_check(text, argument, error) : 0;
    if (length > 5 && strcmp(text + length - 5, ".conf") == 0)
        return error_set(error, -EINVAL, "\"%s\" is no application; a configuration file is named by --config %s", text,
                         text);
    r = modules_examine(text, error);
    if (r == -ENOENT)
        error_set(error, r, "\"%s\" does not exist; expected a module (./module.so) or a C source (source.c)", text);
    return lenient(r);
}

static const struct {
    const char *key;
    int (*judge)(const struct settings *settings, const char *text, struct error *error);
} judges[] = {
    { "uds", judge_path },
    { "socket-user", judge_socket_user },
    { "socket-group", judge_socket_group },
    { "user", judge_user },
    { "group", judge_group },
    { "pid", judge_file },
    { "log", judge_file },
    { "access-log", judge_file },
    { "event-log", judge_file },
    { "datagram", judge_datagram },
    { "app", judge_app },
};

static int judge(const struct settings *settings, const char *key, const char *text, struct error *error)
{
    for (size_t i = 0; i < sizeof(judges) / sizeof(judges[0]); i++)
        if (strcmp(judges[i].key, key) == 0)
            return judges[i].judge(settings, text, error);
    return callers_judge(settings, key, text, error);
}

/* ---- the report ---- */

static void print(const struct mistakes *mistakes, const char *config)
{
    for (size_t i = 0; i < mistakes->count; i++)
        printf("%s%s\n", mistakes->items[i].warning ? "warning: " : "", mistakes->items[i].text);
    if (mistakes->left_out > 0)
        printf("and %zu more\n", mistakes->left_out);
    if (mistakes->r == 0)
        printf("%s: no mistakes; the applications were not loaded, so their routes were not checked\n",
               config ? config : "the settings");
}

int check_main(int argc, char **argv)
{
    struct mistakes mistakes = { 0 };
    struct explanation explanation;
    struct settings settings;
    struct error error;
    int code;

    argc--;
    argv++;
    if (explain_take(&argc, argv, &explanation, &error) < 0) {
        fprintf(stderr, "%s\n", error.text);
        return EXIT_USAGE;
    }
    if (explanation.asked)
        return explain(&explanation, argc, argv);
    settings_salvage(&settings, argc, argv, &mistakes);
    settings_judge_all(&settings, judge, &mistakes);
    print(&mistakes, settings.config);
    code = mistakes.r < 0 || fflush(stdout) != 0 || ferror(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
    settings_done(&settings);
    mistakes_done(&mistakes);
    return code;
}
