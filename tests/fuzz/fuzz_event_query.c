/* What GET /events is asked for: a line for each text. What is taken is in bounds, and a fault names what was given. */
#include "apps/event_query.h"

#include <errno.h>

#include "property.h"

static void check_taken(const struct event_query_texts *texts, const struct berth_event_query *query)
{
    PROPERTY(query->types == texts->types && query->type_count == texts->type_count);
    PROPERTY(!texts->since || query->since_us > 0);
    PROPERTY(!texts->until || query->until_us > 0);
    PROPERTY(query->since_us < UINT64_C(253402300800000000) && query->until_us < UINT64_C(253402300800000000));
    PROPERTY(!texts->since_id || query->since_id_given);
    PROPERTY(query->past_only == (texts->follow && strcmp(texts->follow, "0") == 0));
    for (size_t i = 0; i < query->type_count; i++)
        PROPERTY(strlen(query->types[i]) > 0 && strlen(query->types[i]) <= BERTH_EVENT_TYPE_MAX + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = text_new(data, size), *rest = text, *line;
    struct event_query_texts texts = { 0 };
    const char **fields[] = { &texts.since,  &texts.until,         &texts.since_id, &texts.follow,
                              &texts.format, &texts.last_event_id, &texts.accept };
    struct berth_event_query query = { 0 };
    struct event_query_fault fault = { 0 };
    bool server_sent = false;
    int r;

    /* An empty line: not given. */
    for (size_t i = 0; (line = strsep(&rest, "\n"));) {
        if (i < sizeof(fields) / sizeof(fields[0])) {
            if (line[0] != '\0')
                *fields[i] = line;
            i++;
        } else if (texts.type_count < EVENT_QUERY_TYPES_MAX) {
            texts.types[texts.type_count++] = line;
        }
    }
    r = event_query_parse(&texts, &query, &server_sent, &fault);
    PROPERTY(r == 0 || r == -EINVAL);
    if (r == 0)
        check_taken(&texts, &query);
    else
        PROPERTY(fault.name && fault.wanted && fault.value >= text && fault.value <= text + size);
    free(text);
    return 0;
}
