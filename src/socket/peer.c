#include "socket/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/account.h"
#include "common/number.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5; newer than the headers of some systems that run on such a kernel */
#endif

enum { GROUPS_USUAL = 64 }; /* more groups than that cost a second question */

/* Names of groups that are remembered: more than an application has reason to write down. */
enum { GROUP_NAMES_MAX = 64 };

/* What the kernel shows for ids that have no name in our user namespace: strangers, all of them (user_namespaces(7)).
 */
#define OVERFLOW_DEFAULT 65534

static uint32_t overflow_read(const char *path)
{
    char text[16];
    uint64_t value = OVERFLOW_DEFAULT;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size;

    if (fd < 0)
        return OVERFLOW_DEFAULT;
    size = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (size > 0) {
        text[size] = '\0';
        text[strcspn(text, "\n")] = '\0';
        number_parse(text, 0, UINT32_MAX, &value, NULL); /* leaves the default where it fails */
    }
    return (uint32_t)value;
}

/* Asked once: a worker may lose its view of /proc later, and the answer is a matter of every request. */
static const struct overflow_ids {
    bool known;
    uint32_t uid, gid;
} * overflow_ids(void)
{
    static struct overflow_ids ids;

    if (!ids.known) {
        ids.uid = overflow_read("/proc/sys/kernel/overflowuid");
        ids.gid = overflow_read("/proc/sys/kernel/overflowgid");
        ids.known = true;
    }
    return &ids;
}

/* The kernel answers -ERANGE with the size that it needs; that may be asked in turn, since a peer's groups as of its
 * connect never change. */
static int groups_read(int fd, const gid_t **ret_groups, size_t *ret_count)
{
    gid_t usual[GROUPS_USUAL], *groups;
    socklen_t size = sizeof(usual);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, usual, &size) == 0) {
        if (size == 0) {
            *ret_groups = NULL;
            *ret_count = 0;
            return 0;
        }
        groups = malloc(size);
        if (!groups)
            return -ENOMEM;
        memcpy(groups, usual, size);
    } else {
        if (errno != ERANGE)
            return -errno;
        groups = malloc(size);
        if (!groups)
            return -ENOMEM;
        if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0) {
            int r = -errno;

            free(groups);
            return r;
        }
    }
    *ret_groups = groups;
    *ret_count = size / sizeof(*groups);
    return 0;
}

int peer_init(struct berth_peer *ret_peer, int fd)
{
    struct ucred credentials;
    socklen_t size = sizeof(credentials);
    struct berth_peer peer = { .berth_fd = fd, .berth_pidfd = -1 };
    int r;

    overflow_ids();
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
        return -errno;
    /* A socket that has no credentials, such as a TCP connection, is answered with uid -1 instead of an error. */
    if (credentials.uid == (uid_t)-1)
        return -ENODATA;
    peer.uid = credentials.uid;
    peer.gid = credentials.gid;
    peer.pid = credentials.pid;
    r = groups_read(fd, &peer.groups, &peer.group_count);
    if (r < 0)
        return r;
    *ret_peer = peer;
    return 0;
}

void peer_done(struct berth_peer *peer)
{
    if (peer->berth_pidfd >= 0)
        close(peer->berth_pidfd);
    peer->berth_pidfd = -1;
    peer->berth_fd = -1;
    free((void *)(uintptr_t)peer->groups); /* const for applications only */
    peer->groups = NULL;
    peer->group_count = 0;
}

int berth_peer_pidfd(const struct berth_peer *peer)
{
    struct berth_peer *mine = (struct berth_peer *)(uintptr_t)peer; /* const for applications; this field is a cache */
    socklen_t size = sizeof(int);
    int pidfd;

    if (peer->berth_pidfd >= 0)
        return peer->berth_pidfd;
    if (getsockopt(peer->berth_fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) < 0) {
        /* Kernels tell a process that is gone, or whose pid was never known, in several ways. */
        if (errno == EINVAL || errno == ENODATA)
            return -ESRCH;
        return -errno;
    }
    mine->berth_pidfd = pidfd;
    return pidfd;
}

bool peer_is_uid(const struct berth_peer *peer, uid_t uid)
{
    return uid != overflow_ids()->uid && peer->uid == uid;
}

bool peer_uid_is_overflow(uid_t uid)
{
    return uid == overflow_ids()->uid;
}

bool berth_peer_in_gid(const struct berth_peer *peer, gid_t gid)
{
    if (peer->proxied || gid == overflow_ids()->gid)
        return false;
    if (peer->gid == gid)
        return true;
    for (size_t i = 0; i < peer->group_count; i++)
        if (peer->groups[i] == gid)
            return true;
    return false;
}

struct group_name {
    char *name;
    bool known; /* some group has it */
    gid_t gid;
};

/* The place of a name among those that are remembered; the one that was looked up first makes room. What the database
 * could not answer is not remembered. NULL: no group has it, as far as is known. */
static const struct group_name *group_name_find(const char *name)
{
    static struct group_name names[GROUP_NAMES_MAX];
    static size_t next;
    struct group_name *place = &names[next], found = { .known = false };
    int r;

    for (size_t i = 0; i < GROUP_NAMES_MAX && names[i].name; i++)
        if (strcmp(names[i].name, name) == 0)
            return &names[i];
    r = account_gid("", name, &found.gid, NULL);
    if (r < 0 && r != -EINVAL)
        return NULL;
    found.known = r == 0;
    found.name = strdup(name);
    if (!found.name)
        return NULL;
    free(place->name);
    *place = found;
    next = (next + 1) % GROUP_NAMES_MAX;
    return place;
}

bool berth_peer_in_group(const struct berth_peer *peer, const char *group)
{
    const struct group_name *found = peer->proxied ? NULL : group_name_find(group);

    return found && found->known && berth_peer_in_gid(peer, found->gid);
}

bool berth_peer_is_self(const struct berth_peer *peer)
{
    if (peer->proxied || peer_uid_is_overflow(peer->uid))
        return false;
    return peer->uid == 0 || peer->uid == geteuid();
}
