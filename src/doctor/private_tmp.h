/*
 * Services that see another /tmp (PrivateTmp=yes of systemd.exec(5)): a socket there is not there for them.
 */
#ifndef BERTH_DOCTOR_PRIVATE_TMP_H
#define BERTH_DOCTOR_PRIVATE_TMP_H

#include <stddef.h>
#include <sys/types.h>

/* The folder that is private then, "/tmp" or "/var/tmp", where the path is below it; else NULL. */
const char *private_tmp_folder(const char *path);

struct private_tmp {
    size_t same, other; /* how many processes see our folder, and how many another one */
    pid_t pid;          /* one that sees another: the first found that has no socket at the path; 0: all have one */
    pid_t pid_with;     /* one that sees another and has a socket there; 0: none */
};

/* Looks at the processes of that user. Not at those with another root, which are in a container or so, and those that
 * we may not look at. */
void private_tmp_look(uid_t uid, const char *folder, const char *path, struct private_tmp *ret_result);

#endif
