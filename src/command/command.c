#include "command/command.h"
#include "events/recorder.h"
#include "worker/compile.h"
#include "worker/worker.h"

const struct command commands[] = {
    { "serve", serve_main, serve_help, "serve applications on Unix domain sockets" },
    { "check", check_main, check_help, "say what is wrong with a configuration" },
    { "doctor", doctor_main, doctor_help, "say why a proxy answers 502 for a socket" },
    { "sockets", sockets_main, sockets_help, "list Unix sockets: who listens, who holds them" },
    { "worker", worker_main, NULL, NULL },
    { "recorder", recorder_main, NULL, NULL },
    { "compile", compile_main, NULL, NULL },
};

const size_t command_count = sizeof(commands) / sizeof(commands[0]);
