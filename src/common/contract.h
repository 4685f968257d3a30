/*
 * The contract: everything that a child process inherits from the supervisor, and what the two say to each other.
 *
 * A worker is this same program, started as `berth worker NUMBER` with nothing but these descriptors open:
 *
 *   0, 1, 2   the supervisor's own standard input, output and error
 *   3         the control channel, a SOCK_SEQPACKET socket; its end means: drain and exit
 *   4         the launch file, a sealed memfd at offset 0 for reading (see below)
 *   5         the shared counters, a memfd (counters.h)
 *   6         where the access log goes, a description that is the workers' own (sink.h)
 *   7 …       the listeners, in the launch file's order
 *   then …    the modules, in the launch file's order
 *
 * and the supervisor's environment without LISTEN_*, NOTIFY_SOCKET, WATCHDOG_* and BERTH_*. HUP, INT, QUIT, TERM, USR1,
 * USR2, TTIN and TTOU are blocked until it unblocks them: a signal to the whole group, while it starts, is not for it.
 * No other signal is blocked, and none is ignored.
 *
 * The recorder, started as `berth recorder`, has the same environment, the same signals blocked, and
 *
 *   0, 1, 2   as a worker
 *   3         its control channel; its end means: go on until the workers have gone, then exit
 *   4         a launch file, whose listeners are its datagram sockets
 *   5         the event log, a memfd, for reading and writing (events/log.h)
 *   6         its end of the rendezvous (events/channel.h)
 *   7 …       the datagram sockets, in the launch file's order
 *
 * A compiler, started as
 * `berth compile SOURCE`, has the same environment, no signal blocked, TERM when the supervisor ends, and, besides 0 to
 * 2, one descriptor:
 *
 *   3         the memfd that its shared object is to be written to
 */
#ifndef BERTH_COMMON_CONTRACT_H
#define BERTH_COMMON_CONTRACT_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/settings.h"

/* Grows with every change to this file or to the launch file's form; a child that finds another number refuses. */
#define CONTRACT_VERSION 5

enum {
    CONTRACT_CONTROL_FD = 3,
    CONTRACT_LAUNCH_FD = 4,
    CONTRACT_COUNTERS_FD = 5,
    CONTRACT_ACCESS_LOG_FD = 6,
    CONTRACT_FIRST_FD = 7,
    CONTRACT_EVENT_LOG_FD = 5,  /* of the recorder, as the next */
    CONTRACT_RENDEZVOUS_FD = 6, /* what comes then begins at CONTRACT_FIRST_FD as well */
    CONTRACT_OUTPUT_FD = 3,     /* of a compiler */
};

/* Handed over and published together. A worker has an HTTP server for each. */
enum { CONTRACT_LISTENERS_MAX = 512 };

/*
 * The launch file, the same for all workers of one generation (between two reloads): a header of NUL-terminated texts:
 * "berth launch", the version, the number of listeners, for each listener its place (its path, or "fd N") and its name
 * ("" if it has none), then the settings (settings_pack). Every application of the settings that is a module has one
 * module fd, in their order.
 */
struct launch {
    char **listeners; /* places */
    char **names;     /* NAME of [listen NAME], or LISTEN_FDNAMES': what rules call it; "" for none */
    size_t listener_count;
    struct settings settings;
};

/* `names` NULL: none has one. */
int launch_write(int fd, const char *const *listeners, const char *const *names, size_t listener_count,
                 const struct settings *settings);
/* The same into a memfd of its own, which nobody can change any more; it stands at its start. */
int launch_make(const char *const *listeners, const char *const *names, size_t listener_count,
                const struct settings *settings, int *ret_fd);
int launch_read(int fd, struct launch *ret_launch, struct error *error);
void launch_done(struct launch *launch);

/*
 * Messages. Each is one packet: a type, then a body of at most CONTROL_BODY_MAX bytes. Which side may send which is in
 * the table in control.c; anything else ends the session with that process. The recorder is told PING, DRAIN and LOG
 * (without a body), and says READY, PONG and FAILED: all else is a worker's.
 */
#define CONTROL_BODY_MAX 1024

enum control_type {
    /* supervisor to worker */
    CONTROL_PING = 1, /* answer with PONG from the loop */
    CONTROL_DRAIN, /* accept what is in the queue, then no more; finish, within --timeout-graceful-shutdown; exit 0 */
    CONTROL_STOP,  /* at once: end what is open, stop the applications, exit 0 */
    CONTROL_LOG,   /* a log was reopened: an fd comes along, to take the place of standard error; with the body
                    * CONTROL_ACCESS_LOG, of the access log */
    /* worker to supervisor */
    CONTROL_READY, /* accepting on every listener; the body may be a target to try, such as "/index" */
    CONTROL_PONG,
    CONTROL_FAILED, /* could not start; the body is the reason as text; exit follows */
    CONTROL_BUSY,   /* there is a connection now, where there was none */
    CONTROL_IDLE,   /* there is no connection any more */
    CONTROL_RETIRE, /* --max-requests reached: replace me, then DRAIN me */
    CONTROL_EVENTS, /* something here uses events: answered by EVENT_LOG and RENDEZVOUS */
    /* supervisor to worker, together and in this order, once for each EVENTS */
    CONTROL_EVENT_LOG,  /* an fd comes along: the event log, for reading alone */
    CONTROL_RENDEZVOUS, /* an fd comes along: the workers' end of the rendezvous */
};

#define CONTROL_ACCESS_LOG "access"

struct control_message {
    enum control_type type;
    int fd;                          /* -1, or the one that came along; the receiver's to close */
    char body[CONTROL_BODY_MAX + 1]; /* NUL-terminated */
    size_t size;
};

enum control_side { CONTROL_SUPERVISOR, CONTROL_WORKER };

/* Sends without blocking. `me` is who sends. -EPIPE when the other side is gone, -EAGAIN when it does not read. */
int control_send(int channel, enum control_side me, enum control_type type, const char *body, int fd);

/* Receives one message without blocking: 1 for a message, 0 when there is none now, -EPIPE at the end of the
 * channel, -EPROTO for a message that the other side may not send. */
int control_receive(int channel, enum control_side me, struct control_message *ret_message);

/* The exit codes of berth and its children. */
enum { EXIT_USAGE = 2, EXIT_APPLICATION = 3 };

#endif
