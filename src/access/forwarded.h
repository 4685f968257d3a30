/*
 * What a trusted proxy says of its client: X-Forwarded-For, -Proto, -Host, -Prefix, and Forwarded (RFC 7239). Pure:
 * whose word may be taken is the caller's to know.
 *
 * Each field may hold a list, and come several times: the last entry is the proxy's own, what is before it came from
 * whoever spoke to the proxy, and is not believed. A value that is malformed or empty is as good as none. Where
 * Forwarded and an X-Forwarded field contradict each other, neither is believed: a proxy that sets one of them and
 * passes the other on would let its client choose.
 */
#ifndef BERTH_ACCESS_FORWARDED_H
#define BERTH_ACCESS_FORWARDED_H

#include <stdbool.h>
#include <stddef.h>

#define FORWARDED_ADDRESS_MAX 48  /* of IPv6 in text, with its NUL */
#define FORWARDED_HOST_MAX    256 /* with its NUL */
#define FORWARDED_PREFIX_MAX  256 /* with its NUL */

enum forwarded_field {
    FORWARDED_FOR,
    FORWARDED_PROTO,
    FORWARDED_HOST,
    FORWARDED_PREFIX,
    FORWARDED_RFC7239,
    FORWARDED_FIELDS
};

/* "" for what is not known. */
struct forwarded {
    char address[FORWARDED_ADDRESS_MAX]; /* as inet_ntop(3) writes it, without a port */
    char scheme[6];                      /* "http" or "https" */
    char host[FORWARDED_HOST_MAX];       /* as a Host field has it */
    char prefix[FORWARDED_PREFIX_MAX];   /* "/x", as --root-path */
};

/* Which of the fields a name is, compared without case; -1: none of them. Every one of these is taken out of what an
 * application sees, unless a trusted proxy sent it. */
int forwarded_field(const char *name, size_t size);

/* `values[field]` is the last of that name's, or NULL. */
void forwarded_parse(const char *const values[FORWARDED_FIELDS], struct forwarded *ret_forwarded);

#endif
