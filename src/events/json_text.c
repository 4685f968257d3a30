#include "events/json_text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"
#include "events/character.h"
#include "events/json_number.h"

/* An object with so many keys has them compared each with each; one with more has them sorted. */
enum { FEW_KEYS = 8 };

/* The keys of all objects that are open, the innermost one's last, as they are in the compact text: there each
 * character has only one form, so that keys are the same if their bytes are. */
struct keys {
    struct json_text_span few[32];
    struct json_text_span *all; /* `few`, or allocated */
    size_t count, room;
};

struct compactor {
    const char *text, *at, *end;
    char *compact;
    size_t size, limit;
    unsigned int depth;
    struct keys keys;
    struct json_text_outline *outline;
    const char *mistake; /* why it is refused, or NULL: because of `twice` */
    struct json_text_span twice;
};

static int compact_value(struct compactor *c);

static int refuse(struct compactor *c, const char *what)
{
    c->mistake = what;
    return -EINVAL;
}

static int put(struct compactor *c, const char *bytes, size_t size)
{
    if (size > c->limit - c->size)
        return -EMSGSIZE;
    memcpy(c->compact + c->size, bytes, size);
    c->size += size;
    return 0;
}

static int put_byte(struct compactor *c, char byte)
{
    if (c->size == c->limit)
        return -EMSGSIZE;
    c->compact[c->size++] = byte;
    return 0;
}

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/* The next byte that is no space; 0, which is never right, at the end. */
static char next_byte(struct compactor *c)
{
    while (c->at < c->end && is_space(*c->at))
        c->at++;
    return c->at < c->end ? *c->at : '\0';
}

/* ---- characters ---- */

size_t json_text_valid(const char *text, size_t size)
{
    const char *at = text, *end = text + size;

    while (at < end) {
        size_t length = utf8_size(at, (size_t)(end - at));

        if (length == 0)
            break;
        at += length;
    }
    return (size_t)(at - text);
}

size_t json_text_escape(const char *text, size_t size, char *escaped)
{
    static const char replacement[] = "\xef\xbf\xbd";
    const char *end = text + size;
    char *to = escaped;

    while (text < end) {
        size_t plain = characters_plain(text, end), length;

        memcpy(to, text, plain);
        to += plain;
        text += plain;
        if (text == end)
            break;
        length = (unsigned char)*text < 0x80 ? 0 : utf8_size(text, (size_t)(end - text));
        if (length > 0) {
            memcpy(to, text, length);
            to += length;
        } else if ((unsigned char)*text < 0x80) {
            to += character_escape((unsigned char)*text, to);
        } else {
            memcpy(to, replacement, sizeof(replacement) - 1);
            to += sizeof(replacement) - 1;
        }
        text += length > 0 ? length : 1;
    }
    return (size_t)(to - escaped);
}

/* ---- texts ---- */

/* The four digits of \uXXXX, which `at` points to; -1. */
static int32_t read_code(const char *at, const char *end)
{
    int32_t code = 0;

    if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        char byte = at[i];
        int digit = byte >= '0' && byte <= '9'   ? byte - '0'
                    : byte >= 'a' && byte <= 'f' ? byte - 'a' + 10
                    : byte >= 'A' && byte <= 'F' ? byte - 'A' + 10
                                                 : -1;

        if (digit < 0)
            return -1;
        code = code << 4 | digit;
    }
    return code;
}

static int compact_code(struct compactor *c)
{
    int32_t code = read_code(c->at, c->end), low;
    char encoded[CHARACTER_ENCODED_MAX];

    if (code < 0)
        return refuse(c, "\\u needs four digits, 0-9 or a-f");
    if (code == 0)
        return refuse(c, "the character \\u0000 is not taken");
    if (code >= 0xd800 && code <= 0xdfff) {
        low = read_code(c->at + 6, c->end);
        if (code > 0xdbff || low < 0xdc00 || low > 0xdfff)
            return refuse(c, "half a character: \\ud800 to \\udbff and \\udc00 to \\udfff go together");
        code = 0x10000 + ((code & 0x3ff) << 10 | (low & 0x3ff));
        c->at += 6;
    }
    c->at += 6;
    return put(c, encoded, character_encode((uint32_t)code, encoded));
}

static int compact_escape(struct compactor *c)
{
    char letter = c->end - c->at > 1 ? c->at[1] : '\0';
    int r;

    switch (letter) {
    case 'u':
        return compact_code(c);
    case '/':
        r = put_byte(c, '/');
        break;
    case '"':
    case '\\':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        r = put(c, c->at, 2);
        break;
    default:
        return refuse(c, "after a backslash comes one of \" \\ / b f n r t u");
    }
    c->at += 2;
    return r;
}

static int compact_text(struct compactor *c)
{
    int r = put_byte(c, *c->at++);

    while (r == 0) {
        size_t size = characters_plain(c->at, c->end);

        r = put(c, c->at, size);
        c->at += size;
        if (r < 0)
            break;
        if (c->at == c->end)
            return refuse(c, "a text does not end");
        if (*c->at == '"')
            return put_byte(c, *c->at++);
        if (*c->at == '\\') {
            r = compact_escape(c);
            continue;
        }
        if ((unsigned char)*c->at < 0x20)
            return refuse(c, "a control character in a text has to be written as \\n, \\t, \\u001b or the like");
        size = utf8_size(c->at, (size_t)(c->end - c->at));
        if (size == 0)
            return refuse(c, "what is there is not UTF-8");
        r = put(c, c->at, size);
        c->at += size;
    }
    return r;
}

/* ---- objects ---- */

static int add_key(struct keys *keys, const char *text, size_t size)
{
    struct json_text_span *larger;

    if (keys->count == keys->room) {
        larger = malloc(2 * keys->room * sizeof(*larger));
        if (!larger)
            return -ENOMEM;
        memcpy(larger, keys->all, keys->count * sizeof(*larger));
        if (keys->all != keys->few)
            free(keys->all);
        keys->all = larger;
        keys->room *= 2;
    }
    keys->all[keys->count++] = (struct json_text_span){ text, size };
    return 0;
}

static int compare_keys(const void *a, const void *b)
{
    const struct json_text_span *one = a, *other = b;

    if (one->size != other->size)
        return one->size < other->size ? -1 : 1;
    return memcmp(one->text, other->text, one->size);
}

/* A key that is there twice; NULL. Sorting keeps the time in bounds, whatever the keys are. */
static const struct json_text_span *find_twice(struct json_text_span *keys, size_t count)
{
    if (count > FEW_KEYS)
        qsort(keys, count, sizeof(*keys), compare_keys);
    for (size_t i = 1; i < count; i++)
        for (size_t k = count > FEW_KEYS ? i - 1 : 0; k < i; k++)
            if (compare_keys(&keys[k], &keys[i]) == 0)
                return &keys[i];
    return NULL;
}

static void note_member(struct compactor *c, const struct json_text_span *key, size_t value)
{
    struct json_text_outline *outline = c->outline;

    if (c->depth > 1 || outline->member_count == JSON_TEXT_MEMBERS)
        return;
    outline->members[outline->member_count].key = *key;
    outline->members[outline->member_count].value = (struct json_text_span){ c->compact + value, c->size - value };
    outline->member_count++;
}

static int compact_member(struct compactor *c)
{
    struct json_text_span key = { c->compact + c->size + 1, 0 };
    size_t value;
    int r;

    if (next_byte(c) != '"')
        return refuse(c, "a key in quotes should be here");
    r = compact_text(c);
    if (r < 0)
        return r;
    key.size = (size_t)(c->compact + c->size - 1 - key.text);
    r = add_key(&c->keys, key.text, key.size);
    if (r == 0 && next_byte(c) != ':')
        r = refuse(c, "a colon should be here");
    if (r == 0)
        r = put_byte(c, *c->at++);
    value = c->size;
    if (r == 0)
        r = compact_value(c);
    if (r == 0)
        note_member(c, &key, value);
    return r;
}

/* What is between the brackets of a list or an object, and the one that ends it. */
static int compact_members(struct compactor *c, char last, int (*compact_one)(struct compactor *c), const char *missing)
{
    char byte;
    int r = put_byte(c, *c->at++);

    if (r < 0)
        return r;
    if (next_byte(c) == last)
        return put_byte(c, *c->at++);
    do {
        r = compact_one(c);
        if (r < 0)
            return r;
        byte = next_byte(c);
        if (byte != ',' && byte != last)
            return refuse(c, missing);
        r = put_byte(c, *c->at++);
    } while (r == 0 && byte == ',');
    return r;
}

static int compact_object(struct compactor *c)
{
    size_t outer = c->keys.count;
    const struct json_text_span *twice;
    int r = compact_members(c, '}', compact_member, "a comma or } should be here");

    if (r < 0)
        return r;
    twice = find_twice(c->keys.all + outer, c->keys.count - outer);
    if (twice) {
        c->twice = *twice;
        return -EINVAL;
    }
    c->keys.count = outer;
    return 0;
}

/* ---- values ---- */

/* As it was written: a reader may be able to hold more digits than we are. */
static int compact_number(struct compactor *c)
{
    const char *number = c->at;
    size_t size = json_number_size(number, c->end, &c->mistake);

    if (size == 0)
        return -EINVAL;
    c->at += size;
    return put(c, number, size);
}

static int compact_nested(struct compactor *c)
{
    int r;

    if (c->depth == JSON_TEXT_DEPTH_MAX)
        return refuse(c, "lists and objects go at most 128 deep");
    c->depth++;
    r = *c->at == '{' ? compact_object(c) : compact_members(c, ']', compact_value, "a comma or ] should be here");
    c->depth--;
    return r;
}
_Static_assert(JSON_TEXT_DEPTH_MAX == 128, "the message says so");

static int compact_word(struct compactor *c, const char *word)
{
    size_t size = strlen(word);

    if ((size_t)(c->end - c->at) < size || memcmp(c->at, word, size) != 0)
        return refuse(c, "a value should be here: texts are in quotes");
    c->at += size;
    return put(c, word, size);
}

static int compact_value(struct compactor *c)
{
    switch (next_byte(c)) {
    case '{':
    case '[':
        return compact_nested(c);
    case '"':
        return compact_text(c);
    case 't':
        return compact_word(c, "true");
    case 'f':
        return compact_word(c, "false");
    case 'n':
        return compact_word(c, "null");
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        return compact_number(c);
    default:
        return refuse(c, c->at == c->end ? "the text ends where a value should be"
                                         : "a value should be here: texts are in quotes");
    }
}

/* ---- all of it ---- */

static void tell_mistake(const struct compactor *c, struct json_text_mistake *ret_mistake)
{
    ret_mistake->line = ret_mistake->column = 1;
    for (const char *at = c->text; at < c->at; at++) {
        ret_mistake->line += *at == '\n';
        ret_mistake->column = *at == '\n' ? 1 : ret_mistake->column + ((*at & 0xc0) != 0x80);
    }
    if (c->mistake)
        snprintf(ret_mistake->what, sizeof(ret_mistake->what), "%s", c->mistake);
    else if (c->twice.size <= 100)
        snprintf(ret_mistake->what, sizeof(ret_mistake->what), "the key \"%.*s\" is in one object twice",
                 (int)c->twice.size, c->twice.text);
    else
        snprintf(ret_mistake->what, sizeof(ret_mistake->what), "a key of %zu bytes is in one object twice",
                 c->twice.size);
}

int json_text_compact(const char *text, size_t size, char *compact, size_t limit, struct json_text_outline *ret_outline,
                      struct json_text_mistake *ret_mistake)
{
    struct json_text_outline outline;
    struct compactor c;
    int r;

    /* Not all of the keys: they are more than most texts. */
    outline.member_count = 0;
    c.text = c.at = text;
    c.end = text + size;
    c.compact = compact;
    c.size = 0;
    c.limit = limit < size ? limit : size;
    c.depth = 0;
    c.keys.all = c.keys.few;
    c.keys.count = 0;
    c.keys.room = sizeof(c.keys.few) / sizeof(c.keys.few[0]);
    c.outline = &outline;
    c.mistake = NULL;
    r = compact_value(&c);
    if (r == 0 && (next_byte(&c) != '\0' || c.at < c.end))
        r = refuse(&c, "nothing may follow here");
    if (r == -EINVAL)
        tell_mistake(&c, ret_mistake);
    if (c.keys.all != c.keys.few)
        free(c.keys.all);
    if (r < 0)
        return r;
    outline.size = c.size;
    *ret_outline = outline;
    return 0;
}
