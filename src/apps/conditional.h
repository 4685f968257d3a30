/*
 * Conditional requests (RFC 9110 section 13): what the four conditions and If-Range say about a representation.
 */
#ifndef BERTH_APPS_CONDITIONAL_H
#define BERTH_APPS_CONDITIONAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many lines of If-Match, and of If-None-Match, are looked at. A condition with more counts as malformed. */
#define CONDITION_LINES_MAX 8

/* A field's lines, as they came. */
struct condition_lines {
    const char *lines[CONDITION_LINES_MAX];
    size_t count; /* may be more than the lines that are kept */
};

/* What a request brings; zeroes at first. */
struct conditions {
    struct condition_lines match, none_match, modified_since, unmodified_since, range, if_range;
};

/* What can be compared with. */
struct validators {
    const char *tag;  /* NULL: none */
    bool dated;       /* it has a Last-Modified: */
    int64_t modified; /* in seconds since 1970 */
    int64_t now;      /* for years of two digits */
};

enum condition_result {
    CONDITION_PASSED,       /* go on, with Range if there is one */
    CONDITION_WHOLE,        /* go on; Range is not to be looked at */
    CONDITION_NOT_MODIFIED, /* 304 */
    CONDITION_FAILED,       /* 412 */
};

/* Keeps the line if it is of one of the fields. */
void conditions_take(struct conditions *conditions, const char *name, const char *value);

/*
 * For a GET or HEAD whose answer would otherwise be a 200, in the order of RFC 9110 section 13.2.2. A date that is none
 * is not there (sections 13.1.3, 13.1.4), as is one that has two lines. A list of tags that is malformed holds those
 * before the fault: so If-Match fails on it, and If-None-Match sends the whole. Range is for GET alone, and for one
 * line of it.
 */
enum condition_result conditions_check(const struct conditions *conditions, const struct validators *validators,
                                       bool get);

#endif
