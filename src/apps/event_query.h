/*
 * What GET /events is asked for: from texts to a query.
 */
#ifndef BERTH_APPS_EVENT_QUERY_H
#define BERTH_APPS_EVENT_QUERY_H

#include <stdbool.h>
#include <stddef.h>

#include <berth.h>

/* As many types may be asked for. */
#define EVENT_QUERY_TYPES_MAX 64

/* As they came, decoded; NULL: not there. */
struct event_query_texts {
    const char *since, *until, *since_id, *follow, *format; /* parameters */
    const char *last_event_id, *accept;                     /* fields */
    const char *types[EVENT_QUERY_TYPES_MAX];
    size_t type_count;
};

/* Which text is wrong, how, and what would be right. */
struct event_query_fault {
    const char *name, *value, *wanted;
};

/*
 * -EINVAL with the fault. Of since_id and Last-Event-ID the latter counts: a browser that reconnects asks for the same
 * URL as before. Without a beginning, what is over at some time (until, follow=0) begins with all that there is, and
 * what goes on begins now. The types are those of `texts`.
 */
int event_query_parse(const struct event_query_texts *texts, struct berth_event_query *ret_query, bool *ret_server_sent,
                      struct event_query_fault *ret_fault);

/* Whether a list of media ranges (RFC 9110 section 12.5.1) has this type, by its name and not refused by q=0. */
bool event_query_accepts(const char *list, const char *type);

#endif
