/*
 * Which sockets are wanted.
 */
#ifndef BERTH_SOCKETS_LISTING_FILTER_H
#define BERTH_SOCKETS_LISTING_FILTER_H

#include <stdbool.h>

#include "common/text_list.h"
#include "socket/inspect.h"
#include "sockets/holders.h"

/* Zeroes want what listens. Of each list one is enough, and an empty one asks nothing. */
struct listing_filter {
    bool all;                  /* also what does not listen */
    struct text_list commands; /* what a holder's command begins with */
    struct text_list paths;    /* glob(7), of path or "@" and abstract name; "*" stands for slashes too */
    const uid_t *users;        /* of holders */
    size_t user_count;
};

/* Whether a client can reach it: it listens, or is a bound datagram socket that is not connected. */
bool listing_filter_listens(const struct inspected *socket);

/* What can be said of the socket itself, before anybody has looked for its holders. */
bool listing_filter_socket(const struct listing_filter *filter, const struct inspected *socket);

/* Whether one of its holders has both a wanted command and a wanted user. */
bool listing_filter_holders(const struct listing_filter *filter, const struct holders *holders, uint32_t inode);

#endif
