/*
 * The subcommands of berth, one file each. Each is called as a main of its own: argv[0] is its name, the arguments
 * begin with argv[1]; what it returns is berth's exit code. main.c has answered --help before.
 */
#ifndef BERTH_COMMAND_COMMAND_H
#define BERTH_COMMAND_COMMAND_H

int serve_main(int argc, char **argv);

#endif
