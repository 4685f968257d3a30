/*
 * The text side of socket activation (sd_listen_fds(3)): what the three variables say, before any descriptor is
 * looked at. Bytes from outside, so a fuzz target feeds it.
 */
#ifndef BERTH_SOCKET_ACTIVATION_NAMES_H
#define BERTH_SOCKET_ACTIVATION_NAMES_H

#include <stddef.h>
#include <sys/types.h>

#include "common/error.h"

enum {
    ACTIVATION_FDS_MAX = 4096, /* of all kinds; how many of them may be listeners is for others to say */
    ACTIVATION_NAME_MAX = 255, /* systemd's limit for FileDescriptorName= */
    ACTIVATION_FIRST_FD = 3,   /* SD_LISTEN_FDS_START */
};

/*
 * One name for each descriptor from ACTIVATION_FIRST_FD on, "" where LISTEN_FDNAMES (`names`) is absent; all are the
 * caller's, to be freed with activation_names_free. None (NULL and 0) if `fds` or `pid` is absent (NULL), `pid` is not
 * `self`, or `fds` is 0. -EINVAL, with one line in `error`, for a number that is none, too many, a number of names
 * other than the number of descriptors, or a name that systemd would not let anybody set.
 */
int activation_names_parse(pid_t self, const char *pid, const char *fds, const char *names, char ***ret_names,
                           size_t *ret_count, struct error *error);
void activation_names_free(char **names, size_t count);

#endif
