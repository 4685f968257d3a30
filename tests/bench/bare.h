/*
 * What the bare servers share: the page that every contestant answers with, the listening socket, and a loop of epoll
 * for those that have no library.
 */
#ifndef BENCH_BARE_H
#define BENCH_BARE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BARE_TYPE      "text/html; charset=utf-8"
#define BARE_PAGE      "<h1>Hello, world!</h1>\n<p>This is the index page.</p>\n"
#define BARE_PAGE_SIZE "54" /* in bytes, as the field's text */

_Static_assert(sizeof(BARE_PAGE) - 1 == 54, "BARE_PAGE_SIZE is the size of BARE_PAGE");

static inline _Noreturn void bare_fail(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

/* The socket that the program's one argument names. */
static inline int bare_listen(int argc, char **argv)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd;

    if (argc != 2 || strlen(argv[1]) >= sizeof(address.sun_path)) {
        fprintf(stderr, "usage: %s SOCKET\n", argv[0]);
        exit(2);
    }
    memcpy(address.sun_path, argv[1], strlen(argv[1]) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        bare_fail("socket");
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        bare_fail(argv[1]);
    if (listen(fd, 2048) < 0)
        bare_fail("listen");
    return fd;
}

static inline void bare_watch(int epoll, int fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        bare_fail("epoll_ctl");
}

/* Accepts, and calls `take` for every connection that can be read from. */
static inline _Noreturn void bare_serve(int listener, void (*take)(int fd))
{
    struct epoll_event events[64];
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    if (epoll < 0)
        bare_fail("epoll_create1");
    bare_watch(epoll, listener);
    for (;;) {
        int count = epoll_wait(epoll, events, 64, -1);

        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == listener) {
                int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

                if (fd >= 0)
                    bare_watch(epoll, fd);
            } else {
                take(events[i].data.fd);
            }
        }
    }
}

#endif
