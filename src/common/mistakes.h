/*
 * What is wrong with the settings, all of it: whoever corrects a file wants to see every mistake and not only the
 * first. Each is one line that names the place, the value and what was expected.
 */
#ifndef BERTH_COMMON_MISTAKES_H
#define BERTH_COMMON_MISTAKES_H

#include <stdbool.h>
#include <stddef.h>

/* More than anybody corrects in one go; those after it are counted. */
#define MISTAKES_MAX 100

struct mistake {
    char *text;
    unsigned int line; /* of the configuration file; 0: on the command line, in the environment, of the file as such */
    bool warning;      /* nothing fails because of it */
};

struct mistakes {
    struct mistake *items;
    size_t count;
    size_t left_out; /* after MISTAKES_MAX */
    int r;           /* the first mistake's -errno; 0: there are at most warnings */
};

/* Adds one line; control characters in it are escaped. Returns `r`. */
int mistakes_add(struct mistakes *mistakes, int r, unsigned int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void mistakes_warn(struct mistakes *mistakes, unsigned int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* By their lines; those of one line stay in their order. */
void mistakes_sort(struct mistakes *mistakes);

void mistakes_done(struct mistakes *mistakes);

#endif
