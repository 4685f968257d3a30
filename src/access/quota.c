#include "access/quota.h"

#include <errno.h>
#include <stdlib.h>

#define SECOND 1000000000ULL

/* A power of two. */
#define BUCKETS 4096

struct quota_user {
    struct quotas *quotas;
    struct quota_user *next;                      /* of the same bucket */
    struct quota_user *previous_idle, *next_idle; /* of those without connections */
    uid_t uid;
    unsigned int connections, streams;
    uint64_t due; /* when all that was asked would be over, were each request to take its share of a second */
};

struct quotas {
    struct quota_limits limits;
    uint64_t share; /* of a second, in nanoseconds: what a request takes; 0: no limit */
    size_t count;
    struct quota_user *first_idle, *last_idle; /* the first has been without connections for longest */
    struct quota_user *buckets[BUCKETS];
};

int quotas_new(const struct quota_limits *limits, struct quotas **ret_quotas)
{
    struct quotas *quotas = NULL;

    if (limits->connections > 0 || limits->rate > 0 || limits->streams > 0) {
        quotas = calloc(1, sizeof(*quotas));
        if (!quotas)
            return -ENOMEM;
        quotas->limits = *limits;
        quotas->share = limits->rate > 0 ? SECOND / limits->rate : 0;
    }
    *ret_quotas = quotas;
    return 0;
}

void quotas_free(struct quotas *quotas)
{
    struct quota_user *next;

    for (struct quota_user *user = quotas ? quotas->first_idle : NULL; user; user = next) {
        next = user->next_idle;
        free(user);
    }
    free(quotas);
}

/* ---- who is remembered ---- */

static struct quota_user **bucket_of(struct quotas *quotas, uid_t uid)
{
    return &quotas->buckets[(uid * 2654435761U) >> 20];
}

static void idle_add(struct quotas *quotas, struct quota_user *user)
{
    user->previous_idle = quotas->last_idle;
    user->next_idle = NULL;
    if (quotas->last_idle)
        quotas->last_idle->next_idle = user;
    else
        quotas->first_idle = user;
    quotas->last_idle = user;
}

static void idle_remove(struct quotas *quotas, struct quota_user *user)
{
    if (user->previous_idle)
        user->previous_idle->next_idle = user->next_idle;
    else
        quotas->first_idle = user->next_idle;
    if (user->next_idle)
        user->next_idle->previous_idle = user->previous_idle;
    else
        quotas->last_idle = user->previous_idle;
}

static void forget(struct quotas *quotas, struct quota_user *user)
{
    struct quota_user **link = bucket_of(quotas, user->uid);

    while (*link != user)
        link = &(*link)->next;
    *link = user->next;
    idle_remove(quotas, user);
    quotas->count--;
    free(user);
}

/* Whoever is forgotten must find, when it comes back, what it would have had. */
static bool make_room(struct quotas *quotas, uint64_t now)
{
    if (quotas->count < QUOTA_USERS_MAX)
        return true;
    for (struct quota_user *user = quotas->first_idle; user; user = user->next_idle)
        if (user->due <= now) {
            forget(quotas, user);
            return true;
        }
    return false;
}

static struct quota_user *find(struct quotas *quotas, uid_t uid)
{
    struct quota_user *user = *bucket_of(quotas, uid);

    while (user && user->uid != uid)
        user = user->next;
    return user;
}

static struct quota_user *add(struct quotas *quotas, uid_t uid)
{
    struct quota_user *user = calloc(1, sizeof(*user)), **bucket = bucket_of(quotas, uid);

    if (!user)
        return NULL;
    user->quotas = quotas;
    user->uid = uid;
    user->next = *bucket;
    *bucket = user;
    quotas->count++;
    idle_add(quotas, user);
    return user;
}

/* ---- what each may have ---- */

int quota_enter(struct quotas *quotas, uid_t uid, uint64_t now, struct quota_user **ret_user)
{
    struct quota_user *user;
    unsigned int limit;

    *ret_user = NULL;
    if (!quotas)
        return 0;
    user = find(quotas, uid);
    if (!user && !make_room(quotas, now))
        return 0;
    if (!user)
        user = add(quotas, uid);
    if (!user)
        return -ENOMEM;
    quota_keep(user);
    *ret_user = user;
    limit = quotas->limits.connections;
    if (limit == 0 || user->connections <= limit)
        return 0;
    return user->connections - limit <= QUOTA_EXCESS_MAX ? -EUSERS : -EDQUOT;
}

void quota_keep(struct quota_user *user)
{
    if (user && user->connections++ == 0)
        idle_remove(user->quotas, user);
}

void quota_leave(struct quota_user *user)
{
    if (user && --user->connections == 0)
        idle_add(user->quotas, user);
}

/* As many as the rate at once, then one for each share of a second that passes: the second that may be due at most is
 * the allowance. */
unsigned int quota_ask(struct quota_user *user, uint64_t now)
{
    uint64_t share = user ? user->quotas->share : 0, due;

    if (share == 0)
        return 0;
    due = (user->due > now ? user->due : now) + share;
    if (due > now + SECOND)
        return (unsigned int)((due - now - SECOND + SECOND - 1) / SECOND);
    user->due = due;
    return 0;
}

bool quota_stream_begin(struct quota_user *user)
{
    if (!user)
        return true;
    if (user->quotas->limits.streams > 0 && user->streams >= user->quotas->limits.streams)
        return false;
    user->streams++;
    return true;
}

void quota_stream_end(struct quota_user *user)
{
    if (user)
        user->streams--;
}
