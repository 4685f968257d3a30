/*
 * What comes in as an event. jansson is the judge of what is JSON: it and our own compactor take and refuse the same,
 * but for depth and for a NUL that jansson overlooks behind a number or a word; and what ours makes of a text means the
 * same. The first byte says how the rest comes: as one event, as lines (L), or as a datagram (D).
 */
#include "events/input.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>

#include "berth.h"
#include "events/json_text.h"
#include "property.h"

static char *copy_new(const void *bytes, size_t size)
{
    char *copy = malloc(size > 0 ? size : 1);

    if (!copy)
        abort();
    if (size > 0)
        memcpy(copy, bytes, size);
    return copy;
}

static json_t *load(const char *text, size_t size)
{
    json_error_t error;

    return json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
}

static unsigned int depth(const json_t *json)
{
    unsigned int deepest = 0, here;
    const char *key;
    json_t *value;
    size_t i;

    json_object_foreach((json_t *)(uintptr_t)json, key, value) {
        here = depth(value);
        deepest = here > deepest ? here : deepest;
    }
    json_array_foreach(json, i, value) {
        here = depth(value);
        deepest = here > deepest ? here : deepest;
    }
    return json_is_object(json) || json_is_array(json) ? deepest + 1 : 0;
}

/* No byte is there that could be left out, and none that would break a line: a second pass changes nothing. */
static void check_compact(const char *compact, size_t size)
{
    struct json_text_outline outline;
    struct json_text_mistake mistake;
    char *again = calloc(1, size > 0 ? size : 1);

    for (size_t i = 0; i < size; i++)
        PROPERTY((unsigned char)compact[i] >= 0x20);
    PROPERTY(json_text_compact(compact, size, again, size, &outline, &mistake) == 0);
    PROPERTY(outline.size == size && memcmp(again, compact, size) == 0);
    free(again);
}

static void check_mistake(const struct json_text_mistake *mistake, const char *text, size_t size)
{
    size_t lines = 1;

    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n';
    PROPERTY(mistake->line >= 1 && mistake->line <= lines && mistake->column >= 1 && mistake->column <= size + 1);
    PROPERTY(memchr(mistake->what, '\0', sizeof(mistake->what)) && mistake->what[0]);
}

static void check_json(const char *text, size_t size)
{
    struct json_text_outline outline;
    struct json_text_mistake mistake;
    char *compact = calloc(1, size > 0 ? size : 1);
    int r = json_text_compact(text, size, compact, size, &outline, &mistake);
    json_t *judged = load(text, size), *meant;

    PROPERTY(r == 0 || r == -EINVAL);
    if (r == 0) {
        PROPERTY(judged && outline.size <= size);
        meant = load(compact, outline.size);
        PROPERTY(meant && json_equal(judged, meant));
        PROPERTY(json_is_object(judged) || outline.member_count == 0);
        PROPERTY(json_object_size(judged) <= JSON_TEXT_MEMBERS ? outline.member_count == json_object_size(judged)
                                                               : outline.member_count == JSON_TEXT_MEMBERS);
        check_compact(compact, outline.size);
        json_decref(meant);
    } else {
        check_mistake(&mistake, text, size);
        PROPERTY(!judged || depth(judged) > JSON_TEXT_DEPTH_MAX || memchr(text, '\0', size));
    }
    json_decref(judged);
    free(compact);
}

/* What jansson makes of an event has to be an event of this type and data. */
static void check_event(const struct event_input *input, const json_t *judged)
{
    const json_t *type = json_object_get(judged, "type"), *expected = json_object_get(judged, "data");
    json_t *data = load(input->data, input->data_size);

    PROPERTY(judged && data && input->data[input->data_size] == '\0');
    PROPERTY(json_object_size(judged) == (size_t)(type != NULL) + (size_t)(expected != NULL));
    PROPERTY(strcmp(input->type, type ? json_string_value(type) : "message") == 0);
    PROPERTY(expected ? json_equal(data, expected) : json_is_null(data));
    PROPERTY(event_type_check(input->type, strlen(input->type), NULL) == 0);
    PROPERTY(strlen(input->type) + input->data_size <= BERTH_EVENT_SIZE_MAX);
    check_compact(input->data, input->data_size);
    json_decref(data);
}

static void check_one(const char *text, size_t size)
{
    struct event_input input;
    struct error error;
    json_t *judged = load(text, size), *type = json_object_get(judged, "type");
    int r = event_input_parse(text, size, &input, &error);

    if (r == 0) {
        check_event(&input, judged);
        event_input_done(&input);
    } else {
        PROPERTY(r == -EINVAL || r == -EPERM || r == -EMSGSIZE);
        PROPERTY(r != -EPERM || strncmp(json_string_value(type), "berth.", 6) == 0);
        PROPERTY(json_text_valid(error.text, strlen(error.text)) + 3 >= strlen(error.text));
    }
    json_decref(judged);
}

struct lines {
    const char *at, *end;
};

/* The line that this event has to be of: the next one that is not empty. */
static int take_line(void *data, struct event_input *input)
{
    struct lines *lines = data;
    struct event_input alone;
    const char *after;
    int r = -EINVAL;

    while (r < 0) {
        PROPERTY(lines->at < lines->end);
        after = memchr(lines->at, '\n', (size_t)(lines->end - lines->at));
        after = after ? after : lines->end;
        r = event_input_parse(lines->at, (size_t)(after - lines->at), &alone, NULL);
        lines->at = after < lines->end ? after + 1 : after;
    }
    PROPERTY(strcmp(alone.type, input->type) == 0 && strcmp(alone.data, input->data) == 0);
    event_input_done(&alone);
    event_input_done(input);
    return 0;
}

static void check_lines(const char *text, size_t size)
{
    struct lines lines = { text, text + size };
    struct error error;
    int r = event_input_parse_lines(text, size, take_line, &lines, &error);

    PROPERTY(r == 0 || r == -EINVAL || r == -EPERM || r == -EMSGSIZE);
    if (r < 0)
        PROPERTY(strncmp(error.text, "line ", 5) == 0 && strtoul(error.text + 5, NULL, 10) > 0);
    else
        for (; lines.at < lines.end; lines.at++)
            PROPERTY(strchr(" \t\r\n", *lines.at));
}

static void check_datagram(const char *bytes, size_t size)
{
    size_t space = 0;
    struct event_input input;
    json_t *data;
    int r;

    while (space < size && strchr(" \t\r\n", bytes[space]) && bytes[space])
        space++;
    if (space < size && bytes[space] == '{') {
        r = event_input_parse_datagram(bytes, size, &input, NULL);
        if (r == 0)
            event_input_done(&input);
        PROPERTY(event_input_parse(bytes, size, &input, NULL) == r);
        if (r == 0)
            event_input_done(&input);
        return;
    }
    r = event_input_parse_datagram(bytes, size, &input, NULL);
    PROPERTY((r == -EINVAL) == (json_text_valid(bytes, size) < size));
    if (r < 0)
        return;
    data = load(input.data, input.data_size);
    PROPERTY(json_is_string(data) && json_string_length(data) + 2 >= size && json_string_length(data) <= size);
    PROPERTY(memcmp(json_string_value(data), bytes, json_string_length(data)) == 0);
    check_compact(input.data, input.data_size);
    json_decref(data);
    event_input_done(&input);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text;

    if (size < 1 || size > BERTH_EVENT_SIZE_MAX)
        return 0;
    text = copy_new(data + 1, size - 1);
    if (data[0] == 'L')
        check_lines(text, size - 1);
    else if (data[0] == 'D')
        check_datagram(text, size - 1);
    else
        check_one(text, size - 1);
    check_json(text, size - 1);
    free(text);
    return 0;
}
