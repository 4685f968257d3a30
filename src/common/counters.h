/*
 * The shared counters: one memfd of a fixed layout, made by the supervisor and inherited by every worker (contract.h).
 *
 *   supervisor's   start, restarts, reloads; twice: the retired total and who is alive
 *   slot 1, 2, …   one for each worker number; only its worker writes to it, without locks and without system calls
 *
 * What is shown is the retired total and the slots of those that are alive, by label: one for each route, since routes
 * differ between generations. A worker that has ended is taken into the total (counters_retire); no counter falls by
 * that, for nobody, at no instant: the supervisor writes the total and the list of the living into the copy that nobody
 * reads, and one store of `sequence` makes it the one that is read. A reader that was overtaken begins again. A
 * supervisor that is killed at any instant leaves a copy that is whole.
 *
 * A worker may write anything: every length that is read here is bounded, and the supervisor's own total is not in the
 * memory that is shared.
 */
#ifndef BERTH_COMMON_COUNTERS_H
#define BERTH_COMMON_COUNTERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    COUNTERS_SLOTS = 2048,     /* worker numbers beyond are not counted */
    COUNTERS_ROUTES = 128,     /* rows of a slot; routes beyond count as "other" */
    COUNTERS_LABELS = 512,     /* rows of the total; labels beyond count as "other" */
    COUNTERS_LABEL_SIZE = 128, /* with its NUL; longer ones are cut */
    COUNTERS_NAME_SIZE = 64,   /* the same of a user's name */
    COUNTERS_USERS = 64,       /* uids of which connections are open, in a slot and in all; more count as "other" */
};

/* The first rows of every slot, and of the total. */
enum { COUNTERS_ROW_NONE, COUNTERS_ROW_OTHER, COUNTERS_ROW_FIRST };

/* Of the reply's status: 0 for none, 1 for 1xx, and so on. */
#define COUNTERS_CLASSES 6

/* The upper bounds of the histogram are in counters.c; the last has none. */
#define COUNTERS_BUCKETS 17

/* Statuses that libmicrohttpd answers by itself, and one place for all others. */
#define COUNTERS_LIBRARY_STATUSES 8

/* Why somebody was refused for who it is: by a rule, for what one user may have, or as another site's page. */
enum counters_denial {
    COUNTERS_DENIAL_RULE,
    COUNTERS_DENIAL_CONNECTIONS,
    COUNTERS_DENIAL_RATE,
    COUNTERS_DENIAL_STREAMS,
    COUNTERS_DENIAL_ORIGIN,
    COUNTERS_DENIALS,
};

/* What a worker counts, apart from requests by route. */
enum counters_figure {
    COUNTERS_ACCEPTED,    /* connections */
    COUNTERS_REFUSED,     /* of these, those beyond --limit-connections */
    COUNTERS_BYTES,       /* of replies' bodies */
    COUNTERS_LOG_DROPPED, /* lines of the logs that nobody took in time */
    COUNTERS_NANOSECONDS, /* of all requests */
    COUNTERS_BUCKET,
    COUNTERS_LIBRARY = COUNTERS_BUCKET + COUNTERS_BUCKETS,
    COUNTERS_DENIED = COUNTERS_LIBRARY + COUNTERS_LIBRARY_STATUSES,
    COUNTERS_FIGURES = COUNTERS_DENIED + COUNTERS_DENIALS,
};

/* What can be read off a worker now; it ends with the worker. */
enum counters_gauge { COUNTERS_CONNECTIONS, COUNTERS_HELD, COUNTERS_SUBSCRIBERS, COUNTERS_GAUGES };

enum counters_restart {
    COUNTERS_RESTART_SIGNAL,  /* it crashed */
    COUNTERS_RESTART_EXIT,    /* it ended by itself */
    COUNTERS_RESTART_TIMEOUT, /* --worker-timeout */
    COUNTERS_RESTART_RETIRED, /* --max-requests */
    COUNTERS_RESTARTS,
};

/* ---- a worker's own ---- */

struct counters_slot {
    _Alignas(4096) _Atomic uint64_t row_count;
    _Atomic uint64_t gauges[COUNTERS_GAUGES];
    _Atomic uint64_t figures[COUNTERS_FIGURES];
    _Atomic uint64_t users[1 + COUNTERS_USERS]; /* uid << 32 | connections; 0 of these: free. The first: all others */
    _Atomic uint64_t rows[COUNTERS_ROUTES][COUNTERS_CLASSES];
    _Atomic uint64_t nanoseconds[COUNTERS_ROUTES];
    _Atomic uint64_t labels[COUNTERS_ROUTES][COUNTERS_LABEL_SIZE / sizeof(uint64_t)];
};

struct counters_file;

/* Maps what was inherited: all of it to read (NULL without a file), and the worker's slot to write. Where there is
 * none, because the number is too large, or because there is no file, the slot is one that nobody reads. */
void counters_attach(int fd, unsigned int number, const struct counters_file **ret_file,
                     struct counters_slot **ret_slot);

/* Before the worker is ready: the label of its next route. Returns its row, which grows by one with each call, beyond
 * COUNTERS_ROUTES too: counters_request knows. */
unsigned int counters_add_row(struct counters_slot *slot, unsigned int row, const char *method, const char *mount,
                              const char *path);

/* Only this thread writes, so no locked instruction is needed: whoever reads sees the old value or the new one. */
static inline void counters_add(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n, memory_order_relaxed);
}

/* One more, one fewer. */
static inline void counters_more(struct counters_slot *slot, enum counters_gauge gauge)
{
    counters_add(&slot->gauges[gauge], 1);
}

static inline void counters_fewer(struct counters_slot *slot, enum counters_gauge gauge)
{
    counters_add(&slot->gauges[gauge], UINT64_MAX);
}

/* A user's connection is open: returns where it is counted, for the end. */
unsigned int counters_user_enter(struct counters_slot *slot, uid_t uid);

static inline void counters_user_leave(struct counters_slot *slot, unsigned int place)
{
    counters_add(&slot->users[place], UINT64_MAX);
}

/* A request is over. */
void counters_request(struct counters_slot *slot, unsigned int row, unsigned int status, uint64_t bytes,
                      uint64_t nanoseconds);

/* libmicrohttpd answered by itself; status 0: nobody knows with what. */
void counters_library_error(struct counters_slot *slot, unsigned int status);

/* ---- adding up ---- */

struct counters_row {
    char label[COUNTERS_LABEL_SIZE]; /* "GET /notes/{id}", NUL-terminated; of the first two rows "" */
    uint64_t classes[COUNTERS_CLASSES];
    uint64_t nanoseconds;
};

/* Made by counters_total_init, in memory of one's own. */
struct counters_total {
    uint64_t figures[COUNTERS_FIGURES];
    uint64_t row_count;
    struct counters_row rows[COUNTERS_LABELS];
};

void counters_total_init(struct counters_total *total);

/* Adds what a slot has counted, whatever it contains; sums stop at UINT64_MAX. */
void counters_total_add(struct counters_total *total, const struct counters_slot *slot);

/* The bounds, in nanoseconds; the last is UINT64_MAX. And the statuses; the last is 0. */
extern const uint64_t counters_bounds[COUNTERS_BUCKETS];
extern const unsigned int counters_statuses[COUNTERS_LIBRARY_STATUSES];

/* ---- the supervisor's ---- */

struct counters;

/* -errno of memfd_create(2) and what follows it. */
int counters_new(struct counters **ret_counters);
void counters_free(struct counters *counters); /* NULL is allowed */
int counters_fd(const struct counters *counters);

/* A worker of that number is ready: what it counts is shown from now on. */
void counters_admit(struct counters *counters, unsigned int number, pid_t pid);

/* A worker of that number is gone, ready or not: what it counted goes to the total, and its slot is empty. */
void counters_retire(struct counters *counters, unsigned int number);

void counters_restarted(struct counters *counters, enum counters_restart why);
void counters_reloaded(struct counters *counters, bool succeeded);

/* ---- reading ---- */

struct counters_process {
    unsigned int number; /* of a worker; 0: the supervisor */
    pid_t pid;
    uint64_t resident, proportional; /* bytes; 0: not known. Not counters_read's to fill in */
};

struct counters_user {
    uid_t uid;
    char name[COUNTERS_NAME_SIZE]; /* "": not known. Not counters_read's to fill in */
    uint64_t connections;
};

struct counters_snapshot {
    struct counters_total total;
    uint64_t gauges[COUNTERS_GAUGES];
    size_t user_count;
    struct counters_user users[COUNTERS_USERS]; /* who has connections */
    uint64_t other_users;                       /* connections of those that had no place */
    uint64_t started_at;                        /* nanoseconds since 1970 */
    uint64_t restarts[COUNTERS_RESTARTS];
    uint64_t reloads[2]; /* failed, succeeded */
    size_t process_count;
    struct counters_process processes[1 + COUNTERS_SLOTS]; /* the supervisor first, then the workers that are ready */
};

/* All as it is now. -EAGAIN if so many workers end meanwhile that no moment was quiet enough. */
int counters_read(const struct counters_file *file, struct counters_snapshot *ret_snapshot);

/* When the server was started, in nanoseconds since 1970; 0 without a file. */
uint64_t counters_started_at(const struct counters_file *file);

#endif
