/* Dates: what was read is written, and read again, as the same. */
#include "apps/http_date.h"

#include "property.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t nows[] = { 0, 784111777, 1792000000, HTTP_DATE_MIN, HTTP_DATE_MAX };
    char *text = text_new(data, size), written[HTTP_DATE_SIZE];
    int64_t seconds, again;

    for (size_t i = 0; i < sizeof(nows) / sizeof(nows[0]); i++) {
        if (http_date_parse(text, nows[i], &seconds) < 0)
            continue;
        /* The last second of the year 9999 may be a leap second. */
        if (seconds > HTTP_DATE_MAX)
            continue;
        PROPERTY(http_date_format(seconds, written) == 0);
        PROPERTY(strlen(written) == HTTP_DATE_SIZE - 1);
        PROPERTY(http_date_parse(written, nows[i], &again) == 0 && again == seconds);
    }
    free(text);
    return 0;
}
