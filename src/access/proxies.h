/*
 * The users whose word on their clients is taken (--trust-proxy): trusted proxies.
 */
#ifndef BERTH_ACCESS_PROXIES_H
#define BERTH_ACCESS_PROXIES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/error.h"
#include "common/text_list.h"

struct proxies {
    uid_t *uids;
    size_t count;
};

/* One entry, a user's name or number. A name that nobody has, and the overflow uid, which stands for every user who has
 * no number here (user_namespaces(7)), are -EINVAL, with a message that begins with "--trust-proxy: "; else as
 * account_uid. May block. */
int proxy_uid(const char *text, uid_t *ret_uid, struct error *error);

/* All of them. -ENOMEM, and as above. */
int proxies_init(const struct text_list *users, struct proxies *ret_proxies, struct error *error);
void proxies_done(struct proxies *proxies);

bool proxies_trust(const struct proxies *proxies, uid_t uid);

#endif
