/*
 * Does anybody serve the socket at this address? Found out by connecting, as a client would; a datagram socket does not
 * notice.
 */
#ifndef BERTH_SOCKET_PROBE_H
#define BERTH_SOCKET_PROBE_H

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

/*
 * `type` is SOCK_STREAM or SOCK_DGRAM.
 * 1: served, by *ret_pid, the process that called listen(2) (0 where the kernel does not say: of a datagram socket,
 * because the queue is full, or because the process is in another pid namespace). 0: nobody, or no longer there. Else
 * nobody can tell: -EACCES where we may not connect, -EPROTOTYPE for a socket that is in use and of another type, or
 * what socket(2) and connect(2) say. Does not block; the server sees a connection that ends at once.
 */
int probe_served(int type, const struct sockaddr_un *address, socklen_t size, pid_t *ret_pid);

#endif
