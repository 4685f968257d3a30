#include "socket/names.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <berth.h>

#define NAME_SIZE 256

struct texts {
    char user[NAME_SIZE], group[NAME_SIZE];
};

/* A lookup that runs on another thread: it has everything of its own, so that an entry need not wait for it. */
struct lookup {
    uv_work_t work;
    struct peer_names *names; /* NULL: nobody wants the answer any more */
    uid_t uid;
    gid_t gid;
    struct texts texts;
};

struct peer_names {
    struct peer_names *next;
    uid_t uid;
    gid_t gid;
    unsigned int references;
    bool known;
    bool outdated; /* no longer in the cache: freed with its last reference */
    uint64_t fresh_until;
    struct texts texts;
    struct lookup *lookup; /* the one that runs, or NULL */
    uv_timer_t *give_up;
    struct names_waiter *waiters;
};

/* The most recently used first. */
static struct {
    uv_loop_t *loop;
    struct peer_names *first;
    size_t count;
} cache;

static void look_up(uid_t uid, gid_t gid, struct texts *ret_texts)
{
    char buffer[16384];
    struct passwd user, *found_user = NULL;
    struct group group, *found_group = NULL;

    if (getpwuid_r(uid, &user, buffer, sizeof(buffer), &found_user) == 0 && found_user)
        snprintf(ret_texts->user, NAME_SIZE, "%s", user.pw_name);
    else
        snprintf(ret_texts->user, NAME_SIZE, "%u", uid);
    if (getgrgid_r(gid, &group, buffer, sizeof(buffer), &found_group) == 0 && found_group)
        snprintf(ret_texts->group, NAME_SIZE, "%s", group.gr_name);
    else
        snprintf(ret_texts->group, NAME_SIZE, "%u", gid);
}

static void timer_closed(uv_handle_t *handle)
{
    free(handle);
}

static void give_up_end(struct peer_names *names)
{
    if (!names->give_up)
        return;
    uv_close((uv_handle_t *)names->give_up, timer_closed);
    names->give_up = NULL;
}

/* The texts are the numbers at first, and written once more before this at most. */
static void names_answer(struct peer_names *names, uint64_t fresh_ms)
{
    struct names_waiter *waiter = names->waiters;

    names->known = true;
    names->fresh_until = uv_now(cache.loop) + fresh_ms;
    names->waiters = NULL;
    give_up_end(names);
    while (waiter) {
        struct names_waiter *next = waiter->next;

        waiter->known(waiter);
        waiter = next;
    }
}

static void run_lookup(uv_work_t *work)
{
    struct lookup *lookup = (struct lookup *)work;

    look_up(lookup->uid, lookup->gid, &lookup->texts);
}

static void lookup_ended(uv_work_t *work, int status)
{
    struct lookup *lookup = (struct lookup *)work;
    struct peer_names *names = lookup->names;

    if (names && status == 0) {
        names->lookup = NULL;
        names->texts = lookup->texts;
        names_answer(names, NAMES_FRESH_MS);
    }
    free(lookup);
}

static void gave_up(uv_timer_t *timer)
{
    struct peer_names *names = timer->data;

    names->lookup->names = NULL;
    names->lookup = NULL;
    berth_log(BERTH_LOG_WARNING, "the names of uid %u and gid %u were not found within %d ms: showing the numbers",
              names->uid, names->gid, NAMES_GIVE_UP_MS);
    names_answer(names, NAMES_RETRY_MS);
}

static int give_up_start(struct peer_names *names)
{
    names->give_up = malloc(sizeof(*names->give_up));
    if (!names->give_up)
        return -ENOMEM;
    uv_timer_init(cache.loop, names->give_up);
    names->give_up->data = names;
    return uv_timer_start(names->give_up, gave_up, NAMES_GIVE_UP_MS, 0);
}

/* Asks on another thread; where that cannot be, the numbers must do. */
static void lookup_start(struct peer_names *names)
{
    struct lookup *lookup = calloc(1, sizeof(*lookup));

    if (!lookup || give_up_start(names) < 0)
        goto numbers;
    lookup->names = names;
    lookup->uid = names->uid;
    lookup->gid = names->gid;
    if (uv_queue_work(cache.loop, &lookup->work, run_lookup, lookup_ended) < 0)
        goto numbers;
    names->lookup = lookup;
    return;

numbers:
    free(lookup);
    names_answer(names, NAMES_RETRY_MS);
}

static void names_free(struct peer_names *names)
{
    if (names->lookup)
        names->lookup->names = NULL;
    give_up_end(names);
    free(names);
}

/* Takes an entry out of the cache; who still holds it may go on reading it. */
static void cache_remove(struct peer_names **at)
{
    struct peer_names *names = *at;

    *at = names->next;
    cache.count--;
    names->outdated = true;
    if (names->references == 0)
        names_free(names);
}

/* Forgets the least recently used entry that nobody holds. */
static void cache_trim(void)
{
    struct peer_names **last = NULL;

    for (struct peer_names **at = &cache.first; *at; at = &(*at)->next)
        if ((*at)->references == 0)
            last = at;
    if (last)
        cache_remove(last);
}

static struct peer_names *cache_find(uid_t uid, gid_t gid)
{
    for (struct peer_names **at = &cache.first; *at; at = &(*at)->next) {
        struct peer_names *names = *at;

        if (names->uid != uid || names->gid != gid)
            continue;
        if (names->known && names->fresh_until < uv_now(cache.loop)) {
            cache_remove(at);
            return NULL;
        }
        *at = names->next;
        names->next = cache.first;
        cache.first = names;
        return names;
    }
    return NULL;
}

static struct peer_names *cache_add(uid_t uid, gid_t gid)
{
    struct peer_names *names = calloc(1, sizeof(*names));

    if (!names)
        return NULL;
    if (cache.count >= NAMES_MAX_UNUSED)
        cache_trim();
    names->uid = uid;
    names->gid = gid;
    snprintf(names->texts.user, NAME_SIZE, "%u", uid);
    snprintf(names->texts.group, NAME_SIZE, "%u", gid);
    names->next = cache.first;
    cache.first = names;
    cache.count++;
    return names;
}

int names_init(uv_loop_t *loop)
{
    struct peer_names *own;

    cache.loop = loop;
    own = cache_add(geteuid(), getegid());
    if (!own)
        return -ENOMEM;
    look_up(own->uid, own->gid, &own->texts);
    names_answer(own, NAMES_FRESH_MS);
    return 0;
}

void names_done(void)
{
    while (cache.first)
        cache_remove(&cache.first);
}

struct peer_names *names_take(uid_t uid, gid_t gid)
{
    struct peer_names *names = cache_find(uid, gid);

    if (!names) {
        names = cache_add(uid, gid);
        if (!names)
            return NULL;
        lookup_start(names);
    }
    names->references++;
    return names;
}

void names_release(struct peer_names *names)
{
    if (names && --names->references == 0 && names->outdated)
        names_free(names);
}

bool names_known(const struct peer_names *names)
{
    return names->known;
}

const char *names_user(const struct peer_names *names)
{
    return names->texts.user;
}

const char *names_group(const struct peer_names *names)
{
    return names->texts.group;
}

const char *names_last_user(uid_t uid)
{
    for (const struct peer_names *names = cache.first; names; names = names->next)
        if (names->uid == uid && names->known)
            return names->texts.user;
    return NULL;
}

void names_wait(struct peer_names *names, struct names_waiter *waiter)
{
    waiter->next = names->waiters;
    names->waiters = waiter;
}

void names_leave(struct peer_names *names, struct names_waiter *waiter)
{
    for (struct names_waiter **at = &names->waiters; *at; at = &(*at)->next)
        if (*at == waiter) {
            *at = waiter->next;
            return;
        }
}

const char *berth_peer_user(const struct berth_peer *peer)
{
    return names_user(peer->berth_names);
}

const char *berth_peer_group(const struct berth_peer *peer)
{
    return names_group(peer->berth_names);
}
