/*
 * What the two bare servers share: the page that every contestant answers with, and the listening socket.
 */
#ifndef BENCH_BARE_H
#define BENCH_BARE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

#endif
