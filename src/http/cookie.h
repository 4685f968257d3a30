/*
 * Cookies as a user agent sends them (RFC 6265 section 5.4).
 */
#ifndef BERTH_HTTP_COOKIE_H
#define BERTH_HTTP_COOKIE_H

#include <stddef.h>

/*
 * The first cookie of that very name (case counts) in one Cookie field's value: a pointer into `header` at its value,
 * undecoded and without surrounding quotes, and its size; no NUL ends it. NULL if there is none.
 */
const char *cookie_find(const char *header, const char *name, size_t *ret_size);

#endif
