#include "socket/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/number.h"
#include "common/packet.h"

struct notify {
    int fd; /* -1: nobody to tell */
    struct sockaddr_un address;
    socklen_t address_size;
    uint64_t watchdog_usec;
};

/* "/path" or "@abstract"; what else sd_notify(3) knows (vsock:) is for virtual machines. */
static int address_parse(const char *text, struct notify *notify)
{
    struct sockaddr_un *address = &notify->address;
    size_t length = strlen(text);
    bool abstract = text[0] == '@';

    if ((text[0] != '/' && !abstract) || length < 2)
        return -EINVAL;
    if (length > (abstract ? sizeof(address->sun_path) : sizeof(address->sun_path) - 1))
        return -EINVAL;
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, text, length);
    if (abstract)
        address->sun_path[0] = '\0'; /* and no NUL at its end: an abstract name is as long as the address says */
    notify->address_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (abstract ? 0 : 1));
    return 0;
}

/* A WATCHDOG_PID of another process means that the watchdog waits for that one: variables are inherited. */
static int watchdog_parse(const char *usec, const char *pid, uint64_t *ret_usec)
{
    uint64_t value = 0, whom;
    int r;

    if (!usec)
        return 0;
    r = number_parse(usec, 1, UINT64_MAX - 1, &value, NULL);
    if (r < 0)
        return -EINVAL;
    if (pid) {
        if (number_parse(pid, 1, INT32_MAX, &whom, NULL) < 0)
            return -EINVAL;
        if (whom != (uint64_t)getpid())
            return 0;
    }
    *ret_usec = value;
    return 0;
}

int notify_open(struct notify **ret_notify)
{
    const char *where = getenv("NOTIFY_SOCKET");
    struct notify *notify = calloc(1, sizeof(*notify));
    int r = 0;

    if (!notify) {
        r = -ENOMEM;
        goto out;
    }
    notify->fd = -1;
    r = watchdog_parse(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"), &notify->watchdog_usec);
    if (r < 0 || !where || *where == '\0')
        goto out;
    r = address_parse(where, notify);
    if (r < 0)
        goto out;
    notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (notify->fd < 0)
        r = -errno;
out:
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    if (r < 0)
        notify_free(notify);
    else
        *ret_notify = notify;
    return r;
}

void notify_free(struct notify *notify)
{
    if (!notify)
        return;
    if (notify->fd >= 0)
        close(notify->fd);
    free(notify);
}

int notify_send(struct notify *notify, const char *format, ...)
{
    char *text;
    va_list arguments;
    int size, r = 0;

    if (notify->fd < 0)
        return 0;
    va_start(arguments, format);
    size = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (size < 0)
        return -ENOMEM;
    /* Not connected once and for all: the manager may have been replaced, with a new socket at the same path. */
    if (sendto(notify->fd, text, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&notify->address,
               notify->address_size) < 0)
        r = -errno;
    free(text);
    return r;
}

int notify_store_fd(struct notify *notify, const char *name, int fd)
{
    char text[128];
    int length = snprintf(text, sizeof(text), "FDSTORE=1\nFDNAME=%s", name);
    struct iovec part = { text, (size_t)length };
    struct packet packet = { .parts = &part,
                             .part_count = 1,
                             .fds = { fd },
                             .fd_count = 1,
                             .to = (struct sockaddr *)&notify->address,
                             .to_size = notify->address_size };

    if (notify->fd < 0)
        return 0;
    if (length < 0 || (size_t)length >= sizeof(text))
        return -EINVAL;
    return packet_send(notify->fd, &packet);
}

int notify_reloading(struct notify *notify)
{
    struct timespec now;

    if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
        return -errno;
    return notify_send(notify, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
                       (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
}

uint64_t notify_watchdog_usec(const struct notify *notify)
{
    return notify->watchdog_usec;
}
