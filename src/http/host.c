#include "http/host.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "http/percent.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS  "0123456789"

/* RFC 3986 section 2: what stands for itself in a registered name. */
static const char name_bytes[] = LETTERS DIGITS "-._~!$&'()*+,;=";
/* And in a path (section 3.3). */
static const char path_bytes[] = LETTERS DIGITS "-._~!$&'()*+,;=:@/";
/* What a name on a real network is made of. */
static const char label_bytes[] = LETTERS DIGITS "-_";

/* A piece of the value that is judged. */
struct span {
    const char *text;
    size_t size;
};

static bool span_equals(struct span span, const char *text)
{
    return strlen(text) == span.size && strncasecmp(span.text, text, span.size) == 0;
}

/* Whether it ends so, with something before it. */
static bool span_below(struct span span, const char *end)
{
    size_t size = strlen(end);

    return span.size > size && strncasecmp(span.text + span.size - size, end, size) == 0;
}

/* Whether every byte is one of `bytes`, or percent-encoded and not a NUL. */
static bool span_made_of(struct span span, const char *bytes)
{
    for (size_t i = 0; i < span.size; i++) {
        if (span.text[i] == '%') {
            if (percent_byte(span.text + i, span.size - i) <= 0)
                return false;
            i += 2;
        } else if (!strchr(bytes, span.text[i])) {
            return false;
        }
    }
    return true;
}

/* Empty, or a number up to 65535 (RFC 3986 section 3.2.3). */
static bool port_valid(const char *port)
{
    size_t size = strspn(port, DIGITS);
    unsigned int number = 0;

    if (port[size] != '\0' || size > 5)
        return false;
    for (size_t i = 0; i < size; i++)
        number = number * 10 + (unsigned int)(port[i] - '0');
    return number <= 65535;
}

/* Reads "[IPv6 address]", without zones and future versions (RFC 3986 section 3.2.2): no client of ours sends those. */
static bool literal_parse(struct span host, struct in6_addr *ret_address)
{
    char text[INET6_ADDRSTRLEN];

    if (host.size < 2 || host.size - 2 >= sizeof(text) || host.text[0] != '[' || host.text[host.size - 1] != ']')
        return false;
    memcpy(text, host.text + 1, host.size - 2);
    text[host.size - 2] = '\0';
    return inet_pton(AF_INET6, text, ret_address) == 1;
}

/* Takes the host out of a value that is valid as a whole. */
static bool host_parse(const char *value, struct span *ret_host)
{
    struct span host = { .text = value, .size = strcspn(value, ":") };
    struct in6_addr address;

    if (value[0] == '[') {
        const char *end = strchr(value, ']');

        if (!end)
            return false;
        host.size = (size_t)(end + 1 - value);
        if (!literal_parse(host, &address))
            return false;
    } else if (!span_made_of(host, name_bytes)) {
        return false;
    }
    if (value[host.size] != '\0') {
        if (host.size == 0 || value[host.size] != ':' || !port_valid(value + host.size + 1))
            return false;
    }
    *ret_host = host;
    return true;
}

bool host_valid(const char *value)
{
    struct span host;

    return host_parse(value, &host);
}

/* The path of a socket: docker and others put it where the host belongs, with its slashes encoded or not. No browser
 * can: for it, a slash ends the host, and an encoded one makes the URL invalid. */
static bool is_path(const char *value)
{
    struct span path = { .text = value, .size = strlen(value) };

    return (value[0] == '/' || strncasecmp(value, "%2F", 3) == 0) && span_made_of(path, path_bytes);
}

static bool is_loopback(struct span host)
{
    char text[INET_ADDRSTRLEN];
    struct in6_addr address6;
    struct in_addr address;

    if (host.text[0] == '[')
        return literal_parse(host, &address6) && IN6_IS_ADDR_LOOPBACK(&address6);
    if (host.size >= sizeof(text))
        return false;
    memcpy(text, host.text, host.size);
    text[host.size] = '\0';
    return inet_pton(AF_INET, text, &address) == 1 && ntohl(address.s_addr) >> 24 == IN_LOOPBACKNET;
}

static bool is_listed(struct span host, char *const *extra, size_t extra_count)
{
    for (size_t i = 0; i < extra_count; i++) {
        char entry[256];
        size_t size = strlen(extra[i]);

        if (size == 0 || size >= sizeof(entry))
            continue;
        memcpy(entry, extra[i], size + 1);
        if (entry[size - 1] == '.')
            entry[size - 1] = '\0';
        if (strncmp(entry, "*.", 2) == 0 ? span_below(host, entry + 1) : span_equals(host, entry))
            return true;
    }
    return false;
}

enum host_verdict host_check(const char *value, char *const *extra, size_t extra_count)
{
    struct span host;

    /* What nearly every client of a Unix socket sends is not taken apart. */
    if (!value || value[0] == '\0' || strcmp(value, "localhost") == 0)
        return HOST_ALLOWED;
    if (!host_parse(value, &host))
        return is_path(value) ? HOST_ALLOWED : HOST_MALFORMED;
    if (is_path(value) || strspn(host.text, label_bytes) == host.size)
        return HOST_ALLOWED;
    if (host.size > 1 && host.text[host.size - 1] == '.')
        host.size--;
    if (span_equals(host, "localhost") || span_below(host, ".localhost") || is_loopback(host))
        return HOST_ALLOWED;
    return is_listed(host, extra, extra_count) ? HOST_ALLOWED : HOST_FOREIGN;
}
