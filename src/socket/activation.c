#include "socket/activation.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "socket/activation_names.h"

/* `LISTEN_PIDFDID` is what newer versions of systemd add; we don't need it, but nor does any child. */
static const char *const variables[] = { "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID" };

/* "fd 3" or "fd 3 (name)": how every line about a descriptor begins. */
struct label {
    char text[ACTIVATION_NAME_MAX + 32];
};

static const char *label_make(int fd, const char *name, struct label *label)
{
    if (*name == '\0')
        snprintf(label->text, sizeof(label->text), "fd %d", fd);
    else
        snprintf(label->text, sizeof(label->text), "fd %d (%.*s)", fd, ACTIVATION_NAME_MAX, name);
    return label->text;
}

static int option_read(int fd, int option, int *ret_value)
{
    socklen_t size = sizeof(*ret_value);

    return getsockopt(fd, SOL_SOCKET, option, ret_value, &size) < 0 ? -errno : 0;
}

static const char *family_name(int family)
{
    switch (family) {
    case AF_INET:
        return "an IPv4";
    case AF_INET6:
        return "an IPv6";
    case AF_NETLINK:
        return "a netlink";
    case AF_VSOCK:
        return "a vsock";
    default:
        return "a non-Unix";
    }
}

/* The address as `ss -xl` shows it: a path, or '@' for each NUL of an abstract name. "" if not bound. */
static int address_read(int fd, char **ret_address)
{
    struct sockaddr_un address = { 0 };
    socklen_t size = sizeof(address);
    char text[sizeof(address.sun_path) + 1] = "";
    char *copy;

    if (getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        return -errno;
    if (size > offsetof(struct sockaddr_un, sun_path)) {
        size_t length = size - offsetof(struct sockaddr_un, sun_path);

        if (length > sizeof(address.sun_path)) /* a path of 108 bytes is reported with the NUL that did not fit */
            length = sizeof(address.sun_path);
        memcpy(text, address.sun_path, length);
        if (text[0] == '\0')
            for (size_t i = 0; i < length; i++)
                if (text[i] == '\0')
                    text[i] = '@';
    }
    copy = strdup(text);
    if (!copy)
        return -ENOMEM;
    *ret_address = copy;
    return 0;
}

static int stream_examine(int fd, const char *label, struct error *error)
{
    struct sockaddr_un peer;
    socklen_t size = sizeof(peer);
    int accepting = 0;
    int r = option_read(fd, SO_ACCEPTCONN, &accepting);

    if (r < 0)
        return error_set(error, r, "%s: cannot ask whether it listens: %s", label, strerror(-r));
    if (accepting)
        return 0;
    if (getpeername(fd, (struct sockaddr *)&peer, &size) == 0)
        return error_set(error, -EINVAL, "%s is one connection, not a listening socket; use Accept=no", label);
    return error_set(error, -EINVAL, "%s is a stream socket that does not listen; call listen() before handing it over",
                     label);
}

static int socket_examine(int fd, const char *label, enum handed_kind *ret_kind, char **ret_address,
                          struct error *error)
{
    int family, type, r;
    char *address = NULL;

    r = option_read(fd, SO_DOMAIN, &family);
    if (r == 0)
        r = option_read(fd, SO_TYPE, &type);
    if (r < 0)
        return error_set(error, -EINVAL, "%s: cannot ask what it is: %s", label, strerror(-r));
    if (family != AF_UNIX)
        return error_set(error, -EINVAL,
                         "%s is %s socket; only Unix sockets are served (ListenStream=/a/path); "
                         "a reverse proxy such as nginx, or socat, brings one to the network",
                         label, family_name(family));
    if (type != SOCK_STREAM && type != SOCK_DGRAM)
        return error_set(error, -EINVAL, "%s is a sequential packet socket; HTTP needs a stream (ListenStream=)",
                         label);
    if (type == SOCK_STREAM) {
        r = stream_examine(fd, label, error);
        if (r < 0)
            return r;
    }
    r = address_read(fd, &address);
    if (r < 0)
        return error_set(error, r, "%s: cannot ask for its address: %s", label, strerror(-r));
    if (type == SOCK_DGRAM && *address == '\0') {
        free(address);
        return error_set(error, -EINVAL, "%s is a datagram socket without an address: nobody could send to it", label);
    }
    *ret_kind = type == SOCK_STREAM ? HANDED_LISTENER : HANDED_DATAGRAM;
    *ret_address = address;
    return 0;
}

/* What systemd's fd store is used for are memfds and other files, and what the kernel makes anonymously (eventfd,
 * pidfd), which has no type. The rest can't be meant. */
static int file_examine(mode_t mode, const char *label, struct error *error)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
    case 0:
        return 0;
    case S_IFIFO:
        return error_set(error, -EINVAL, "%s is a pipe, not a socket", label);
    case S_IFDIR:
        return error_set(error, -EINVAL, "%s is a folder, not a socket", label);
    default:
        return error_set(error, -EINVAL, "%s is a device or a terminal, not a socket", label);
    }
}

/* Looks, and changes nothing: what is not all right is not taken. */
static int handed_examine(int fd, const char *name, struct handed *ret_handed, struct error *error)
{
    struct handed handed = { .fd = fd, .kind = HANDED_STORED };
    struct label label;
    struct stat status;
    int r;

    label_make(fd, name, &label);
    if (fd < 0 || fstat(fd, &status) < 0)
        return error_set(error, -EINVAL, "%s is not open", label.text);
    if (S_ISSOCK(status.st_mode))
        r = socket_examine(fd, label.text, &handed.kind, &handed.address, error);
    else
        r = file_examine(status.st_mode, label.text, error);
    if (r < 0)
        return r;
    handed.name = strdup(name);
    if (!handed.address)
        handed.address = strdup("");
    if (!handed.name || !handed.address) {
        free(handed.name);
        free(handed.address);
        return error_set(error, -ENOMEM, "out of memory");
    }
    *ret_handed = handed;
    return 0;
}

/* From here on it is ours. O_NONBLOCK belongs to the open file description: others who share the socket see it too. */
static int handed_adopt(const struct handed *handed, struct error *error)
{
    int flags = fcntl(handed->fd, F_GETFD);

    if (flags < 0 || fcntl(handed->fd, F_SETFD, flags | FD_CLOEXEC) < 0)
        return error_set(error, -errno, "fd %d: cannot set FD_CLOEXEC: %s", handed->fd, strerror(errno));
    if (handed->kind == HANDED_STORED)
        return 0;
    flags = fcntl(handed->fd, F_GETFL);
    if (flags < 0 || fcntl(handed->fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return error_set(error, -errno, "fd %d: cannot set O_NONBLOCK: %s", handed->fd, strerror(errno));
    return 0;
}

static void handed_forget(struct handed *handed, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(handed[i].name);
        free(handed[i].address);
    }
    free(handed);
}

/* A file under the name of a listener would be taken for a socket by whoever goes by that name. */
static int stored_check(const struct handed *handed, size_t count, struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        if (handed[i].kind != HANDED_STORED || *handed[i].name == '\0')
            continue;
        for (size_t j = 0; j < count; j++) {
            struct label label;

            if (handed[j].kind == HANDED_STORED || strcmp(handed[i].name, handed[j].name) != 0)
                continue;
            return error_set(error, -EINVAL,
                             "%s is a file, not a socket, and fd %d has the same name and is one; "
                             "give it another name",
                             label_make(handed[i].fd, handed[i].name, &label), handed[j].fd);
        }
    }
    return 0;
}

static int list_examine(struct handed *list, char **names, size_t count, size_t *ret_done, struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        int fd = ACTIVATION_FIRST_FD + (int)i;
        int r;

        if (fcntl(fd, F_GETFD) < 0)
            return error_set(error, -EINVAL, "LISTEN_FDS says %zu, but fd %d%s%s%s is not open", count, fd,
                             *names[i] != '\0' ? " (" : "", names[i], *names[i] != '\0' ? ")" : "");
        r = handed_examine(fd, names[i], &list[i], error);
        if (r < 0)
            return r;
        *ret_done = i + 1;
    }
    return stored_check(list, count, error);
}

int activation_take(struct handed **ret_handed, size_t *ret_count, struct error *error)
{
    struct handed *list = NULL;
    char **names = NULL;
    size_t count = 0, done = 0;
    int r = activation_names_parse(getpid(), getenv("LISTEN_PID"), getenv("LISTEN_FDS"), getenv("LISTEN_FDNAMES"),
                                   &names, &count, error);

    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
        unsetenv(variables[i]);
    if (r < 0)
        return r;
    if (count > 0) {
        list = calloc(count, sizeof(*list));
        r = list ? list_examine(list, names, count, &done, error) : error_set(error, -ENOMEM, "out of memory");
        for (size_t i = 0; r == 0 && i < count; i++)
            r = handed_adopt(&list[i], error);
    }
    activation_names_free(names, count);
    if (r < 0) {
        handed_forget(list, done);
        return r;
    }
    *ret_handed = list;
    *ret_count = count;
    return 0;
}

int activation_examine(int fd, const char *name, struct handed *ret_handed, struct error *error)
{
    struct handed handed;
    struct label label;
    int r = handed_examine(fd, name, &handed, error);

    if (r < 0)
        return r;
    if (handed.kind == HANDED_LISTENER)
        r = handed_adopt(&handed, error);
    else
        r = error_set(error, -EINVAL, "%s is %s, not a listening Unix stream socket", label_make(fd, name, &label),
                      handed.kind == HANDED_DATAGRAM ? "a datagram socket" : "a file");
    if (r < 0) {
        free(handed.name);
        free(handed.address);
        return r;
    }
    *ret_handed = handed;
    return 0;
}

void activation_free(struct handed *handed, size_t count)
{
    if (!handed)
        return;
    for (size_t i = 0; i < count; i++)
        if (handed[i].fd >= 0)
            close(handed[i].fd);
    handed_forget(handed, count);
}
