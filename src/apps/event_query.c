#include "apps/event_query.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#define TYPE_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:/-"
#define BLANKS          " \t"

/* The end of the year 9999. */
#define SECONDS_MAX UINT64_C(253402300799)

static int fault(struct event_query_fault *ret_fault, const char *name, const char *value, const char *wanted)
{
    *ret_fault = (struct event_query_fault){ name, value, wanted };
    return -EINVAL;
}

/* Decimal digits up to what is none. */
static bool parse_digits(const char **text, uint64_t max, uint64_t *ret_number)
{
    uint64_t number = 0;
    const char *at = *text;

    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');

        if (number > (max - digit) / 10)
            return false;
        number = 10 * number + digit;
    }
    if (at == *text)
        return false;
    *text = at;
    *ret_number = number;
    return true;
}

static bool parse_id(const char *text, uint64_t *ret_id)
{
    uint64_t id;

    if (!parse_digits(&text, UINT64_MAX, &id) || *text != '\0')
        return false;
    *ret_id = id;
    return true;
}

/* Seconds since 1970; what is finer than a microsecond is cut off. */
static bool parse_time(const char *text, uint64_t *ret_us)
{
    uint64_t seconds, us = 0;

    if (!parse_digits(&text, SECONDS_MAX, &seconds))
        return false;
    if (*text == '.') {
        uint64_t unit = 100000;

        if (text[1] == '\0')
            return false;
        for (text++; *text >= '0' && *text <= '9'; text++, unit /= 10)
            us += unit * (uint64_t)(*text - '0');
    }
    if (*text != '\0')
        return false;
    us += seconds * 1000000;
    *ret_us = us > 0 ? us : 1; /* 0 says that it is not given, and nothing is so old */
    return true;
}

static bool is_type(const char *text)
{
    size_t size = strspn(text, TYPE_CHARACTERS);

    if (size > BERTH_EVENT_TYPE_MAX)
        return false;
    return text[size] == '*' ? text[size + 1] == '\0' : text[size] == '\0' && size > 0;
}

static bool is_refused(const char *parameters, size_t size)
{
    while (size > 0) {
        size_t skip = strspn(parameters, "; \t");

        if (skip >= size)
            return false;
        parameters += skip;
        size -= skip;
        if (size >= 3 && strncasecmp(parameters, "q=0", 3) == 0) {
            skip = 3 + strspn(parameters + 3, ".0");
            return skip >= size || strchr(";, \t", parameters[skip]);
        }
        skip = strcspn(parameters, ";,");
        if (skip >= size)
            return false;
        parameters += skip;
        size -= skip;
    }
    return false;
}

bool event_query_accepts(const char *list, const char *type)
{
    size_t length = strlen(type);

    while (*list) {
        size_t size;

        list += strspn(list, BLANKS ",");
        size = strcspn(list, ",");
        if (size >= length && strncasecmp(list, type, length) == 0 && strchr(BLANKS ";,", list[length]))
            return !is_refused(list + length, size - length);
        list += size;
    }
    return false;
}

static int parse_begin(const struct event_query_texts *texts, struct berth_event_query *query,
                       struct event_query_fault *ret_fault)
{
    static const char number[] = "the number of an event";
    uint64_t id;

    if (texts->since && !parse_time(texts->since, &query->since_us))
        return fault(ret_fault, "since", texts->since, "a time in seconds since 1970, such as 1700000000.25");
    if (texts->since_id && !parse_id(texts->since_id, &query->since_id))
        return fault(ret_fault, "since_id", texts->since_id, number);
    query->since_id_given = texts->since_id != NULL;
    if (texts->last_event_id && texts->last_event_id[0] != '\0') {
        if (!parse_id(texts->last_event_id, &id))
            return fault(ret_fault, "Last-Event-ID", texts->last_event_id, number);
        query->since_id = id;
        query->since_id_given = true;
    }
    return 0;
}

static int parse_end(const struct event_query_texts *texts, struct berth_event_query *query,
                     struct event_query_fault *ret_fault)
{
    if (texts->until && !parse_time(texts->until, &query->until_us))
        return fault(ret_fault, "until", texts->until, "a time in seconds since 1970, such as 1700000000.25");
    if (texts->follow && strcmp(texts->follow, "0") != 0 && strcmp(texts->follow, "1") != 0)
        return fault(ret_fault, "follow", texts->follow, "0 for what is there now, or 1 for what is new as well");
    query->past_only = texts->follow && strcmp(texts->follow, "0") == 0;
    return 0;
}

static int parse_format(const struct event_query_texts *texts, bool *ret_server_sent,
                        struct event_query_fault *ret_fault)
{
    bool server_sent = texts->format && strcmp(texts->format, "sse") == 0;

    if (texts->format && !server_sent && strcmp(texts->format, "ndjson") != 0)
        return fault(ret_fault, "format", texts->format, "sse or ndjson");
    if (!texts->format && texts->accept)
        server_sent = event_query_accepts(texts->accept, "text/event-stream");
    *ret_server_sent = server_sent;
    return 0;
}

int event_query_parse(const struct event_query_texts *texts, struct berth_event_query *ret_query, bool *ret_server_sent,
                      struct event_query_fault *ret_fault)
{
    struct berth_event_query query = { .types = texts->types, .type_count = texts->type_count };
    bool server_sent;
    int r = parse_begin(texts, &query, ret_fault);

    if (r == 0)
        r = parse_end(texts, &query, ret_fault);
    if (r == 0)
        r = parse_format(texts, &server_sent, ret_fault);
    if (r < 0)
        return r;
    for (size_t i = 0; i < texts->type_count; i++)
        if (!is_type(texts->types[i]))
            return fault(ret_fault, "type", texts->types[i],
                         "a type of A-Z a-z 0-9 . _ : / -, or the beginning of one and *");
    if (!query.since_id_given && query.since_us == 0 && (query.past_only || query.until_us != 0))
        query.since_id_given = true; /* of 0: all that there is */
    *ret_query = query;
    *ret_server_sent = server_sent;
    return 0;
}
