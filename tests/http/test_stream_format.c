#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "http/stream_format.h"

Suite *suite_stream_format(void);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
    struct berth_stream_event event;
    const char *text; /* NULL: refused */
} events[] = {
    { { .data = "x" }, "data: x\n\n" },
    { { .data = "" }, "data: \n\n" },
    { { "7", "temperature", "21.5", 3000 }, "id: 7\nevent: temperature\nretry: 3000\ndata: 21.5\n\n" },
    { { .id = "" }, "id: \n\n" },
    { { .retry_ms = 4294967295 }, "retry: 4294967295\n\n" },
    { { 0 }, "\n" },
    /* lines, however they end */
    { { .data = "a\nb" }, "data: a\ndata: b\n\n" },
    { { .data = "a\rb" }, "data: a\ndata: b\n\n" },
    { { .data = "a\r\nb" }, "data: a\ndata: b\n\n" },
    { { .data = "a\n\rb" }, "data: a\ndata: \ndata: b\n\n" },
    { { .data = "a\n\nb" }, "data: a\ndata: \ndata: b\n\n" },
    { { .data = "a\n" }, "data: a\ndata: \n\n" },
    { { .data = "\n" }, "data: \ndata: \n\n" },
    { { .data = "\r\n" }, "data: \ndata: \n\n" },
    { { .data = "\r" }, "data: \ndata: \n\n" },
    /* what looks like something else */
    { { .data = " x" }, "data:  x\n\n" },
    { { .data = ": x\nid: 7" }, "data: : x\ndata: id: 7\n\n" },
    { { .id = " 7" }, "id:  7\n\n" },
    /* what would be more than one field */
    { { .id = "a\nb", .data = "x" }, NULL },
    { { .id = "a\rb", .data = "x" }, NULL },
    { { .id = "\n" }, NULL },
    { { .event = "a\ndata: b" }, NULL },
    { { .event = "a\r\n" }, NULL },
};

/* In the room that it takes, in less, and in none. */
START_TEST(formats_events)
{
    const char *expected = events[_i].text;
    size_t size = expected ? strlen(expected) : 0;

    for (size_t room = 0; room <= size + 1; room++) {
        char *bytes = malloc(room + 1);

        ck_assert_ptr_nonnull(bytes);
        memset(bytes, '#', room + 1);
        if (!expected) {
            ck_assert_int_eq(stream_format_event(&events[_i].event, bytes, room), -EBADMSG);
        } else {
            ck_assert_int_eq(stream_format_event(&events[_i].event, bytes, room), (ssize_t)size);
            ck_assert_mem_eq(bytes, expected, room < size ? room : size);
            ck_assert_int_eq(bytes[room], '#');
        }
        free(bytes);
    }
}
END_TEST

static const struct {
    const char *comment, *text;
} comments[] = {
    { "x", ": x\n" }, { "", ": \n" }, { "data: x", ": data: x\n" }, { "a\nb", NULL }, { "a\r", NULL },
};

START_TEST(formats_comments)
{
    const char *expected = comments[_i].text;
    char bytes[64];
    ssize_t size = stream_format_comment(comments[_i].comment, bytes, sizeof(bytes));

    if (!expected) {
        ck_assert_int_eq(size, -EBADMSG);
        return;
    }
    ck_assert_int_eq(size, (ssize_t)strlen(expected));
    ck_assert_mem_eq(bytes, expected, strlen(expected));
}
END_TEST

static const struct {
    const char *type, *heartbeat;
} types[] = {
    { "text/event-stream", ":\n" },
    { "Text/Event-Stream", ":\n" },
    { "text/event-stream;charset=utf-8", ":\n" },
    { "text/event-stream ; charset=utf-8", ":\n" },
    { "application/x-ndjson", "\n" },
    { "application/x-ndjson; x=1", "\n" },
    { "text/event-streams", NULL },
    { "text/event", NULL },
    { "application/json", NULL },
    { "text/plain; x=text/event-stream", NULL },
    { "", NULL },
    { ";", NULL },
};

START_TEST(knows_heartbeats)
{
    if (types[_i].heartbeat)
        ck_assert_str_eq(stream_heartbeat(types[_i].type), types[_i].heartbeat);
    else
        ck_assert_ptr_null(stream_heartbeat(types[_i].type));
}
END_TEST

Suite *suite_stream_format(void)
{
    Suite *suite = suite_create("stream_format");
    TCase *tcase = tcase_create("stream_format");

    tcase_add_loop_test(tcase, formats_events, 0, COUNT(events));
    tcase_add_loop_test(tcase, formats_comments, 0, COUNT(comments));
    tcase_add_loop_test(tcase, knows_heartbeats, 0, COUNT(types));
    suite_add_tcase(suite, tcase);
    return suite;
}
