/*
 * Measures the time from exec to the first byte of the first answer: starts a server, tries its socket every 20
 * microseconds until somebody listens, asks for a page, and takes the time when the answer begins. Ends the server
 * with SIGTERM, waits until all that it started is gone, and does it again.
 *
 * Prints one number per run, in nanoseconds. The server's output goes to standard error.
 *
 * Usage: first_answer RUNS CPU SOCKET TARGET COMMAND [ARGUMENT …]
 *
 * CPU is where the server runs; keep this program on another one.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RETRY_NS    20000
#define DEADLINE_NS 10000000000 /* for a server to answer, and for it to end */

static volatile int64_t *exec_time; /* in memory shared with the child, which writes it just before exec */

static int64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void pause_for(long ns)
{
    nanosleep(&(struct timespec){ .tv_nsec = ns }, NULL);
}

static _Noreturn void start_server(int cpu, char **command)
{
    cpu_set_t cpus;

    prctl(PR_SET_PDEATHSIG, SIGTERM);
    dup2(STDERR_FILENO, STDOUT_FILENO);
    CPU_ZERO(&cpus);
    CPU_SET(cpu, &cpus);
    if (sched_setaffinity(0, sizeof(cpus), &cpus) < 0) {
        perror("sched_setaffinity");
        _exit(127);
    }
    *exec_time = now();
    execvp(command[0], command);
    perror(command[0]);
    _exit(127);
}

/* A connection to the server, as soon as it listens; -1 if it ends before that, or takes too long. */
static int connect_soon(const struct sockaddr_un *address, pid_t server, int64_t deadline)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    while (connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0) {
        siginfo_t ended = { 0 };

        if (now() > deadline || waitid(P_PID, (id_t)server, &ended, WEXITED | WNOHANG | WNOWAIT) < 0 || ended.si_pid) {
            close(fd);
            return -1;
        }
        pause_for(RETRY_NS);
    }
    return fd;
}

/* The time at which the answer begins; -1 if it is none, or none with status 200. */
static int64_t first_byte(int fd, const char *target, int64_t deadline)
{
    static const char expected[] = "HTTP/1.1 200 ";
    char bytes[4096];
    struct pollfd wait = { .fd = fd, .events = POLLIN };
    int size = snprintf(bytes, sizeof(bytes), "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", target);
    int64_t answered;

    if (size >= (int)sizeof(bytes) || send(fd, bytes, (size_t)size, MSG_NOSIGNAL) != size)
        return -1;
    if (poll(&wait, 1, (int)((deadline - now()) / 1000000)) != 1)
        return -1;
    answered = now();
    if (recv(fd, bytes, sizeof(bytes), 0) < (ssize_t)sizeof(expected) - 1 ||
        memcmp(bytes, expected, sizeof(expected) - 1) != 0)
        return -1;
    return answered;
}

/* Ends the server, and waits for it and for what it leaves behind, which becomes our child (see main). */
static bool stop_server(pid_t server)
{
    int64_t deadline = now() + DEADLINE_NS;

    kill(server, SIGTERM);
    while (now() < deadline) {
        if (waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD)
            return true;
        pause_for(500000);
    }
    kill(server, SIGKILL);
    return false;
}

static int64_t run_once(int cpu, const struct sockaddr_un *address, const char *target, char **command)
{
    int64_t deadline = now() + DEADLINE_NS, answered = -1;
    pid_t server;
    int fd;

    unlink(address->sun_path); /* what a server that doesn't tidy up has left */
    server = fork();
    if (server < 0)
        return -1;
    if (server == 0)
        start_server(cpu, command);
    fd = connect_soon(address, server, deadline);
    if (fd >= 0) {
        answered = first_byte(fd, target, deadline);
        close(fd);
    }
    if (!stop_server(server) || answered < 0)
        return -1;
    return answered - *exec_time;
}

int main(int argc, char **argv)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    if (argc < 6 || strlen(argv[3]) >= sizeof(address.sun_path)) {
        fprintf(stderr, "usage: %s RUNS CPU SOCKET TARGET COMMAND [ARGUMENT ...]\n", argv[0]);
        return 2;
    }
    memcpy(address.sun_path, argv[3], strlen(argv[3]) + 1);
    exec_time = mmap(NULL, sizeof(*exec_time), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (exec_time == MAP_FAILED || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 || prctl(PR_SET_TIMERSLACK, 1) < 0) {
        perror(argv[0]);
        return EXIT_FAILURE;
    }
    for (long left = strtol(argv[1], NULL, 10); left > 0; left--) {
        int64_t taken = run_once((int)strtol(argv[2], NULL, 10), &address, argv[4], argv + 5);

        if (taken < 0) {
            fprintf(stderr, "%s: no answer with status 200 from %s\n", argv[0], argv[5]);
            return EXIT_FAILURE;
        }
        printf("%lld\n", (long long)taken);
    }
    return EXIT_SUCCESS;
}
