/*
 * Whether the path that a socket was bound to still leads to it, and what its file says of who may connect.
 */
#ifndef BERTH_SOCKETS_PLACE_H
#define BERTH_SOCKETS_PLACE_H

#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "socket/inspect.h"

/* A renamed socket is looked for in the folder where it was, among so many names. */
#define PLACE_NAMES_MAX 65536

enum place_kind {
    PLACE_NONE,      /* it was not bound to a path */
    PLACE_OK,        /* the path leads to it */
    PLACE_RENAMED,   /* it has another name in the same folder */
    PLACE_REPLACED,  /* the path leads to something else */
    PLACE_REMOVED,   /* the path leads nowhere */
    PLACE_ELSEWHERE, /* as we see it, one of the two before; but to who holds it, whose files are others, it is there */
    PLACE_UNKNOWN,   /* we may not look, the path is relative, or the kernel did not tell of the file */
};

struct place {
    enum place_kind kind;
    bool has_file; /* the next is known */
    struct stat file;
    char *now; /* where it is after it was renamed; to be freed by place_done. NULL otherwise */
};

/* `pids` are those of its holders. */
void place_find(const struct inspected *socket, const pid_t *pids, size_t count, struct place *ret_place);
void place_done(struct place *place);

/* "ok", "renamed", … "unknown"; of PLACE_NONE, NULL. */
const char *place_name(enum place_kind kind);

#endif
