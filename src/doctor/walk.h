/*
 * The way to a socket, as the kernel goes it: every folder that has to be passed, and every symbolic link on the way.
 */
#ifndef BERTH_DOCTOR_WALK_H
#define BERTH_DOCTOR_WALK_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

enum {
    WALK_FOLDERS_MAX = 256, /* no name of a socket has more than 54, but links may lead around */
    WALK_LINKS_MAX = 40,    /* the kernel's own limit (path_resolution(7)) */
};

struct walk {
    char *folders[WALK_FOLDERS_MAX]; /* without links, from "/" on */
    size_t folder_count;
    struct {
        char *from, *to; /* where it stands, and what it says */
    } links[WALK_LINKS_MAX];
    size_t link_count;
    /* Where it ended, without links: at the last part of the path (`arrived`), whatever and whether it is, or before.
     */
    char end[PATH_MAX];
    bool arrived;
    /* 0, and what is at the end. Else what lstat(2) said there; -ENOTDIR for something else than a folder; -ELOOP for
     * too many links or folders. */
    int error;
    struct stat file;
};

/* Goes along `path`, an absolute one. -ENOMEM, -ENAMETOOLONG; all else is told in the result, which walk_done frees. */
int walk_init(struct walk *ret_walk, const char *path);
void walk_done(struct walk *walk);

#endif
