/*
 * Range requests (RFC 9110 section 14): which bytes a Range field asks for.
 */
#ifndef BERTH_APPS_RANGE_H
#define BERTH_APPS_RANGE_H

#include <stddef.h>
#include <stdint.h>

/* A field with more ranges is not followed: the whole is sent. */
#define RANGES_MAX 16

/* Ranges that overlap, or have no more than this between them, become one: a part's own head costs as much. */
#define RANGE_GAP_MAX 80

struct range {
    uint64_t first, size;
};

enum range_result {
    RANGE_NONE,          /* nothing that is followed: the whole is sent */
    RANGE_SOME,          /* 206 */
    RANGE_UNSATISFIABLE, /* 416 */
};

/*
 * The ranges that a field asks for of `size` bytes: none that is empty, none that reaches over the end, none that
 * touches another, in the order in which they were asked for. A field that is malformed, or of another unit than bytes,
 * is RANGE_NONE; so is what can only be answered with nothing: the last bytes of an empty file.
 */
enum range_result ranges_parse(const char *field, uint64_t size, struct range ret_ranges[RANGES_MAX],
                               size_t *ret_count);

#endif
