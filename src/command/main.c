#include <config.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <berth.h>
#include "command/command.h"
#include "common/contract.h"
#include "common/suggestion.h"

static void help(FILE *stream)
{
    fputs("Usage: berth COMMAND [ARGUMENT …]\n"
          "\n"
          "An application server for Unix domain sockets.\n"
          "\n"
          "Commands:\n",
          stream);
    for (size_t i = 0; i < command_count; i++)
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

    for (size_t i = 0; i < command_count; i++)
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
    for (size_t i = 0; i < command_count; i++) {
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
