/*
 * The names of peers: user and group of a uid and gid, through NSS, which may ask a network and take its time. So the
 * lookup runs on a thread of libuv's pool, and what is found is kept. Who needs the names waits for them without
 * blocking the loop.
 */
#ifndef BERTH_SOCKET_NAMES_H
#define BERTH_SOCKET_NAMES_H

#include <stdbool.h>
#include <sys/types.h>
#include <uv.h>

/* Names are looked up again after so long, and given up (the numbers stand in) when NSS takes longer than so long. */
#define NAMES_FRESH_MS   300000
#define NAMES_GIVE_UP_MS 1000
#define NAMES_RETRY_MS   10000
/* With so many in the cache, one that nobody uses makes room for the next. */
#define NAMES_MAX_UNUSED 256

struct peer_names;

/* Who waits; inside something of the waiter's. */
struct names_waiter {
    void (*known)(struct names_waiter *waiter);
    struct names_waiter *next;
};

/* One cache per process. names_init looks the process's own names up at once, blocking: it is called before anything is
 * served. */
int names_init(uv_loop_t *loop);
/* Empties the cache. A lookup that is still running is left to end with the process. */
void names_done(void);

/* The entry for a peer, with a reference that names_release gives back; starts a lookup where there is none yet. NULL:
 * no memory. */
struct peer_names *names_take(uid_t uid, gid_t gid);
void names_release(struct peer_names *names); /* NULL is allowed */

/* Whether the answer is there, or was given up. Until then the texts are the numbers; they last as long as the
 * reference. */
bool names_known(const struct peer_names *names);
const char *names_user(const struct peer_names *names);
const char *names_group(const struct peer_names *names);

/* A user's name as it was found last, with whatever group, and without a lookup; NULL: nobody asked for it lately. It
 * lasts until names_take. */
const char *names_last_user(uid_t uid);

/* Calls waiter->known on the loop once names_known is true. names_leave takes a waiter back; nothing if it is not
 * there. */
void names_wait(struct peer_names *names, struct names_waiter *waiter);
void names_leave(struct peer_names *names, struct names_waiter *waiter);

#endif
