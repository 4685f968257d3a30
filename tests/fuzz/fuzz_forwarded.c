/* What proxies say of their clients: only what is well-formed is believed, and only a list's last entry. */
#include "access/forwarded.h"

#include <arpa/inet.h>
#include <stdbool.h>

#include "http/host.h"
#include "property.h"

static bool is_address(const char *text)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

static bool is_one_of(const char *text, const char *one, const char *other)
{
    return strcmp(text, one) == 0 || strcmp(text, other) == 0;
}

static void check(const struct forwarded *forwarded)
{
    const char *prefix = forwarded->prefix;

    PROPERTY(!forwarded->address[0] || is_address(forwarded->address));
    PROPERTY(!forwarded->scheme[0] || is_one_of(forwarded->scheme, "http", "https"));
    PROPERTY(host_valid(forwarded->host));
    PROPERTY(!prefix[0] || prefix[0] == '/');
    PROPERTY(!strstr(prefix, "//") && !strstr(prefix, "/./") && !strstr(prefix, "/../"));
    PROPERTY(strlen(prefix) < 2 || prefix[strlen(prefix) - 1] != '/');
    PROPERTY(!strpbrk(prefix, "\\?#%:\"'<>& \t\r\n"));
}

/* What a client puts in front of what its proxy adds never shows. */
static void check_last(const char *client, int field, const char *added)
{
    const char *mine[FORWARDED_FIELDS] = { NULL };
    struct forwarded forwarded;
    char *text;

    if (asprintf(&text, "%s, %s", client, added) < 0)
        abort();
    mine[field] = text;
    forwarded_parse(mine, &forwarded);
    check(&forwarded);
    if (field == FORWARDED_FOR)
        PROPERTY(strcmp(forwarded.address, added) == 0);
    else
        PROPERTY(is_one_of(forwarded.address, "", "198.51.100.1") && !forwarded.host[0]);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = text_new(data, size), *rest = text;
    const char *values[FORWARDED_FIELDS], *none[FORWARDED_FIELDS] = { NULL };
    struct forwarded forwarded;

    for (int field = 0; field < FORWARDED_FIELDS; field++)
        values[field] = strsep(&rest, "\n");
    forwarded_parse(values, &forwarded);
    check(&forwarded);
    for (int field = 0; field < FORWARDED_FIELDS; field++) {
        none[field] = values[field];
        forwarded_parse(none, &forwarded);
        check(&forwarded);
        none[field] = NULL;
        if (!values[field])
            continue;
        check_last(values[field], FORWARDED_FOR, "198.51.100.1");
        check_last(values[field], FORWARDED_RFC7239, "for=\"198.51.100.1\"");
        PROPERTY(forwarded_field(values[field], strlen(values[field])) < 0 ||
                 forwarded_speaks(values[field], strlen(values[field])));
    }
    free(text);
    return 0;
}
