/*
 * What comes in as an event: {"type": …, "data": …} as JSON, several of them a line each, or a datagram. The texts that
 * come of it are compact (json_text.h: what is taken as JSON).
 */
#ifndef BERTH_EVENTS_INPUT_H
#define BERTH_EVENTS_INPUT_H

#include <stddef.h>

#include "common/error.h"

struct json_t;

/* Type and data of one event, before anybody knows who publishes it. Freed by event_input_done. */
struct event_input {
    char *type; /* NUL-terminated */
    char *data; /* JSON text, compact, NUL-terminated */
    size_t data_size;
};

void event_input_done(struct event_input *input);

/* Whether a type is one. -EINVAL, -EPERM ("berth.…"), with a message for whoever sent it. */
int event_type_check(const char *type, size_t size, struct error *error);

/* From type and data; `data` may be NULL for null. -EINVAL, -EPERM, -EMSGSIZE, -ENOMEM. */
int event_input_make(const char *type, const struct json_t *data, struct event_input *ret_input, struct error *error);

/* One event as JSON text. Unknown keys are refused, so that a slip of the pen is not lost. Errors as above; -EINVAL
 * says where. */
int event_input_parse(const char *text, size_t size, struct event_input *ret_input, struct error *error);

/* A datagram: an event as JSON if its first character that is no space is '{'; else plain text in UTF-8, which becomes
 * the data of a "message", without one line break (\n or \r\n) at its end. */
int event_input_parse_datagram(const char *bytes, size_t size, struct event_input *ret_input, struct error *error);

/* One a line, empty lines left out; calls take(data, input), which owns the input from then on, for each, as they come.
 * The first failure, also one of `take`, ends it: then what was taken before counts for nothing. Its message begins
 * with "line N: ". */
int event_input_parse_lines(const char *text, size_t size, int (*take)(void *data, struct event_input *input),
                            void *data, struct error *error);

#endif
