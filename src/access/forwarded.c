#include "access/forwarded.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "http/field.h"
#include "http/host.h"

/* A piece of a value. */
struct span {
    const char *text;
    size_t size;
};

/* ---- names ---- */

static bool name_is(const char *name, size_t size, const char *other)
{
    return size == strlen(other) && strncasecmp(name, other, size) == 0;
}

int forwarded_field(const char *name, size_t size)
{
    static const char *const names[FORWARDED_FIELDS] = {
        [FORWARDED_FOR] = "X-Forwarded-For",   [FORWARDED_PROTO] = "X-Forwarded-Proto",
        [FORWARDED_HOST] = "X-Forwarded-Host", [FORWARDED_PREFIX] = "X-Forwarded-Prefix",
        [FORWARDED_RFC7239] = "Forwarded",
    };

    for (int field = 0; field < FORWARDED_FIELDS; field++)
        if (name_is(name, size, names[field]))
            return field;
    return -1;
}

/* Whether it begins so, with "_" for "-": what hands fields on as variables of the environment makes them the same. */
static bool begins(const char *name, size_t size, const char *other)
{
    size_t length = strlen(other), i = 0;

    if (size < length)
        return false;
    while (i < length && (name[i] == '_' ? other[i] == '-' : strncasecmp(name + i, other + i, 1) == 0))
        i++;
    return i == length;
}

bool forwarded_speaks(const char *name, size_t size)
{
    switch (size > 0 ? name[0] : '\0') {
    case 'x':
    case 'X':
        return begins(name, size, "X-Forwarded-") || (size == strlen("X-Real-IP") && begins(name, size, "X-Real-IP"));
    case 'f':
    case 'F':
        return name_is(name, size, "Forwarded");
    default:
        return false;
    }
}

/* ---- values ---- */

static struct span trim(struct span span)
{
    while (span.size > 0 && (span.text[0] == ' ' || span.text[0] == '\t')) {
        span.text++;
        span.size--;
    }
    while (span.size > 0 && (span.text[span.size - 1] == ' ' || span.text[span.size - 1] == '\t'))
        span.size--;
    return span;
}

/* A copy with a NUL; false, and nothing copied, where it is longer than the room or has a NUL of its own. */
static bool copy(struct span span, char *to, size_t room)
{
    if (span.size >= room || memchr(span.text, '\0', span.size))
        return false;
    memcpy(to, span.text, span.size);
    to[span.size] = '\0';
    return true;
}

/* Behind an address: nothing, or ":" and a port, or what stands for one (RFC 7239 section 6.2). */
static bool is_port(const char *text)
{
    size_t digits;
    unsigned int number = 0;

    if (text[0] == '\0')
        return true;
    if (text[0] != ':')
        return false;
    text++;
    if (text[0] == '_')
        return field_name_valid(text, strlen(text));
    digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 5 || text[digits] != '\0')
        return false;
    for (size_t i = 0; i < digits; i++)
        number = number * 10 + (unsigned int)(text[i] - '0');
    return number <= UINT16_MAX;
}

/* An address of one family in its usual form. */
static bool canonical(int family, const char *text, char *ret_address)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    return inet_pton(family, text, bytes) == 1 && inet_ntop(family, bytes, ret_address, FORWARDED_ADDRESS_MAX);
}

/* A text that is known to fit. */
static void keep(char *to, const char *text)
{
    memcpy(to, text, strlen(text) + 1);
}

enum said {
    SAID_NOTHING, /* or nothing that can be understood */
    SAID_HIDDEN,  /* that it is not told: "unknown", "_x", or a proxy's own Unix socket */
    SAID_VALUE,
};

/* Whose request it is: 203.0.113.7, 203.0.113.7:1234, 2001:db8::7, [2001:db8::7], [2001:db8::7]:1234. */
static enum said parse_node(struct span span, char *ret_address)
{
    char text[FORWARDED_ADDRESS_MAX + 16], *end;

    if (span.size == 0)
        return SAID_NOTHING;
    if (span.size >= 5 && strncasecmp(span.text, "unix:", 5) == 0)
        return SAID_HIDDEN; /* nginx says "unix:" */
    if (!copy(span, text, sizeof(text)))
        return span.text[0] == '_' && field_name_valid(span.text, span.size) ? SAID_HIDDEN : SAID_NOTHING;
    if (text[0] == '[') {
        end = strchr(text, ']');
        if (!end || !is_port(end + 1))
            return SAID_NOTHING;
        *end = '\0';
        return canonical(AF_INET6, text + 1, ret_address) ? SAID_VALUE : SAID_NOTHING;
    }
    if (canonical(AF_INET6, text, ret_address))
        return SAID_VALUE;
    end = strchrnul(text, ':');
    if (!is_port(end))
        return SAID_NOTHING;
    *end = '\0';
    if (canonical(AF_INET, text, ret_address))
        return SAID_VALUE;
    if (strcasecmp(text, "unknown") == 0 || (text[0] == '_' && field_name_valid(text, strlen(text))))
        return SAID_HIDDEN;
    return SAID_NOTHING;
}

static enum said parse_scheme(struct span span, char *ret_scheme)
{
    if (name_is(span.text, span.size, "http"))
        keep(ret_scheme, "http");
    else if (name_is(span.text, span.size, "https"))
        keep(ret_scheme, "https");
    else
        return SAID_NOTHING;
    return SAID_VALUE;
}

static enum said parse_host(struct span span, char *ret_host)
{
    char text[FORWARDED_HOST_MAX];

    if (span.size == 0 || !copy(span, text, sizeof(text)) || !host_valid(text))
        return SAID_NOTHING;
    keep(ret_host, text);
    return SAID_VALUE;
}

/* What a segment of a mount is made of: it goes into links and redirects as it is. */
static bool is_segment(const char *text, size_t size)
{
    static const char bytes[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    if (size == 0 || (size <= 2 && strncmp(text, "..", size) == 0))
        return false;
    for (size_t i = 0; i < size; i++)
        if (!memchr(bytes, text[i], sizeof(bytes) - 1))
            return false;
    return true;
}

/* "/x/y", or with one slash at its end, as many write it. */
static void parse_prefix(struct span span, char *ret_prefix)
{
    char text[FORWARDED_PREFIX_MAX];
    size_t size;

    if (span.size == 0 || span.text[0] != '/' || !copy(span, text, sizeof(text)))
        return;
    if (span.size > 2 && text[span.size - 1] == '/')
        text[span.size - 1] = '\0';
    for (const char *at = text; span.size > 1 && *at == '/'; at += size) {
        size = strcspn(++at, "/");
        if (!is_segment(at, size))
            return;
    }
    keep(ret_prefix, text);
}

/* ---- lists ---- */

/* The last entry of a list that knows no quoting. */
static struct span last_entry(const char *value)
{
    const char *comma = value ? strrchr(value, ',') : NULL;

    if (!value)
        return (struct span){ "", 0 };
    if (comma)
        value = comma + 1;
    return trim((struct span){ value, strlen(value) });
}

/* The pairs of one element of Forwarded; those that we do not know are not kept. */
enum pair { PAIR_FOR, PAIR_PROTO, PAIR_HOST, PAIR_BY, PAIRS };

struct element {
    bool given[PAIRS];
    char texts[PAIRS][FORWARDED_HOST_MAX]; /* of those: unquoted; "" for what is longer, which is none of them */
};

static const char *skip_space(const char *at)
{
    return at + strspn(at, " \t");
}

static int pair_of(const char *name, size_t size)
{
    static const char *const names[PAIRS] = {
        [PAIR_FOR] = "for", [PAIR_PROTO] = "proto", [PAIR_HOST] = "host", [PAIR_BY] = "by"
    };

    for (int pair = 0; pair < PAIRS; pair++)
        if (name_is(name, size, names[pair]))
            return pair;
    return -1;
}

/* Reads "…" with its escapes (RFC 9110 section 5.6.4); NULL where it does not end. */
static const char *read_quoted(const char *at, char *ret_text)
{
    size_t size = 0;

    for (at++; *at != '"'; at++) {
        if (*at == '\\')
            at++;
        if (*at == '\0')
            return NULL;
        if (size < FORWARDED_HOST_MAX)
            ret_text[size++] = *at;
    }
    ret_text[size < FORWARDED_HOST_MAX ? size : 0] = '\0';
    return at + 1;
}

static const char *read_token(const char *at, char *ret_text)
{
    size_t size = strcspn(at, ",; \t\"=");

    if (!field_name_valid(at, size))
        return NULL;
    if (!copy((struct span){ at, size }, ret_text, FORWARDED_HOST_MAX))
        ret_text[0] = '\0';
    return at + size;
}

/* Reads name=value; what is behind it, or NULL. */
static const char *read_pair(const char *at, struct element *element)
{
    size_t size = strcspn(at, "=,; \t\"");
    char text[FORWARDED_HOST_MAX];
    int pair;

    if (at[size] != '=' || !field_name_valid(at, size))
        return NULL;
    pair = pair_of(at, size);
    at += size + 1;
    at = *at == '"' ? read_quoted(at, text) : read_token(at, text);
    if (!at || pair < 0)
        return at;
    if (element->given[pair])
        return NULL; /* RFC 7239 section 4: each at most once */
    element->given[pair] = true;
    keep(element->texts[pair], text);
    return at;
}

/* The last element of Forwarded (RFC 7239 section 4). All of it is read, since a comma may be quoted, and if any of it
 * is malformed all of it is: where its elements begin and end cannot be known then. */
static bool last_element(const char *at, struct element *ret_element)
{
    struct element element;

    memset(element.given, 0, sizeof(element.given)); /* the texts are large, and lists may be long */
    for (at = skip_space(at); *at != '\0'; at = skip_space(at)) {
        if (*at == ',') {
            memset(element.given, 0, sizeof(element.given));
            at++;
        } else if (*at == ';') {
            at++;
        } else {
            at = read_pair(at, &element);
            if (!at)
                return false;
            at = skip_space(at);
            if (*at != '\0' && *at != ',' && *at != ';')
                return false;
        }
    }
    *ret_element = element;
    return true;
}

/* ---- both ---- */

/* What one of the two kinds of fields says. */
struct claim {
    enum said address_said, scheme_said, host_said;
    char address[FORWARDED_ADDRESS_MAX], scheme[sizeof(((struct forwarded *)NULL)->scheme)], host[FORWARDED_HOST_MAX];
};

static void read_claim(struct claim *claim, struct span node, struct span scheme, struct span host)
{
    claim->address_said = parse_node(node, claim->address);
    claim->scheme_said = parse_scheme(scheme, claim->scheme);
    claim->host_said = parse_host(host, claim->host);
}

static struct span pair_span(const struct element *element, enum pair pair)
{
    const char *text = element->given[pair] ? element->texts[pair] : "";

    return (struct span){ text, strlen(text) };
}

/* Where both say something, whether it is the same. */
static bool agree(enum said said, const char *text, enum said other_said, const char *other)
{
    if (said == SAID_NOTHING || other_said == SAID_NOTHING)
        return true;
    return said == other_said && (said == SAID_HIDDEN || strcasecmp(text, other) == 0);
}

static bool claims_agree(const struct claim *a, const struct claim *b)
{
    return agree(a->address_said, a->address, b->address_said, b->address) &&
           agree(a->scheme_said, a->scheme, b->scheme_said, b->scheme) &&
           agree(a->host_said, a->host, b->host_said, b->host);
}

static void take(struct forwarded *forwarded, const struct claim *claim)
{
    if (claim->address_said == SAID_VALUE)
        keep(forwarded->address, claim->address);
    if (claim->scheme_said == SAID_VALUE)
        keep(forwarded->scheme, claim->scheme);
    if (claim->host_said == SAID_VALUE)
        keep(forwarded->host, claim->host);
}

void forwarded_parse(const char *const values[FORWARDED_FIELDS], struct forwarded *ret_forwarded)
{
    struct claim ours = { .host = "" }, standard = { .host = "" };
    struct element element;

    ret_forwarded->address[0] = ret_forwarded->scheme[0] = ret_forwarded->host[0] = ret_forwarded->prefix[0] = '\0';
    read_claim(&ours, last_entry(values[FORWARDED_FOR]), last_entry(values[FORWARDED_PROTO]),
               last_entry(values[FORWARDED_HOST]));
    if (values[FORWARDED_RFC7239] && last_element(values[FORWARDED_RFC7239], &element))
        read_claim(&standard, pair_span(&element, PAIR_FOR), pair_span(&element, PAIR_PROTO),
                   pair_span(&element, PAIR_HOST));
    if (!claims_agree(&ours, &standard))
        return;
    take(ret_forwarded, &standard);
    take(ret_forwarded, &ours);
    parse_prefix(last_entry(values[FORWARDED_PREFIX]), ret_forwarded->prefix);
}
