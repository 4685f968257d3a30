/* Accept: a page only for who names text/html, and the same answer however the list is written. */
#include "http/accept.h"

#include <stdbool.h>

#include "property.h"

static bool prefers(const char *before, const char *value, const char *after)
{
    char *whole;
    bool answer;

    if (asprintf(&whole, "%s%s%s", before, value, after) < 0)
        abort();
    answer = accept_prefers_html(whole);
    free(whole);
    return answer;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *value = text_new(data, size);
    bool html = accept_prefers_html(value);

    PROPERTY(!html || strcasestr(value, "text/html"));
    PROPERTY(prefers(", \t", value, "") == html);
    PROPERTY(prefers("image/png;q=0.5, ", value, "") == html);
    /* Nothing weighs more than 1. */
    PROPERTY(!prefers("application/json,", value, ""));
    if (!strchr(value, '"'))
        PROPERTY(prefers("", value, ",TEXT/HTML ; q=0") == html);
    free(value);
    return 0;
}
