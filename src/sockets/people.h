/*
 * The names of users and groups, each looked up once, by NSS, which may ask a network and take its time.
 */
#ifndef BERTH_SOCKETS_PEOPLE_H
#define BERTH_SOCKETS_PEOPLE_H

#include <stddef.h>
#include <sys/types.h>

struct person {
    id_t id;
    char *name;
};

/* Zeroes know nobody yet. */
struct people {
    struct person *users, *groups;
    size_t user_count, group_count;
};

/* The number as text where there is no name. Lasts until people_done. NULL: out of memory. */
const char *people_user(struct people *people, uid_t uid);
const char *people_group(struct people *people, gid_t gid);
void people_done(struct people *people);

#endif
