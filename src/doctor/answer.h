/*
 * What a server answers, as far as it tells whether it speaks HTTP, and how it is. Bytes from outside, so a fuzz target
 * feeds it.
 */
#ifndef BERTH_DOCTOR_ANSWER_H
#define BERTH_DOCTOR_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

enum { ANSWER_TEXT_MAX = 63 };

struct answer {
    unsigned int status; /* 0 while the first line is not there */
    char reason[ANSWER_TEXT_MAX + 1];
    char server[ANSWER_TEXT_MAX + 1]; /* of the field Server; "" without one */
    bool retry_after;                 /* it has this field */
};

/* Reads what has come so far: 1 when the head is complete, 0 when more is to come, -EPROTO for what is no HTTP/1.x.
 * Texts are cut at ANSWER_TEXT_MAX bytes. */
int answer_read(const char *bytes, size_t size, struct answer *ret_answer);

#endif
