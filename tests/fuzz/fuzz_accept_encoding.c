/* Accept-Encoding: nothing is sent that is not there, or that was not named. */
#include "apps/accept_encoding.h"

#include "property.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *line = text_new(data, size);
    struct encodings encodings;

    encodings_init(&encodings);
    encodings_take(&encodings, line);
    for (unsigned int i = 0; i < 4; i++) {
        const bool there[ENCODING_COUNT] = { true, i & 1, i & 2 };
        enum encoding chosen = encodings_choose(&encodings, there);

        PROPERTY(there[chosen]);
        PROPERTY(chosen != ENCODING_GZIP || strcasestr(line, "gzip") || strchr(line, '*'));
        PROPERTY(chosen != ENCODING_BR || strcasestr(line, "br") || strchr(line, '*'));
    }
    /* A refusal that comes last is heeded. */
    encodings_take(&encodings, "gzip;q=0, br;q=0, *;q=0");
    PROPERTY(encodings_choose(&encodings, (const bool[]){ true, true, true }) == ENCODING_IDENTITY);
    free(line);
    return 0;
}
