/*
 * Numbers in JSON (RFC 8259 section 6): no + before, no 0 before another digit, digits on both sides of a point.
 */
#ifndef BERTH_EVENTS_JSON_NUMBER_H
#define BERTH_EVENTS_JSON_NUMBER_H

#include <stddef.h>

/* How long the number at `text`, which is before `end`, is; 0, and why, if it is none, an integer of more than 64 bits,
 * or more than a double can hold. */
size_t json_number_size(const char *text, const char *end, const char **ret_mistake);

#endif
