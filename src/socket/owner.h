/*
 * Whom a socket is to belong to: names as people write them, through NSS (nsswitch.conf(5)), or numbers.
 */
#ifndef BERTH_SOCKET_OWNER_H
#define BERTH_SOCKET_OWNER_H

#include <sys/types.h>

#include "common/error.h"

/* NULL becomes (uid_t) -1 and (gid_t) -1, which chown(2) takes for "as it is". -ENOENT for a name that nobody has, -EINVAL for a
 * number out of range or an empty name, else what the database says; `error` names flag and value. */
int owner_resolve(const char *user, const char *group, uid_t *ret_uid, gid_t *ret_gid, struct error *error);

#endif
