#include "socket/address.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

bool address_is_abstract(const char *path)
{
    return path[0] == '@';
}

int address_make(const char *path, struct address *ret_address, struct error *error)
{
    struct address address = { .un.sun_family = AF_UNIX };
    bool abstract = address_is_abstract(path);
    size_t length = strlen(path) - abstract;

    if (length == 0)
        return error_set(error, -EINVAL, "\"%s\" is not the path of a socket: it has no name", path);
    if (length > ADDRESS_NAME_MAX)
        return error_set(error, -EINVAL,
                         "%.64s… is %zu bytes long, and the name of a socket has at most %d; choose a "
                         "shorter one",
                         path, length, ADDRESS_NAME_MAX);
    if (!abstract && path[length - 1] == '/')
        return error_set(error, -EINVAL, "%s is a folder; add the name that the socket is to have in it", path);
    memcpy(address.un.sun_path + abstract, path + abstract, length);
    address.size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
    *ret_address = address;
    return 0;
}

int address_socket(int type)
{
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), yes = 1, r;

    if (fd < 0)
        return -errno;
    if (type == SOCK_DGRAM && setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof(yes)) < 0) {
        r = -errno;
        close(fd);
        return r;
    }
    return fd;
}
