#include "access/proxies.h"

#include <errno.h>
#include <stdlib.h>

#include "common/account.h"
#include "socket/peer.h"

int proxy_uid(const char *text, uid_t *ret_uid, struct error *error)
{
    uid_t uid;
    int r = account_uid("--trust-proxy", text, &uid, error);

    if (r < 0)
        return r;
    if (peer_uid_is_overflow(uid))
        return error_set(error, -EINVAL,
                         "--trust-proxy: \"%s\" has the number %u, which the kernel shows for every user who has none "
                         "here: run the proxy as a user of its own",
                         text, uid);
    *ret_uid = uid;
    return 0;
}

int proxies_init(const struct text_list *users, struct proxies *ret_proxies, struct error *error)
{
    struct proxies proxies = { .count = 0 };
    int r = 0;

    if (users->count > 0) {
        proxies.uids = calloc(users->count, sizeof(*proxies.uids));
        if (!proxies.uids)
            return error_set(error, -ENOMEM, "--trust-proxy: out of memory");
    }
    while (r == 0 && proxies.count < users->count) {
        r = proxy_uid(users->items[proxies.count], &proxies.uids[proxies.count], error);
        proxies.count++;
    }
    if (r < 0)
        proxies_done(&proxies);
    else
        *ret_proxies = proxies;
    return r;
}

void proxies_done(struct proxies *proxies)
{
    free(proxies->uids);
    *proxies = (struct proxies){ .count = 0 };
}

bool proxies_trust(const struct proxies *proxies, uid_t uid)
{
    for (size_t i = 0; i < proxies->count; i++)
        if (proxies->uids[i] == uid)
            return true;
    return false;
}
