/*
 * Which content coding a client wants (RFC 9110 section 12.5.3).
 */
#ifndef BERTH_APPS_ACCEPT_ENCODING_H
#define BERTH_APPS_ACCEPT_ENCODING_H

#include <stdbool.h>

enum encoding { ENCODING_IDENTITY, ENCODING_GZIP, ENCODING_BR, ENCODING_COUNT };

/* What a client said, in thousandths of a weight; begin with encodings_init. */
struct encodings {
    int weights[ENCODING_COUNT]; /* -1: not named */
    int others;                  /* of "*" */
};

void encodings_init(struct encodings *encodings);

/* One line of Accept-Encoding. What cannot be understood of it is passed over. */
void encodings_take(struct encodings *encodings, const char *line);

/*
 * The best of those that are there; the smaller one (br, then gzip) of two that weigh the same. ENCODING_IDENTITY
 * always is there, and is also what a client gets that refuses everything: the RFC would rather have that than no
 * answer.
 */
enum encoding encodings_choose(const struct encodings *encodings, const bool there[ENCODING_COUNT]);

#endif
