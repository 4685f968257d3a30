/*
 * What went wrong, for a person: it names the thing, the value and the way out. Library code fills one of these and
 * returns a negative errno; programs print it.
 */
#ifndef BERTH_COMMON_ERROR_H
#define BERTH_COMMON_ERROR_H

struct error {
    char text[512];
};

/* Stores the formatted text, cut at the end if it must be, and returns `r`, so that `return error_set(error, -EINVAL,
 * …)` is one line. A NULL error is allowed. */
int error_set(struct error *error, int r, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
