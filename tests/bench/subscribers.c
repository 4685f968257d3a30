/*
 * Many readers of one stream of events, and whoever publishes them: connects so many subscribers to a Unix socket,
 * waits until each has the head of its answer, and then does what standard input says, line by line:
 *
 *   paced N      N events, one after the other: each is published when every subscriber has got the one before
 *   crowd N      N events by 20 publishers at once, each of whom publishes the next when its last was accepted
 *   follow N     N events that somebody else publishes
 *
 * and says on standard output "ready", and after each line "delivered COUNT". Every subscriber must get every event
 * exactly once and in the same order, which is seen by the number in it ("n":"000017"); else this ends with an error.
 *
 * Usage: subscribers SOCKET TARGET COUNT PUBLISH-TARGET BODY
 *
 * BODY is what is posted, as JSON, with %06u where the number goes.
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define DEADLINE_MS 30000
#define MARK        "\"n\":\""
#define MARK_SIZE   11 /* with its six digits */
#define BATCH       256
#define PUBLISHERS  20

struct subscriber {
    int fd;
    bool answered;
    uint32_t next; /* how many it got */
    uint8_t kept;  /* bytes of what may be the beginning of a mark */
    char rest[MARK_SIZE];
};

static struct subscriber *subscribers;
static size_t count, ready;
static uint64_t delivered;
static int epoll_fd;

/* The events' numbers, in the order in which the first subscriber got them; the others must agree. */
#define NUMBERS 1000000
static uint32_t events[NUMBERS], event_count;
static bool seen[NUMBERS];
static const char *path;

/* Those who publish, and what: `published` of `wanted`, of which `accepted` were answered. */
static struct {
    int fds[PUBLISHERS];
    const char *target, *format;
    uint32_t connected, published, accepted, wanted;
} publishers;

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "subscribers: %s: %s\n", what, errno ? strerror(errno) : "not what was expected");
    exit(EXIT_FAILURE);
}

static int connect_to_server(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
        fail("socket");
    strcpy(address.sun_path, path);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        fail("connect");
    return fd;
}

static void send_all(int fd, const char *bytes, size_t size)
{
    for (size_t sent = 0; sent < size;) {
        ssize_t n = send(fd, bytes + sent, size - sent, MSG_NOSIGNAL);

        if (n < 0)
            fail("send");
        sent += (size_t)n;
    }
}

static void subscribe(struct subscriber *subscriber, const char *target)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = subscriber };
    char request[512];
    int size = snprintf(request, sizeof(request),
                        "GET %s HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n", target);

    subscriber->fd = connect_to_server();
    send_all(subscriber->fd, request, (size_t)size);
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, subscriber->fd, &event) < 0)
        fail("epoll_ctl");
}

static _Noreturn void odd(const char *what, uint32_t number)
{
    fprintf(stderr, "subscribers: event %u %s\n", number, what);
    exit(EXIT_FAILURE);
}

static void take_number(struct subscriber *subscriber, const char *digits)
{
    uint32_t number = 0;

    for (int i = 0; i < MARK_SIZE - (int)strlen(MARK); i++)
        number = 10 * number + (uint32_t)(digits[i] - '0');
    if (subscriber->next == event_count) {
        if (event_count == NUMBERS || seen[number])
            odd("comes twice", number);
        seen[number] = true;
        events[event_count++] = number;
    }
    if (number != events[subscriber->next])
        odd("is not what others got in its place", number);
    subscriber->next++;
    delivered++;
}

/* What was kept of the last piece stands before this one. */
static void take(struct subscriber *subscriber, char *bytes, size_t size)
{
    char *at = bytes, *end = bytes + size, *mark;

    if (!subscriber->answered) {
        if (size < 12 || memcmp(bytes, "HTTP/1.1 200", 12) != 0) {
            errno = 0;
            fail("the answer");
        }
        subscriber->answered = true;
        ready++;
    }
    while ((mark = memmem(at, (size_t)(end - at), MARK, strlen(MARK))) && end - mark >= MARK_SIZE) {
        take_number(subscriber, mark + strlen(MARK));
        at = mark + MARK_SIZE;
    }
    if (!mark)
        mark = end - at >= (ptrdiff_t)strlen(MARK) ? end - strlen(MARK) + 1 : at;
    subscriber->kept = (uint8_t)(end - mark);
    memcpy(subscriber->rest, mark, subscriber->kept);
}

static void read_some(struct subscriber *subscriber)
{
    static char buffer[MARK_SIZE + 65536];
    ssize_t size;

    memcpy(buffer, subscriber->rest, subscriber->kept);
    size = recv(subscriber->fd, buffer + subscriber->kept, 65536, MSG_DONTWAIT);
    if (size < 0 && errno == EAGAIN)
        return;
    if (size <= 0)
        fail("a subscriber's connection ended");
    take(subscriber, buffer, subscriber->kept + (size_t)size);
}

/* The next event, over the connection that is free. */
static void publish(int fd)
{
    char body[1024], request[2048];
    int size, body_size;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    body_size = snprintf(body, sizeof(body), publishers.format, publishers.published++);
#pragma GCC diagnostic pop
    size = snprintf(request, sizeof(request),
                    "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                    "Content-Length: %d\r\n\r\n%s",
                    publishers.target, body_size, body);
    send_all(fd, request, (size_t)size);
}

static void take_answer(int fd)
{
    char answer[4096];
    ssize_t size = recv(fd, answer, sizeof(answer), 0);

    if (size < 12 || memcmp(answer, "HTTP/1.1 20", 11) != 0) {
        fprintf(stderr, "subscribers: a publication was answered with \"%.*s\"\n", size > 0 ? (int)size : 0, answer);
        exit(EXIT_FAILURE);
    }
    publishers.accepted++;
    if (publishers.published < publishers.wanted)
        publish(fd);
}

static bool is_publisher(const void *of_event)
{
    return of_event >= (const void *)publishers.fds && of_event < (const void *)(publishers.fds + PUBLISHERS);
}

static void turn(void)
{
    struct epoll_event found[BATCH];
    int n = epoll_wait(epoll_fd, found, BATCH, DEADLINE_MS);

    if (n == 0) {
        errno = ETIMEDOUT;
        fail("nothing came");
    }
    for (int i = 0; i < n; i++)
        if (is_publisher(found[i].data.ptr))
            take_answer(*(int *)found[i].data.ptr);
        else
            read_some(found[i].data.ptr);
}

/* No more than will publish: a server may end a connection over which nothing comes for long. */
static void connect_publishers(uint32_t at_once)
{
    publishers.connected = at_once;
    for (uint32_t i = 0; i < at_once; i++) {
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = &publishers.fds[i] };

        publishers.fds[i] = connect_to_server();
        if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, publishers.fds[i], &event) < 0)
            fail("epoll_ctl");
    }
}

static void close_publishers(void)
{
    for (uint32_t i = 0; i < publishers.connected; i++)
        close(publishers.fds[i]);
}

/* So many events, by all publishers at once; until all are delivered. */
static void publish_events(uint32_t wanted)
{
    uint64_t until = delivered + (uint64_t)wanted * count;
    uint32_t accepted = publishers.accepted + wanted;

    publishers.wanted += wanted;
    for (uint32_t i = 0; i < publishers.connected && publishers.published < publishers.wanted; i++)
        publish(publishers.fds[i]);
    while (delivered < until || publishers.accepted < accepted)
        turn();
}

static void obey(const char *line)
{
    uint64_t before = delivered, wanted;
    unsigned int n, paced, crowd;
    char how[16];

    errno = 0;
    if (sscanf(line, "%15s %u", how, &n) != 2)
        fail(line);
    wanted = (uint64_t)n * count;
    paced = strcmp(how, "paced") == 0 ? n : 0;
    crowd = strcmp(how, "crowd") == 0 ? n : 0;
    connect_publishers(crowd > 0 ? PUBLISHERS : paced > 0);
    for (unsigned int i = 0; i < paced; i++)
        publish_events(1);
    publish_events(crowd);
    while (delivered < before + wanted)
        turn();
    close_publishers();
    printf("delivered %llu\n", (unsigned long long)wanted);
}

int main(int argc, char **argv)
{
    struct rlimit limit;
    char line[64];

    if (argc != 6)
        return fputs("usage: subscribers SOCKET TARGET COUNT PUBLISH-TARGET BODY\n", stderr), 2;
    path = argv[1];
    count = strtoul(argv[3], NULL, 10);
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    subscribers = calloc(count, sizeof(*subscribers));
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (!subscribers || epoll_fd < 0)
        fail("start");
    for (size_t i = 0; i < count; i++)
        subscribe(&subscribers[i], argv[2]);
    while (ready < count)
        turn();
    publishers.target = argv[4];
    publishers.format = argv[5];
    setvbuf(stdout, NULL, _IOLBF, 0);
    puts("ready");
    while (fgets(line, sizeof(line), stdin))
        obey(line);
    return 0;
}
