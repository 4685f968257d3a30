/*
 * The Host field (RFC 9110 section 7.2), or the authority of an absolute-form target: is it one, and do we answer to
 * it?
 *
 * A web page whose own name was made to resolve to this machine (DNS rebinding) is told by the name that its
 * browser sends. So only names are answered to that no attacker can own: none, a name without a dot, the socket's path
 * (which some clients send, encoded or not), localhost and what is below it, loopback addresses; and those in the list.
 */
#ifndef BERTH_HTTP_HOST_H
#define BERTH_HTTP_HOST_H

#include <stdbool.h>
#include <stddef.h>

enum host_verdict {
    HOST_ALLOWED,
    HOST_FOREIGN,   /* a host, but not one of ours: 421 */
    HOST_MALFORMED, /* neither a host nor a path: 400 */
};

/* Whether it is `uri-host [ ":" port ]`: a registered name, an IPv4 address or an [IPv6 address], and a port up to
 * 65535 or an empty one. An empty value is valid; a port alone, user information and a path are not. */
bool host_valid(const char *value);

/*
 * The verdict. Entries of `extra` are names or addresses without a port, or "*.example.org" for every name below that
 * one. Case, the port and one dot at the end do not count; but a single label that ends in a dot ("ai.") is a public
 * top-level domain and no local name. A NULL value (HTTP/1.0 without Host) is judged as an empty one.
 */
enum host_verdict host_check(const char *value, char *const *extra, size_t extra_count);

#endif
