/*
 * Sends the bytes of standard input to a socket exactly as they are, and prints what comes back until the server
 * closes. Exit code 0: it closed; 4: it had not within the time (-t, 5000 ms); 1: no connection.
 *
 *     printf 'GET / HTTP/1.1\r\n\r\n' | raw [-t MS] [-b MS] [-h] SOCKET
 *
 * -b sends byte by byte with a pause between them, as a slow loris does. -h closes our direction after the last byte.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static long patience_ms = 5000, pause_ms;
static bool half_close;

static long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    return fd;
}

static size_t read_all(char **ret_bytes)
{
    size_t size = 0, room = 1 << 16;
    char *bytes = malloc(room);
    ssize_t r;

    if (!bytes)
        abort();
    while ((r = read(STDIN_FILENO, bytes + size, room - size)) > 0) {
        size += (size_t)r;
        if (size == room) {
            char *more = realloc(bytes, room *= 2);

            if (!more)
                abort();
            bytes = more;
        }
    }
    *ret_bytes = bytes;
    return size;
}

/* Sends as much as may be sent now; what is left when the server has closed its side is nobody's any more. */
static size_t send_some(int fd, const char *bytes, size_t size)
{
    ssize_t r = send(fd, bytes, pause_ms > 0 ? 1 : size, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (r < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : size;
    return (size_t)r;
}

/* Whether the server closed. */
static bool receive_some(int fd)
{
    char bytes[1 << 16];
    ssize_t r = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

    if (r > 0) {
        fwrite(bytes, 1, (size_t)r, stdout);
        fflush(stdout);
    }
    return r == 0 || (r < 0 && errno != EAGAIN && errno != EINTR);
}

static int converse(int fd, const char *bytes, size_t size)
{
    long deadline = now_ms() + patience_ms, next = 0;
    size_t sent = 0;

    while (now_ms() < deadline) {
        long now = now_ms();
        bool sends = sent < size && now >= next;
        struct pollfd poll_fd = { .fd = fd, .events = (short)(POLLIN | (sends ? POLLOUT : 0)) };

        if (poll(&poll_fd, 1, (int)(sent < size && !sends ? next - now : deadline - now)) > 0) {
            if (poll_fd.revents & (POLLIN | POLLHUP | POLLERR) && receive_some(fd))
                return EXIT_SUCCESS;
            if (poll_fd.revents & POLLOUT) {
                sent += send_some(fd, bytes + sent, size - sent);
                next = now + pause_ms;
                if (sent == size && half_close)
                    shutdown(fd, SHUT_WR);
            }
        }
    }
    return 4;
}

int main(int argc, char **argv)
{
    char *bytes;
    size_t size;
    int option, r;

    while ((option = getopt(argc, argv, "t:b:h")) != -1) {
        if (option == 't')
            patience_ms = strtol(optarg, NULL, 10);
        else if (option == 'b')
            pause_ms = strtol(optarg, NULL, 10);
        else if (option == 'h')
            half_close = true;
        else
            return 2;
    }
    if (optind + 1 != argc)
        return 2;
    size = read_all(&bytes);
    r = converse(connect_to(argv[optind]), bytes, size);
    free(bytes);
    return r;
}
