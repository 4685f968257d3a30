/*
 * Whom the children become: --user and --group (common/account.h), resolved while we still may say no.
 */
#ifndef BERTH_SUPERVISOR_IDENTITY_H
#define BERTH_SUPERVISOR_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/error.h"

struct identity {
    bool change; /* otherwise the children stay who we are */
    uid_t uid;
    gid_t gid;
    gid_t *groups; /* all supplementary groups */
    size_t group_count;
};

/* Names or numbers; NULL for what was not asked for. A user brings its own groups, --group replaces the primary one.
 * A user that is a number nobody has brings none: then --group must say. -EINVAL for that, for who does not exist, and
 * for somebody else than us without the right to become it; account.h's; -ENOMEM. */
int identity_resolve(const char *user, const char *group, struct identity *ret_identity, struct error *error);
void identity_done(struct identity *identity);

/* In the child: groups, gid, uid, in this order, since each step takes away the right to the one before. -errno. */
int identity_assume(const struct identity *identity);

#endif
