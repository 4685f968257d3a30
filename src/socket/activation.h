/*
 * Sockets that we are handed: by systemd's protocol (sd_listen_fds(3): LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES), or as
 * numbers (--fd). Each is asked what it is (socket(7): SO_DOMAIN, SO_TYPE, SO_ACCEPTCONN); nothing is assumed.
 */
#ifndef BERTH_SOCKET_ACTIVATION_H
#define BERTH_SOCKET_ACTIVATION_H

#include <stddef.h>

#include "common/error.h"

enum handed_kind {
    HANDED_LISTENER, /* AF_UNIX, SOCK_STREAM, listening: serves HTTP */
    HANDED_DATAGRAM, /* AF_UNIX, SOCK_DGRAM, bound: kept for the application that its name names */
    HANDED_STORED,   /* not a socket: from systemd's fd store, kept for who stored it under that name */
};

struct handed {
    int fd; /* CLOEXEC; O_NONBLOCK if a socket */
    enum handed_kind kind;
    char *name;    /* LISTEN_FDNAMES' entry; "" for --fd or where there was none */
    char *address; /* the path it is bound to, "@name" if abstract, "" if not bound */
};

/*
 * Reads the three variables and removes them from the environment, whatever they say. Without them, or if LISTEN_PID
 * is another process: 0 and none. A count that lies, a closed fd, or one of a kind that we cannot serve: -EINVAL, and
 * one line in `error` that names number, name and what it is; then nothing was taken.
 */
int activation_take(struct handed **ret_handed, size_t *ret_count, struct error *error);

/* The same examination for one fd given by number; only a listener is accepted. */
int activation_examine(int fd, const char *name, struct handed *ret_handed, struct error *error);

/* Closes and frees. */
void activation_free(struct handed *handed, size_t count);

#endif
