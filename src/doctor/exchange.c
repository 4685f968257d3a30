#include <config.h>

#include "doctor/exchange.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

/* A host's name has at most 253 bytes; the rest is ours. */
enum { REQUEST_MAX = 1024 };

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Whether it came before the deadline. */
static bool wait_for(int fd, short events, int64_t deadline)
{
    struct pollfd ready = { .fd = fd, .events = events };
    int64_t left;
    int r = 0;

    while (r <= 0) {
        left = deadline - now_ms();
        if (left <= 0)
            return false;
        r = poll(&ready, 1, (int)left);
        if (r < 0 && errno != EINTR)
            return false;
    }
    return true;
}

/* A server that closes at once may have said why: that is for the reader to find. */
static void request_send(int fd, const char *host, int64_t deadline)
{
    char request[REQUEST_MAX];
    int size = snprintf(request, sizeof(request),
                        "GET " EXCHANGE_TARGET " HTTP/1.1\r\nHost: %s\r\nUser-Agent: berth-doctor/" PACKAGE_VERSION
                        "\r\nAccept: */*\r\nConnection: close\r\n\r\n",
                        host);
    const char *at = request, *end = request + (size < REQUEST_MAX ? size : REQUEST_MAX - 1);

    while (at < end && wait_for(fd, POLLOUT, deadline)) {
        ssize_t sent = send(fd, at, (size_t)(end - at), MSG_NOSIGNAL);

        if (sent < 0 && errno != EAGAIN && errno != EINTR)
            return;
        at += sent > 0 ? sent : 0;
    }
}

/* One read. Whether to go on. */
static bool receive(int fd, struct exchange *exchange)
{
    ssize_t size = recv(fd, exchange->bytes + exchange->size, sizeof(exchange->bytes) - exchange->size, 0);
    int r;

    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (size <= 0) {
        exchange->end = exchange->answer.status ? EXCHANGE_ANSWERED : EXCHANGE_CLOSED;
        return false;
    }
    exchange->size += (size_t)size;
    r = answer_read(exchange->bytes, exchange->size, &exchange->answer);
    if (r < 0)
        exchange->end = EXCHANGE_OTHER;
    else if (r == 1 || exchange->size == sizeof(exchange->bytes))
        exchange->end = exchange->answer.status ? EXCHANGE_ANSWERED : EXCHANGE_OTHER;
    else
        return true;
    return false;
}

void exchange_make(int fd, const char *host, struct exchange *ret_exchange)
{
    int64_t deadline = now_ms() + EXCHANGE_PATIENCE_MS;

    *ret_exchange = (struct exchange){ .end = EXCHANGE_SILENT };
    request_send(fd, host, deadline);
    while (wait_for(fd, POLLIN, deadline))
        if (!receive(fd, ret_exchange))
            return;
}
