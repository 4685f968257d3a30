/*
 * Does anybody serve the socket at this address? Found out by connecting, as a client would.
 */
#ifndef BERTH_SOCKET_PROBE_H
#define BERTH_SOCKET_PROBE_H

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

/*
 * 1: served, by *ret_pid, the process that called listen(2) (0 where the kernel does not say, because the queue is full
 * or the process is in another pid namespace). 0: nobody, or no longer there. Else nobody can tell: -EACCES where we
 * may not connect, -EPROTOTYPE for a socket that is in use and no stream, or what socket(2) and connect(2) say. Does
 * not block; the server sees a connection that ends at once.
 */
int probe_served(const struct sockaddr_un *address, socklen_t size, pid_t *ret_pid);

#endif
