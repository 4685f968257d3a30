/*
 * A listing as people read it: a line for each holder of each socket, below a line of headings.
 */
#ifndef BERTH_SOCKETS_LISTING_TABLE_H
#define BERTH_SOCKETS_LISTING_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "sockets/listing.h"
#include "sockets/people.h"

/* `peers`: with a column of who is at the other end. -ENOMEM; what becomes of the stream is the caller's to see. */
int listing_table_print(const struct listing *listing, bool peers, struct people *people, FILE *stream);

#endif
