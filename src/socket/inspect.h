/*
 * What the kernel tells of the Unix sockets of this network namespace (sock_diag(7), UNIX_DIAG): no rights are needed,
 * and nobody notices.
 */
#ifndef BERTH_SOCKET_INSPECT_H
#define BERTH_SOCKET_INSPECT_H

#include <stdbool.h>
#include <stddef.h>
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
    /* The same as it is, every byte: an abstract one begins with a NUL. None where raw_name_size is 0. */
    char raw_name[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
    size_t raw_name_size;
    bool has_file; /* the next two are known: it was bound to a path */
    uint32_t file_device, file_inode;
    bool has_queue;          /* the next two are known */
    uint32_t queued, limit;  /* of a listening one: connections that wait for accept(2), and how many may */
    bool has_bytes;          /* the next two are known */
    uint32_t unread, unsent; /* of another: what waits to be read from it (of datagrams, the first), and the memory of
                              * what was written to it and nobody has read yet */
    uint32_t peer;           /* the inode of the other end; 0: it has none, or it is not known */
    bool has_uid;            /* the next is known */
    uid_t uid;               /* whose process made it */
};

/* Whether it was bound as this file, which an equal name alone does not say: the file may have been replaced. */
bool inspected_is_file(const struct inspected *socket, const struct stat *file);

/*
 * Calls `take` for every bound socket, until it returns something else than 0, which is returned then. 0 at the end;
 * -errno where the kernel does not tell (-ENOENT or -EPROTONOSUPPORT: it has no UNIX_DIAG; -ETIME: too slowly).
 */
int inspect_each(int (*take)(const struct inspected *socket, void *data), void *data);

/* The same for every socket, bound or not. */
int inspect_all(int (*take)(const struct inspected *socket, void *data), void *data);

/* One datagram of the kernel's answer, aligned as struct nlmsghdr: 0, or what `take` returned, or -errno as above.
 * *ret_end: it was the last one. */
int inspect_parse(const char *bytes, size_t size, int (*take)(const struct inspected *socket, void *data), void *data,
                  bool *ret_end);

/* Puts the name's other form beside raw_name; for whoever else fills such a struct. */
void inspected_name(struct inspected *socket, const char *bytes, size_t size);

#endif
