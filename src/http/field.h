/*
 * Strictness about methods and fields: what may be a name, a value, a length (RFC 9110 sections 5.1, 5.5, 5.6.2
 * and 8.6, RFC 9112 section 6.1). The library underneath lets through more than two readers of one message would agree
 * on.
 */
#ifndef BERTH_HTTP_FIELD_H
#define BERTH_HTTP_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A token: at least one byte, no separators, no spaces, ASCII. */
bool field_name_valid(const char *name, size_t size);
bool method_valid(const char *method);

/* No control characters but HTAB, and no NUL; bytes from 0x80 (obs-text) are allowed, so is an empty value. */
bool field_value_valid(const char *value, size_t size);

/* Digits alone. -EINVAL for anything else, -ERANGE past 2^64 - 1. */
int content_length_parse(const char *value, uint64_t *ret_length);

/* Whether it is "chunked", in any case, and nothing else. */
bool transfer_encoding_chunked(const char *value);

#endif
