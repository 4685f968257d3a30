/*
 * One request to a server and what comes back, within a time.
 */
#ifndef BERTH_DOCTOR_EXCHANGE_H
#define BERTH_DOCTOR_EXCHANGE_H

#include <stddef.h>

#include "doctor/answer.h"

enum {
    EXCHANGE_PATIENCE_MS = 2000, /* for all of it */
    EXCHANGE_ANSWER_MAX = 16 * 1024,
};

#define EXCHANGE_TARGET "/_ping"

enum exchange_end {
    EXCHANGE_ANSWERED, /* it speaks HTTP: `answer` */
    EXCHANGE_OTHER,    /* it says something else: `bytes` */
    EXCHANGE_CLOSED,   /* it closes before it has answered; `bytes` is what it said */
    EXCHANGE_SILENT,   /* so it is when the time is over */
};

struct exchange {
    enum exchange_end end;
    struct answer answer;
    char bytes[EXCHANGE_ANSWER_MAX];
    size_t size;
};

/* Asks for EXCHANGE_TARGET over `fd`, a connected stream socket with O_NONBLOCK, under the name `host`. */
void exchange_make(int fd, const char *host, struct exchange *ret_exchange);

#endif
