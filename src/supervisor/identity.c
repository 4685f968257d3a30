#include "supervisor/identity.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A number is taken as it is, also one without an entry in the database: containers have many of those. (uid_t)-1 means
 * "nobody in particular" to the kernel and is refused. */
static bool parse_id(const char *text, unsigned int *ret_id)
{
    char *end;
    unsigned long value;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    value = strtoul(text, &end, 10);
    if (errno != 0 || *end != '\0' || value >= UINT_MAX)
        return false;
    *ret_id = (unsigned int)value;
    return true;
}

/* All groups of a user, the given primary one among them. */
static int list_groups(const char *name, gid_t gid, struct identity *identity)
{
    int count = 16, room;
    gid_t *groups = NULL, *grown;

    do {
        room = count;
        grown = reallocarray(groups, (size_t)room, sizeof(*groups));
        if (grown == NULL) {
            free(groups);
            return -ENOMEM;
        }
        groups = grown;
    } while (getgrouplist(name, gid, groups, &count) < 0 && count > room);
    identity->groups = groups;
    identity->group_count = (size_t)(count < room ? count : room);
    return 0;
}

static int resolve_user(const char *user, struct identity *identity, const char **ret_name, struct error *error)
{
    const struct passwd *entry = getpwnam(user);
    unsigned int id;

    if (entry == NULL && parse_id(user, &id)) {
        entry = getpwuid(id);
        if (entry == NULL) {
            identity->uid = id;
            identity->gid = id;
            *ret_name = NULL;
            return 0;
        }
    }
    if (entry == NULL)
        return error_set(error, -EINVAL, "--user: there is no user \"%s\"", user);
    identity->uid = entry->pw_uid;
    identity->gid = entry->pw_gid;
    *ret_name = entry->pw_name;
    return 0;
}

static int resolve_group(const char *group, struct identity *identity, struct error *error)
{
    const struct group *entry = getgrnam(group);
    unsigned int id;

    if (entry != NULL)
        identity->gid = entry->gr_gid;
    else if (parse_id(group, &id))
        identity->gid = id;
    else
        return error_set(error, -EINVAL, "--group: there is no group \"%s\"", group);
    return 0;
}

/* Whether the groups that the children would have are those that they have anyway. */
static bool is_already(const struct identity *identity)
{
    return identity->uid == geteuid() && identity->uid == getuid() && identity->gid == getegid() &&
           identity->gid == getgid();
}

int identity_resolve(const char *user, const char *group, struct identity *ret_identity, struct error *error)
{
    struct identity identity = { .uid = geteuid(), .gid = getegid() };
    const char *name = NULL;
    int r = 0;

    if (user != NULL)
        r = resolve_user(user, &identity, &name, error);
    if (r == 0 && group != NULL)
        r = resolve_group(group, &identity, error);
    if (r < 0)
        return r;
    if (geteuid() != 0 && !is_already(&identity))
        return error_set(error, -EPERM,
                         "%s: only root may start workers as somebody else; leave it out or start as root",
                         user != NULL ? "--user" : "--group");
    identity.change = geteuid() == 0 && (user != NULL || group != NULL);
    if (identity.change && name != NULL && list_groups(name, identity.gid, &identity) < 0)
        return error_set(error, -ENOMEM, "--user: out of memory");
    *ret_identity = identity;
    return 0;
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
