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

int main(int argc, char **argv)
{
    bare_serve(bare_listen(argc, argv), answer_one);
}
