/*
 * What we tell the service manager: sd_notify(3), over a datagram to $NOTIFY_SOCKET.
 */
#ifndef BERTH_SOCKET_NOTIFY_H
#define BERTH_SOCKET_NOTIFY_H

#include <stdint.h>

struct notify; /* where to; may be nowhere */

/* Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID and removes them from the environment. Without NOTIFY_SOCKET,
 * every send is a success that does nothing. -EINVAL for an address that is none or a watchdog that is no number,
 * -ENOMEM, or socket(2)'s. */
int notify_open(struct notify **ret_notify);
void notify_free(struct notify *notify);

/* One datagram: lines such as "READY=1\nSTATUS=…". Never blocks. */
int notify_send(struct notify *notify, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* FDSTORE=1: the manager keeps the descriptor, and hands it back under that name (LISTEN_FDNAMES) when the service is
 * restarted. One that has no fd store, or no room in it, does not say so. */
int notify_store_fd(struct notify *notify, const char *name, int fd);

/* "RELOADING=1" with MONOTONIC_USEC, as Type=notify-reload asks. */
int notify_reloading(struct notify *notify);

/* How often the watchdog wants to be fed, in microseconds; 0: not at all. */
uint64_t notify_watchdog_usec(const struct notify *notify);

#endif
