/*
 * Users and groups as people write them: names, through NSS (nsswitch.conf(5)), or numbers. All digits are a number and
 * never a name. `flag` is what the messages begin with: "--user".
 */
#ifndef BERTH_COMMON_ACCOUNT_H
#define BERTH_COMMON_ACCOUNT_H

#include <stddef.h>
#include <sys/types.h>

#include "common/error.h"

/*
 * The number that a name or a number stands for; a number need not be in any database. -EINVAL for a name that nobody
 * has, a number out of range and an empty text; what the database says when it cannot be asked; -ENOMEM. -1 is no
 * number of anybody's, it means "as it is" to the kernel.
 */
int account_uid(const char *flag, const char *text, uid_t *ret_uid, struct error *error);
int account_gid(const char *flag, const char *text, gid_t *ret_gid, struct error *error);

/* A user with what the database says of it. One that is given by a number may have no entry: name is NULL then. */
struct account {
    uid_t uid;
    gid_t gid;  /* the primary group; without an entry, (gid_t) -1 */
    char *name; /* to be freed */
};

/* As account_uid. */
int account_user(const char *flag, const char *text, struct account *ret_account, struct error *error);

/* All groups of the user of that name, the given primary one among them, as initgroups(3) would give them to its
 * processes; to be freed. -ENOMEM. */
int account_groups(const char *name, gid_t gid, gid_t **ret_groups, size_t *ret_count);

#endif
