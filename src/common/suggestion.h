/*
 * "Did you mean": the known word that is nearest to an unknown one.
 */
#ifndef BERTH_COMMON_SUGGESTION_H
#define BERTH_COMMON_SUGGESTION_H

#include <stddef.h>

struct suggestion {
    const char *word; /* the unknown one */
    const char *best; /* NULL: nothing is near */
    size_t distance;
};

#define SUGGESTION(unknown)                                                                                            \
    {                                                                                                                  \
        (unknown), NULL, 0                                                                                             \
    }

void suggestion_consider(struct suggestion *suggestion, const char *known);

/* How many letters must be put in, taken out, changed or swapped with their neighbour. Words longer than 63 are far
 * from everything. */
size_t suggestion_distance(const char *a, const char *b);

#endif
