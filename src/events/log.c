/*
 * How the log can be read while it is written, and why a writer may be killed at any instant.
 *
 * Two words say what is in it: `oldest`, where the oldest record begins, and `newest`, where the last one ends, with
 * that record's size in its lower bits, so that one load finds the last record as well. A position counts the bytes
 * ever written; it lies in the ring at its remainder. Everything between the two words is whole records in a row, whose
 * ids are consecutive but where a run ends. Neither word ever falls. Ids and times are nowhere but in the records, and
 * so cannot disagree with them. The index holds one word for each block of positions: where the first record that
 * begins in it does.
 *
 * The writer                                       A reader
 *   W1 stores `oldest`, past what it will overwrite   R1 loads `newest`, acquire
 *   W2 fences, release                                R2 loads `oldest`, relaxed
 *   W3 stores records and index, relaxed              R3 loads from the ring, relaxed, words at a time
 *   W4 stores `newest`, release                       R4 fences, acquire
 *                                                     R5 loads `oldest` again, relaxed
 *
 * What a reader finds below `newest` is complete: W4 and R1 synchronise, so R3 loads what W3 stored, or later stores.
 * What it finds from `oldest` of R5 on is not overwritten: had R3 loaded a word of a later append's W3, then that
 * append's W2 and R4 would synchronise (a release fence before the store that was read, an acquire fence behind the
 * load that read it), its W1 would happen before R5, and R5 would load an `oldest` beyond that word. So a reader copies
 * first and decides then; the position that R5 brings is the beginning of a record, so that the end of a copy whose
 * beginning was overtaken is good still. An id is believed in the same way: the header at a position is copied, and is
 * right if R5 has not passed it. This also holds for `oldest` itself.
 *
 * All that is shared is atomic, in words of 8 bytes, which is why records are multiples of 8: there is no data race by
 * C11 in it, for the copy either. ThreadSanitizer does not follow fences (gcc warns, and that warning is off in its
 * build), but needs none here: it orders plain accesses, and of these there are none to shared memory. That is what it
 * checks; that the order is right is what the paragraph above is for.
 *
 * Where ids jump a run ends. Three words say what is known of that: `run_id`, the first id of the last run;
 * `run_after`, the last id before it; `run_before`, the first id of the run in which that one is. They are stored
 * before the run's first record, so that whoever has seen it (by W4 and R1) sees these as well, or later ones. Later
 * ones make nobody believe that he has missed less than he has: they are stored in the order before, after, id, each
 * with release, and loaded in the other one, with acquire; and `run_after` never says that a run has ended later than
 * it has.
 *
 * A batch appears as a whole, since W4 is one store. A writer that is killed before it leaves `newest` where it was,
 * and `oldest` perhaps further on: some of the oldest records are lost then, which readers count as ever, and no more
 * than the batch would have taken. Its successor begins at `newest`. It walks through all records once, so that it has
 * seen what it believes. What else the killed one has stored does no harm: bytes behind `newest` nobody reads, and an
 * entry of the index counts only for a block in which, or before which, the last record begins; when one does that
 * belongs to the successor, its own entry for that block was stored before. A statistic that was not yet stored is
 * lost.
 *
 * Nothing in the map is believed by readers unless it was checked on a copy. What is nonsense costs the events of this
 * log, and no more: every loop is bounded, and where nothing fits together the cursor goes to the end.
 */
#include "events/log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef _Atomic uint64_t word;

#define WORD sizeof(uint64_t)

/* Grows with every change to the form; the byte order is part of it. */
#define MAGIC UINT64_C(0x32676f6c76657442)

/* A block is larger than any record, so that in each at least one begins. */
#define BLOCK UINT64_C(131072)

/* `newest`: the position, in words, above the last record's size, in words. */
#define LAST_BITS    14
#define LAST_MAX     (((size_t)1 << LAST_BITS) - 1)
#define POSITION_MAX ((UINT64_MAX >> LAST_BITS) * WORD) /* 9 million gigabytes */

/* How often a reader that was overtaken begins again, each time further from the writer. */
#define ATTEMPTS 8

static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "a lock would be in one process alone");
static_assert(EVENT_RECORD_MAX % WORD == 0 && EVENT_RECORD_MAX / WORD <= LAST_MAX && EVENT_RECORD_MAX < BLOCK,
              "a record must fit");
static_assert(EVENT_RECORD_MAX <= EVENT_LOG_SIZE_MIN / EVENT_LOG_APPEND_PART, "the largest can be appended");

/* As event_log_make leaves it but for magic and capacity: zeroes. */
struct header {
    uint64_t magic, capacity; /* never change */
    word first_id;            /* that the sequence began with; 0: it has not */
    word next_id;             /* that the first record in this memfd has; valid when first_id is not 0 */
    word figures[EVENT_LOG_FIGURES];
    word run_before, run_after, run_id; /* see above; run_after may be 0: not known */
    word settled;                       /* 1: what was kept elsewhere is in it */
    _Alignas(64) word oldest;
    word newest;
};

struct event_log {
    size_t capacity, slots, map_size;
    struct header *header; /* and the whole map */
    word *index;
    word *ring;
};

struct event_log_writer {
    struct event_log log;
    uint64_t oldest, newest, last_block;
    uint64_t next_id, last_time;
};

static uint64_t load(const word *from)
{
    return atomic_load_explicit(from, memory_order_relaxed);
}

static void store(word *to, uint64_t value)
{
    atomic_store_explicit(to, value, memory_order_relaxed);
}

static uint64_t load_acquire(const word *from)
{
    return atomic_load_explicit(from, memory_order_acquire);
}

static void store_release(word *to, uint64_t value)
{
    atomic_store_explicit(to, value, memory_order_release);
}

/* ---- the memfd ---- */

size_t event_log_round_up(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    return (size + page - 1) / page * page;
}

/* As many as there can be blocks between oldest and newest, of which two may be there in part. */
static size_t slots_of(size_t capacity)
{
    return capacity / BLOCK + 2;
}

/* What is before the ring. */
static size_t head_of(size_t capacity)
{
    return event_log_round_up(sizeof(struct header)) + event_log_round_up(slots_of(capacity) * WORD);
}

static int prepare(int fd, size_t capacity)
{
    const struct header header = { .magic = MAGIC, .capacity = capacity };
    ssize_t n;

    if (fchmod(fd, 0400) < 0 || ftruncate(fd, (off_t)(head_of(capacity) + capacity)) < 0)
        return -errno;
    n = pwrite(fd, &header, sizeof(header), 0);
    if (n != (ssize_t)sizeof(header))
        return n < 0 ? -errno : -EIO;
    return fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0 ? -errno : 0;
}

int event_log_make(size_t size, int *ret_fd)
{
    int fd, r;

    if (size < EVENT_LOG_SIZE_MIN || size > EVENT_LOG_SIZE_MAX)
        return -EINVAL;
    fd = memfd_create("berth-events", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -errno;
    r = prepare(fd, event_log_round_up(size));
    if (r < 0) {
        close(fd);
        return r;
    }
    *ret_fd = fd;
    return 0;
}

/* Unless its size is sealed, whoever else has it could let our reads end in SIGBUS. */
size_t event_log_size(int fd)
{
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW;
    struct header header;
    struct stat status;
    int found = fcntl(fd, F_GET_SEALS);

    if (found < 0 || (found & seals) != seals || fstat(fd, &status) < 0 ||
        pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header) || header.magic != MAGIC)
        return 0;
    if (header.capacity < EVENT_LOG_SIZE_MIN || header.capacity > event_log_round_up(EVENT_LOG_SIZE_MAX) ||
        header.capacity != event_log_round_up(header.capacity) ||
        (uint64_t)status.st_size != head_of(header.capacity) + header.capacity)
        return 0;
    return header.capacity;
}

/* The memfd, and behind it the ring once more. */
static int map(struct event_log *log, int fd, int protection)
{
    const size_t capacity = event_log_size(fd), head = head_of(capacity), size = head + 2 * capacity;
    char *base;

    if (capacity == 0)
        return -EBADMSG;
    base = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED)
        return -errno;
    if (mmap(base, head + capacity, protection, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED ||
        mmap(base + head + capacity, capacity, protection, MAP_SHARED | MAP_FIXED, fd, (off_t)head) == MAP_FAILED) {
        int r = -errno;

        munmap(base, size);
        return r;
    }
    *log = (struct event_log){ .capacity = capacity,
                               .slots = slots_of(capacity),
                               .map_size = size,
                               .header = (void *)base,
                               .index = (void *)(base + event_log_round_up(sizeof(struct header))),
                               .ring = (void *)(base + head) };
    return 0;
}

/* ---- the ring ---- */

static word *at(const struct event_log *log, uint64_t position)
{
    return log->ring + position % log->capacity / WORD;
}

static word *index_entry(const struct event_log *log, uint64_t block)
{
    return log->index + block % log->slots;
}

/* Between the ring and memory that is not shared, nor need be aligned. */
static void word_out(char *to, const word *from)
{
    uint64_t value = load(from);

    memcpy(to, &value, WORD);
}

static void word_in(word *to, const char *from)
{
    uint64_t value;

    memcpy(&value, from, WORD);
    store(to, value);
}

/* Four at a time: a record of 200 bytes takes one and a half times as long as with memcpy; one at a time, twice. */
static void copy_out(char *to, const word *from, size_t size)
{
    for (; size >= 4 * WORD; size -= 4 * WORD, to += 4 * WORD, from += 4) {
        word_out(to, from);
        word_out(to + WORD, from + 1);
        word_out(to + 2 * WORD, from + 2);
        word_out(to + 3 * WORD, from + 3);
    }
    for (; size >= WORD; size -= WORD, to += WORD, from++)
        word_out(to, from);
}

static void copy_in(word *to, const char *from, size_t size)
{
    for (; size >= 4 * WORD; size -= 4 * WORD, from += 4 * WORD, to += 4) {
        word_in(to, from);
        word_in(to + 1, from + WORD);
        word_in(to + 2, from + 2 * WORD);
        word_in(to + 3, from + 3 * WORD);
    }
    for (; size >= WORD; size -= WORD, from += WORD, to++)
        word_in(to, from);
}

static uint64_t newest_pack(uint64_t position, size_t last_size)
{
    return position / WORD << LAST_BITS | last_size / WORD;
}

static uint64_t newest_position(uint64_t packed)
{
    return (packed >> LAST_BITS) * WORD;
}

static size_t newest_last_size(uint64_t packed)
{
    return (packed & LAST_MAX) * WORD;
}

/* R3 to R5. */
static bool is_overtaken(const struct event_log *log, uint64_t position)
{
    atomic_thread_fence(memory_order_acquire);
    return load(&log->header->oldest) > position;
}

/* The header of the record at a position below `end`, if one is there, and still is. */
static bool peek(const struct event_log *log, uint64_t position, uint64_t end, struct event_record *head)
{
    copy_out((char *)head, at(log, position), sizeof(*head));
    return !is_overtaken(log, position) && event_record_valid(head, end - position);
}

/* ---- the writer ---- */

/* The first record of its block goes into the index. */
static void index_record(struct event_log_writer *writer, uint64_t position)
{
    if (position / BLOCK == writer->last_block)
        return;
    writer->last_block = position / BLOCK;
    store(index_entry(&writer->log, writer->last_block), position);
}

/* Whether a record of that id may come next: the one that is due; or a greater one, behind what was overwritten, or at
 * a jump, of which the last has ended at run_id. */
static bool may_follow(const struct event_log_writer *writer, bool is_oldest, uint64_t id)
{
    return id == writer->next_id || (id > writer->next_id && (is_oldest || id <= load(&writer->log.header->run_id)));
}

/* Goes through all records, from the oldest to the one that `newest` tells of. */
static int recover(struct event_log_writer *writer)
{
    const uint64_t packed = load(&writer->log.header->newest);
    struct event_record head = { 0 };

    writer->last_block = UINT64_MAX;
    writer->newest = newest_position(packed);
    writer->oldest = load(&writer->log.header->oldest);
    writer->next_id = load(&writer->log.header->first_id) ? load(&writer->log.header->next_id) : 0;
    if (writer->oldest > writer->newest || writer->newest - writer->oldest > writer->log.capacity ||
        (packed > 0 && writer->next_id == 0))
        return -EBADMSG;
    for (uint64_t position = writer->oldest; position < writer->newest; position += head.size) {
        if (!peek(&writer->log, position, writer->newest, &head) || head.time_us < writer->last_time ||
            !may_follow(writer, position == writer->oldest, head.id))
            return -EBADMSG;
        index_record(writer, position);
        writer->next_id = head.id + 1;
        writer->last_time = head.time_us;
    }
    if (writer->next_id > 0 && load(&writer->log.header->run_id) > writer->next_id)
        writer->next_id = load(&writer->log.header->run_id);
    if (writer->next_id == UINT64_MAX)
        return -EBADMSG;
    return head.size == newest_last_size(packed) && (packed == 0 || head.size > 0) ? 0 : -EBADMSG;
}

int event_log_writer_open(int fd, struct event_log_writer **ret_writer)
{
    struct event_log_writer *writer = calloc(1, sizeof(*writer));
    int r;

    if (!writer)
        return -ENOMEM;
    r = map(&writer->log, fd, PROT_READ | PROT_WRITE);
    if (r == 0)
        r = recover(writer);
    if (r < 0) {
        event_log_writer_close(writer);
        return r;
    }
    *ret_writer = writer;
    return 0;
}

void event_log_writer_close(struct event_log_writer *writer)
{
    if (writer && writer->log.header)
        munmap(writer->log.header, writer->log.map_size);
    free(writer);
}

const struct event_log *event_log_writer_view(const struct event_log_writer *writer)
{
    return &writer->log;
}

bool event_log_is_fresh(const struct event_log_writer *writer)
{
    return writer->next_id == 0;
}

void event_log_start(struct event_log_writer *writer, uint64_t first_id)
{
    event_log_start_at(writer, first_id, first_id, first_id);
}

void event_log_start_at(struct event_log_writer *writer, uint64_t first_id, uint64_t run_id, uint64_t next_id)
{
    struct header *header = writer->log.header;

    writer->next_id = next_id;
    store(&header->next_id, next_id);
    store(&header->run_before, run_id);
    store(&header->run_after, run_id == first_id ? first_id - 1 : 0);
    store(&header->run_id, run_id);
    store_release(&header->first_id, first_id);
}

int event_log_skip_to(struct event_log_writer *writer, uint64_t id)
{
    struct header *header = writer->log.header;

    if (writer->next_id == 0 || id < writer->next_id || id == UINT64_MAX)
        return -EINVAL;
    if (id == writer->next_id)
        return 0;
    if (load(&header->run_id) != writer->next_id) { /* else nothing has come since the last jump */
        store_release(&header->run_before, load(&header->run_id));
        store_release(&header->run_after, writer->next_id - 1);
    }
    store_release(&header->run_id, id);
    writer->next_id = id;
    return 0;
}

bool event_log_is_settled(const struct event_log_writer *writer)
{
    return load(&writer->log.header->settled) != 0;
}

void event_log_settle(struct event_log_writer *writer)
{
    store(&writer->log.header->settled, 1);
}

uint64_t event_log_next_id(const struct event_log_writer *writer)
{
    return writer->next_id;
}

uint64_t event_log_last_time(const struct event_log_writer *writer)
{
    return writer->last_time;
}

/* Whether they are whole records with the ids and times that are due; the last one's header. */
static bool check_batch(const struct event_log_writer *writer, const char *records, size_t size,
                        struct event_record *ret_last)
{
    uint64_t id = writer->next_id, time_us = writer->last_time;

    for (size_t offset = 0; offset < size; offset += ret_last->size) {
        if (!event_record_valid(records + offset, size - offset))
            return false;
        memcpy(ret_last, records + offset, sizeof(*ret_last));
        if (ret_last->id != id++ || ret_last->time_us < time_us)
            return false;
        time_us = ret_last->time_us;
    }
    return true;
}

/* Where the oldest record begins once the ring goes on to `end`. */
static int find_oldest(const struct event_log_writer *writer, uint64_t end, uint64_t *ret_oldest)
{
    uint64_t oldest = writer->oldest;
    struct event_record head;

    for (; end - oldest > writer->log.capacity; oldest += head.size) {
        copy_out((char *)&head, at(&writer->log, oldest), sizeof(head));
        if (!event_record_valid(&head, writer->newest - oldest))
            return -EIO;
    }
    *ret_oldest = oldest;
    return 0;
}

static void index_batch(struct event_log_writer *writer, const char *records, size_t size)
{
    uint32_t record_size;

    for (size_t offset = 0; offset < size; offset += record_size) {
        memcpy(&record_size, records + offset + offsetof(struct event_record, size), sizeof(record_size));
        index_record(writer, writer->newest + offset);
    }
}

int event_log_append(struct event_log_writer *writer, const void *records, size_t size)
{
    struct header *header = writer->log.header;
    struct event_record last;
    uint64_t oldest;
    int r;

    if (size == 0)
        return 0;
    if (size > writer->log.capacity / EVENT_LOG_APPEND_PART)
        return -EMSGSIZE;
    if (writer->next_id == 0 || !check_batch(writer, records, size, &last))
        return -EBADMSG;
    if (size > POSITION_MAX - writer->newest)
        return -EOVERFLOW;
    r = find_oldest(writer, writer->newest + size, &oldest);
    if (r < 0)
        return r;

    store(&header->oldest, oldest);                           /* W1 */
    atomic_thread_fence(memory_order_release);                /* W2 */
    copy_in(at(&writer->log, writer->newest), records, size); /* W3 */
    index_batch(writer, records, size);
    writer->oldest = oldest;
    writer->newest += size;
    writer->next_id = last.id + 1;
    writer->last_time = last.time_us;
    atomic_store_explicit(&header->newest, newest_pack(writer->newest, last.size), memory_order_release); /* W4 */
    return 0;
}

void event_log_count(struct event_log_writer *writer, enum event_log_figure figure, uint64_t n)
{
    word *to = &writer->log.header->figures[figure];

    store(to, load(to) + n);
}

/* ---- readers ---- */

int event_log_open(int fd, struct event_log **ret_log)
{
    struct event_log *log = calloc(1, sizeof(*log));
    int r;

    if (!log)
        return -ENOMEM;
    r = map(log, fd, PROT_READ);
    if (r < 0) {
        free(log);
        return r;
    }
    *ret_log = log;
    return 0;
}

void event_log_close(struct event_log *log)
{
    if (!log)
        return;
    munmap(log->header, log->map_size);
    free(log);
}

uint64_t event_log_figure(const struct event_log *log, enum event_log_figure figure)
{
    return load(&log->header->figures[figure]);
}

/* What is in the log: from `oldest` up to `newest`, the last record at `last`. */
struct span {
    uint64_t oldest, newest, last;
};

/* R1 and R2. False: nothing is in it, the writer went once around in between, or it is nonsense. */
static bool look(const struct event_log *log, struct span *span)
{
    uint64_t packed = atomic_load_explicit(&log->header->newest, memory_order_acquire);

    span->newest = newest_position(packed);
    span->last = span->newest - newest_last_size(packed);
    span->oldest = load(&log->header->oldest);
    return span->oldest <= span->last && span->last < span->newest && span->newest - span->oldest <= log->capacity;
}

/* The id before the first that was ever in this memfd; 0: it has no sequence yet. */
static uint64_t id_before_all(const struct event_log *log)
{
    return atomic_load_explicit(&log->header->first_id, memory_order_acquire) ? load(&log->header->next_id) - 1 : 0;
}

/* Behind the last record, with its id; false if that could not be had, and after_id is 0. */
static bool find_end(const struct event_log *log, struct event_cursor *ret_cursor)
{
    struct event_record head;
    struct span span;

    for (unsigned int attempt = 0; attempt < ATTEMPTS; attempt++) {
        bool found = look(log, &span);

        if (span.newest == 0) {
            *ret_cursor = (struct event_cursor){ .position = 0, .after_id = id_before_all(log) };
            return true;
        }
        if (found && peek(log, span.last, span.newest, &head)) {
            *ret_cursor = (struct event_cursor){ .position = span.newest, .after_id = head.id };
            return true;
        }
    }
    *ret_cursor = (struct event_cursor){ .position = span.newest };
    return false;
}

void event_log_seek_end(const struct event_log *log, struct event_cursor *ret_cursor)
{
    find_end(log, ret_cursor);
}

/* What is looked for: the first record for which this is false. It is true of none behind that one. */
struct sought {
    bool by_time;
    uint64_t value;
};

static bool comes_before(const struct event_record *head, const struct sought *sought)
{
    return sought->by_time ? head->time_us < sought->value : head->id <= sought->value;
}

/* The last record that is in the index and comes before; the oldest if there is none. False: overtaken, or nonsense. */
static bool search_index(const struct event_log *log, const struct span *span, const struct sought *sought,
                         uint64_t *ret_position)
{
    uint64_t low = span->oldest / BLOCK + 1, high = span->last / BLOCK, best = span->oldest;

    while (low <= high) {
        uint64_t middle = low + (high - low) / 2, position = load(index_entry(log, middle));
        struct event_record head;

        if (position / BLOCK != middle || position > span->last || !peek(log, position, span->newest, &head))
            return false;
        if (comes_before(&head, sought)) {
            best = position;
            low = middle + 1;
        } else {
            high = middle - 1;
        }
    }
    *ret_position = best;
    return true;
}

/* Goes on from there. The next that is in the index, or the end, is less than two blocks away. */
static bool search_block(const struct event_log *log, const struct span *span, const struct sought *sought,
                         uint64_t position, struct event_cursor *ret_cursor)
{
    const uint64_t limit = span->newest - position < 2 * BLOCK ? span->newest : position + 2 * BLOCK;
    struct event_record head;

    for (; position < limit; position += head.size) {
        if (!peek(log, position, span->newest, &head))
            return false;
        if (!comes_before(&head, sought)) {
            *ret_cursor = (struct event_cursor){ .position = position, .after_id = head.id - 1 };
            return true;
        }
    }
    return false;
}

static void seek(const struct event_log *log, const struct sought *sought, struct event_cursor *ret_cursor)
{
    for (unsigned int attempt = 0; attempt < ATTEMPTS; attempt++) {
        struct event_record head;
        struct span span;
        uint64_t position;

        if (!look(log, &span) || !peek(log, span.last, span.newest, &head))
            continue;
        if (comes_before(&head, sought)) {
            *ret_cursor = (struct event_cursor){ .position = span.newest, .after_id = head.id };
            return;
        }
        if (search_index(log, &span, sought, &position) && search_block(log, &span, sought, position, ret_cursor))
            return;
    }
    find_end(log, ret_cursor);
}

/* The runs of which something is known: the last, and the one before it. */
struct runs {
    uint64_t before, after, id;
};

static struct runs find_runs(const struct event_log *log)
{
    struct runs runs;

    runs.id = load_acquire(&log->header->run_id);
    runs.after = load_acquire(&log->header->run_after);
    runs.before = load(&log->header->run_before);
    return runs;
}

/* How many ids a reader has lost who had `from` and has to go on behind `to`, a record having been there in between.
 * Within a run that is what lies between the two; where the ids have jumped, nobody knows. */
static uint64_t count_between(const struct runs *runs, uint64_t from, uint64_t to)
{
    if (from == to || (from == runs->after && from > 0 && to == runs->id - 1))
        return 0;
    if (from < to && (from + 1 >= runs->id || (from + 1 >= runs->before && to <= runs->after)))
        return to - from;
    return EVENTS_MISSED_UNKNOWN;
}

/* Whether the record of that id is just before the cursor. */
static bool is_before(const struct event_log *log, uint64_t id, const struct event_cursor *cursor)
{
    struct event_cursor before;

    seek(log, &(struct sought){ .value = id - 1 }, &before);
    return before.position < cursor->position && before.after_id == id - 1;
}

uint64_t event_log_seek_id(const struct event_log *log, uint64_t after_id, struct event_cursor *ret_cursor)
{
    uint64_t first = load_acquire(&log->header->first_id);
    uint64_t asked = after_id == 0 && first > 0 ? first - 1 : after_id;
    struct runs runs;

    seek(log, &(struct sought){ .value = asked }, ret_cursor);
    if (after_id == 0 && first == 0)
        return 0;
    if (first == 0 || asked < first - 1 || asked > ret_cursor->after_id)
        return EVENTS_MISSED_UNKNOWN;
    runs = find_runs(log);
    if (asked == first - 1 || asked >= runs.id || (asked >= runs.before && asked <= runs.after))
        return count_between(&runs, asked, ret_cursor->after_id);
    return is_before(log, asked, ret_cursor) ? 0 : EVENTS_MISSED_UNKNOWN; /* of an older run, or in no run */
}

void event_log_seek_time(const struct event_log *log, uint64_t time_us, struct event_cursor *ret_cursor)
{
    seek(log, &(struct sought){ .by_time = true, .value = time_us }, ret_cursor);
}

/* Where a reader whose place is lost goes on: at the oldest record first; if it was overtaken there as well, further
 * on. */
static uint64_t place_after_loss(const struct event_log *log, const struct span *span, unsigned int attempt)
{
    uint64_t block = (span->oldest + (span->newest - span->oldest) / ATTEMPTS * attempt) / BLOCK + 1;
    uint64_t position = attempt > 0 ? load(index_entry(log, block)) : 0;

    return position / BLOCK == block && position > span->oldest && position <= span->last ? position : span->oldest;
}

/* Copies from `start` on. What was overtaken meanwhile is left out: returns the offset of the rest, `size` if none is.
 */
static size_t copy_records(const struct event_log *log, uint64_t start, char *buffer, size_t size)
{
    uint64_t oldest;

    copy_out(buffer, at(log, start), size);
    atomic_thread_fence(memory_order_acquire); /* R4 */
    oldest = load(&log->header->oldest);       /* R5 */
    if (oldest <= start)
        return 0;
    return oldest - start < size ? oldest - start : size;
}

/* Whole records, and the ids of the first and of the last. */
struct run {
    size_t size;
    uint64_t first, last;
};

/* Those that the bytes begin with: the first has an id greater than that one, the others those that follow it. Where
 * the ids jump the next read begins. */
static struct run find_run(const char *bytes, size_t size, uint64_t after_id)
{
    struct run run = { .size = 0 };
    struct event_record head;

    for (; event_record_valid(bytes + run.size, size - run.size); run.size += head.size) {
        memcpy(&head, bytes + run.size, sizeof(head));
        if (run.size > 0 ? head.id != run.last + 1 : head.id <= after_id)
            break;
        if (run.size == 0)
            run.first = head.id;
        run.last = head.id;
    }
    return run;
}

/* How many there were between the cursor and the place to which it goes, behind the id `last`. A cursor without an id
 * is from before the sequence began. */
static uint64_t count_missed(const struct event_log *log, const struct event_cursor *cursor, uint64_t position,
                             uint64_t last)
{
    struct runs runs = find_runs(log);

    if (position == cursor->position)
        return 0;
    return count_between(&runs, cursor->after_id > 0 ? cursor->after_id : id_before_all(log), last);
}

/* The cursor's next record is not there any more, and nothing else could be had. */
static uint64_t skip_all(const struct event_log *log, struct event_cursor *cursor)
{
    struct event_cursor end;
    uint64_t missed = EVENTS_MISSED_UNKNOWN;

    if (find_end(log, &end))
        missed = count_missed(log, cursor, end.position, end.after_id);
    *cursor = end;
    return missed;
}

/* Returns the size of what was read; 0: the place was overtaken, or what is there is nonsense. */
static size_t read_once(const struct event_log *log, const struct span *span, unsigned int attempt,
                        struct event_cursor *cursor, char *buffer, size_t room, uint64_t *ret_missed)
{
    uint64_t start = cursor->position >= span->oldest ? cursor->position : place_after_loss(log, span, attempt);
    size_t size = (span->newest - start < room ? span->newest - start : room) / WORD * WORD;
    size_t skipped = copy_records(log, start, buffer, size);
    struct run run = find_run(buffer + skipped, size - skipped, cursor->after_id);

    if (run.size == 0)
        return 0;
    if (skipped > 0)
        memmove(buffer, buffer + skipped, run.size);
    start += skipped;
    *ret_missed = count_missed(log, cursor, start, run.first - 1);
    *cursor = (struct event_cursor){ .position = start + run.size, .after_id = run.last };
    return run.size;
}

size_t event_log_read(const struct event_log *log, struct event_cursor *cursor, void *buffer, size_t room,
                      uint64_t *ret_missed)
{
    for (unsigned int attempt = 0; attempt < ATTEMPTS; attempt++) {
        struct span span;
        bool found = look(log, &span);
        size_t size;

        if (cursor->position >= span.newest) {
            *ret_missed = 0;
            return 0;
        }
        size = found ? read_once(log, &span, attempt, cursor, buffer, room, ret_missed) : 0;
        if (size > 0)
            return size;
    }
    *ret_missed = skip_all(log, cursor);
    return 0;
}

bool event_log_has_more(const struct event_log *log, const struct event_cursor *cursor)
{
    return newest_position(atomic_load_explicit(&log->header->newest, memory_order_acquire)) > cursor->position;
}
