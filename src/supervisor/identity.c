#include "supervisor/identity.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/account.h"

/* A number that nobody has is taken as it is, for containers; but a group of the same number may be anybody's. */
static int resolve(const char *user, const char *group, struct identity *identity, char **ret_name, struct error *error)
{
    struct account account = { .uid = identity->uid, .gid = identity->gid };
    gid_t gid = (gid_t)-1;
    int r = 0;

    if (user)
        r = account_user("--user", user, &account, error);
    if (r == 0 && group)
        r = account_gid("--group", group, &gid, error);
    if (r == 0 && gid == (gid_t)-1 && account.gid == (gid_t)-1)
        r = error_set(error, -EINVAL, "--user: nobody has the number %s, so it has no group: give --group as well",
                      user);
    if (r < 0) {
        free(account.name);
        return r;
    }
    identity->uid = account.uid;
    identity->gid = gid != (gid_t)-1 ? gid : account.gid;
    *ret_name = account.name;
    return 0;
}

/* Whether they would be who we are; our supplementary groups stay with them then. */
static bool is_already(const struct identity *identity)
{
    return identity->uid == geteuid() && identity->uid == getuid() && identity->gid == getegid() &&
           identity->gid == getgid();
}

int identity_resolve(const char *user, const char *group, struct identity *ret_identity, struct error *error)
{
    struct identity identity = { .uid = geteuid(), .gid = getegid() };
    char *name = NULL;
    int r = resolve(user, group, &identity, &name, error);

    if (r < 0)
        return r;
    identity.change = geteuid() == 0 && (user || group);
    if (geteuid() != 0 && !is_already(&identity))
        r = error_set(error, -EINVAL, "%s: only root may start workers as somebody else; leave it out or start as root",
                      user ? "--user" : "--group");
    else if (identity.change && name && account_groups(name, identity.gid, &identity.groups, &identity.group_count) < 0)
        r = error_set(error, -ENOMEM, "--user: out of memory");
    free(name);
    if (r == 0)
        *ret_identity = identity;
    return r;
}

void identity_done(struct identity *identity)
{
    free(identity->groups);
    memset(identity, 0, sizeof(*identity));
}

int identity_assume(const struct identity *identity)
{
    if (!identity->change)
        return 0;
    if (setgroups(identity->group_count, identity->groups) < 0 ||
        setresgid(identity->gid, identity->gid, identity->gid) < 0 ||
        setresuid(identity->uid, identity->uid, identity->uid) < 0)
        return -errno;
    return 0;
}
