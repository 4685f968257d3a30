/*
 * `berth sockets`: who listens? The listing itself is src/sockets.
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"
#include "common/account.h"
#include "common/contract.h"
#include "sockets/listing_json.h"
#include "sockets/listing_table.h"

struct request {
    bool all, json;
    struct text_list commands, users, paths;
};

#define FIELD(name) .offset = offsetof(struct request, name), .width = sizeof(((struct request *)NULL)->name)

const struct option_entry sockets_options[] = {
    { "Options", "all", OPTION_FLAG, FIELD(all),
      .help = "also what does not listen: connections, and who is at the other end" },
    { .name = "command",
      .kind = OPTION_TEXT_LIST,
      FIELD(commands),
      .metavar = "COMMAND",
      .help = "-c for short: only what a process holds whose command begins so" },
    { .name = "user",
      .kind = OPTION_TEXT_LIST,
      FIELD(users),
      .metavar = "USER",
      .help = "-u for short: only what a process of this user holds, name or number" },
    { .name = "path",
      .kind = OPTION_TEXT_LIST,
      FIELD(paths),
      .metavar = "GLOB",
      .help = "only with such a path, as in '/run/*'; abstract names begin with @" },
    { .name = "json", .kind = OPTION_FLAG, FIELD(json), .help = "an array of objects, for programs" },
};

const size_t sockets_option_count = sizeof(sockets_options) / sizeof(sockets_options[0]);

static const struct {
    char letter;
    const char *name;
} letters[] = { { 'c', "command" }, { 'u', "user" } };

void sockets_help(FILE *stream)
{
    fputs("Usage: berth sockets [OPTION …]\n"
          "\n"
          "Lists the Unix sockets of this network namespace that listen, a line for each process that holds one: who\n"
          "it is, how full the backlog is (waiting/limit), owner and mode of the file, and whether the path still\n"
          "leads to this socket (FILE: ok, renamed, replaced, removed, elsewhere, unknown).\n"
          "\n",
          stream);
    option_help(sockets_options, sockets_option_count, stream);
    fputs("\n"
          "Of several of one option, any will do; of different ones, all must be true. Run it as root to see the\n"
          "processes of other users.\n"
          "\n"
          "Exit codes: 0, also when there is no such socket; 1 when it cannot be seen, 2 for wrong usage.\n",
          stream);
}

/* ---- the command line ---- */

static const struct option_entry *find_option(const char *name, size_t length)
{
    return option_find(sockets_options, sockets_option_count, name, length);
}

static const struct option_entry *find_letter(char letter)
{
    for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
        if (letters[i].letter == letter)
            return find_option(letters[i].name, strlen(letters[i].name));
    return NULL;
}

/* "--name=value", "--name value", "-cvalue" or "-c value"; *ret_value is NULL where the value has to follow. */
static const struct option_entry *split(const char *argument, const char **ret_value)
{
    size_t length = strcspn(argument, "=");

    if (strncmp(argument, "--", 2) == 0) {
        *ret_value = argument[length] == '=' ? argument + length + 1 : NULL;
        return find_option(argument + 2, length - 2);
    }
    *ret_value = argument[1] && argument[2] ? argument + 2 : NULL;
    return find_letter(argument[1]);
}

static int read_option(struct request *request, int argc, char **argv, int *i, struct error *error)
{
    const char *argument = argv[*i], *value = NULL;
    const struct option_entry *option = split(argument, &value);
    struct error reason;
    int r;

    if (!option)
        return option_unknown(sockets_options, sockets_option_count, "sockets", argument, error);
    if (option->kind == OPTION_FLAG && value)
        return error_set(error, -EINVAL, "%s: --%s takes no value", argument, option->name);
    if (option->kind == OPTION_FLAG)
        value = "yes";
    else if (!value && ++*i == argc)
        return error_set(error, -EINVAL, "%s: %s must follow", argument, option->metavar);
    r = option_read(option, value ? value : argv[*i], request, &reason);
    return r < 0 ? error_set(error, r, "--%s: %s", option->name, reason.text) : 0;
}

static int read_arguments(struct request *request, int argc, char **argv, struct error *error)
{
    int r = 0;

    for (int i = 0; r == 0 && i < argc; i++)
        r = argv[i][0] == '-' ? read_option(request, argc, argv, &i, error)
                              : error_set(error, -EINVAL, "\"%s\": expected no argument; --path '%s' looks for a path",
                                          argv[i], argv[i]);
    return r;
}

static int read_users(const struct text_list *names, uid_t **ret_users, struct error *error)
{
    uid_t *users = calloc(names->count + 1, sizeof(*users));
    int r = users ? 0 : error_set(error, -ENOMEM, "out of memory");

    for (size_t i = 0; r == 0 && i < names->count; i++)
        r = account_uid("--user", names->items[i], &users[i], error);
    if (r < 0)
        free(users);
    else
        *ret_users = users;
    return r;
}

/* ---- the program ---- */

/* What is not in the listing, and why: a line each. */
static void tell_limits(const struct listing *listing)
{
    if (listing->refused)
        fprintf(stderr,
                "berth: sockets: the kernel refuses sock_diag (%s): backlogs, peers and renamed or replaced files are "
                "unknown, as /proc/net/unix does not tell them\n",
                strerror(-listing->refused));
    if (listing->holders_error)
        fprintf(stderr, "berth: sockets: /proc: cannot look for all holders: %s\n", strerror(-listing->holders_error));
    if (listing->holders.refused > 0)
        fprintf(stderr,
                "berth: sockets: %zu process%s of other users cannot be looked into, and what they hold is not shown "
                "as theirs; run it as root to see all holders\n",
                listing->holders.refused, listing->holders.refused == 1 ? "" : "es");
}

static int print_json(const struct listing *listing, struct people *people)
{
    json_t *array = listing_json(listing, people);
    int r = array && json_dumpf(array, stdout, JSON_INDENT(2)) == 0 && putchar('\n') != EOF ? 0
            : array                                                                         ? -EIO
                                                                                            : -ENOMEM;

    json_decref(array);
    return r;
}

static int print(const struct request *request, const struct listing *listing)
{
    struct people people = { 0 };
    int r = request->json ? print_json(listing, &people) : listing_table_print(listing, request->all, &people, stdout);

    people_done(&people);
    if (r == 0 && (fflush(stdout) != 0 || ferror(stdout)))
        r = -EIO;
    return r;
}

static int list(const struct request *request, const uid_t *users)
{
    struct listing_filter filter = { .all = request->all,
                                     .commands = request->commands,
                                     .paths = request->paths,
                                     .users = users,
                                     .user_count = request->users.count };
    struct listing listing;
    int r = listing_read(&filter, &listing);

    if (r < 0) {
        fprintf(stderr, "berth: sockets: cannot look at the sockets: %s\n", strerror(-r));
    } else {
        r = print(request, &listing);
        if (r < 0)
            fprintf(stderr, "berth: sockets: cannot print: %s\n", strerror(-r));
        tell_limits(&listing);
    }
    listing_done(&listing);
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int sockets_main(int argc, char **argv)
{
    struct request request = { 0 };
    struct error error;
    uid_t *users = NULL;
    int code = EXIT_USAGE;

    if (read_arguments(&request, argc - 1, argv + 1, &error) < 0 || read_users(&request.users, &users, &error) < 0)
        fprintf(stderr, "berth: sockets: %s\n", error.text);
    else
        code = list(&request, users);
    free(users);
    for (size_t i = 0; i < sockets_option_count; i++)
        option_done(&sockets_options[i], &request);
    return code;
}
