#include "access/origin.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "common/number.h"
#include "http/host.h"

/* Taken apart, and pointing into the text. */
struct origin {
    const char *scheme, *host;
    size_t scheme_size, host_size;
    uint64_t port; /* 0: none, and the scheme has none */
};

#define ORIGIN_HOST_MAX 256

static uint64_t default_port(const char *scheme, size_t size)
{
    if (size == 4 && strncasecmp(scheme, "http", size) == 0)
        return 80;
    if (size == 5 && strncasecmp(scheme, "https", size) == 0)
        return 443;
    return 0;
}

/* Takes host and port apart. False for what is no host. */
static bool host_split(const char *text, uint64_t fallback, struct origin *origin)
{
    const char *name_end = text[0] == '[' ? strchr(text, ']') : NULL, *colon;

    if (text[0] == '\0' || strlen(text) >= ORIGIN_HOST_MAX || !host_valid(text))
        return false;
    colon = strchrnul(name_end ? name_end : text, ':');
    origin->host = text;
    origin->host_size = (size_t)(colon - text);
    origin->port = fallback;
    return colon[0] == '\0' || colon[1] == '\0' || number_parse(colon + 1, 0, 65535, &origin->port, NULL) == 0;
}

/* scheme "://" host [ ":" port ] (RFC 6454 section 6.2). "null" is none, and a list of two begins with no scheme. */
static bool origin_split(const char *text, struct origin *origin)
{
    static const char scheme_bytes[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-.";

    origin->scheme = text;
    origin->scheme_size = strspn(text, scheme_bytes);
    if (origin->scheme_size == 0 || strncmp(text + origin->scheme_size, "://", 3) != 0)
        return false;
    return host_split(text + origin->scheme_size + 3, default_port(text, origin->scheme_size), origin);
}

static bool hosts_equal(const struct origin *a, const struct origin *b)
{
    return a->host_size == b->host_size && strncasecmp(a->host, b->host, a->host_size) == 0 && a->port == b->port;
}

static bool schemes_equal(const struct origin *a, const struct origin *b)
{
    return a->scheme_size == b->scheme_size && strncasecmp(a->scheme, b->scheme, a->scheme_size) == 0;
}

/* Whether the page's site is the one that is asked. Where it is not known by which scheme, it is taken for the page's:
 * a port that was left out of the host is then that one's. */
static bool is_own(const struct origin *origin, const struct origin_question *question)
{
    bool known = question->scheme && question->scheme[0];
    struct origin own = { .scheme = known ? question->scheme : origin->scheme,
                          .scheme_size = known ? strlen(question->scheme) : origin->scheme_size };

    if (!question->host || !host_split(question->host, default_port(own.scheme, own.scheme_size), &own))
        return false;
    return schemes_equal(origin, &own) && hosts_equal(origin, &own);
}

static bool is_allowed(const struct origin *origin, const struct text_list *allowed)
{
    struct origin entry;

    for (size_t i = 0; i < allowed->count; i++) {
        if (strcmp(allowed->items[i], "*") == 0)
            return true;
        if (origin && origin_split(allowed->items[i], &entry) && schemes_equal(origin, &entry) &&
            hosts_equal(origin, &entry))
            return true;
    }
    return false;
}

static bool changes_nothing(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 || strcmp(method, "OPTIONS") == 0 ||
           strcmp(method, "TRACE") == 0;
}

bool origin_is_foreign(const struct origin_question *question, const struct text_list *allowed)
{
    const char *site = question->sec_fetch_site;
    struct origin origin;
    bool known;

    if ((!site && !question->origin) || changes_nothing(question->method))
        return false;
    if (site && (strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0))
        return false;
    known = question->origin && origin_split(question->origin, &origin);
    if (!site && known && is_own(&origin, question))
        return false;
    return !is_allowed(known ? &origin : NULL, allowed);
}
