#include "events/input.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "berth.h"
#include "common/line.h"
#include "events/character.h"
#include "events/json_text.h"

#define DEFAULT_TYPE "message"
#define OUR_TYPES    "berth."

/* The longest event as we write it, type and data together as long as they may be. */
#define COMPACT_MAX (BERTH_EVENT_SIZE_MAX + sizeof("{\"type\":\"\",\"data\":}") - 1)

/* So many bytes of what somebody sent are shown to them. */
enum { SHOWN_MAX = 60 };
struct shown {
    char text[(SHOWN_MAX + 1) * CHARACTER_ENCODED_MAX];
};

void event_input_done(struct event_input *input)
{
    free(input->type);
    free(input->data);
    *input = (struct event_input){ 0 };
}

/* ---- what we show ---- */

/* Any bytes, in quotes. */
static const char *show_bytes(const char *bytes, size_t size, struct shown *shown)
{
    bool cut = size > SHOWN_MAX;
    struct line line = { .bytes = shown->text, .limit = sizeof(shown->text) - 1 };

    line_add(&line, "\"", 1);
    line.size += json_text_escape(bytes, cut ? SHOWN_MAX : size, line.bytes + line.size);
    line_add_text(&line, cut ? "…" : "\"");
    line.bytes[line.size] = '\0';
    return shown->text;
}

/* A value of JSON text. */
static const char *show_value(const char *value, size_t size, struct shown *shown)
{
    bool cut = size > SHOWN_MAX;
    struct line line = { .bytes = shown->text, .limit = sizeof(shown->text) - 1 };

    if (*value == '[')
        return "a list";
    if (*value == '{')
        return "an object";
    line_add(&line, value, json_text_valid(value, cut ? SHOWN_MAX : size));
    line_add_text(&line, cut ? "…" : "");
    line.bytes[line.size] = '\0';
    return shown->text;
}

/* ---- types ---- */

static bool may_be_in_type(unsigned char byte)
{
    static const bool allowed[256] = {
        ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['0' ... '9'] = true, ['.'] = true,
        ['_'] = true,         [':'] = true,         ['/'] = true,         ['-'] = true,
    };

    return allowed[byte];
}

/* 0, or what is wrong with a type, as the end of a sentence. */
static int type_judge(const char *type, size_t size, const char **ret_what)
{
    size_t good = 0;

    while (good < size && may_be_in_type((unsigned char)type[good]))
        good++;
    *ret_what = "may have only A-Z a-z 0-9 . _ : / -";
    if (good < size)
        return -EINVAL;
    *ret_what = "is not 1 to 100 characters long";
    if (size < 1 || size > BERTH_EVENT_TYPE_MAX)
        return -EINVAL;
    *ret_what = "is one of berth's own: take one that does not begin with \"" OUR_TYPES "\"";
    if (size >= strlen(OUR_TYPES) && memcmp(type, OUR_TYPES, strlen(OUR_TYPES)) == 0)
        return -EPERM;
    return 0;
}
_Static_assert(BERTH_EVENT_TYPE_MAX == 100, "the message says so");

int event_type_check(const char *type, size_t size, struct error *error)
{
    struct shown shown;
    const char *what;
    int r = type_judge(type, size, &what);

    return r == 0 || !error ? r : error_set(error, r, "the type %s %s", show_bytes(type, size, &shown), what);
}

/* ---- one event ---- */

/* Makes an event of parts of `memory`, or of constants. The memory passes to it, also on failure, and has room for the
 * data and a NUL. */
static int input_take(char *memory, const struct json_text_span *type, const struct json_text_span *data,
                      struct event_input *ret_input, struct error *error)
{
    struct event_input input = { .data = memory, .data_size = data->size };

    if (data->size > BERTH_EVENT_SIZE_MAX - type->size) {
        free(memory);
        return error_set(error, -EMSGSIZE, "the event has %zu bytes of type and data; %d are the most",
                         type->size + data->size, BERTH_EVENT_SIZE_MAX);
    }
    input.type = strndup(type->text, type->size);
    if (!input.type) {
        free(memory);
        return error_set(error, -ENOMEM, "out of memory");
    }
    memmove(memory, data->text, data->size);
    memory[data->size] = '\0';
    *ret_input = input;
    return 0;
}

/* The text, compact, in memory of its own, with room for a NUL behind it, or for null. Whoever knows which line it is
 * says so. */
static int text_compact(const char *text, size_t size, bool is_line, char **ret_compact,
                        struct json_text_outline *ret_outline, struct error *error)
{
    struct json_text_mistake mistake;
    size_t limit = size < COMPACT_MAX ? size : COMPACT_MAX;
    char *compact = malloc((limit > strlen("null") ? limit : strlen("null")) + 1);
    int r = compact ? json_text_compact(text, size, compact, limit, ret_outline, &mistake) : -ENOMEM;

    if (r == 0) {
        *ret_compact = compact;
        return 0;
    }
    free(compact);
    if (r == -EMSGSIZE)
        return error_set(error, r, "the event has more than %d bytes of type and data", BERTH_EVENT_SIZE_MAX);
    if (r != -EINVAL)
        return error_set(error, r, "out of memory");
    if (is_line)
        return error_set(error, r, "not JSON: column %zu: %s", mistake.column, mistake.what);
    return error_set(error, r, "not JSON: line %zu, column %zu: %s", mistake.line, mistake.column, mistake.what);
}

int event_input_make(const char *type, const struct json_t *data, struct event_input *ret_input, struct error *error)
{
    struct json_text_outline outline;
    char *text, *compact;
    int r = event_type_check(type, strlen(type), error);

    if (r < 0)
        return r;
    text = data ? json_dumps(data, JSON_COMPACT | JSON_ENCODE_ANY) : strdup("null");
    if (!text)
        return error_set(error, -EINVAL, "the data cannot be written as JSON");
    /* Once more, since not all that can be made with jansson may be in an event. */
    r = text_compact(text, strlen(text), true, &compact, &outline, error);
    free(text);
    if (r < 0)
        return r;
    return input_take(compact, &(struct json_text_span){ type, strlen(type) },
                      &(struct json_text_span){ compact, outline.size }, ret_input, error);
}

static bool span_is(const struct json_text_span *span, const char *text)
{
    return span->size == strlen(text) && memcmp(span->text, text, span->size) == 0;
}

/* The type and the data among the members of an object. */
static int members_sort(const struct json_text_outline *outline, struct json_text_span *ret_type,
                        struct json_text_span *ret_data, struct error *error)
{
    struct shown shown;

    for (size_t i = 0; i < outline->member_count; i++) {
        const struct json_text_span *key = &outline->members[i].key, *value = &outline->members[i].value;

        if (span_is(key, "data")) {
            *ret_data = *value;
            continue;
        }
        if (!span_is(key, "type"))
            return error_set(error, -EINVAL, "%s is not known: an event has \"type\" and \"data\"",
                             show_value(key->text - 1, key->size + 2, &shown));
        if (*value->text != '"')
            return error_set(error, -EINVAL, "\"type\" is %s, not a text",
                             show_value(value->text, value->size, &shown));
        *ret_type = (struct json_text_span){ value->text + 1, value->size - 2 };
    }
    return 0;
}

/* An event out of a text that has been made compact. */
static int input_read(const char *compact, const struct json_text_outline *outline, struct json_text_span *ret_type,
                      struct json_text_span *ret_data, struct error *error)
{
    struct shown shown;
    const char *what;
    int r;

    if (*compact != '{')
        return error_set(error, -EINVAL,
                         "an event is an object such as {\"type\":\"deploy\",\"data\":{\"v\":2}}, not %s",
                         show_value(compact, outline->size, &shown));
    r = members_sort(outline, ret_type, ret_data, error);
    if (r < 0)
        return r;
    /* What stands escaped in it is no character of a type. */
    r = type_judge(ret_type->text, ret_type->size, &what);
    if (r < 0)
        return error_set(error, r, "the type %s %s", show_value(ret_type->text - 1, ret_type->size + 2, &shown), what);
    return 0;
}

static int parse_json(const char *text, size_t size, bool is_line, struct event_input *ret_input, struct error *error)
{
    static const char default_type[] = "\"" DEFAULT_TYPE "\"";
    struct json_text_span type = { default_type + 1, strlen(DEFAULT_TYPE) };
    struct json_text_span data = { "null", strlen("null") };
    struct json_text_outline outline;
    char *compact;
    int r = text_compact(text, size, is_line, &compact, &outline, error);

    if (r < 0)
        return r;
    r = input_read(compact, &outline, &type, &data, error);
    if (r < 0) {
        free(compact);
        return r;
    }
    return input_take(compact, &type, &data, ret_input, error);
}

int event_input_parse(const char *text, size_t size, struct event_input *ret_input, struct error *error)
{
    return parse_json(text, size, false, ret_input, error);
}

/* ---- a datagram ---- */

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static size_t skip_space(const char *text, size_t size)
{
    size_t at = 0;

    while (at < size && is_space(text[at]))
        at++;
    return at;
}

/* Plain text becomes a text in JSON. */
static int parse_plain(const char *text, size_t size, struct event_input *ret_input, struct error *error)
{
    size_t valid = json_text_valid(text, size);
    struct json_text_span type = { DEFAULT_TYPE, strlen(DEFAULT_TYPE) }, data;
    char *memory;

    if (valid < size)
        return error_set(error, -EINVAL, "byte %zu is 0x%02x, which is no character of a text in UTF-8", valid + 1,
                         (unsigned char)text[valid]);
    if (size > BERTH_EVENT_SIZE_MAX)
        return error_set(error, -EMSGSIZE, "the text has %zu bytes; %d are the most", size, BERTH_EVENT_SIZE_MAX);
    memory = malloc(size * CHARACTER_ENCODED_MAX + sizeof("\"\""));
    if (!memory)
        return error_set(error, -ENOMEM, "out of memory");
    memory[0] = '"';
    data = (struct json_text_span){ memory, json_text_escape(text, size, memory + 1) + 2 };
    memory[data.size - 1] = '"';
    return input_take(memory, &type, &data, ret_input, error);
}

int event_input_parse_datagram(const char *bytes, size_t size, struct event_input *ret_input, struct error *error)
{
    size_t space = skip_space(bytes, size);

    if (space < size && bytes[space] == '{')
        return parse_json(bytes, size, false, ret_input, error);
    if (size > 0 && bytes[size - 1] == '\n')
        size -= size > 1 && bytes[size - 2] == '\r' ? 2 : 1;
    return parse_plain(bytes, size, ret_input, error);
}

/* ---- lines ---- */

static int parse_line(const char *text, size_t size, int (*take)(void *data, struct event_input *input), void *data,
                      struct error *error)
{
    struct event_input input;
    int r;

    if (skip_space(text, size) == size)
        return 0;
    r = parse_json(text, size, true, &input, error);
    if (r < 0)
        return r;
    r = take(data, &input);
    return r < 0 ? error_set(error, r, "%s", strerror(-r)) : r;
}

int event_input_parse_lines(const char *text, size_t size, int (*take)(void *data, struct event_input *input),
                            void *data, struct error *error)
{
    const char *end = text + size;
    struct error reason;

    for (size_t number = 1; text < end; number++) {
        const char *feed = memchr(text, '\n', (size_t)(end - text));
        size_t length = (size_t)((feed ? feed : end) - text);
        int r = parse_line(text, length, take, data, &reason);

        if (r < 0)
            return error_set(error, r, "line %zu: %s", number, reason.text);
        text += length + (feed ? 1 : 0);
    }
    return 0;
}
