#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "berth.h"
#include "events/input.h"
#include "events/json_text.h"

Suite *suite_event_input(void);

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* Text whose NULs count. */
#define TEXT(literal) literal, sizeof(literal) - 1

/* In memory of exactly that size: what is parsed has no NUL behind it. */
static char *copy_new(const char *text, size_t size)
{
    return memcpy(malloc(size > 0 ? size : 1), text, size);
}

/* ---- JSON, as it is taken ---- */

static const struct {
    const char *text, *compact;
} taken[] = {
    { "null", "null" },
    { " \t\r\n[ true , false ,\n null ] ", "[true,false,null]" },
    { "{ }", "{}" },
    { "[\n]", "[]" },
    { "{ \"a\" : { \"b\" : [ 1 , { } ] } , \"c\" : \"d e\" }", "{\"a\":{\"b\":[1,{}]},\"c\":\"d e\"}" },
    { "{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":1}}", "{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":1}}" },
    { "{\"\":1}", "{\"\":1}" },
    /* numbers stay as they were written */
    { "0", "0" },
    { "-0", "-0" },
    { "0.10", "0.10" },
    { "21.7", "21.7" },
    { "1E+05", "1E+05" },
    { "1e-999", "1e-999" },
    { "0e999", "0e999" },
    { "9223372036854775807", "9223372036854775807" },
    { "-9223372036854775808", "-9223372036854775808" },
    { "1.7976931348623157e308", "1.7976931348623157e308" },
    { "-0.00017976931348623157e312", "-0.00017976931348623157e312" },
    { "17976931348623157e292", "17976931348623157e292" },
    { "99999999999999999999.5", "99999999999999999999.5" },
    /* texts have one form */
    { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\"" },
    { "\"\\u0061\\u0022\\u005C\\u000a\\u001B\\u007f\"", "\"a\\\"\\\\\\n\\u001b\x7f\"" },
    { "\"\\u00e9\\u20AC\\ud83d\\uDE00\\uffff\"", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbf\xbf\"" },
    { "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf\"",
      "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf\"" },
};

START_TEST(makes_json_compact)
{
    size_t size = strlen(taken[_i].text);
    char *text = copy_new(taken[_i].text, size), *compact = malloc(size + 1);
    struct json_text_outline outline;
    struct json_text_mistake mistake = { .what = "" };
    int r = json_text_compact(text, size, compact, size, &outline, &mistake);

    ck_assert_msg(r == 0, "%d: %s", r, mistake.what);
    compact[outline.size] = '\0';
    ck_assert_str_eq(compact, taken[_i].compact);
    /* There is room for exactly that, and then for no byte less. */
    ck_assert_int_eq(json_text_compact(text, size, compact, outline.size, &outline, &mistake), 0);
    ck_assert_int_eq(json_text_compact(text, size, compact, outline.size - 1, &outline, &mistake), -EMSGSIZE);
    free(compact);
    free(text);
}
END_TEST

/* ---- JSON, as it is refused ---- */

static const struct {
    const char *text;
    size_t size, line, column;
    const char *what;
} refused[] = {
    { TEXT(""), 1, 1, "ends where a value should be" },
    { TEXT(" \n "), 2, 2, "ends where a value should be" },
    { TEXT("deploy"), 1, 1, "texts are in quotes" },
    { TEXT("tru"), 1, 1, "texts are in quotes" },
    { TEXT("{\n  \"a\": x}"), 2, 8, "texts are in quotes" },
    { TEXT("{} {}"), 1, 4, "nothing may follow" },
    { TEXT("null\0"), 1, 5, "nothing may follow" },
    { TEXT("truex"), 1, 5, "nothing may follow" },
    { TEXT("{\"\xc3\xa9\":1,}"), 1, 8, "a key in quotes" },
    { TEXT("{,}"), 1, 2, "a key in quotes" },
    { TEXT("{a:1}"), 1, 2, "a key in quotes" },
    { TEXT("{\"a\" 1}"), 1, 6, "a colon" },
    { TEXT("{\"a\":1"), 1, 7, "a comma or }" },
    { TEXT("[1"), 1, 3, "a comma or ]" },
    { TEXT("[1 2]"), 1, 4, "a comma or ]" },
    { TEXT("[1,]"), 1, 4, "a value should be here" },
    { TEXT("[1}"), 1, 3, "a comma or ]" },
    { TEXT("+1"), 1, 1, "a value should be here" },
    { TEXT("01"), 1, 2, "nothing may follow" },
    { TEXT("-"), 1, 1, "digit after its -" },
    { TEXT("-x"), 1, 1, "digit after its -" },
    { TEXT("1."), 1, 1, "digit after its point" },
    { TEXT("1.e5"), 1, 1, "digit after its point" },
    { TEXT(".5"), 1, 1, "a value should be here" },
    { TEXT("1e"), 1, 1, "digit after its e" },
    { TEXT("1e+"), 1, 1, "digit after its e" },
    { TEXT("NaN"), 1, 1, "a value should be here" },
    { TEXT("9223372036854775808"), 1, 1, "64 bits" },
    { TEXT("-9223372036854775809"), 1, 1, "64 bits" },
    { TEXT("10000000000000000000"), 1, 1, "64 bits" },
    { TEXT("1e309"), 1, 1, "1.8e308" },
    { TEXT("-1.797693134862315808e308"), 1, 1, "1.8e308" },
    { TEXT("0.0001e313"), 1, 1, "1.8e308" },
    { TEXT("1e99999999999999999999"), 1, 1, "1.8e308" },
    { TEXT("\"a"), 1, 3, "a text does not end" },
    { TEXT("\"a\nb\""), 1, 3, "control character" },
    { TEXT("\"a\0b\""), 1, 3, "control character" },
    { TEXT("\"\\x\""), 1, 2, "after a backslash" },
    { TEXT("\"\\"), 1, 2, "after a backslash" },
    { TEXT("\"\\u12g4\""), 1, 2, "four digits" },
    { TEXT("\"\\u123"), 1, 2, "four digits" },
    { TEXT("\"\\u0000\""), 1, 2, "\\u0000 is not taken" },
    { TEXT("\"\\ud800\""), 1, 2, "half a character" },
    { TEXT("\"\\ud800\\u0041\""), 1, 2, "half a character" },
    { TEXT("\"\\ude00\\ud83d\""), 1, 2, "half a character" },
    { TEXT("\"\\ude00\\ude00\""), 1, 2, "half a character" },
    { TEXT("\"caf\xe9\""), 1, 5, "not UTF-8" },
    { TEXT("\"\xc0\xaf\""), 1, 2, "not UTF-8" },
    { TEXT("\"\xe0\x9f\xbf\""), 1, 2, "not UTF-8" },
    { TEXT("\"\xed\xa0\x80\""), 1, 2, "not UTF-8" },
    { TEXT("\"\xf0\x8f\xbf\xbf\""), 1, 2, "not UTF-8" },
    { TEXT("\"\xf4\x90\x80\x80\""), 1, 2, "not UTF-8" },
    { TEXT("\"\xf5\x80\x80\x80\""), 1, 2, "not UTF-8" },
    { TEXT("\"\xe2\x82"), 1, 2, "not UTF-8" },
    { TEXT("\"\x80\""), 1, 2, "not UTF-8" },
    { TEXT("\xef\xbb\xbf{}"), 1, 1, "a value should be here" },
    { TEXT("{\"a\":1,\"a\":2}"), 1, 14, "the key \"a\" is in one object twice" },
    { TEXT("{\"a\":1,\"b\":2,\"a\":3}"), 1, 20, "the key \"a\" is in one object twice" },
    { TEXT("[{\"a\":1,\"\\u0061\":2}]"), 1, 20, "the key \"a\" is in one object twice" },
    { TEXT("{\"0\":1,\"1\":1,\"2\":1,\"3\":1,\"4\":1,\"5\":1,\"6\":1,\"7\":1,\"8\":1,\"3\":1}"), 1, 62,
      "the key \"3\" is in one object twice" },
};

START_TEST(refuses_json)
{
    char *text = copy_new(refused[_i].text, refused[_i].size), *compact = malloc(refused[_i].size + 1);
    struct json_text_outline outline = { .size = 77 };
    struct json_text_mistake mistake;

    ck_assert_int_eq(json_text_compact(text, refused[_i].size, compact, refused[_i].size, &outline, &mistake), -EINVAL);
    ck_assert_ptr_nonnull(strstr(mistake.what, refused[_i].what));
    ck_assert_uint_eq(mistake.line, refused[_i].line);
    ck_assert_uint_eq(mistake.column, refused[_i].column);
    ck_assert_uint_eq(outline.size, 77);
    free(compact);
    free(text);
}
END_TEST

/* Lists within each other, and objects. */
START_TEST(goes_to_a_depth)
{
    size_t depth = JSON_TEXT_DEPTH_MAX + (size_t)(_i & 1);
    const char *open = _i & 2 ? "{\"a\":" : "[", *close = _i & 2 ? "}" : "]";
    char text[6 * (JSON_TEXT_DEPTH_MAX + 1) + 2], compact[sizeof(text)], *at = text;
    struct json_text_outline outline;
    struct json_text_mistake mistake;

    for (size_t i = 0; i < depth; i++)
        at = stpcpy(at, open);
    at = stpcpy(at, "1");
    for (size_t i = 0; i < depth; i++)
        at = stpcpy(at, close);
    ck_assert_int_eq(json_text_compact(text, (size_t)(at - text), compact, sizeof(compact), &outline, &mistake),
                     _i & 1 ? -EINVAL : 0);
    if (_i & 1)
        ck_assert_str_eq(mistake.what, "lists and objects go at most 128 deep");
}
END_TEST

/* More keys than are kept in place, in objects that are open at once; the last one anew, or for the second time. */
START_TEST(compares_many_keys)
{
    enum { KEYS = 3000 };
    char *text = malloc(KEYS * 32), *compact = malloc(KEYS * 32), *at = text;
    struct json_text_outline outline;
    struct json_text_mistake mistake;
    int r;

    at = stpcpy(at, "{\"1\":{\"2\":");
    for (int i = 0; i < KEYS; i++)
        at += snprintf(at, 32, "%s\"%d\":[]", i == 0 ? "{" : ",", i * 7919 % KEYS);
    at = stpcpy(at, "}}");
    if (_i == 1)
        at = stpcpy(at, ",\"1\":0");
    if (_i == 2)
        at = stpcpy(at, ",\"2\":0");
    at = stpcpy(at, "}");
    r = json_text_compact(text, (size_t)(at - text), compact, KEYS * 32, &outline, &mistake);
    ck_assert_int_eq(r, _i == 1 ? -EINVAL : 0);
    if (r < 0)
        ck_assert_str_eq(mistake.what, "the key \"1\" is in one object twice");
    free(compact);
    free(text);
}
END_TEST

/* ---- types ---- */

static const struct {
    const char *type;
    size_t size;
    int r;
    const char *message;
} types[] = {
    { TEXT("a"), 0, NULL },
    { TEXT("job.done"), 0, NULL },
    { TEXT("AZaz09._:/-"), 0, NULL },
    { TEXT("berth"), 0, NULL },
    { TEXT("berthx.y"), 0, NULL },
    { TEXT("Berth.x"), 0, NULL },
    { TEXT("x.berth."), 0, NULL },
    { TEXT(""), -EINVAL, "the type \"\" is not 1 to 100 characters long" },
    { TEXT("a b"), -EINVAL, "the type \"a b\" may have only A-Z a-z 0-9 . _ : / -" },
    { TEXT("a\n"), -EINVAL, "the type \"a\\n\" may have only" },
    { TEXT("a\0b"), -EINVAL, "the type \"a\\u0000b\" may have only" },
    { TEXT("a\""), -EINVAL, "the type \"a\\\"\" may have only" },
    { TEXT("caf\xc3\xa9"), -EINVAL, "the type \"caf\xc3\xa9\" may have only" },
    { TEXT("\xff"), -EINVAL, "the type \"\xef\xbf\xbd\" may have only" },
    { TEXT("job.*"), -EINVAL, "may have only" },
    { TEXT("a@"), -EINVAL, "may have only" },
    { TEXT("a["), -EINVAL, "may have only" },
    { TEXT("a`"), -EINVAL, "may have only" },
    { TEXT("a{"), -EINVAL, "may have only" },
    { TEXT("a,"), -EINVAL, "may have only" },
    { TEXT("a;"), -EINVAL, "may have only" },
    { TEXT("berth."), -EPERM,
      "the type \"berth.\" is one of berth's own: take one that does not begin with \"berth.\"" },
    { TEXT("berth.missed"), -EPERM, "the type \"berth.missed\" is one of berth's own" },
};

START_TEST(judges_types)
{
    char *type = copy_new(types[_i].type, types[_i].size);
    struct error error = { "untouched" };

    ck_assert_int_eq(event_type_check(type, types[_i].size, NULL), types[_i].r);
    ck_assert_int_eq(event_type_check(type, types[_i].size, &error), types[_i].r);
    if (types[_i].message)
        ck_assert_ptr_nonnull(strstr(error.text, types[_i].message));
    else
        ck_assert_str_eq(error.text, "untouched");
    free(type);
}
END_TEST

START_TEST(a_type_has_100_characters)
{
    char type[BERTH_EVENT_TYPE_MAX + 1];
    struct error error;

    memset(type, 'a', sizeof(type));
    ck_assert_int_eq(event_type_check(type, BERTH_EVENT_TYPE_MAX, &error), 0);
    ck_assert_int_eq(event_type_check(type, BERTH_EVENT_TYPE_MAX + 1, &error), -EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "aaa… is not 1 to 100 characters long"));
}
END_TEST

/* ---- one event ---- */

static const struct {
    const char *text, *type, *data;
} events[] = {
    { "{\"type\":\"deploy\",\"data\":{\"v\":2}}", "deploy", "{\"v\":2}" },
    { " {\n \"data\" : [ 1, 2 ],\n \"type\" : \"job.done\" }\n", "job.done", "[1,2]" },
    { "{}", "message", "null" },
    { "{\"data\":null}", "message", "null" },
    { "{\"type\":\"a\"}", "a", "null" },
    { "{\"data\":\"x\"}", "message", "\"x\"" },
    { "{\"data\":0.10}", "message", "0.10" },
    { "{\"\\u0074ype\":\"\\u0061\\/b\"}", "a/b", "null" },
    { "{\"type\":\"berth\"}", "berth", "null" },
    { "{\"data\":{\"type\":1,\"data\":2,\"more\":3,\"a\":4}}", "message",
      "{\"type\":1,\"data\":2,\"more\":3,\"a\":4}" },
};

START_TEST(parses_an_event)
{
    size_t size = strlen(events[_i].text);
    char *text = copy_new(events[_i].text, size);
    struct event_input input;
    struct error error = { "" };

    ck_assert_msg(event_input_parse(text, size, &input, &error) == 0, "%s", error.text);
    ck_assert_str_eq(input.type, events[_i].type);
    ck_assert_str_eq(input.data, events[_i].data);
    ck_assert_uint_eq(input.data_size, strlen(input.data));
    event_input_done(&input);
    ck_assert_ptr_null(input.type);
    event_input_done(&input);
    free(text);
}
END_TEST

static const struct {
    const char *text;
    int r;
    const char *message;
} no_events[] = {
    { "", -EINVAL, "not JSON: line 1, column 1: the text ends where a value should be" },
    { "{\n\"type\": deploy}", -EINVAL, "not JSON: line 2, column 9: a value should be here: texts are in quotes" },
    { "{\"type\":\"a\",\"type\":\"b\"}", -EINVAL, "the key \"type\" is in one object twice" },
    { "[]", -EINVAL, "an event is an object such as {\"type\":\"deploy\",\"data\":{\"v\":2}}, not a list" },
    { "12", -EINVAL, "not 12" },
    { "\"deploy\"", -EINVAL, "not \"deploy\"" },
    { "null", -EINVAL, "not null" },
    { "{\"typ\":\"a\"}", -EINVAL, "\"typ\" is not known: an event has \"type\" and \"data\"" },
    { "{\"type\":\"a\",\"data\":1,\"time\":3}", -EINVAL, "\"time\" is not known" },
    { "{\"type\":\"a\",\"a\":1,\"b\":1,\"data\":2}", -EINVAL, "\"a\" is not known" },
    { "{\"Type\":\"a\"}", -EINVAL, "\"Type\" is not known" },
    { "{\"a\\nb\":\"a\"}", -EINVAL, "\"a\\nb\" is not known" },
    { "{\"type\":12}", -EINVAL, "\"type\" is 12, not a text" },
    { "{\"type\":null}", -EINVAL, "\"type\" is null, not a text" },
    { "{\"type\":[\"a\"]}", -EINVAL, "\"type\" is a list, not a text" },
    { "{\"type\":{}}", -EINVAL, "\"type\" is an object, not a text" },
    { "{\"type\":\"\"}", -EINVAL, "the type \"\" is not 1 to 100 characters long" },
    { "{\"type\":\"a b\"}", -EINVAL, "the type \"a b\" may have only A-Z a-z 0-9 . _ : / -" },
    { "{\"type\":\"a\\\"b\"}", -EINVAL, "the type \"a\\\"b\" may have only" },
    { "{\"type\":\"berth.x\"}", -EPERM, "the type \"berth.x\" is one of berth's own" },
    { "{\"type\":\"\\u0062erth.x\"}", -EPERM, "the type \"berth.x\" is one of berth's own" },
};

START_TEST(refuses_what_is_no_event)
{
    size_t size = strlen(no_events[_i].text);
    char *text = copy_new(no_events[_i].text, size);
    struct event_input input = { .data_size = 77 };
    struct error error = { "" };

    ck_assert_int_eq(event_input_parse(text, size, &input, &error), no_events[_i].r);
    ck_assert_msg(strstr(error.text, no_events[_i].message), "%s", error.text);
    ck_assert_uint_eq(input.data_size, 77);
    ck_assert_int_eq(event_input_parse(text, size, &input, NULL), no_events[_i].r);
    free(text);
}
END_TEST

/* What is quoted back is cut at a character. */
START_TEST(quotes_only_so_much)
{
    char text[400] = "{\"type\":\"";
    struct event_input input;
    struct error error;

    for (size_t at = strlen(text); at < 300; at += 2)
        memcpy(text + at, "\xc3\xa9", 2);
    memcpy(text + 301, "\"}", 3);
    ck_assert_int_eq(event_input_parse(text, strlen(text), &input, &error), -EINVAL);
    ck_assert_uint_eq(json_text_valid(error.text, strlen(error.text)), strlen(error.text));
    ck_assert_ptr_nonnull(strstr(error.text, "\xc3\xa9… may have only"));
    ck_assert_uint_lt(strlen(error.text), 140);
}
END_TEST

/* ---- how large ---- */

/* An event whose type and data have so many bytes together, with spaces between them that do not count. */
static char *make_event(const char *type, size_t type_size, size_t size)
{
    char *text = malloc(size + 200), *at = text;

    at = stpcpy(at, "{  ");
    if (type_size > 0)
        at += sprintf(at, "\"type\" : \"%.*s\" ,", (int)type_size, type);
    else
        type_size = strlen("message");
    at = stpcpy(at, " \"data\" : \"");
    memset(at, 'x', size - type_size - 2);
    at += size - type_size - 2;
    stpcpy(at, "\"   }");
    return text;
}

/* At the limit and one above, with and without a type: as an event, as a line, as a datagram. */
static int take_one(void *data, struct event_input *input)
{
    *(struct event_input *)data = *input;
    return 0;
}

START_TEST(keeps_the_size)
{
    char type[BERTH_EVENT_TYPE_MAX], *text;
    bool too_large = _i & 1;
    size_t type_size = _i / 6 == 0 ? 0 : _i / 6 == 1 ? 1 : BERTH_EVENT_TYPE_MAX;
    struct event_input input = { .data_size = 0 };
    struct error error;
    int way = _i % 6 / 2, r;

    memset(type, 't', sizeof(type));
    text = make_event(type, type_size, BERTH_EVENT_SIZE_MAX + too_large);
    r = way == 0   ? event_input_parse(text, strlen(text), &input, &error)
        : way == 1 ? event_input_parse_datagram(text, strlen(text), &input, &error)
                   : event_input_parse_lines(text, strlen(text), take_one, &input, &error);
    ck_assert_int_eq(r, too_large ? -EMSGSIZE : 0);
    if (too_large)
        ck_assert_ptr_nonnull(strstr(error.text, "65536"));
    else
        ck_assert_uint_eq(strlen(input.type) + input.data_size, BERTH_EVENT_SIZE_MAX);
    event_input_done(&input);
    free(text);
}
END_TEST

/* Spaces do not count, however many; keys that are refused anyway do not make it smaller. */
START_TEST(counts_the_compact_form)
{
    enum { SPACES = 1024 * 1024 };
    char *text = malloc(SPACES + 32);
    struct event_input input;
    struct error error;

    memset(text, ' ', SPACES);
    memcpy(text, "{\"data\":", 8);
    memcpy(text + SPACES, "\"\\u0061\"}", 9);
    ck_assert_int_eq(event_input_parse(text, SPACES + 9, &input, &error), 0);
    ck_assert_str_eq(input.data, "\"a\"");
    event_input_done(&input);
    memset(text + 8, '1', SPACES - 8);
    text[8] = '"';
    memcpy(text + SPACES, "\"}", 2);
    ck_assert_int_eq(event_input_parse(text, SPACES + 2, &input, &error), -EMSGSIZE);
    ck_assert_str_eq(error.text, "the event has more than 65536 bytes of type and data");
    free(text);
}
END_TEST

/* ---- from an application ---- */

START_TEST(makes_an_event)
{
    static const char *const data[] = { "null", "{\"v\":2,\"a\":[1,2.5,\"x\\ny\"]}", "12", "\"\xc3\xa9\"", "[]" };
    json_error_t ignored;
    json_t *json = json_loads(data[_i], JSON_DECODE_ANY, &ignored);
    struct event_input input;
    struct error error;

    ck_assert_ptr_nonnull(json);
    ck_assert_int_eq(event_input_make("deploy", _i == 0 ? NULL : json, &input, &error), 0);
    ck_assert_str_eq(input.type, "deploy");
    ck_assert_str_eq(input.data, data[_i]);
    ck_assert_uint_eq(input.data_size, strlen(data[_i]));
    event_input_done(&input);
    json_decref(json);
}
END_TEST

/* What jansson can hold, but no reader could take. */
START_TEST(refuses_what_cannot_be_data)
{
    json_t *json = json_array(), *deepest = json;
    struct event_input input;
    struct error error;

    ck_assert_int_eq(event_input_make("berth.x", NULL, &input, &error), -EPERM);
    ck_assert_int_eq(event_input_make("a b", json, &input, &error), -EINVAL);
    ck_assert_int_eq(event_input_make("", json, &input, &error), -EINVAL);
    for (int i = 1; i < JSON_TEXT_DEPTH_MAX; i++) {
        json_array_append_new(deepest, json_array());
        deepest = json_array_get(deepest, 0);
    }
    ck_assert_int_eq(event_input_make("a", json, &input, &error), 0);
    event_input_done(&input);
    json_array_append_new(deepest, json_array());
    ck_assert_int_eq(event_input_make("a", json, &input, &error), -EINVAL);
    json_array_clear(json);
    json_array_append_new(json, json_stringn_nocheck("a\0b", 3));
    ck_assert_int_eq(event_input_make("a", json, &input, &error), -EINVAL);
    json_array_set_new(json, 0, json_string_nocheck("caf\xe9"));
    ck_assert_int_eq(event_input_make("a", json, &input, &error), -EINVAL);
    ck_assert_str_eq(error.text, "the data cannot be written as JSON");
    json_decref(json);
}
END_TEST

START_TEST(keeps_the_size_of_an_application)
{
    char *text = malloc(BERTH_EVENT_SIZE_MAX);
    size_t size = BERTH_EVENT_SIZE_MAX - strlen("deploy") - strlen("\"\"");
    struct event_input input;
    struct error error;
    json_t *json;

    memset(text, 'x', BERTH_EVENT_SIZE_MAX);
    json = json_stringn(text, size);
    ck_assert_int_eq(event_input_make("deploy", json, &input, &error), 0);
    ck_assert_uint_eq(input.data_size, size + 2);
    event_input_done(&input);
    json_string_setn(json, text, size + 1);
    ck_assert_int_eq(event_input_make("deploy", json, &input, &error), -EMSGSIZE);
    ck_assert_str_eq(error.text, "the event has 65537 bytes of type and data; 65536 are the most");
    json_decref(json);
    free(text);
}
END_TEST

/* ---- datagrams ---- */

static const struct {
    const char *bytes;
    size_t size;
    int r;
    const char *type, *data; /* or the message */
} datagrams[] = {
    { TEXT("{\"type\":\"deploy\",\"data\":{\"v\":2}}\n"), 0, "deploy", "{\"v\":2}" },
    { TEXT(" \r\n\t{\"type\":\"a\"}"), 0, "a", "null" },
    { TEXT("hello"), 0, "message", "\"hello\"" },
    { TEXT("hello\n"), 0, "message", "\"hello\"" },
    { TEXT("hello\r\n"), 0, "message", "\"hello\"" },
    { TEXT("hello\n\n"), 0, "message", "\"hello\\n\"" },
    { TEXT("hello\r"), 0, "message", "\"hello\\r\"" },
    { TEXT(" two\nlines \n"), 0, "message", "\" two\\nlines \"" },
    { TEXT("say \"\\\" \t\x1b\x7f"), 0, "message", "\"say \\\"\\\\\\\" \\t\\u001b\x7f\"" },
    { TEXT("\xc3\xa9\xf0\x9f\x98\x80"), 0, "message", "\"\xc3\xa9\xf0\x9f\x98\x80\"" },
    { TEXT("[1]"), 0, "message", "\"[1]\"" },
    { TEXT("12"), 0, "message", "\"12\"" },
    { TEXT(""), 0, "message", "\"\"" },
    { TEXT("\n"), 0, "message", "\"\"" },
    { TEXT("\r\n"), 0, "message", "\"\"" },
    { TEXT("{deploy}"), -EINVAL, NULL, "not JSON: line 1, column 2: a key in quotes should be here" },
    { TEXT("{\"type\":\"berth.x\"}"), -EPERM, NULL, "berth's own" },
    { TEXT("a\0b"), -EINVAL, NULL, "byte 2 is 0x00, which is no character of a text in UTF-8" },
    { TEXT("hello\n\0"), -EINVAL, NULL, "byte 7 is 0x00" },
    { TEXT("caf\xe9"), -EINVAL, NULL, "byte 4 is 0xe9" },
    { TEXT("cut\xe2\x82"), -EINVAL, NULL, "byte 4 is 0xe2" },
};

START_TEST(parses_a_datagram)
{
    char *bytes = copy_new(datagrams[_i].bytes, datagrams[_i].size);
    struct event_input input = { .data_size = 77 };
    struct error error = { "" };

    ck_assert_int_eq(event_input_parse_datagram(bytes, datagrams[_i].size, &input, &error), datagrams[_i].r);
    if (datagrams[_i].r == 0) {
        ck_assert_str_eq(input.type, datagrams[_i].type);
        ck_assert_str_eq(input.data, datagrams[_i].data);
        ck_assert_uint_eq(input.data_size, strlen(input.data));
        event_input_done(&input);
    } else {
        ck_assert_msg(strstr(error.text, datagrams[_i].data), "%s", error.text);
        ck_assert_uint_eq(input.data_size, 77);
    }
    free(bytes);
}
END_TEST

/* Plain text counts as it is written in JSON: a byte that has to be escaped more than once. */
START_TEST(keeps_the_size_of_plain_text)
{
    size_t most = BERTH_EVENT_SIZE_MAX - strlen("message") - strlen("\"\"");
    char *text = malloc(BERTH_EVENT_SIZE_MAX + 1);
    struct event_input input;

    memset(text, 'x', BERTH_EVENT_SIZE_MAX + 1);
    ck_assert_int_eq(event_input_parse_datagram(text, most, &input, NULL), 0);
    ck_assert_uint_eq(input.data_size, most + 2);
    event_input_done(&input);
    ck_assert_int_eq(event_input_parse_datagram(text, most + 1, &input, NULL), -EMSGSIZE);
    ck_assert_int_eq(event_input_parse_datagram(text, BERTH_EVENT_SIZE_MAX + 1, &input, NULL), -EMSGSIZE);
    text[0] = '"';
    ck_assert_int_eq(event_input_parse_datagram(text, most, &input, NULL), -EMSGSIZE);
    ck_assert_int_eq(event_input_parse_datagram(text, most - 1, &input, NULL), 0);
    event_input_done(&input);
    memset(text, '\x01', BERTH_EVENT_SIZE_MAX);
    ck_assert_int_eq(event_input_parse_datagram(text, BERTH_EVENT_SIZE_MAX, &input, NULL), -EMSGSIZE);
    free(text);
}
END_TEST

/* ---- lines ---- */

struct lines {
    char text[200];
    int left; /* so many may be taken */
};

static int take_line(void *data, struct event_input *input)
{
    struct lines *lines = data;
    size_t size = strlen(lines->text);

    snprintf(lines->text + size, sizeof(lines->text) - size, "%s=%s;", input->type, input->data);
    event_input_done(input);
    return lines->left-- > 0 ? 0 : -ENOBUFS;
}

static const struct {
    const char *text;
    int r;
    const char *taken, *message;
} ndjson[] = {
    { "", 0, "", "" },
    { "\n \t\n\r\n", 0, "", "" },
    { "{\"type\":\"a\"}", 0, "a=null;", "" },
    { "{\"type\":\"a\"}\n{\"data\":2}\n", 0, "a=null;message=2;", "" },
    { "\n{\"type\":\"a\"}\r\n\r\n  {\"data\":2}\r\n", 0, "a=null;message=2;", "" },
    { "{\"type\":\"a\"}\n\n{\"type\":12}\n{}", -EINVAL, "a=null;", "line 3: \"type\" is 12, not a text" },
    { "{\"type\":\"berth.x\"}", -EPERM, "", "line 1: the type \"berth.x\" is one of berth's own" },
    { "{}\n{\"data\": x}\n", -EINVAL, "message=null;", "line 2: not JSON: column 10: a value should be here" },
    { "{}\n{\"data\":\n1}\n", -EINVAL, "message=null;", "line 2: not JSON: column 9: the text ends" },
    { "{}{}\n", -EINVAL, "", "line 1: not JSON: column 3: nothing may follow here" },
    { "{}\n{}\n{}\n{}\n", -ENOBUFS, "message=null;message=null;message=null;", "line 3: " },
};

START_TEST(parses_lines)
{
    size_t size = strlen(ndjson[_i].text);
    char *text = copy_new(ndjson[_i].text, size);
    struct lines lines = { .left = 2 };
    struct error error = { "" };

    ck_assert_int_eq(event_input_parse_lines(text, size, take_line, &lines, &error), ndjson[_i].r);
    ck_assert_str_eq(lines.text, ndjson[_i].taken);
    ck_assert_msg(strncmp(error.text, ndjson[_i].message, strlen(ndjson[_i].message)) == 0, "%s", error.text);
    free(text);
}
END_TEST

static TCase *case_json(void)
{
    TCase *json = tcase_create("json");

    tcase_add_loop_test(json, makes_json_compact, 0, COUNT(taken));
    tcase_add_loop_test(json, refuses_json, 0, COUNT(refused));
    tcase_add_loop_test(json, goes_to_a_depth, 0, 4);
    tcase_add_loop_test(json, compares_many_keys, 0, 3);
    return json;
}

static TCase *case_events(void)
{
    TCase *one = tcase_create("events");

    tcase_add_loop_test(one, judges_types, 0, COUNT(types));
    tcase_add_test(one, a_type_has_100_characters);
    tcase_add_loop_test(one, parses_an_event, 0, COUNT(events));
    tcase_add_loop_test(one, refuses_what_is_no_event, 0, COUNT(no_events));
    tcase_add_test(one, quotes_only_so_much);
    tcase_add_loop_test(one, keeps_the_size, 0, 18);
    tcase_add_test(one, counts_the_compact_form);
    tcase_add_loop_test(one, makes_an_event, 0, 5);
    tcase_add_test(one, refuses_what_cannot_be_data);
    tcase_add_test(one, keeps_the_size_of_an_application);
    return one;
}

Suite *suite_event_input(void)
{
    Suite *suite = suite_create("event_input");
    TCase *many = tcase_create("datagrams and lines");

    suite_add_tcase(suite, case_json());
    suite_add_tcase(suite, case_events());
    tcase_add_loop_test(many, parses_a_datagram, 0, COUNT(datagrams));
    tcase_add_test(many, keeps_the_size_of_plain_text);
    tcase_add_loop_test(many, parses_lines, 0, COUNT(ndjson));
    suite_add_tcase(suite, many);
    return suite;
}
