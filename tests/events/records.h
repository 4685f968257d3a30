/*
 * Records for tests: their text is made from their id, so that one that was mixed up with another shows.
 */
#ifndef TESTS_EVENTS_RECORDS_H
#define TESTS_EVENTS_RECORDS_H

#include <check.h>
#include <stdint.h>
#include <string.h>

#include "events/event.h"

/* With a type and a data of one byte. */
#define RECORD_MIN (sizeof(struct event_record) + 8)

/* A small generator of numbers that are the same in every run. */
static inline uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static inline uint64_t text_word(uint64_t id, size_t i)
{
    return (id ^ (i << 32)) * UINT64_C(0x9e3779b97f4a7c15);
}

/* One of `size` bytes, a multiple of 8. Returns its size. */
static inline size_t record_make(char *to, size_t size, uint64_t id, uint64_t time_us)
{
    struct event_record head = { .size = (uint32_t)size,
                                 .text_size = (uint32_t)(size - sizeof(head) - id % 8),
                                 .type_size = 1,
                                 .data_offset = 0,
                                 .data_size = 1,
                                 .id = id,
                                 .time_us = time_us,
                                 .token = ~id };

    memcpy(to, &head, sizeof(head));
    for (size_t i = sizeof(head); i < size; i += sizeof(uint64_t)) {
        uint64_t word = text_word(id, i);

        memcpy(to + i, &word, sizeof(word));
    }
    return size;
}

/* For what is checked very often: each of Check's own assertions is a system call. */
#define must(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            ck_abort_msg("%s:%d: does not hold: %s", __FILE__, __LINE__, #condition);                                  \
    } while (0)

/* That it is one that record_make has made. Returns its size. */
static inline size_t record_check(const char *bytes, size_t room, uint64_t *ret_id)
{
    struct event_record head;

    must(event_record_valid(bytes, room));
    memcpy(&head, bytes, sizeof(head));
    must(head.token == ~head.id);
    for (size_t i = sizeof(head); i < head.size; i += sizeof(uint64_t)) {
        uint64_t word;

        memcpy(&word, bytes + i, sizeof(word));
        must(word == text_word(head.id, i));
    }
    *ret_id = head.id;
    return head.size;
}

#endif
