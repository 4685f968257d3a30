/* Hosts: nothing that is malformed is answered to, and nothing with a foreign name of its own. */
#include "http/host.h"

#include <strings.h>

#include "property.h"

static char *const extra[] = { (char[]){ "example.org" }, (char[]){ "*.example.net." }, (char[]){ "[2001:db8::1]" } };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *value = text_new(data, size), *foreign;
    enum host_verdict closed = host_check(value, NULL, 0), open = host_check(value, extra, 3);
    bool valid = host_valid(value), path = value[0] == '/' || strncasecmp(value, "%2F", 3) == 0;

    /* The list only ever makes foreign hosts known. */
    PROPERTY(closed == open || (closed == HOST_FOREIGN && open == HOST_ALLOWED));
    PROPERTY((closed == HOST_MALFORMED) == (!valid && !(path && closed == HOST_ALLOWED)));
    PROPERTY(!strpbrk(value, " \t\r\n\\<>\"{}|^`") || closed == HOST_MALFORMED);
    PROPERTY(path || !strpbrk(value, "/@?#") || closed == HOST_MALFORMED);
    /* What an attacker owns is never ours, whatever stands in front of it. */
    if (asprintf(&foreign, "%s.attacker.example", value) < 0)
        abort();
    PROPERTY(path || host_check(foreign, extra, 3) != HOST_ALLOWED);
    free(foreign);
    free(value);
    return 0;
}
