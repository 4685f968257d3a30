/*
 * The lines of /proc/net/unix: what the kernel tells of Unix sockets where it refuses sock_diag (socket/inspect.h). It
 * tells less: no queues, no peers, no files, and of a name it shows a NUL as '@'.
 */
#ifndef BERTH_SOCKET_UNIX_TABLE_H
#define BERTH_SOCKET_UNIX_TABLE_H

#include <stddef.h>

#include "socket/inspect.h"

/*
 * Calls `take` for every socket in the text, whose first line is a heading, as inspect_all does. A line that describes
 * no socket belongs to the name in the one before: names may have newlines. (Who puts a whole line of this kind into a
 * name gets a socket shown that is none: nobody can tell here.)
 */
int unix_table_parse(const char *text, size_t size, int (*take)(const struct inspected *socket, void *data),
                     void *data);

/* The same of /proc/net/unix itself. -errno where it cannot be read. */
int unix_table_each(int (*take)(const struct inspected *socket, void *data), void *data);

#endif
