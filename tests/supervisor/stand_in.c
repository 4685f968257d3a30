/*
 * berth with a worker that does as it is told, so that the supervisor can be tested with workers that misbehave. Its
 * module is a text, read anew from the module's descriptor by each worker:
 *
 *   ready MARK      the usual: READY, then serve
 *   try TARGET      READY with a target to try, then serve
 *   fail REASON     FAILED and exit
 *   exit            exit without a word
 *   never           neither READY nor FAILED
 *   brief           READY, and a crash right after
 *
 * Who connects to it sends one command (see `stand_ins`) and gets one line.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command/command.h"
#include "common/contract.h"
#include "worker/compile.h"

extern char **environ;

static struct launch launch;
static const char *number;
static char module_text[256];
static bool deaf, draining, hangs_next;
static sigset_t inherited_mask;

static void tell(enum control_type type, const char *body)
{
    if (control_send(CONTRACT_CONTROL_FD, CONTROL_WORKER, type, body, -1) < 0)
        exit(EXIT_FAILURE);
}

static int module_fd(void)
{
    return CONTRACT_FIRST_FD + (int)launch.listener_count;
}

/* ---- stand_ins ---- */

static void say_who(FILE *out)
{
    fprintf(out, "%d %s %u %s", (int)getpid(), number, (unsigned int)getuid(), module_text);
}

static void crash(FILE *out)
{
    (void)out;
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
}

static void hang(FILE *out)
{
    fprintf(out, "%d", (int)getpid());
    fclose(out);
    while (true)
        pause();
}

/* After the next answer to a ping. */
static void hang_next(FILE *out)
{
    hangs_next = true;
    fputs("soon", out);
}

static void become_deaf(FILE *out)
{
    deaf = true;
    fputs("what?", out);
}

static void become_busy(FILE *out)
{
    tell(CONTROL_BUSY, NULL);
    fputs("busy", out);
}

static void become_idle(FILE *out)
{
    tell(CONTROL_IDLE, NULL);
    fputs("idle", out);
}

static void retire(FILE *out)
{
    say_who(out);
    tell(CONTROL_RETIRE, NULL);
}

/* A message that only the supervisor may send. */
static void offend(FILE *out)
{
    uint32_t type = CONTROL_STOP;

    say_who(out);
    if (write(CONTRACT_CONTROL_FD, &type, sizeof(type)) < 0)
        abort();
}

/* While the supervisor is stopped, with more to say than it reads in two turns. */
static void part(FILE *out)
{
    kill(getppid(), SIGSTOP);
    for (int i = 0; i < 150; i++)
        tell(CONTROL_BUSY, NULL);
    offend(out);
    fflush(out);
    _exit(EXIT_FAILURE);
}

static void hang_up(FILE *out)
{
    fputs("bye", out);
    close(CONTRACT_CONTROL_FD);
    deaf = true;
}

static void write_log(FILE *out)
{
    fputs("written", out);
    fprintf(stderr, "worker %s was here\n", number);
}

/* A grandchild without a parent, which only the supervisor can reap. */
static void make_orphan(FILE *out)
{
    int fds[2];
    pid_t pid = 0;

    if (pipe(fds) < 0)
        abort();
    if (fork() == 0) {
        pid = fork();
        if (pid == 0)
            _exit(0);
        if (write(fds[1], &pid, sizeof(pid)) < 0)
            abort();
        _exit(0);
    }
    if (read(fds[0], &pid, sizeof(pid)) != sizeof(pid))
        abort();
    fprintf(out, "%d", (int)pid);
}

static bool is_useless(int signal_number)
{
    return signal_number == SIGHUP || signal_number == SIGINT || signal_number == SIGQUIT || signal_number == SIGTERM ||
           signal_number == SIGUSR1 || signal_number == SIGUSR2 || signal_number == SIGTTIN || signal_number == SIGTTOU;
}

/* What contract.h says of what we were given. */
static void judge_inheritance(FILE *out)
{
    int expected = module_fd() + (int)launch.settings.app_count;

    for (int fd = 0; fd < expected; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            fprintf(out, "fd %d is missing; ", fd);
    for (int fd = expected + 2; fd < 64; fd++) /* the two are this connection's */
        if (fcntl(fd, F_GETFD) >= 0)
            fprintf(out, "fd %d is too much; ", fd);
    for (char **variable = environ; *variable != NULL; variable++)
        if (strncmp(*variable, "BERTH_", 6) == 0 || strncmp(*variable, "LISTEN_", 7) == 0 ||
            strncmp(*variable, "NOTIFY_SOCKET", 13) == 0 || strncmp(*variable, "WATCHDOG_", 9) == 0)
            fprintf(out, "%s; ", *variable);
    if (getenv("KEPT") == NULL)
        fputs("KEPT was not; ", out);
    for (int signal_number = 1; signal_number < 32; signal_number++) {
        struct sigaction action;

        if (sigismember(&inherited_mask, signal_number) != is_useless(signal_number))
            fprintf(out, "signal %d is%s blocked; ", signal_number, is_useless(signal_number) ? " not" : "");
        if (sigaction(signal_number, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
            fprintf(out, "signal %d is ignored; ", signal_number);
    }
    fputs("that is all", out);
}

static const struct {
    const char *name;
    void (*run)(FILE *out);
} stand_ins[] = {
    { "who", say_who },        { "crash", crash },
    { "hang", hang },          { "hang next", hang_next },
    { "deaf", become_deaf },   { "busy", become_busy },
    { "idle", become_idle },   { "retire", retire },
    { "offend", offend },      { "hang up", hang_up },
    { "part", part },          { "log", write_log },
    { "orphan", make_orphan }, { "inherited", judge_inheritance },
};

static void serve_one(int listener)
{
    int fd = accept(listener, NULL, NULL);
    char command[64] = "";
    ssize_t size;
    FILE *out;

    if (fd < 0)
        return; /* a sibling was faster */
    size = read(fd, command, sizeof(command) - 1);
    out = fdopen(fd, "w");
    if (size <= 0 || out == NULL)
        abort();
    for (size_t i = 0; i < sizeof(stand_ins) / sizeof(stand_ins[0]); i++)
        if (strcmp(command, stand_ins[i].name) == 0)
            stand_ins[i].run(out);
    fclose(out);
}

/* ---- the worker ---- */

static void obey(void)
{
    struct control_message message;
    int r = control_receive(CONTRACT_CONTROL_FD, CONTROL_WORKER, &message);

    if (r < 0)
        exit(EXIT_SUCCESS); /* the supervisor is gone */
    if (r == 0)
        return;
    if (message.type == CONTROL_PING)
        tell(CONTROL_PONG, NULL);
    if (message.type == CONTROL_PING && hangs_next) {
        fprintf(stderr, "worker %s hangs\n", number);
        hang(stdin);
    }
    if (message.type == CONTROL_LOG) {
        dup2(message.fd, STDERR_FILENO);
        close(message.fd);
    }
    if (message.type == CONTROL_DRAIN && !deaf)
        draining = true;
    if (message.type == CONTROL_STOP && !deaf)
        exit(EXIT_SUCCESS);
}

static void serve(void)
{
    struct pollfd fds[16] = { { .fd = CONTRACT_CONTROL_FD, .events = POLLIN } };

    for (size_t i = 0; i < launch.listener_count; i++)
        fds[1 + i] = (struct pollfd){ .fd = CONTRACT_FIRST_FD + (int)i, .events = POLLIN };
    while (true) {
        int ready = poll(fds, 1 + launch.listener_count, draining ? 0 : -1);

        if (ready == 0)
            return; /* drained: nothing in any queue */
        for (size_t i = 0; i < launch.listener_count; i++)
            if (fds[1 + i].revents != 0)
                serve_one(fds[1 + i].fd);
        if (fds[0].revents & POLLNVAL)
            fds[0].fd = -1;
        else if (fds[0].revents != 0)
            obey();
    }
}

static int stand_in(int argc, char **argv)
{
    struct error error;

    sigprocmask(SIG_BLOCK, NULL, &inherited_mask);
    number = argc > 1 ? argv[1] : "?";
    if (launch_read(CONTRACT_LAUNCH_FD, &launch, &error) < 0) {
        tell(CONTROL_FAILED, error.text);
        return EXIT_FAILURE;
    }
    if (pread(module_fd(), module_text, sizeof(module_text) - 1, 0) <= 0)
        return EXIT_FAILURE;
    if (strncmp(module_text, "fail ", 5) == 0) {
        tell(CONTROL_FAILED, module_text + 5);
        return EXIT_APPLICATION;
    }
    if (strcmp(module_text, "exit") == 0)
        return 7;
    if (strcmp(module_text, "never") == 0)
        hang(stdin);
    tell(CONTROL_READY, strncmp(module_text, "try ", 4) == 0 ? module_text + 4 : NULL);
    if (strcmp(module_text, "brief") == 0)
        crash(NULL);
    serve();
    launch_done(&launch);
    return EXIT_SUCCESS;
}

/* With as little patience as the test has. */
static int compile(int argc, char **argv)
{
    const char *limit = getenv("COMPILE_LIMIT_MS");

    if (limit != NULL)
        compile_limit_ms = (unsigned int)strtoul(limit, NULL, 10);
    return compile_main(argc, argv);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "worker") == 0)
        return stand_in(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "compile") == 0)
        return compile(argc - 1, argv + 1);
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* as PID 1 is */
    return serve_main(argc - 1, argv + 1);
}
