/*
 * The limit of fan-out: what it costs to hand a text to so many Unix sockets at all, one send for each, nothing in
 * between. It is no server: who sends GET is a subscriber, who sends anything else publishes what the request ends
 * with, `"n":"000017"}}` and the like; a request is what one read brings.
 *
 * Usage: bare_fanout SOCKET
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bare.h"

#define SUBSCRIBERS_MAX 20000
#define NUMBER_SIZE     14 /* "n":"000017"}} is the end of what is published */

static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
static const char accepted[] = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";

static int subscribers[SUBSCRIBERS_MAX];
static size_t subscriber_count;

/* As long as what berth makes of it. */
static void publish(const char *number)
{
    char text[256];
    int size = snprintf(text, sizeof(text),
                        "id: 1700000000000001\ndata: {\"id\":1700000000000001,\"time\":1700000000.123456,"
                        "\"type\":\"bench\",\"peer\":{\"uid\":0,\"user\":\"root\",\"pid\":12345},\"data\":{%.*s\n\n",
                        NUMBER_SIZE, number);

    for (size_t i = 0; i < subscriber_count; i++)
        if (send(subscribers[i], text, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL) != size)
            bare_fail("send");
}

static void take(int fd)
{
    char request[4096];
    ssize_t size = read(fd, request, sizeof(request));

    if (size < NUMBER_SIZE) {
        close(fd); /* takes it out of the epoll set as well */
        for (size_t i = 0; i < subscriber_count; i++)
            if (subscribers[i] == fd)
                subscribers[i] = subscribers[--subscriber_count];
        return;
    }
    if (memcmp(request, "GET ", 4) == 0) {
        if (subscriber_count == SUBSCRIBERS_MAX || write(fd, head, sizeof(head) - 1) < 0)
            bare_fail("a subscriber");
        subscribers[subscriber_count++] = fd;
    } else {
        if (write(fd, accepted, sizeof(accepted) - 1) < 0)
            bare_fail("a publisher");
        publish(request + size - NUMBER_SIZE);
    }
}

int main(int argc, char **argv)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    bare_serve(bare_listen(argc, argv), take);
}
