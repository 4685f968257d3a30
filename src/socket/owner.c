#include "socket/owner.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/number.h"

/* An entry with thousands of members needs that much; no sane one needs more. */
enum { ENTRY_START = 1024, ENTRY_MAX = 16 * 1024 * 1024 };

/* Both databases, asked in the same way. 0, -ENOENT, or what went wrong. */
typedef int entry_find(const char *name, char *buffer, size_t size, id_t *ret_id);

static int user_find(const char *name, char *buffer, size_t size, id_t *ret_id)
{
    struct passwd entry, *found = NULL;
    int r = getpwnam_r(name, &entry, buffer, size, &found);

    if (found == NULL)
        return r == 0 ? -ENOENT : -r;
    *ret_id = entry.pw_uid;
    return 0;
}

static int group_find(const char *name, char *buffer, size_t size, id_t *ret_id)
{
    struct group entry, *found = NULL;
    int r = getgrnam_r(name, &entry, buffer, size, &found);

    if (found == NULL)
        return r == 0 ? -ENOENT : -r;
    *ret_id = entry.gr_gid;
    return 0;
}

static int name_find(entry_find *find, const char *name, id_t *ret_id)
{
    char *buffer = NULL;
    int r = -ERANGE;

    for (size_t size = ENTRY_START; r == -ERANGE && size <= ENTRY_MAX; size *= 4) {
        free(buffer);
        buffer = malloc(size);
        r = buffer == NULL ? -ENOMEM : find(name, buffer, size, ret_id);
    }
    free(buffer);
    return r;
}

/* All digits: a number, and never a name. -1 is no id, it means "as it is" to the kernel. */
static int id_resolve(const char *flag, const char *what, entry_find *find, const char *text, id_t *ret_id,
                      struct error *error)
{
    uint64_t number;
    id_t id;
    int r = number_parse(text, 0, (uint64_t)UINT32_MAX - 1, &number, NULL);

    if (r == -ERANGE || *text == '\0')
        return error_set(error, -EINVAL, "%s: \"%s\" is neither the name nor the number of a %s", flag, text, what);
    if (r == 0) {
        *ret_id = (id_t)number;
        return 0;
    }
    r = name_find(find, text, &id);
    /* getpwnam(3) lists these as ways in which databases say that there is none. */
    if (r == -ENOENT || r == -ESRCH || r == -EBADF || r == -EPERM)
        return error_set(error, -ENOENT, "%s: there is no %s \"%s\" on this system", flag, what, text);
    if (r < 0)
        return error_set(error, r, "%s: cannot look up \"%s\": %s", flag, text, strerror(-r));
    *ret_id = id;
    return 0;
}

int owner_resolve(const char *user, const char *group, uid_t *ret_uid, gid_t *ret_gid, struct error *error)
{
    id_t uid = (id_t)-1, gid = (id_t)-1;
    int r = 0;

    if (user != NULL)
        r = id_resolve("--socket-user", "user", user_find, user, &uid, error);
    if (r == 0 && group != NULL)
        r = id_resolve("--socket-group", "group", group_find, group, &gid, error);
    if (r < 0)
        return r;
    *ret_uid = uid;
    *ret_gid = gid;
    return 0;
}
