/*
 * Where the workers' access log goes: opened here, with the supervisor's rights, and handed to them.
 */
#ifndef BERTH_SUPERVISOR_ACCESS_H
#define BERTH_SUPERVISOR_ACCESS_H

#include "common/error.h"
#include "common/settings.h"

/* Opens --access-log, or standard output once more; /dev/null for --no-access-log and where there is no standard
 * output. -errno with a message. */
int access_open(const struct settings *settings, int *ret_fd, struct error *error);

#endif
