/*
 * Load, with failures told apart: the tests that kill and reload under load must know what became of every request.
 *
 *     load [-c CONNECTIONS] [-n REQUESTS] [-p PATH] [-i PAUSE_MS] [-t TIMEOUT_MS] [-g GONE_MS] [-w] [-1] SOCKET
 *
 * Runs until SIGTERM, or for REQUESTS in all, or until nobody has listened for GONE_MS (60 s); then waits for the
 * answers that are due and prints how many there were of each kind. -1 uses a new connection for each request;
 * otherwise connections are kept for as long as the server wants. -i pauses between an answer and the next request on
 * its connection. -w takes the answer's body for the pid of the worker, so that what was lost can be laid at its door.
 * "running" is printed when the first answer is there.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define MOST_CONNECTIONS 2000
#define MOST_BYTES       65536

enum kind {
    ANSWERED, /* 200 */
    OTHER,    /* another status */
    REFUSED,  /* connect(2) failed */
    LOST,     /* the connection ended between request and answer */
    DROPPED,  /* the connection ended while it was idle, unannounced */
    LATE,     /* no answer in time */
    ODD,      /* no HTTP */
    CLOSED,   /* answered, and the server announced that it closes; not a failure */
    KINDS,
};

static const char *const kind_names[KINDS] = {
    "answered", "other", "refused", "lost", "dropped", "late", "odd", "closed",
};

struct connection {
    int fd;
    bool waiting;   /* a request is in flight */
    int64_t due_ms; /* when the answer is late, or when to send the next request */
    long worker;    /* who served it last; 0: not known */
    size_t used;
    char bytes[MOST_BYTES + 1];
};

static struct {
    size_t connections;
    long requests;
    int pause_ms, timeout_ms, gone_ms;
    bool once, workers;
    const char *path;
    struct sockaddr_un address;
} options = { .connections = 8, .requests = -1, .timeout_ms = 10000, .gone_ms = 60000, .path = "/index" };

static long counts[KINDS], sent;
static int64_t reached_ms; /* when somebody last listened or answered */
static volatile sig_atomic_t stopping;

static void stop(int signal)
{
    stopping = 1;
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void count(const struct connection *connection, enum kind kind)
{
    counts[kind]++;
    if (kind == ANSWERED && counts[kind] == 1) {
        puts("running");
        fflush(stdout);
    }
    if (kind == LOST && options.workers) {
        printf("lost-by %ld\n", connection->worker);
        fflush(stdout);
    }
}

static void connection_end(struct connection *connection)
{
    if (connection->fd >= 0)
        close(connection->fd);
    connection->fd = -1;
    connection->waiting = false;
    connection->worker = 0;
    connection->due_ms = now_ms() + options.pause_ms;
}

static bool connection_open(struct connection *connection)
{
    struct timeval patience = { .tv_sec = options.timeout_ms / 1000, .tv_usec = options.timeout_ms % 1000 * 1000 };

    connection->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(connection->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (connect(connection->fd, (struct sockaddr *)&options.address, sizeof(options.address)) == 0) {
        reached_ms = now_ms();
        return true;
    }
    if (now_ms() - reached_ms >= options.gone_ms)
        stopping = 1;
    count(connection, errno == EAGAIN ? LATE : REFUSED);
    connection_end(connection);
    connection->due_ms = now_ms() + 10;
    return false;
}

static void connection_send(struct connection *connection)
{
    char request[1024];
    int size = snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", options.path,
                        options.once ? "Connection: close\r\n" : "");

    if (connection->fd < 0 && !connection_open(connection))
        return;
    sent++;
    connection->used = 0;
    connection->waiting = true;
    connection->due_ms = now_ms() + options.timeout_ms;
    if (send(connection->fd, request, (size_t)size, MSG_NOSIGNAL) != size) {
        count(connection, LOST);
        connection_end(connection);
    }
}

/* Whether an answer is complete; then it is counted. */
static bool connection_parse(struct connection *connection)
{
    char *end, *field;
    bool closes;
    size_t body_size, head_size;

    connection->bytes[connection->used] = '\0';
    end = strstr(connection->bytes, "\r\n\r\n");
    if (!end)
        return false;
    head_size = (size_t)(end - connection->bytes) + 4;
    *end = '\0';
    field = strcasestr(connection->bytes, "\r\nContent-Length:");
    closes = strcasestr(connection->bytes, "\r\nConnection: close") != NULL;
    *end = '\r';
    if (strncmp(connection->bytes, "HTTP/1.1 ", 9) != 0 || !field) {
        count(connection, ODD);
        connection_end(connection);
        return true;
    }
    body_size = strtoul(field + 17, NULL, 10);
    if (connection->used < head_size + body_size)
        return false;
    if (options.workers)
        connection->worker = strtol(connection->bytes + head_size, NULL, 10);
    count(connection, strtol(connection->bytes + 9, NULL, 10) == 200 ? ANSWERED : OTHER);
    connection->waiting = false;
    connection->due_ms = now_ms() + options.pause_ms;
    if (closes || options.once) {
        if (!options.once)
            count(connection, CLOSED);
        connection_end(connection);
    }
    return true;
}

static void connection_receive(struct connection *connection)
{
    ssize_t size =
        recv(connection->fd, connection->bytes + connection->used, MOST_BYTES - connection->used, MSG_DONTWAIT);

    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (size <= 0) {
        count(connection, connection->waiting ? LOST : DROPPED);
        connection_end(connection);
        return;
    }
    reached_ms = now_ms();
    connection->used += (size_t)size;
    connection_parse(connection);
}

static bool may_send(void)
{
    return !stopping && (options.requests < 0 || sent < options.requests);
}

/* Does what is due on one connection; whether it still waits for something. */
static bool connection_step(struct connection *connection, int64_t now)
{
    if (connection->waiting && now >= connection->due_ms) {
        count(connection, LATE);
        connection_end(connection);
    }
    if (!connection->waiting && now >= connection->due_ms && may_send())
        connection_send(connection);
    return connection->waiting || may_send();
}

static void run(struct connection *connections)
{
    static struct pollfd polls[MOST_CONNECTIONS];

    for (;;) {
        int64_t now = now_ms(), next = now + 1000;
        bool busy = false;

        for (size_t i = 0; i < options.connections; i++) {
            busy |= connection_step(&connections[i], now);
            polls[i] = (struct pollfd){ .fd = connections[i].fd, .events = POLLIN };
            if (connections[i].due_ms < next && (connections[i].waiting || may_send()))
                next = connections[i].due_ms;
        }
        if (!busy)
            return;
        poll(polls, options.connections, next > now ? (int)(next - now) : 0);
        for (size_t i = 0; i < options.connections; i++)
            if (polls[i].fd >= 0 && polls[i].revents)
                connection_receive(&connections[i]);
    }
}

static void parse_options(int argc, char **argv)
{
    int option;

    while ((option = getopt(argc, argv, "c:n:p:i:t:g:w1")) != -1) {
        switch (option) {
        case 'c':
            options.connections = strtoul(optarg, NULL, 10);
            break;
        case 'n':
            options.requests = strtol(optarg, NULL, 10);
            break;
        case 'p':
            options.path = optarg;
            break;
        case 'i':
            options.pause_ms = (int)strtol(optarg, NULL, 10);
            break;
        case 't':
            options.timeout_ms = (int)strtol(optarg, NULL, 10);
            break;
        case 'g':
            options.gone_ms = (int)strtol(optarg, NULL, 10);
            break;
        case 'w':
            options.workers = true;
            break;
        case '1':
            options.once = true;
            break;
        default:
            exit(2);
        }
    }
    if (optind + 1 != argc || options.connections < 1 || options.connections > MOST_CONNECTIONS) {
        fprintf(stderr, "load: one socket, and 1 to %d connections\n", MOST_CONNECTIONS);
        exit(2);
    }
    options.address.sun_family = AF_UNIX;
    snprintf(options.address.sun_path, sizeof(options.address.sun_path), "%s", argv[optind]);
}

int main(int argc, char **argv)
{
    struct sigaction action = { .sa_handler = stop };
    struct connection *connections;

    parse_options(argc, argv);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    connections = calloc(options.connections, sizeof(*connections));
    if (!connections)
        return EXIT_FAILURE;
    for (size_t i = 0; i < options.connections; i++)
        connections[i].fd = -1;
    reached_ms = now_ms();
    run(connections);
    for (enum kind kind = 0; kind < KINDS; kind++)
        printf("%s %ld\n", kind_names[kind], counts[kind]);
    free(connections);
    return EXIT_SUCCESS;
}
