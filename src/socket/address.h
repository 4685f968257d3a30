/*
 * The address that a path stands for, as unix(7) has it; "@name" is an abstract one.
 */
#ifndef BERTH_SOCKET_ADDRESS_H
#define BERTH_SOCKET_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/error.h"

/* The kernel keeps 108 bytes, and a path ends with a NUL. An abstract name has the same limit, its '@' apart. */
enum { ADDRESS_NAME_MAX = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1 };

struct address {
    struct sockaddr_un un;
    socklen_t size;
};

bool address_is_abstract(const char *path);

/* -EINVAL for a path that is empty, too long or ends with a slash. */
int address_make(const char *path, struct address *ret_address, struct error *error);

/* A socket of that type, to be bound; datagrams will bring their senders' credentials from the first on. -errno. */
int address_socket(int type);

#endif
