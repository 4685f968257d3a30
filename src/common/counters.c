#include "common/counters.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* How often a reader that is overtaken begins again: a worker would have to end every few microseconds. */
#define READS_MAX 1000

#define WORD        sizeof(uint64_t)
#define LABEL_WORDS (COUNTERS_LABEL_SIZE / WORD)
#define TOTAL_WORDS (sizeof(struct counters_total) / WORD)

const uint64_t counters_bounds[COUNTERS_BUCKETS] = {
    100000,    250000,    500000,    1000000,    2500000,    5000000,    10000000,    25000000,   50000000,
    100000000, 250000000, 500000000, 1000000000, 2500000000, 5000000000, 10000000000, UINT64_MAX,
};

const unsigned int counters_statuses[COUNTERS_LIBRARY_STATUSES] = { 400, 408, 413, 414, 431, 500, 505, 0 };

/* What is read at one time: the total of the workers that are gone, and the pids of those that are there (0: none). */
struct published {
    _Atomic uint64_t words[TOTAL_WORDS]; /* struct counters_total */
    _Atomic uint64_t slots_used;
    _Atomic uint64_t pids[COUNTERS_SLOTS];
};

struct counters_file {
    _Atomic uint64_t sequence; /* its last bit says which copy is read */
    _Atomic uint64_t started_at, supervisor;
    _Atomic uint64_t restarts[COUNTERS_RESTARTS], reloads[2];
    struct published copies[2];
    struct counters_slot slots[COUNTERS_SLOTS];
};

static uint64_t load(const _Atomic uint64_t *from)
{
    return atomic_load_explicit(from, memory_order_relaxed);
}

static void store(_Atomic uint64_t *to, uint64_t value)
{
    atomic_store_explicit(to, value, memory_order_relaxed);
}

/* Between memory that is shared and our own; sizes are in words. */
static void words_load(void *to, const _Atomic uint64_t *from, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t word = load(&from[i]);

        memcpy((char *)to + i * WORD, &word, WORD);
    }
}

static void words_store(_Atomic uint64_t *to, const void *from, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t word;

        memcpy(&word, (const char *)from + i * WORD, WORD);
        store(&to[i], word);
    }
}

/* ---- a worker's own ---- */

static struct counters_slot *map_slot(int fd, unsigned int number)
{
    off_t offset = (off_t)(offsetof(struct counters_file, slots) + (number - 1) * sizeof(struct counters_slot));
    void *slot;

    if (number < 1 || number > COUNTERS_SLOTS)
        return NULL;
    slot = mmap(NULL, sizeof(struct counters_slot), PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
    return slot == MAP_FAILED ? NULL : slot;
}

void counters_attach(int fd, unsigned int number, const struct counters_file **ret_file,
                     struct counters_slot **ret_slot)
{
    static struct counters_slot nobody_reads;
    void *file = mmap(NULL, sizeof(struct counters_file), PROT_READ, MAP_SHARED, fd, 0);
    struct counters_slot *slot = file == MAP_FAILED ? NULL : map_slot(fd, number);

    *ret_file = file == MAP_FAILED ? NULL : file;
    *ret_slot = slot ? slot : &nobody_reads;
}

unsigned int counters_add_row(struct counters_slot *slot, unsigned int row, const char *method, const char *mount,
                              const char *path)
{
    char label[COUNTERS_LABEL_SIZE] = "";

    if (row < COUNTERS_ROW_FIRST)
        row = COUNTERS_ROW_FIRST;
    if (row < COUNTERS_ROUTES) {
        snprintf(label, sizeof(label), "%s %s%s", method, mount, path);
        words_store(slot->labels[row], label, LABEL_WORDS);
        atomic_store_explicit(&slot->row_count, row + 1, memory_order_release);
    }
    return row;
}

/* The place of a user who has connections already, or a free one. A uid and its count are one word: no reader sees the
 * connections of one below the other's name. */
unsigned int counters_user_enter(struct counters_slot *slot, uid_t uid)
{
    unsigned int place = 0;

    for (unsigned int i = 1; i <= COUNTERS_USERS; i++) {
        uint64_t user = load(&slot->users[i]);

        if ((uint32_t)user == 0) {
            if (place == 0)
                place = i;
        } else if (user >> 32 == uid) {
            place = i;
            break;
        }
    }
    if (place > 0 && (uint32_t)load(&slot->users[place]) == 0)
        store(&slot->users[place], (uint64_t)uid << 32 | 1);
    else
        counters_add(&slot->users[place], 1);
    return place;
}

void counters_request(struct counters_slot *slot, unsigned int row, unsigned int status, uint64_t bytes,
                      uint64_t nanoseconds)
{
    unsigned int kind = status / 100, bucket = 0;

    while (nanoseconds > counters_bounds[bucket])
        bucket++;
    if (row >= COUNTERS_ROUTES)
        row = COUNTERS_ROW_OTHER;
    counters_add(&slot->rows[row][kind < COUNTERS_CLASSES ? kind : 0], 1);
    counters_add(&slot->nanoseconds[row], nanoseconds);
    counters_add(&slot->figures[COUNTERS_BUCKET + bucket], 1);
    counters_add(&slot->figures[COUNTERS_NANOSECONDS], nanoseconds);
    counters_add(&slot->figures[COUNTERS_BYTES], bytes);
}

void counters_library_error(struct counters_slot *slot, unsigned int status)
{
    unsigned int i = 0;

    while (i < COUNTERS_LIBRARY_STATUSES - 1 && counters_statuses[i] != status)
        i++;
    counters_add(&slot->figures[COUNTERS_LIBRARY + i], 1);
}

/* ---- adding up ---- */

static void sum(uint64_t *to, uint64_t value)
{
    if (__builtin_add_overflow(*to, value, to))
        *to = UINT64_MAX;
}

void counters_total_init(struct counters_total *total)
{
    memset(total, 0, sizeof(*total));
    total->row_count = COUNTERS_ROW_FIRST;
}

/* The row of a label, made if there is room. Workers of one generation have the same labels in the same order: so it
 * is looked for first where it was in the slot. */
static struct counters_row *total_row(struct counters_total *total, size_t hint, const char *label)
{
    struct counters_row *row;

    if (hint < total->row_count && strcmp(total->rows[hint].label, label) == 0)
        return &total->rows[hint];
    for (size_t i = COUNTERS_ROW_FIRST; i < total->row_count; i++)
        if (strcmp(total->rows[i].label, label) == 0)
            return &total->rows[i];
    if (total->row_count >= COUNTERS_LABELS)
        return &total->rows[COUNTERS_ROW_OTHER];
    row = &total->rows[total->row_count++];
    memset(row, 0, sizeof(*row));
    memcpy(row->label, label, strlen(label) + 1);
    return row;
}

static void add_row(struct counters_total *total, const struct counters_slot *slot, size_t i)
{
    struct counters_row *row = &total->rows[i];

    if (i >= COUNTERS_ROW_FIRST) {
        char label[COUNTERS_LABEL_SIZE];

        words_load(label, slot->labels[i], LABEL_WORDS);
        label[sizeof(label) - 1] = '\0';
        row = total_row(total, i, label);
    }
    for (size_t j = 0; j < COUNTERS_CLASSES; j++)
        sum(&row->classes[j], load(&slot->rows[i][j]));
    sum(&row->nanoseconds, load(&slot->nanoseconds[i]));
}

void counters_total_add(struct counters_total *total, const struct counters_slot *slot)
{
    uint64_t rows = atomic_load_explicit(&slot->row_count, memory_order_acquire);

    if (rows < COUNTERS_ROW_FIRST)
        rows = COUNTERS_ROW_FIRST;
    if (rows > COUNTERS_ROUTES)
        rows = COUNTERS_ROUTES;
    for (size_t i = 0; i < rows; i++)
        add_row(total, slot, i);
    for (size_t i = 0; i < COUNTERS_FIGURES; i++)
        sum(&total->figures[i], load(&slot->figures[i]));
}

/* ---- the supervisor's ---- */

struct counters {
    int fd;
    struct counters_file *file;
    struct counters_total total; /* not shared: what a worker writes does not reach it */
    uint64_t pids[COUNTERS_SLOTS];
    size_t slots_used;
};

/* Sealed, so that no worker can take memory away below us. */
static int make_file(int *ret_fd)
{
    int fd = memfd_create("berth-counters", MFD_CLOEXEC | MFD_ALLOW_SEALING), r = 0;

    if (fd < 0)
        return -errno;
    if (ftruncate(fd, sizeof(struct counters_file)) < 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
        r = -errno;
        close(fd);
        return r;
    }
    *ret_fd = fd;
    return 0;
}

static void publish(struct counters *counters)
{
    struct counters_file *file = counters->file;
    uint64_t sequence = load(&file->sequence) + 1;
    struct published *copy = &file->copies[sequence % 2];

    /* Whoever still reads this copy, from two turns ago, sees the turn before this one's first store. */
    atomic_thread_fence(memory_order_release);
    words_store(copy->words, &counters->total,
                (offsetof(struct counters_total, rows) + counters->total.row_count * sizeof(struct counters_row)) /
                    WORD);
    words_store(copy->pids, counters->pids, counters->slots_used);
    store(&copy->slots_used, counters->slots_used);
    atomic_store_explicit(&file->sequence, sequence, memory_order_release);
    /* And whoever sees what happens to a slot after this sees the turn as well. */
    atomic_thread_fence(memory_order_release);
}

int counters_new(struct counters **ret_counters)
{
    struct counters *counters = calloc(1, sizeof(*counters));
    struct timespec now;
    void *file;
    int r;

    if (!counters)
        return -ENOMEM;
    counters->fd = -1;
    r = make_file(&counters->fd);
    if (r < 0)
        goto fail;
    file = mmap(NULL, sizeof(struct counters_file), PROT_READ | PROT_WRITE, MAP_SHARED, counters->fd, 0);
    if (file == MAP_FAILED) {
        r = -errno;
        goto fail;
    }
    counters->file = file;
    clock_gettime(CLOCK_REALTIME, &now);
    store(&counters->file->started_at, (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec);
    store(&counters->file->supervisor, (uint64_t)getpid());
    counters_total_init(&counters->total);
    publish(counters);
    *ret_counters = counters;
    return 0;

fail:
    counters_free(counters);
    return r;
}

void counters_free(struct counters *counters)
{
    if (!counters)
        return;
    if (counters->file)
        munmap(counters->file, sizeof(*counters->file));
    if (counters->fd >= 0)
        close(counters->fd);
    free(counters);
}

int counters_fd(const struct counters *counters)
{
    return counters->fd;
}

static bool has_slot(unsigned int number)
{
    return number >= 1 && number <= COUNTERS_SLOTS;
}

/* Its labels come to the total first, so that what is shown below one is never shown below another. */
static void add_labels(struct counters_total *total, const struct counters_slot *slot)
{
    uint64_t rows = atomic_load_explicit(&slot->row_count, memory_order_acquire);

    for (size_t i = COUNTERS_ROW_FIRST; i < rows && i < COUNTERS_ROUTES; i++) {
        char label[COUNTERS_LABEL_SIZE];

        words_load(label, slot->labels[i], LABEL_WORDS);
        label[sizeof(label) - 1] = '\0';
        total_row(total, i, label);
    }
}

void counters_admit(struct counters *counters, unsigned int number, pid_t pid)
{
    if (!has_slot(number))
        return;
    add_labels(&counters->total, &counters->file->slots[number - 1]);
    counters->pids[number - 1] = (uint64_t)pid;
    if (counters->slots_used < number)
        counters->slots_used = number;
    publish(counters);
}

/* A hole gives the memory back as well. */
static void slot_clear(struct counters *counters, unsigned int number)
{
    struct counters_slot *slot = &counters->file->slots[number - 1];
    off_t offset = (char *)slot - (char *)counters->file;

    if (fallocate(counters->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, sizeof(*slot)) < 0)
        memset(slot, 0, sizeof(*slot));
}

void counters_retire(struct counters *counters, unsigned int number)
{
    if (!has_slot(number))
        return;
    counters_total_add(&counters->total, &counters->file->slots[number - 1]);
    counters->pids[number - 1] = 0;
    publish(counters);
    slot_clear(counters, number);
}

void counters_restarted(struct counters *counters, enum counters_restart why)
{
    counters_add(&counters->file->restarts[why], 1);
}

void counters_reloaded(struct counters *counters, bool succeeded)
{
    counters_add(&counters->file->reloads[succeeded], 1);
}

/* ---- reading ---- */

static void read_total(const struct published *copy, struct counters_total *total)
{
    const size_t head = offsetof(struct counters_total, rows) / WORD;

    words_load(total, copy->words, head);
    if (total->row_count < COUNTERS_ROW_FIRST)
        total->row_count = COUNTERS_ROW_FIRST;
    if (total->row_count > COUNTERS_LABELS)
        total->row_count = COUNTERS_LABELS;
    words_load(total->rows, copy->words + head, total->row_count * sizeof(struct counters_row) / WORD);
    for (size_t i = 0; i < total->row_count; i++)
        total->rows[i].label[COUNTERS_LABEL_SIZE - 1] = '\0';
}

static void read_user(struct counters_snapshot *snapshot, uid_t uid, uint64_t connections)
{
    size_t i = 0;

    if (connections == 0)
        return;
    while (i < snapshot->user_count && snapshot->users[i].uid != uid)
        i++;
    if (i == COUNTERS_USERS) {
        sum(&snapshot->other_users, connections);
        return;
    }
    if (i == snapshot->user_count)
        snapshot->users[snapshot->user_count++] = (struct counters_user){ .uid = uid };
    sum(&snapshot->users[i].connections, connections);
}

static void read_users(const struct counters_slot *slot, struct counters_snapshot *snapshot)
{
    sum(&snapshot->other_users, load(&slot->users[0]));
    for (size_t i = 1; i <= COUNTERS_USERS; i++) {
        uint64_t user = load(&slot->users[i]);

        read_user(snapshot, (uid_t)(user >> 32), (uint32_t)user);
    }
}

static void read_slot(const struct counters_slot *slot, struct counters_snapshot *snapshot)
{
    counters_total_add(&snapshot->total, slot);
    for (size_t i = 0; i < COUNTERS_GAUGES; i++)
        sum(&snapshot->gauges[i], load(&slot->gauges[i]));
    read_users(slot, snapshot);
}

static void read_once(const struct counters_file *file, const struct published *copy,
                      struct counters_snapshot *snapshot)
{
    uint64_t slots = load(&copy->slots_used);

    memset(snapshot->gauges, 0, sizeof(snapshot->gauges));
    snapshot->user_count = 0;
    snapshot->other_users = 0;
    read_total(copy, &snapshot->total);
    snapshot->processes[0] = (struct counters_process){ .number = 0, .pid = (pid_t)load(&file->supervisor) };
    snapshot->process_count = 1;
    for (unsigned int i = 0; i < slots && i < COUNTERS_SLOTS; i++) {
        pid_t pid = (pid_t)load(&copy->pids[i]);

        if (pid == 0)
            continue;
        read_slot(&file->slots[i], snapshot);
        snapshot->processes[snapshot->process_count++] = (struct counters_process){ .number = i + 1, .pid = pid };
    }
}

int counters_read(const struct counters_file *file, struct counters_snapshot *ret_snapshot)
{
    uint64_t sequence, after;
    unsigned int reads = 0;

    do {
        if (reads++ == READS_MAX)
            return -EAGAIN;
        sequence = atomic_load_explicit(&file->sequence, memory_order_acquire);
        read_once(file, &file->copies[sequence % 2], ret_snapshot);
        atomic_thread_fence(memory_order_acquire);
        after = load(&file->sequence);
    } while (after != sequence);

    ret_snapshot->started_at = counters_started_at(file);
    for (size_t i = 0; i < COUNTERS_RESTARTS; i++)
        ret_snapshot->restarts[i] = load(&file->restarts[i]);
    for (size_t i = 0; i < 2; i++)
        ret_snapshot->reloads[i] = load(&file->reloads[i]);
    return 0;
}

uint64_t counters_started_at(const struct counters_file *file)
{
    return file ? load(&file->started_at) : 0;
}
