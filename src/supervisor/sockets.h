/*
 * The listeners of this server, and its datagram sockets: those that we were handed and those that we published. A
 * reload first adds what is new (sockets_prepare), and then either lets go what vanished from the settings
 * (sockets_commit) or takes back what was added (sockets_revert). What is in both stays as it is: the same descriptor,
 * the same queue.
 */
#ifndef BERTH_SUPERVISOR_SOCKETS_H
#define BERTH_SUPERVISOR_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "common/settings.h"
#include "socket/activation.h"
#include "socket/listener.h"

enum server_socket_state { SOCKET_KEPT, SOCKET_FRESH, SOCKET_VANISHING };

struct server_socket {
    char *name;                /* as contract.h's launch file has it: the path, or "fd N" */
    char *address;             /* path, "@name", or "" */
    int fd;                    /* the listener's or the handed one's, not ours to close */
    struct listener *listener; /* NULL: handed */
    bool datagram;             /* the recorder's; all others are the workers' */
    enum server_socket_state state;
};

struct sockets {
    struct server_socket *items;
    size_t count;
    struct handed *handed; /* by LISTEN_FDS: listeners, datagram sockets and stored descriptors */
    size_t handed_count;
    struct handed *numbered; /* by --fd */
    size_t numbered_count;
};

/* Takes what LISTEN_FDS hands us; before anything else is opened, so that a count that lies cannot mean one of our own.
 */
int sockets_take_activation(struct sockets *sockets, struct error *error);

/* Takes what --fd names; once, at the start. */
int sockets_take_numbers(struct sockets *sockets, const struct settings *settings, struct error *error);

/* Publishes what `settings` ask for and is not there. On failure everything is as before. -EINVAL is a mistake in the
 * settings; any other -errno is a path that could not be had. */
int sockets_prepare(struct sockets *sockets, const struct settings *settings, struct error *error);
void sockets_commit(struct sockets *sockets);
void sockets_revert(struct sockets *sockets);

/* What rules call a listener: NAME of the settings' [listen NAME], or what LISTEN_FDNAMES says; "" for none. */
const char *sockets_listener_name(const struct sockets *sockets, const struct server_socket *item,
                                  const struct settings *settings);

/* Whether datagrams for the events were handed over: a socket whose name is "events". */
bool sockets_have_handed_events(const struct sockets *sockets);

/* What the service manager has stored for us under that name: its fd, which stays ours; -1: nothing. */
int sockets_stored(const struct sockets *sockets, const char *name);

/* Whether there are handed listeners, and whether there will be only those. */
bool sockets_only_handed(const struct sockets *sockets, const struct settings *settings);

/* The paths that are ours go: new connects fail from now on. */
void sockets_withdraw(struct sockets *sockets);
void sockets_done(struct sockets *sockets);

#endif
