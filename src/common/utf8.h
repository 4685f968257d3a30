/*
 * Characters of UTF-8 (RFC 3629).
 */
#ifndef BERTH_COMMON_UTF8_H
#define BERTH_COMMON_UTF8_H

#include <stddef.h>

/* No character takes more bytes. */
#define UTF8_SIZE_MAX 4

/* The bytes of the character at `text`, of which `left`, at least one, may be read; 0 if what is there is none, is not
 * whole, or is U+0000. Of a text that ends with a NUL, UTF8_SIZE_MAX may be: nothing behind the NUL is read. */
size_t utf8_size(const char *text, size_t left);

#endif
