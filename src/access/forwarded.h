/*
 * What a trusted proxy says of its client: X-Forwarded-For, -Proto, -Host, -Prefix, and Forwarded (RFC 7239). Pure:
 * whose word may be taken is the caller's to know.
 *
 * Each field may hold a list, and come several times: the last entry is the proxy's own, what is before it came from
 * whoever spoke to the proxy, and is not believed. A value that is malformed or empty is as good as none. Where
 * Forwarded and an X-Forwarded field contradict each other, one of them was sent by the client and passed on by a proxy
 * that sets the other, and nobody knows which: then nothing is believed.
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
    char prefix[FORWARDED_PREFIX_MAX];   /* "/x", as --root-path, without a slash at its end; "/" for the root */
};

/* Which of the fields a name is, compared without case; -1: none of them. */
int forwarded_field(const char *name, size_t size);

/* Whether a field of that name is one by which a proxy speaks of its client: these, everything else that begins with
 * X-Forwarded-, and X-Real-IP; with "_" for "-" as well. They are taken out of what an application sees, unless a
 * trusted proxy sent them. */
bool forwarded_speaks(const char *name, size_t size);

/* `values[field]` is the last of that name's, or NULL. */
void forwarded_parse(const char *const values[FORWARDED_FIELDS], struct forwarded *ret_forwarded);

#endif
