/*
 * A listing as programs read it: an array with an object for each socket.
 */
#ifndef BERTH_SOCKETS_LISTING_JSON_H
#define BERTH_SOCKETS_LISTING_JSON_H

#include <jansson.h>

#include "sockets/listing.h"
#include "sockets/people.h"

/* The caller's reference. NULL: out of memory. */
json_t *listing_json(const struct listing *listing, struct people *people);

/* Any bytes as a text, NULs among them: U+FFFD stands for each that is no UTF-8, and then *ret_exact is false. */
json_t *listing_json_text(const char *bytes, size_t size, bool *ret_exact);

#endif
