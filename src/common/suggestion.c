#include "common/suggestion.h"

#include <string.h>

#define WORD_MAX 63

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t smaller = a < b ? a : b;

    return smaller < c ? smaller : c;
}

size_t suggestion_distance(const char *a, const char *b)
{
    size_t a_length = strlen(a), b_length = strlen(b);
    size_t rows[3][WORD_MAX + 1]; /* of the usual table, the last three rows */

    if (a_length > WORD_MAX || b_length > WORD_MAX)
        return WORD_MAX + 1;
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3], *above = rows[(i - 1) % 3], *two_above = rows[(i + 1) % 3];

        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            row[j] = min3(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && two_above[j - 2] + 1 < row[j])
                row[j] = two_above[j - 2] + 1;
        }
    }
    return rows[a_length % 3][b_length];
}

void suggestion_consider(struct suggestion *suggestion, const char *known)
{
    size_t length = strlen(suggestion->word), distance = suggestion_distance(suggestion->word, known);

    /* A third of the letters wrong is a typing error; more is another word. A word that was begun is near too. */
    if (distance > 1 + length / 3 && !(length >= 4 && strncmp(known, suggestion->word, length) == 0))
        return;
    if (suggestion->best && distance >= suggestion->distance)
        return;
    suggestion->best = known;
    suggestion->distance = distance;
}
