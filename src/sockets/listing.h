/*
 * The Unix sockets of this network namespace at one time, with their holders and files. It holds numbers; names and
 * shapes are given to them by those who show it (listing_table.h, listing_json.h).
 */
#ifndef BERTH_SOCKETS_LISTING_H
#define BERTH_SOCKETS_LISTING_H

#include "sockets/listing_filter.h"
#include "sockets/place.h"

/* More sockets than that are not listed: -EMSGSIZE. */
#define LISTING_MAX (4 * 1024 * 1024)

struct listed {
    struct inspected socket;
    struct place place;
};

struct listing {
    struct listed *items; /* by name, those without one at the end */
    size_t count, room;
    struct holders holders; /* of these and all other sockets: peers are looked for there */
    int refused;            /* 0, or the -errno of sock_diag, in whose place /proc/net/unix was read */
    int holders_error;      /* 0, or the -errno for which no or not all holders were found */
};

/* Blocks as long as /proc and the folders of the sockets do. listing_done is to be called whatever is returned. -errno
 * where the kernel does not tell of sockets; -EMSGSIZE, -ENOMEM. */
int listing_read(const struct listing_filter *filter, struct listing *ret_listing);
void listing_done(struct listing *listing);

/* "stream", "datagram" or "seqpacket"; "listening", "connected", "bound" or "unbound". */
const char *listed_type(const struct inspected *socket);
const char *listed_state(const struct inspected *socket);

#endif
