/* Where a request comes from: what is foreign stays so with a longer host, and only lists and the two good words help.
 */
#include "access/origin.h"

#include <stdbool.h>

#include "property.h"

static bool is_foreign(const struct origin_question *question, char *entry)
{
    char *items[] = { entry, NULL };
    struct text_list allowed = { .items = items, .count = entry ? 1 : 0 };

    return origin_is_foreign(question, &allowed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char any[] = "*", other[] = "https://other.example";
    char *text = text_new(data, size), *rest = text, *host;
    struct origin_question question;
    const char *site, *origin;
    bool foreign;

    question.method = strsep(&rest, "\n");
    site = strsep(&rest, "\n");
    origin = strsep(&rest, "\n");
    question.scheme = strsep(&rest, "\n");
    question.host = strsep(&rest, "\n");
    question.sec_fetch_site = site && site[0] ? site : NULL;
    question.origin = origin && origin[0] ? origin : NULL;

    foreign = is_foreign(&question, NULL);
    PROPERTY(!is_foreign(&question, any));
    PROPERTY(foreign || !is_foreign(&question, other));
    /* What was good by its host alone is not good for another host. */
    if (!foreign && question.origin && !question.sec_fetch_site) {
        question.method = "POST";
        if (!is_foreign(&question, NULL)) {
            if (asprintf(&host, "evil-%s", question.host) < 0)
                abort();
            question.host = host;
            PROPERTY(is_foreign(&question, NULL));
            free(host);
        }
    }
    free(text);
    return 0;
}
