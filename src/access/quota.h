/*
 * What one uid may have of this worker at a time: a Unix socket has no address to limit by, but the kernel says who
 * connected. What comes through a trusted proxy is not counted: its uid is everybody's.
 */
#ifndef BERTH_ACCESS_QUOTA_H
#define BERTH_ACCESS_QUOTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Uids that are remembered at most; one without connections, whose allowance is whole again, makes room. */
#define QUOTA_USERS_MAX 4096
/* Connections beyond the limit that wait to be told so, of one uid: --limit-connections is there for others as well. */
#define QUOTA_EXCESS_MAX 16

/* 0: no limit. */
struct quota_limits {
    unsigned int connections; /* at a time */
    unsigned int rate;        /* requests per second; as many may come at once */
    unsigned int streams;     /* at a time */
};

struct quotas;     /* one in a worker */
struct quota_user; /* one uid's */

/* *ret_quotas is NULL, and nothing is ever counted, where there is no limit. -ENOMEM. */
int quotas_new(const struct quota_limits *limits, struct quotas **ret_quotas);
void quotas_free(struct quotas *quotas); /* NULL is allowed; after all users were left */

/*
 * For a connection: counts it. `now` is by uv_hrtime, as below. *ret_user is NULL where there are no limits, or no room
 * to remember one more uid: who has none is under no limit but --limit-connections. -EUSERS: it is one too many, to be
 * told so when it asks; -EDQUOT: so many of those wait already that it is to be closed at once. Both were counted all
 * the same. -ENOMEM.
 */
int quota_enter(struct quotas *quotas, uid_t uid, uint64_t now, struct quota_user **ret_user);
void quota_leave(struct quota_user *user); /* NULL is allowed, here and in all that follows */

/* One more connection of a user's who has one, whatever the limit: for what goes on when that one ends. */
void quota_keep(struct quota_user *user);

/* For a request: 0, or how many seconds to wait before the next (at least 1). */
unsigned int quota_ask(struct quota_user *user, uint64_t now);

/* For a stream, while its user has a connection: whether there is room for it. */
bool quota_stream_begin(struct quota_user *user);
void quota_stream_end(struct quota_user *user);

#endif
