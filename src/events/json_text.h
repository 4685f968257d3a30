/*
 * JSON as text (RFC 8259): checked, and made compact, in one pass and without a tree, since every datagram goes through
 * it. What is taken is what jansson takes with JSON_REJECT_DUPLICATES, so that applications can read with it what is in
 * the log: UTF-8, no character U+0000 and no lone surrogate, integers of 64 bits, numbers that a double can hold, no
 * key twice in an object. Only the depth is less. Numbers stay as they were written; a text has its shortest form.
 */
#ifndef BERTH_EVENTS_JSON_TEXT_H
#define BERTH_EVENTS_JSON_TEXT_H

#include <stddef.h>

/* Lists and objects within each other. More than other people's programs take is of no use: jq 1.6 ends at 256. */
#define JSON_TEXT_DEPTH_MAX 128
/* As many members of the outermost object are noted. */
#define JSON_TEXT_MEMBERS 3

struct json_text_span {
    const char *text;
    size_t size;
};

struct json_text_outline {
    size_t size;         /* of the compact text */
    size_t member_count; /* of the outermost object's that are here: the first ones; 0 for another value */
    struct {
        struct json_text_span key; /* without its quotes */
        struct json_text_span value;
    } members[JSON_TEXT_MEMBERS];
};

/* Where it is no JSON, and why. */
struct json_text_mistake {
    size_t line, column; /* from 1; in characters */
    char what[160];
};

/* Makes `size` bytes of text compact; the result is never longer. It goes to `compact`, where there is room for `size`
 * or `limit` bytes, whichever is less; the outline points there. -EINVAL with *ret_mistake; -EMSGSIZE: longer than
 * `limit`; -ENOMEM. */
int json_text_compact(const char *text, size_t size, char *compact, size_t limit, struct json_text_outline *ret_outline,
                      struct json_text_mistake *ret_mistake);

/* How many bytes, from the first on, are UTF-8 without U+0000. */
size_t json_text_valid(const char *text, size_t size);

/* Any bytes as the inside of a text in JSON; U+FFFD stands for each that is no UTF-8. Returns how many it made: at most
 * CHARACTER_ENCODED_MAX (character.h) for each. */
size_t json_text_escape(const char *text, size_t size, char *escaped);

#endif
