/*
 * The subcommands of berth, one file each. Each is called as a main of its own: argv[0] is its name, the arguments
 * begin with argv[1]; what it returns is berth's exit code. main.c has answered --help before.
 */
#ifndef BERTH_COMMAND_COMMAND_H
#define BERTH_COMMAND_COMMAND_H

#include <stddef.h>
#include <stdio.h>

#include "common/option.h"

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    void (*help)(FILE *stream);
    const char *summary; /* NULL: for berth itself to call, not for people */
};

/* All of them, in command.c. */
extern const struct command commands[];
extern const size_t command_count;

int serve_main(int argc, char **argv);
void serve_help(FILE *stream);

int check_main(int argc, char **argv);
void check_help(FILE *stream);

int doctor_main(int argc, char **argv);
void doctor_help(FILE *stream);
extern const struct option_entry doctor_options[];
extern const size_t doctor_option_count;

int sockets_main(int argc, char **argv);
void sockets_help(FILE *stream);
extern const struct option_entry sockets_options[];
extern const size_t sockets_option_count;

#endif
