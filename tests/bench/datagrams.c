/*
 * Sends so many datagrams to a Unix datagram socket, as fast as the socket takes them, in calls of several; prints how
 * long that took, in nanoseconds. Usage: datagrams SOCKET COUNT
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define AT_ONCE 64

static int64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int main(int argc, char **argv)
{
    static char texts[AT_ONCE][64];
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct mmsghdr messages[AT_ONCE] = { 0 };
    struct iovec parts[AT_ONCE];
    unsigned long count;
    int64_t began;
    int fd;

    if (argc != 3 || strlen(argv[1]) >= sizeof(address.sun_path))
        return fputs("usage: datagrams SOCKET COUNT\n", stderr), 2;
    strcpy(address.sun_path, argv[1]);
    count = strtoul(argv[2], NULL, 10);
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return perror("datagrams"), 1;
    began = now();
    for (unsigned long sent = 0; sent < count;) {
        unsigned int wanted = count - sent < AT_ONCE ? (unsigned int)(count - sent) : AT_ONCE;
        int n;

        for (unsigned int i = 0; i < wanted; i++) {
            int size =
                snprintf(texts[i], sizeof(texts[i]), "{\"type\":\"deploy\",\"data\":{\"n\":\"%06lu\"}}", sent + i);

            parts[i] = (struct iovec){ texts[i], (size_t)size };
            messages[i].msg_hdr.msg_iov = &parts[i];
            messages[i].msg_hdr.msg_iovlen = 1;
        }
        n = sendmmsg(fd, messages, wanted, 0);
        if (n < 0)
            return perror("datagrams"), 1;
        sent += (unsigned int)n;
    }
    printf("%lld\n", (long long)(now() - began));
    return 0;
}
