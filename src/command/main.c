#include <config.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <berth.h>
#include "command/command.h"
#include "common/contract.h"
#include "common/settings.h"
#include "common/suggestion.h"
#include "worker/compile.h"
#include "worker/worker.h"

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    void (*help)(FILE *stream);
    const char *summary; /* NULL: for berth itself to call, not for people */
};

static void serve_help(FILE *stream)
{
    fputs("Usage: berth serve [OPTION …] [APP | /MOUNT=APP …]\n"
          "\n"
          "Serves applications on Unix domain sockets. An APP is a module (./hello.so) or a C source (hello.c);\n"
          "/MOUNT=APP puts it below a path.\n"
          "\n",
          stream);
    settings_help(stream);
    fputs("\n"
          "TIME is in seconds, or has a unit: 500ms, 30s, 2m, 1h. SIZE is in bytes, or has one: 64K, 1M, 2G.\n"
          "Each option is also a variable (--socket-mode: BERTH_SOCKET_MODE, lists with commas) and a key of\n"
          "the --config file (socket-mode = 0660), whose [app /MOUNT] sections hold the applications. A path\n"
          "that is not absolute begins where berth was started, in the file as well.\n",
          stream);
}

static const struct command commands[] = {
    { "serve", serve_main, serve_help, "serve applications on Unix domain sockets" },
    { "worker", worker_main, NULL, NULL },
    { "compile", compile_main, NULL, NULL },
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static void help(FILE *stream)
{
    fputs("Usage: berth COMMAND [ARGUMENT …]\n"
          "\n"
          "An application server for Unix domain sockets.\n"
          "\n"
          "Commands:\n",
          stream);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (commands[i].summary)
            fprintf(stream, "  %-12s%s\n", commands[i].name, commands[i].summary);
    fputs("\n"
          "\"berth COMMAND --help\" says more of each; \"berth --version\" says which berth this is.\n"
          "\n"
          "To try it:\n"
          "  berth serve --uds /tmp/hello.sock hello.c\n"
          "  curl --unix-socket /tmp/hello.sock http://localhost/index\n",
          stream);
}

static bool wants_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

static int unknown_command(const char *name)
{
    struct suggestion suggestion = SUGGESTION(name);

    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (commands[i].summary)
            suggestion_consider(&suggestion, commands[i].name);
    if (suggestion.best)
        fprintf(stderr, "berth: there is no command \"%s\"; did you mean \"berth %s\"?\n", name, suggestion.best);
    else
        fprintf(stderr, "berth: there is no command \"%s\"; \"berth --help\" lists them\n", name);
    return EXIT_USAGE;
}

/* What was printed, has it arrived? `berth --help >/dev/full` must not pass. */
static int printed(void)
{
    return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        help(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        help(stdout);
        return printed();
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("berth %s (ABI %d)\n", PACKAGE_VERSION, BERTH_ABI);
        return printed();
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(argv[1], commands[i].name) != 0)
            continue;
        if (commands[i].help && wants_help(argc - 2, argv + 2)) {
            commands[i].help(stdout);
            return printed();
        }
        return commands[i].run(argc - 1, argv + 1);
    }
    return unknown_command(argv[1]);
}
