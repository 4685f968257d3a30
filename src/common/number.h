/*
 * Numbers as people write them: checked, with a message that says what would be right. Each returns 0; -EINVAL for what
 * is not such a number; -ERANGE for one outside of [min, max]. The message begins with the text in quotes, for the
 * caller to put the option's name before it.
 */
#ifndef BERTH_COMMON_NUMBER_H
#define BERTH_COMMON_NUMBER_H

#include <stdint.h>
#include <sys/types.h>

#include "common/error.h"

/* Decimal digits and nothing else: no sign, no blanks. */
int number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *ret_number, struct error *error);

/* Bytes: a number, with K, M, G or T (either case) for 1024 of the one before. */
int number_parse_size(const char *text, uint64_t min, uint64_t max, uint64_t *ret_bytes, struct error *error);

/* A time: a number with an optional fraction and an optional unit ms, s, m, h or d; seconds without one. Nothing finer
 * than a millisecond is taken. */
int number_parse_duration(const char *text, uint64_t min, uint64_t max, uint64_t *ret_ms, struct error *error);

/* A file's permissions: three octal digits, or four of which the first is 0. */
int number_parse_mode(const char *text, mode_t *ret_mode, struct error *error);

/* The shortest text that the parsers above read as this value. */
#define NUMBER_TEXT_MAX 24
void number_format_size(uint64_t bytes, char *ret_text);
void number_format_duration(uint64_t ms, char *ret_text);

#endif
