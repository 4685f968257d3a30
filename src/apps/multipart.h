/*
 * The body of a reply with several ranges: multipart/byteranges (RFC 9110 section 14.6), made while it is sent.
 */
#ifndef BERTH_APPS_MULTIPART_H
#define BERTH_APPS_MULTIPART_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "apps/range.h"

#define MULTIPART_BOUNDARY_SIZE 32 /* hexadecimal digits */

struct multipart;

/* For ranges of something of `size` bytes with a Content-Type of its own. The boundary is random: nothing can be
 * prepared to contain it. NULL without memory, or randomness. */
struct multipart *multipart_new(const char *type, uint64_t size, const struct range *ranges, size_t count);
void multipart_free(struct multipart *multipart); /* NULL is allowed */

/* The Content-Type of the whole. It is the multipart's. */
const char *multipart_type(const struct multipart *multipart);

/* How many bytes the body has. */
uint64_t multipart_size(const struct multipart *multipart);

/* Up to `room` bytes of the body from `offset` on; those of the ranges come from `read`, which fails as a whole when it
 * has none left (-EIO) or returns a negative errno. At least one byte before the end. */
ssize_t multipart_read(const struct multipart *multipart, uint64_t offset, void *buffer, size_t room,
                       ssize_t (*read)(const void *source, uint64_t offset, void *buffer, size_t room),
                       const void *source);

#endif
