/*
 * `berth doctor`: why does my proxy answer 502? The examination itself is src/doctor.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/command.h"
#include "common/contract.h"
#include "doctor/examination.h"
#include "http/host.h"

/* What can keep us waiting without a deadline of its own (a file system whose server is away, a slow user database)
 * ends here. The longest of the others waits for an answer, 2 s (doctor/exchange.h). */
enum { PATIENCE_S = 4 };

struct doctor {
    char *user, *host;
    const char *path;
};

#define FIELD(name) .offset = offsetof(struct doctor, name), .width = sizeof(((struct doctor *)NULL)->name)

const struct option_entry doctor_options[] = {
    { "Options", "as", OPTION_TEXT, FIELD(user), .metavar = "USER",
      .help = "look as this user, name or number: your proxy's, such as www-data; the default is you" },
    { .name = "host",
      .kind = OPTION_TEXT,
      FIELD(host),
      .fallback = "localhost",
      .metavar = "HOST",
      .help = "ask for this host, as your proxy does" },
};

const size_t doctor_option_count = sizeof(doctor_options) / sizeof(doctor_options[0]);

void doctor_help(FILE *stream)
{
    fputs("Usage: berth doctor [OPTION …] PATH\n"
          "\n"
          "Says why a proxy answers 502 for the socket at PATH: looks at what can be wrong, from the path itself to\n"
          "what the server answers, a line for each; then the remedy for the first thing that is wrong.\n"
          "\n",
          stream);
    option_help(doctor_options, doctor_option_count, stream);
    fputs("\n"
          "Run it as root with --as: then it becomes that user and tries. Who is not root gets what owners and modes\n"
          "say. It changes nothing, and takes at most a few seconds; the server sees one request for /_ping.\n"
          "\n"
          "Exit codes: 0 when all is well, 1 when something is wrong, 2 for wrong usage.\n",
          stream);
}

/* ---- the command line ---- */

static int read_option(struct doctor *doctor, int argc, char **argv, int *i, struct error *error)
{
    const char *argument = argv[*i], *name = argument + 2;
    size_t length = argument[1] == '-' ? strcspn(name, "=") : 0;
    const struct option_entry *option = option_find(doctor_options, doctor_option_count, name, length);
    struct error reason;
    int r;

    if (!option)
        return option_unknown(doctor_options, doctor_option_count, "doctor", argument, error);
    if (name[length] != '=' && ++*i == argc)
        return error_set(error, -EINVAL, "%s: %s must follow", argument, option->metavar);
    option_done(option, doctor);
    r = option_read(option, name[length] == '=' ? name + length + 1 : argv[*i], doctor, &reason);
    return r < 0 ? error_set(error, r, "--%s: %s", option->name, reason.text) : 0;
}

static int read_path(struct doctor *doctor, const char *path, struct error *error)
{
    if (doctor->path)
        return error_set(error, -EINVAL, "\"%s\": one PATH at a time, and \"%s\" is there already", path, doctor->path);
    if (path[0] == '\0')
        return error_set(error, -EINVAL, "\"\" is not the path of a socket");
    doctor->path = path;
    return 0;
}

static int read_arguments(struct doctor *doctor, int argc, char **argv, struct error *error)
{
    bool only_paths = false;
    int r = 0;

    for (int i = 0; r == 0 && i < argc; i++) {
        if (!only_paths && strcmp(argv[i], "--") == 0)
            only_paths = true;
        else if (!only_paths && argv[i][0] == '-')
            r = read_option(doctor, argc, argv, &i, error);
        else
            r = read_path(doctor, argv[i], error);
    }
    if (r == 0 && !doctor->path)
        r = error_set(error, -EINVAL, "PATH is missing: the socket that your proxy is told to use");
    if (r == 0 && doctor->host && !host_valid(doctor->host))
        r = error_set(error, -EINVAL, "--host: \"%s\" is not a host such as api.example.org", doctor->host);
    return r;
}

/* ---- the program ---- */

/* Another thread can end a program that waits for a file system. */
static void *watch(void *data)
{
    static const char message[] = "berth: doctor: gave up after 4 s: a folder on the way, /proc or the user database "
                                  "does not answer\n";

    (void)data;
    sleep(PATIENCE_S);
    if (write(STDERR_FILENO, message, sizeof(message) - 1) < 0)
        _exit(EXIT_FAILURE);
    _exit(EXIT_FAILURE);
}

static int examine(const struct doctor *doctor)
{
    struct question question = { .path = doctor->path, .host = doctor->host ? doctor->host : "localhost" };
    struct visitor visitor;
    struct error error;
    int r = visitor_init(&visitor, doctor->user, &error);

    if (r < 0) {
        fprintf(stderr, "berth: doctor: %s\n", error.text);
        return r == -EINVAL ? EXIT_USAGE : EXIT_FAILURE;
    }
    question.visitor = &visitor;
    r = examination_run(&question, stdout);
    if (r < 0)
        fprintf(stderr, "berth: doctor: %s: cannot look: %s\n", doctor->path, strerror(-r));
    visitor_done(&visitor);
    return r == 0 && fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
}

int doctor_main(int argc, char **argv)
{
    struct doctor doctor = { 0 };
    struct error error;
    pthread_t watcher;
    int code = EXIT_USAGE;

    if (read_arguments(&doctor, argc - 1, argv + 1, &error) < 0) {
        fprintf(stderr, "berth: doctor: %s\n", error.text);
    } else {
        /* Without the watch it is as good, where nothing hangs. */
        if (pthread_create(&watcher, NULL, watch, NULL) == 0)
            pthread_detach(watcher);
        code = examine(&doctor);
    }
    for (size_t i = 0; i < doctor_option_count; i++)
        option_done(&doctor_options[i], &doctor);
    return code;
}
