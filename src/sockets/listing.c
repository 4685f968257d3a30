#include "sockets/listing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "socket/unix_table.h"

enum {
    ROOM_START = 256,
    HOLDERS_ASKED = 16, /* of one socket: how many are asked where they see its file */
};

struct collection {
    const struct listing_filter *filter;
    struct listing *listing;
};

static int take_socket(const struct inspected *socket, void *data)
{
    const struct collection *collection = data;
    struct listing *listing = collection->listing;

    if (!listing_filter_socket(collection->filter, socket))
        return 0;
    if (listing->count == listing->room) {
        size_t room = listing->room ? 2 * listing->room : ROOM_START;
        struct listed *items = listing->room < LISTING_MAX ? reallocarray(listing->items, room, sizeof(*items)) : NULL;

        if (!items)
            return listing->room < LISTING_MAX ? -ENOMEM : -EMSGSIZE;
        listing->items = items;
        listing->room = room;
    }
    listing->items[listing->count++] = (struct listed){ .socket = *socket };
    return 0;
}

static int sockets_look(const struct listing_filter *filter, struct listing *listing)
{
    struct collection collection = { filter, listing };
    int r = inspect_all(take_socket, &collection);

    if (r == 0 || r == -ENOMEM || r == -EMSGSIZE)
        return r;
    listing->refused = r;
    listing->count = 0;
    return unix_table_each(take_socket, &collection);
}

/* ---- the order ---- */

static int listed_compare(const void *one, const void *other)
{
    const struct inspected *a = &((const struct listed *)one)->socket, *b = &((const struct listed *)other)->socket;
    int order;

    if ((a->raw_name_size == 0) != (b->raw_name_size == 0))
        return a->raw_name_size == 0 ? 1 : -1;
    order = strcmp(a->name, b->name);
    return order ? order : (a->inode > b->inode) - (a->inode < b->inode);
}

/* While sockets come and go, the kernel may tell of one twice. */
static void listing_sort(struct listing *listing)
{
    size_t kept = 0;

    if (listing->count == 0)
        return;
    qsort(listing->items, listing->count, sizeof(*listing->items), listed_compare);
    for (size_t i = 1; i < listing->count; i++)
        if (listing->items[i].socket.inode != listing->items[kept].socket.inode)
            listing->items[++kept] = listing->items[i];
    listing->count = kept + 1;
}

/* ---- what has ended meanwhile ---- */

static int inode_compare(const void *one, const void *other)
{
    uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;

    return (a > b) - (a < b);
}

/* Those that are there still, of what was found without a holder. */
struct survivors {
    uint32_t *inodes; /* sorted */
    bool *seen;
    size_t count;
};

static int take_survivor(const struct inspected *socket, void *data)
{
    const struct survivors *survivors = data;
    const uint32_t *found =
        bsearch(&socket->inode, survivors->inodes, survivors->count, sizeof(*survivors->inodes), inode_compare);

    if (found)
        survivors->seen[found - survivors->inodes] = true;
    return 0;
}

static bool is_held(const struct listing *listing, const struct listed *listed)
{
    size_t count;

    return holders_of(&listing->holders, listed->socket.inode, &count) != NULL;
}

static void survivors_keep(struct listing *listing, const struct survivors *survivors)
{
    size_t kept = 0;

    for (size_t i = 0; i < listing->count; i++) {
        const uint32_t *found = bsearch(&listing->items[i].socket.inode, survivors->inodes, survivors->count,
                                        sizeof(*survivors->inodes), inode_compare);

        if (!found || survivors->seen[found - survivors->inodes])
            listing->items[kept++] = listing->items[i];
    }
    listing->count = kept;
}

/* A socket whose holder ended while we looked has none, and is gone, too; one whose holder we may not see is not. A
 * second look tells them apart; without it, both are shown. */
static int ended_leave_out(struct listing *listing)
{
    struct survivors survivors = { .inodes = calloc(listing->count + 1, sizeof(*survivors.inodes)),
                                   .seen = calloc(listing->count + 1, sizeof(*survivors.seen)) };
    int r = survivors.inodes && survivors.seen ? 0 : -ENOMEM;

    for (size_t i = 0; r == 0 && i < listing->count; i++)
        if (!is_held(listing, &listing->items[i]))
            survivors.inodes[survivors.count++] = listing->items[i].socket.inode;
    if (r == 0 && survivors.count > 0) {
        qsort(survivors.inodes, survivors.count, sizeof(*survivors.inodes), inode_compare);
        if ((listing->refused ? unix_table_each : inspect_all)(take_survivor, &survivors) == 0)
            survivors_keep(listing, &survivors);
    }
    free(survivors.inodes);
    free(survivors.seen);
    return r;
}

/* ---- holders and files ---- */

static void unwanted_leave_out(const struct listing_filter *filter, struct listing *listing)
{
    size_t kept = 0;

    for (size_t i = 0; i < listing->count; i++)
        if (listing_filter_holders(filter, &listing->holders, listing->items[i].socket.inode))
            listing->items[kept++] = listing->items[i];
    listing->count = kept;
}

static void places_look(struct listing *listing)
{
    for (size_t i = 0; i < listing->count; i++) {
        struct listed *listed = &listing->items[i];
        size_t count, asked = 0;
        const struct holder *items = holders_of(&listing->holders, listed->socket.inode, &count);
        pid_t pids[HOLDERS_ASKED];

        for (; asked < count && asked < HOLDERS_ASKED; asked++)
            pids[asked] = listing->holders.processes[items[asked].process].pid;
        place_find(&listed->socket, pids, asked, &listed->place);
    }
}

int listing_read(const struct listing_filter *filter, struct listing *ret_listing)
{
    int r;

    *ret_listing = (struct listing){ 0 };
    r = sockets_look(filter, ret_listing);
    if (r < 0)
        return r;
    listing_sort(ret_listing);
    ret_listing->holders_error = holders_look(&ret_listing->holders);
    if (ret_listing->holders_error == -ENOMEM)
        return -ENOMEM;
    r = ended_leave_out(ret_listing);
    if (r < 0)
        return r;
    unwanted_leave_out(filter, ret_listing);
    places_look(ret_listing);
    return 0;
}

void listing_done(struct listing *listing)
{
    for (size_t i = 0; i < listing->count; i++)
        place_done(&listing->items[i].place);
    free(listing->items);
    holders_done(&listing->holders);
    *listing = (struct listing){ 0 };
}

const char *listed_type(const struct inspected *socket)
{
    switch (socket->type) {
    case SOCK_STREAM:
        return "stream";
    case SOCK_DGRAM:
        return "datagram";
    case SOCK_SEQPACKET:
        return "seqpacket";
    default:
        return "unknown";
    }
}

const char *listed_state(const struct inspected *socket)
{
    if (socket->listening)
        return "listening";
    if (socket->connected)
        return "connected";
    return socket->raw_name_size > 0 ? "bound" : "unbound";
}
