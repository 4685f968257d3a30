/* What a server answers to berth doctor: the same at any cut, and never more than was there. */
#include "doctor/answer.h"

#include <errno.h>

#include "property.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct answer answer = { 0 }, part;
    char *bytes = malloc(size + 1);
    int r, before = 0;

    if (!bytes)
        abort();
    memcpy(bytes, data, size);
    r = answer_read(bytes, size, &answer);
    PROPERTY(r == 1 || r == 0 || r == -EPROTO);
    PROPERTY(r != 1 || (answer.status >= 100 && answer.status <= 999));
    PROPERTY(r < 0 || size < 5 || memcmp(bytes, "HTTP/", 5) == 0);
    PROPERTY(strlen(answer.reason) <= ANSWER_TEXT_MAX && strlen(answer.server) <= ANSWER_TEXT_MAX);
    /* What comes later takes nothing back. */
    for (size_t cut = 0; cut <= size && cut < 256; cut++) {
        int now = answer_read(bytes, cut, &part);

        PROPERTY(before == 0 || now == before);
        PROPERTY(now != 1 || (r == 1 && part.status == answer.status && strcmp(part.server, answer.server) == 0));
        before = now;
    }
    free(bytes);
    return 0;
}
