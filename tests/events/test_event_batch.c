#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "berth.h"
#include "events/batch.h"
#include "events/log.h"

Suite *suite_event_batch(void);

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* ---- the exact text ---- */

/* Of an event in which nothing but these two is of interest. */
#define NAMED(id, user)                                                                                                \
    "{\"id\":" id ",\"time\":0.000000,\"type\":\"a\","                                                                 \
    "\"peer\":{\"uid\":0,\"user\":\"" user "\",\"pid\":1},\"data\":0}"

static const struct {
    uint64_t id, time_us;
    uid_t uid;
    pid_t pid;
    const char *user, *type, *data, *text;
} lines[] = {
    { 1700000000000001, 1700000000123456, 1000, 4242, "alice", "deploy", "{\"v\":2}",
      "{\"id\":1700000000000001,\"time\":1700000000.123456,\"type\":\"deploy\","
      "\"peer\":{\"uid\":1000,\"user\":\"alice\",\"pid\":4242},\"data\":{\"v\":2}}" },
    { 1, 0, 0, 0, "root", "a", "null",
      "{\"id\":1,\"time\":0.000000,\"type\":\"a\",\"peer\":{\"uid\":0,\"user\":\"root\",\"pid\":0},\"data\":null}" },
    { 2, 1, 0, 1, "", "a.b_c:d/e-f", "\"x\"",
      "{\"id\":2,\"time\":0.000001,\"type\":\"a.b_c:d/"
      "e-f\",\"peer\":{\"uid\":0,\"user\":\"\",\"pid\":1},\"data\":\"x\"}" },
    { 3, 1000000, 0, -1, "u", "a", "[]",
      "{\"id\":3,\"time\":1.000000,\"type\":\"a\",\"peer\":{\"uid\":0,\"user\":\"u\",\"pid\":0},\"data\":[]}" },
    { 4, 999999, 0, 1, "u", "a", "0",
      "{\"id\":4,\"time\":0.999999,\"type\":\"a\",\"peer\":{\"uid\":0,\"user\":\"u\",\"pid\":1},\"data\":0}" },
    { UINT64_MAX - 1, UINT64_MAX, UINT32_MAX, INT32_MAX, "u", "a", "0",
      "{\"id\":18446744073709551614,\"time\":18446744073709.551615,\"type\":\"a\","
      "\"peer\":{\"uid\":4294967295,\"user\":\"u\",\"pid\":2147483647},\"data\":0}" },
    { 5, 0, 0, 1, "DOM\\al \"x\"", "a", "0", NAMED("5", "DOM\\\\al \\\"x\\\"") },
    { 6, 0, 0, 1, "a\nb\x01\x7f\t", "a", "0", NAMED("6", "a\\nb\\u0001\x7f\\t") },
    { 7, 0, 0, 1, "jos\xc3\xa9 \xf0\x9f\x98\x80", "a", "0", NAMED("7", "jos\xc3\xa9 \xf0\x9f\x98\x80") },
    { 8, 0, 0, 1, "jos\xe9 \xed\xa0\x80", "a", "0",
      NAMED("8", "jos\xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd") },
    { 9, 0, 0, 1, "cut\xe2\x82", "a", "0", NAMED("9", "cut\xef\xbf\xbd\xef\xbf\xbd") },
};

/* In memory of their own, exactly so long: texts of an event have no NUL behind them. */
static struct event event_new(uid_t uid, pid_t pid, const char *user, const char *type, const char *data)
{
    struct event event = { .uid = uid, .pid = pid };

    event.user_size = strlen(user);
    event.type_size = strlen(type);
    event.data_size = strlen(data);
    event.user = memcpy(malloc(event.user_size + 1), user, event.user_size);
    event.type = memcpy(malloc(event.type_size), type, event.type_size);
    event.data = memcpy(malloc(event.data_size), data, event.data_size);
    return event;
}

static void event_free(struct event *event)
{
    free((void *)(uintptr_t)event->user);
    free((void *)(uintptr_t)event->type);
    free((void *)(uintptr_t)event->data);
}

static const struct event_record *record_at(const struct event_batch *batch, size_t offset)
{
    return (const struct event_record *)(const void *)(batch->buffer.bytes + offset);
}

static void check_record(const struct event_record *record, size_t room, const struct event *event)
{
    json_error_t error;
    json_t *line;

    ck_assert(event_record_valid(record, room));
    ck_assert_uint_eq(record->size % 8, 0);
    ck_assert_uint_eq(record->reserved, 0);
    for (const char *at = record->text + record->text_size; at < (const char *)record + record->size; at++)
        ck_assert_int_eq(*at, 0);
    ck_assert_uint_eq(record->type_size, event->type_size);
    ck_assert_mem_eq(record->text + record->type_offset, event->type, event->type_size);
    ck_assert_uint_eq(record->data_size, event->data_size);
    ck_assert_mem_eq(record->text + record->data_offset, event->data, event->data_size);
    ck_assert_ptr_null(memchr(record->text, '\n', record->text_size));
    line = json_loadb(record->text, record->text_size, JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(line || error.text[0] == 't', "%s", error.text); /* an id above 63 bits is too big for jansson */
    json_decref(line);
}

/* Who came through a trusted proxy is there besides the proxy. */
START_TEST(formats_clients)
{
    static const struct {
        const char *client;
        size_t size;
        const char *peer;
    } clients[] = {
        { "203.0.113.7", 11, "{\"uid\":33,\"user\":\"p\",\"pid\":7,\"client\":\"203.0.113.7\"}" },
        { "2001:db8::7x", 11, "{\"uid\":33,\"user\":\"p\",\"pid\":7,\"client\":\"2001:db8::7\"}" },
        { "", 0, "{\"uid\":33,\"user\":\"p\",\"pid\":7,\"client\":null}" },
        { "\"\n", 2, "{\"uid\":33,\"user\":\"p\",\"pid\":7,\"client\":\"\\\"\\n\"}" },
        { NULL, 0, "{\"uid\":33,\"user\":\"p\",\"pid\":7}" },
    };
    struct event event = event_new(33, 7, "p", "a", "0");
    struct event_batch batch = { 0 };
    const struct event_record *record;
    char *text, expected[256];

    event.client = clients[_i].client;
    event.client_size = clients[_i].size;
    ck_assert_int_eq(event_batch_add(&batch, &event, 1, 0, 0), 0);
    record = record_at(&batch, 0);
    check_record(record, batch.buffer.size, &event);
    snprintf(expected, sizeof(expected), "{\"id\":1,\"time\":0.000000,\"type\":\"a\",\"peer\":%s,\"data\":0}",
             clients[_i].peer);
    text = strndup(record->text, record->text_size);
    ck_assert_str_eq(text, expected);
    free(text);
    event_batch_done(&batch);
    event_free(&event);
}
END_TEST

START_TEST(formats_exactly)
{
    struct event event = event_new(lines[_i].uid, lines[_i].pid, lines[_i].user, lines[_i].type, lines[_i].data);
    struct event_batch batch = { 0 };
    const struct event_record *record;
    char *text;

    ck_assert_int_eq(event_batch_add(&batch, &event, lines[_i].id, lines[_i].time_us, 4711), 0);
    ck_assert_uint_eq(batch.count, 1);
    record = record_at(&batch, 0);
    ck_assert_uint_eq(record->size, batch.buffer.size);
    check_record(record, batch.buffer.size, &event);
    text = strndup(record->text, record->text_size);
    ck_assert_str_eq(text, lines[_i].text);
    ck_assert_uint_eq(record->id, lines[_i].id);
    ck_assert_uint_eq(record->time_us, lines[_i].time_us);
    ck_assert_uint_eq(record->token, 4711);
    free(text);
    event_batch_done(&batch);
    event_free(&event);
}
END_TEST

/* ---- several ---- */

/* Texts of every length modulo 8 follow each other in place, whatever was in the memory before. */
START_TEST(records_follow_each_other)
{
    static const char data[] = "\"abcdefghijklmnop";
    struct event event = { .user = "u", .user_size = 1, .type = "t", .type_size = 1, .data = data };
    struct event_batch batch = { 0 };
    size_t offset = 0, allocated;

    for (int round = 0; round < 2; round++) {
        offset = 0;
        for (size_t i = 1; i <= 1000; i++) {
            event.data = "0123456789abcdef";
            event.data_size = i % 16 + 1;
            ck_assert_int_eq(event_batch_add(&batch, &event, i, i, i), 0);
        }
        ck_assert_uint_eq(batch.count, 1000);
        for (size_t i = 1; i <= 1000; i++) {
            const struct event_record *record = record_at(&batch, offset);

            ck_assert(event_record_valid(record, batch.buffer.size - offset));
            ck_assert_uint_eq(record->id, i);
            ck_assert_uint_eq(record->token, i);
            for (size_t at = record->text_size; at < record->size - sizeof(*record); at++)
                ck_assert_int_eq(record->text[at], 0);
            offset += record->size;
        }
        ck_assert_uint_eq(offset, batch.buffer.size);
        allocated = batch.buffer.allocated;
        memset(batch.buffer.bytes, 0x55, batch.buffer.allocated);
        event_batch_clear(&batch);
        ck_assert_uint_eq(batch.buffer.size, 0);
        ck_assert_uint_eq(batch.count, 0);
        ck_assert_uint_eq(batch.buffer.allocated, allocated);
    }
    event_batch_done(&batch);
    ck_assert_ptr_null(batch.buffer.bytes);
    event_batch_done(&batch);
}
END_TEST

/* ---- the limits ---- */

static const struct {
    size_t user_size, type_size, data_size;
    int r;
    size_t client_size;
} sizes[] = {
    { EVENT_USER_MAX, BERTH_EVENT_TYPE_MAX, BERTH_EVENT_SIZE_MAX - BERTH_EVENT_TYPE_MAX, 0, EVENT_CLIENT_MAX },
    { EVENT_USER_MAX, BERTH_EVENT_TYPE_MAX, BERTH_EVENT_SIZE_MAX - BERTH_EVENT_TYPE_MAX, 0, 0 },
    { 1, 1, 1, -EMSGSIZE, EVENT_CLIENT_MAX + 1 },
    { EVENT_USER_MAX, 1, BERTH_EVENT_SIZE_MAX - 1, 0 },
    { EVENT_USER_MAX + 1, 1, 1, -EMSGSIZE },
    { 0, BERTH_EVENT_TYPE_MAX + 1, 1, -EMSGSIZE },
    { 0, 1, BERTH_EVENT_SIZE_MAX, -EMSGSIZE },
    { 0, BERTH_EVENT_TYPE_MAX, BERTH_EVENT_SIZE_MAX - BERTH_EVENT_TYPE_MAX + 1, -EMSGSIZE },
};

/* Every byte of the user's name takes six in the text, and all numbers are as long as they get. */
START_TEST(keeps_the_limits)
{
    char *bytes = malloc(BERTH_EVENT_SIZE_MAX), user[EVENT_USER_MAX + 1];
    struct event event = { .uid = UINT32_MAX,
                           .pid = INT32_MAX,
                           .user = user,
                           .user_size = sizes[_i].user_size,
                           .type = bytes,
                           .type_size = sizes[_i].type_size,
                           .data = bytes,
                           .data_size = sizes[_i].data_size,
                           .client = user,
                           .client_size = sizes[_i].client_size };
    struct event_batch batch = { 0 };

    memset(bytes, '7', BERTH_EVENT_SIZE_MAX);
    memset(user, '\x01', sizeof(user));
    ck_assert_int_eq(event_batch_add(&batch, &event, UINT64_MAX - 1, UINT64_MAX, 1), sizes[_i].r);
    ck_assert_uint_eq(batch.count, sizes[_i].r == 0);
    if (sizes[_i].r == 0) {
        ck_assert_uint_le(batch.buffer.size, EVENT_RECORD_MAX);
        ck_assert(event_record_valid(batch.buffer.bytes, batch.buffer.size));
    } else {
        ck_assert_uint_eq(batch.buffer.size, 0);
    }
    event_batch_done(&batch);
    free(bytes);
}
END_TEST

START_TEST(a_batch_ends_somewhere)
{
    char *bytes = malloc(BERTH_EVENT_SIZE_MAX);
    struct event event = {
        .user = "u", .user_size = 1, .type = "t", .type_size = 1, .data = bytes, .data_size = BERTH_EVENT_SIZE_MAX - 1
    };
    struct event_batch batch = { 0 };
    size_t count = 0, size;
    int r;

    memset(bytes, '7', BERTH_EVENT_SIZE_MAX);
    do {
        size = batch.buffer.size;
        r = event_batch_add(&batch, &event, ++count, 0, 0);
    } while (r == 0 && count < 2000);
    ck_assert_int_eq(r, -EMSGSIZE);
    ck_assert_uint_eq(batch.buffer.size, size);
    ck_assert_uint_eq(batch.count, count - 1);
    ck_assert_uint_le(batch.buffer.size, EVENT_BATCH_MAX);
    ck_assert_uint_gt(batch.buffer.size + EVENT_RECORD_MAX, EVENT_BATCH_MAX);
    event_batch_done(&batch);
    free(bytes);
}
END_TEST

/* ---- what was missed ---- */

static const struct {
    uint64_t missed;
    const char *text;
} missed[] = {
    { 0, "{\"type\":\"berth.missed\",\"data\":{\"missed\":0}}" },
    { 17, "{\"type\":\"berth.missed\",\"data\":{\"missed\":17}}" },
    { UINT64_MAX - 1, "{\"type\":\"berth.missed\",\"data\":{\"missed\":18446744073709551614}}" },
    { EVENTS_MISSED_UNKNOWN, "{\"type\":\"berth.missed\",\"data\":{\"missed\":null}}" },
};

START_TEST(says_what_was_missed)
{
    char text[EVENT_MISSED_SIZE + 1];
    size_t size = event_missed_format(missed[_i].missed, text, EVENT_MISSED_SIZE);

    ck_assert_uint_le(size, EVENT_MISSED_SIZE);
    text[size] = '\0';
    ck_assert_str_eq(text, missed[_i].text);
}
END_TEST

Suite *suite_event_batch(void)
{
    Suite *suite = suite_create("event_batch");
    TCase *records = tcase_create("records"), *limits = tcase_create("limits");

    tcase_add_loop_test(records, formats_exactly, 0, COUNT(lines));
    tcase_add_loop_test(records, formats_clients, 0, 5);
    tcase_add_test(records, records_follow_each_other);
    tcase_add_loop_test(records, says_what_was_missed, 0, COUNT(missed));
    suite_add_tcase(suite, records);
    tcase_add_loop_test(limits, keeps_the_limits, 0, COUNT(sizes));
    tcase_add_test(limits, a_batch_ends_somewhere);
    suite_add_tcase(suite, limits);
    return suite;
}
