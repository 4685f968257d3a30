#include "common/account.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/number.h"

/* An entry with thousands of members needs that much; no sane one needs more. */
enum { ENTRY_START = 1024, ENTRY_MAX = 16 * 1024 * 1024 };

enum { GROUPS_USUAL = 64 }; /* more groups than that cost a second question */

/* Whom to look for: by name, or without one by number. */
struct key {
    const char *name;
    id_t id;
};

struct entry {
    id_t id;
    gid_t gid;        /* of a user */
    const char *name; /* in the buffer */
};

/* Both databases, asked in the same way. 0, -ENOENT, or what went wrong. */
typedef int entry_find(const struct key *key, char *buffer, size_t size, struct entry *ret_entry);

static int user_find(const struct key *key, char *buffer, size_t size, struct entry *ret_entry)
{
    struct passwd entry, *found = NULL;
    int r = key->name ? getpwnam_r(key->name, &entry, buffer, size, &found)
                      : getpwuid_r(key->id, &entry, buffer, size, &found);

    if (!found)
        return r == 0 ? -ENOENT : -r;
    *ret_entry = (struct entry){ .id = entry.pw_uid, .gid = entry.pw_gid, .name = entry.pw_name };
    return 0;
}

static int group_find(const struct key *key, char *buffer, size_t size, struct entry *ret_entry)
{
    struct group entry, *found = NULL;
    int r = key->name ? getgrnam_r(key->name, &entry, buffer, size, &found)
                      : getgrgid_r(key->id, &entry, buffer, size, &found);

    if (!found)
        return r == 0 ? -ENOENT : -r;
    *ret_entry = (struct entry){ .id = entry.gr_gid, .gid = entry.gr_gid, .name = entry.gr_name };
    return 0;
}

/* The entry, and the buffer that its name lies in, to be freed. -ENOENT where there is none. */
static int entry_look(entry_find *find, const struct key *key, struct entry *ret_entry, char **ret_buffer)
{
    char *buffer = NULL;
    int r = -ERANGE;

    for (size_t size = ENTRY_START; r == -ERANGE && size <= ENTRY_MAX; size *= 4) {
        free(buffer);
        buffer = malloc(size);
        r = buffer ? find(key, buffer, size, ret_entry) : -ENOMEM;
    }
    if (r == 0) {
        *ret_buffer = buffer;
        return 0;
    }
    free(buffer);
    /* getpwnam(3) lists these as ways in which databases say that there is none. */
    return r == -ESRCH || r == -EBADF || r == -EPERM ? -ENOENT : r;
}

/* What the text is: a key without a name for a number. */
static int key_read(const char *flag, const char *what, const char *text, struct key *ret_key, struct error *error)
{
    uint64_t number;
    int r = number_parse(text, 0, (uint64_t)UINT32_MAX - 1, &number, NULL);

    if (r == -ERANGE || *text == '\0')
        return error_set(error, -EINVAL, "%s: \"%s\" is neither the name nor the number of a %s", flag, text, what);
    *ret_key = r == 0 ? (struct key){ .id = (id_t)number } : (struct key){ .name = text };
    return 0;
}

static int look_error(const char *flag, const char *what, const char *text, int r, struct error *error)
{
    if (r == -ENOENT)
        return error_set(error, -EINVAL, "%s: there is no %s \"%s\" on this system", flag, what, text);
    return error_set(error, r, "%s: cannot look up \"%s\": %s", flag, text, strerror(-r));
}

static int id_resolve(const char *flag, const char *what, entry_find *find, const char *text, id_t *ret_id,
                      struct error *error)
{
    struct entry entry = { .id = 0 };
    struct key key;
    char *buffer = NULL;
    int r = key_read(flag, what, text, &key, error);

    if (r < 0)
        return r;
    if (!key.name) {
        *ret_id = key.id;
        return 0;
    }
    r = entry_look(find, &key, &entry, &buffer);
    if (r < 0)
        return look_error(flag, what, text, r, error);
    free(buffer);
    *ret_id = entry.id;
    return 0;
}

int account_uid(const char *flag, const char *text, uid_t *ret_uid, struct error *error)
{
    return id_resolve(flag, "user", user_find, text, ret_uid, error);
}

int account_gid(const char *flag, const char *text, gid_t *ret_gid, struct error *error)
{
    return id_resolve(flag, "group", group_find, text, ret_gid, error);
}

int account_user(const char *flag, const char *text, struct account *ret_account, struct error *error)
{
    struct account account = { .gid = (gid_t)-1 };
    struct entry entry = { .id = 0 };
    struct key key;
    char *buffer = NULL;
    int r = key_read(flag, "user", text, &key, error);

    if (r < 0)
        return r;
    r = entry_look(user_find, &key, &entry, &buffer);
    if (r == -ENOENT && !key.name) {
        account.uid = key.id;
        *ret_account = account;
        return 0;
    }
    if (r < 0)
        return look_error(flag, "user", text, r, error);
    account.uid = entry.id;
    account.gid = entry.gid;
    account.name = strdup(entry.name);
    free(buffer);
    if (!account.name)
        return error_set(error, -ENOMEM, "%s: out of memory", flag);
    *ret_account = account;
    return 0;
}

int account_groups(const char *name, gid_t gid, gid_t **ret_groups, size_t *ret_count)
{
    int count = GROUPS_USUAL, room;
    gid_t *groups = NULL, *grown;

    do {
        room = count;
        grown = reallocarray(groups, (size_t)room, sizeof(*groups));
        if (!grown) {
            free(groups);
            return -ENOMEM;
        }
        groups = grown;
    } while (getgrouplist(name, gid, groups, &count) < 0 && count > room);
    *ret_groups = groups;
    *ret_count = (size_t)(count < room ? count : room);
    return 0;
}
