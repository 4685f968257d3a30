/* The hosts and origins among the settings: what could never be that of a request is a mistake, and not just of no use.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "common/number.h"
#include "common/settings_parts.h"

#define HOST_ENTRY_MAX   255
#define ORIGIN_ENTRY_MAX 300

/* Labels with dots between them, and perhaps one behind them. */
static bool is_name(const char *text)
{
    static const char label[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

    for (;;) {
        size_t length = strspn(text, label);

        if (length == 0)
            return false;
        text += length;
        if (*text == '.')
            text++;
        else
            return *text == '\0';
        if (*text == '\0')
            return true;
    }
}

static bool is_literal(const char *text)
{
    char address[INET6_ADDRSTRLEN];
    size_t length = strlen(text);
    struct in6_addr parsed;

    if (length < 2 || length - 2 >= sizeof(address) || text[0] != '[' || text[length - 1] != ']')
        return false;
    memcpy(address, text + 1, length - 2);
    address[length - 2] = '\0';
    return inet_pton(AF_INET6, address, &parsed) == 1;
}

int host_entry_check(const char *text, struct error *error)
{
    if (strlen(text) > HOST_ENTRY_MAX)
        return error_set(error, -EINVAL, "\"%.32s…\" is longer than %d bytes", text, HOST_ENTRY_MAX);
    if (is_name(strncmp(text, "*.", 2) == 0 ? text + 2 : text) || is_literal(text))
        return 0;
    return error_set(error, -EINVAL,
                     "\"%s\" is no host: a name such as api.example.org, *.example.org for all below it, or an address "
                     "such as 192.0.2.1 or [2001:db8::1]; no scheme, no port",
                     text);
}

/* A host, and perhaps a port. */
static bool is_host_port(const char *text)
{
    char host[ORIGIN_ENTRY_MAX + 1];
    size_t length = text[0] == '[' ? strcspn(text, "]") : strcspn(text, ":");
    uint64_t port;

    if (text[length] == ']')
        length++;
    if (length > HOST_ENTRY_MAX)
        return false;
    memcpy(host, text, length);
    host[length] = '\0';
    if (!is_name(host) && !is_literal(host))
        return false;
    return text[length] == '\0' || (text[length] == ':' && number_parse(text + length + 1, 1, 65535, &port, NULL) == 0);
}

int origin_entry_check(const char *text, struct error *error)
{
    static const char scheme[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.";
    size_t length = strspn(text, scheme);

    if (strlen(text) > ORIGIN_ENTRY_MAX)
        return error_set(error, -EINVAL, "\"%.32s…\" is longer than %d bytes", text, ORIGIN_ENTRY_MAX);
    if (strcmp(text, "*") == 0)
        return 0;
    if (length > 0 && strncmp(text + length, "://", 3) == 0 && is_host_port(text + length + 3))
        return 0;
    return error_set(error, -EINVAL,
                     "\"%s\" is no origin: a scheme and a host such as https://app.example.org, with the port where it "
                     "is not the scheme's, and nothing behind it; or * for any",
                     text);
}
