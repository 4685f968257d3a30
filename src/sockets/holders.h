/*
 * Who holds which socket: the descriptors of all processes that we may look into, from /proc. What holds a socket in
 * its own table of descriptors is a holder; one that is on its way through another socket has none.
 */
#ifndef BERTH_SOCKETS_HOLDERS_H
#define BERTH_SOCKETS_HOLDERS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* More descriptors of sockets than that are not looked at: -EMSGSIZE. */
#define HOLDERS_MAX (8 * 1024 * 1024)
/* The kernel's own limit, with the NUL. */
#define COMMAND_SIZE 16

struct holding_process {
    pid_t pid;
    uid_t uid; /* its effective one */
    char command[COMMAND_SIZE];
};

struct holder {
    uint32_t inode; /* the socket's */
    int fd;
    size_t process; /* which of the processes */
};

struct holders {
    struct holding_process *processes;
    struct holder *items; /* by inode, process and fd */
    size_t process_count, process_room, count, room;
    size_t refused; /* processes that we may not look into */
};

/* Looks at all processes; one that ends meanwhile is left out. holders_done is to be called whatever is returned.
 * /proc's errors, -EMSGSIZE, -ENOMEM. */
int holders_look(struct holders *ret_holders);
void holders_done(struct holders *holders);

/* Those of one socket; NULL and 0 for none. */
const struct holder *holders_of(const struct holders *holders, uint32_t inode, size_t *ret_count);

/* "socket:[123]", the link of a descriptor: 0 and its inode, or -EINVAL for what is no socket. */
int holder_link_parse(const char *link, size_t size, uint32_t *ret_inode);

/* The effective uid in the text of /proc/PID/status: 0, or -EINVAL where there is none. */
int holder_status_parse(const char *text, uid_t *ret_uid);

#endif
