/*
 * An event on its way in, and a record: an event as it lies in a batch, in the journal and in the log.
 */
#ifndef BERTH_EVENTS_EVENT_H
#define BERTH_EVENTS_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What has not yet a number. Texts are not NUL-terminated. */
struct event {
    uid_t uid;
    pid_t pid;
    const char *user;
    size_t user_size; /* at most EVENT_USER_MAX */
    const char *type;
    size_t type_size; /* 1 to BERTH_EVENT_TYPE_MAX, of the characters that a type may have */
    const char *data; /* valid JSON text in compact form: no line break */
    size_t data_size; /* with the type's at most BERTH_EVENT_SIZE_MAX */
    /* The address that a trusted proxy, whose uid, pid and user these are then, told of; NULL: it came through none. */
    const char *client;
    size_t client_size; /* at most EVENT_CLIENT_MAX; 0: the proxy did not say */
};

enum { EVENT_USER_MAX = 256, EVENT_CLIENT_MAX = 47 };

/*
 * A record. `text` is the line of JSON that every reader gets (berth.h, chapter 7), without its line break; type and
 * data are found within it. The size is a multiple of 8, so that records follow each other in place. All in the
 * machine's own byte order: journals do not travel.
 */
struct event_record {
    uint32_t size; /* of all of it, this header and padding included */
    uint32_t text_size;
    uint16_t type_offset, type_size; /* in the text */
    uint32_t data_offset, data_size; /* in the text */
    uint32_t reserved;               /* 0 */
    uint64_t id;
    uint64_t time_us;
    uint64_t token; /* of the publication that brought it (channel.h); 0: none */
    char text[];
};

/* No record is larger. */
#define EVENT_RECORD_MAX 67584

/* How large a record is whose text is so long. */
static inline uint64_t event_record_size(uint64_t text_size)
{
    return (sizeof(struct event_record) + text_size + 7) / 8 * 8;
}

/* Whether `room` bytes begin with a whole record all of whose sizes and offsets hold; nothing is read beyond them. They
 * need not be aligned. A record has a type, data, and an id that is neither 0 nor UINT64_MAX. */
bool event_record_valid(const void *bytes, size_t room);

#endif
