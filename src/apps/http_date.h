/*
 * Dates as HTTP writes them (RFC 9110 section 5.6.7), in seconds since 1970.
 */
#ifndef BERTH_APPS_HTTP_DATE_H
#define BERTH_APPS_HTTP_DATE_H

#include <stdint.h>

#define HTTP_DATE_SIZE 30 /* "Sun, 06 Nov 1994 08:49:37 GMT" and a NUL */

/* The years that can be written: 0001 to 9999. */
#define HTTP_DATE_MIN (-62135596800LL)
#define HTTP_DATE_MAX 253402300799LL

/*
 * Any of the three formats that a recipient must accept. `now` decides which century a year of two digits is in: it is
 * never more than 50 years ahead. -EINVAL for what is no date; the name of the day is not compared with the date.
 */
int http_date_parse(const char *text, int64_t now, int64_t *ret_seconds);

/* In the one format that is written. -ERANGE outside of the years that it can write. */
int http_date_format(int64_t seconds, char ret_text[HTTP_DATE_SIZE]);

#endif
