/*
 * What the kernel tells of the Unix sockets of this network namespace (sock_diag(7), UNIX_DIAG): no rights are needed,
 * and nobody notices.
 */
#ifndef BERTH_SOCKET_INSPECT_H
#define BERTH_SOCKET_INSPECT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/un.h>

struct inspected {
    int type;       /* SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET */
    bool listening; /* listen(2) was called on it */
    bool connected; /* one end of a connection; at the server's, name and file are those of the listening socket */
    uint32_t inode; /* its number, as in /proc/PID/fd: "socket:[…]" */
    /* The name that it was bound to, as the kernel was told it ("@" before an abstract one, whose NULs are '@' too);
     * "" for none. */
    char name[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 1];
    bool has_file; /* the next two are known: it was bound to a path */
    uint32_t file_device, file_inode;
    bool has_queue;         /* the next two are known */
    uint32_t queued, limit; /* of a listening one: connections that wait for accept(2), and how many may */
};

/* Whether it was bound as this file, which an equal name alone does not say: the file may have been replaced. */
bool inspected_is_file(const struct inspected *socket, const struct stat *file);

/*
 * Calls `take` for every bound socket, until it returns something else than 0, which is returned then. 0 at the end;
 * -errno where the kernel does not tell (-ENOENT or -EPROTONOSUPPORT: it has no UNIX_DIAG; -ETIME: too slowly).
 */
int inspect_each(int (*take)(const struct inspected *socket, void *data), void *data);

#endif
