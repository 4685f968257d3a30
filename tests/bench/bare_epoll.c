/*
 * The limit: what it costs to carry a request and its answer over a Unix socket at all. One epoll_wait, one read and
 * one write, nothing in between. It is no server: a request is what one read brings, which holds for h2load, and what
 * does not end as a request ends is hung up on rather than answered wrongly.
 *
 * Usage: bare_epoll SOCKET
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bare.h"

static const char answer[] = "HTTP/1.1 200 OK\r\n"
                             "Content-Type: " BARE_TYPE "\r\n"
                             "Content-Length: " BARE_PAGE_SIZE "\r\n"
                             "\r\n" BARE_PAGE;

static void answer_one(int fd)
{
    char request[4096];
    ssize_t size = read(fd, request, sizeof(request));

    if (size >= 4 && memcmp(request + size - 4, "\r\n\r\n", 4) == 0 &&
        write(fd, answer, sizeof(answer) - 1) == (ssize_t)sizeof(answer) - 1)
        return;
    close(fd); /* takes it out of the epoll set as well */
}

static void watch(int epoll, int fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        bare_fail("epoll_ctl");
}

int main(int argc, char **argv)
{
    struct epoll_event events[64];
    int listener = bare_listen(argc, argv);
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    if (epoll < 0)
        bare_fail("epoll_create1");
    watch(epoll, listener);
    for (;;) {
        int count = epoll_wait(epoll, events, 64, -1);

        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == listener) {
                int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

                if (fd >= 0)
                    watch(epoll, fd);
            } else {
                answer_one(events[i].data.fd);
            }
        }
    }
}
