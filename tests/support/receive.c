/*
 * Stands where the service manager would: makes a datagram socket at PATH and prints the lines of each message that
 * comes, until it is ended.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    char bytes[4096];
    ssize_t size;

    if (argc != 2)
        return 2;
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", argv[1]);
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        perror(argv[1]);
        return EXIT_FAILURE;
    }
    while ((size = recv(fd, bytes, sizeof(bytes), 0)) >= 0) {
        printf("%.*s\n", (int)size, bytes);
        fflush(stdout);
    }
    return EXIT_FAILURE;
}
