#include <check.h>
#include <errno.h>
#include <string.h>

#include "apps/event_query.h"

Suite *suite_event_query(void);

static struct berth_event_query query;
static struct event_query_fault fault;
static bool server_sent;

static int parse(const struct event_query_texts *texts)
{
    return event_query_parse(texts, &query, &server_sent, &fault);
}

static const struct {
    const char *text;
    uint64_t us; /* 0: it is none */
} times[] = {
    { "0", 1 },
    { "1", 1000000 },
    { "1700000000.123456", UINT64_C(1700000000123456) },
    { "1700000000.5", UINT64_C(1700000000500000) },
    { "1.1234569", 1123456 },
    { "253402300799", UINT64_C(253402300799000000) },
    { "253402300800", 0 },
    { "99999999999999999999999", 0 },
    { "", 0 },
    { "1.", 0 },
    { ".5", 0 },
    { "-1", 0 },
    { "+1", 0 },
    { " 1", 0 },
    { "1 ", 0 },
    { "1e3", 0 },
    { "1.2.3", 0 },
    { "now", 0 },
};

START_TEST(reads_times)
{
    struct event_query_texts since = { .since = times[_i].text }, until = { .until = times[_i].text };

    if (times[_i].us == 0) {
        ck_assert_int_eq(parse(&since), -EINVAL);
        ck_assert_str_eq(fault.name, "since");
        ck_assert_str_eq(fault.value, times[_i].text);
        ck_assert_int_eq(parse(&until), -EINVAL);
        ck_assert_str_eq(fault.name, "until");
        return;
    }
    ck_assert_int_eq(parse(&since), 0);
    ck_assert_uint_eq(query.since_us, times[_i].us);
    ck_assert(!query.since_id_given);
    ck_assert_int_eq(parse(&until), 0);
    ck_assert_uint_eq(query.until_us, times[_i].us);
}
END_TEST

START_TEST(reads_numbers)
{
    struct event_query_texts texts = { .since_id = "18446744073709551615" };

    ck_assert_int_eq(parse(&texts), 0);
    ck_assert(query.since_id_given && query.since_id == UINT64_MAX);
    texts.since_id = "18446744073709551616";
    ck_assert_int_eq(parse(&texts), -EINVAL);
    ck_assert_str_eq(fault.name, "since_id");
    texts.since_id = "5";
    texts.last_event_id = "7";
    ck_assert_int_eq(parse(&texts), 0);
    ck_assert_uint_eq(query.since_id, 7);
    texts.last_event_id = "";
    ck_assert_int_eq(parse(&texts), 0);
    ck_assert_uint_eq(query.since_id, 5);
    texts.last_event_id = "x";
    ck_assert_int_eq(parse(&texts), -EINVAL);
    ck_assert_str_eq(fault.name, "Last-Event-ID");
}
END_TEST

START_TEST(begins_and_ends)
{
    struct event_query_texts texts = { 0 };

    ck_assert_int_eq(parse(&texts), 0);
    ck_assert(!query.since_id_given && !query.past_only && query.since_us == 0);
    texts.follow = "1";
    ck_assert_int_eq(parse(&texts), 0);
    ck_assert(!query.since_id_given && !query.past_only);
    texts.follow = "0";
    ck_assert_int_eq(parse(&texts), 0);
    ck_assert(query.since_id_given && query.since_id == 0 && query.past_only);
    texts.since = "12";
    ck_assert_int_eq(parse(&texts), 0);
    ck_assert(!query.since_id_given && query.past_only);
    texts = (struct event_query_texts){ .until = "12" };
    ck_assert_int_eq(parse(&texts), 0);
    ck_assert(query.since_id_given && query.since_id == 0 && !query.past_only);
    texts = (struct event_query_texts){ .follow = "no" };
    ck_assert_int_eq(parse(&texts), -EINVAL);
    ck_assert_str_eq(fault.name, "follow");
}
END_TEST

START_TEST(chooses_the_form)
{
    struct event_query_texts texts = { .format = "sse" };

    ck_assert(parse(&texts) == 0 && server_sent);
    texts.accept = "text/event-stream";
    texts.format = "ndjson";
    ck_assert(parse(&texts) == 0 && !server_sent);
    texts.format = NULL;
    ck_assert(parse(&texts) == 0 && server_sent);
    texts.accept = "*/*";
    ck_assert(parse(&texts) == 0 && !server_sent);
    texts.format = "xml";
    ck_assert_int_eq(parse(&texts), -EINVAL);
    ck_assert_str_eq(fault.name, "format");
}
END_TEST

static const struct {
    const char *list;
    bool accepts;
} lists[] = {
    { "text/event-stream", true },
    { "Text/Event-Stream", true },
    { "application/json, text/event-stream;q=0.5", true },
    { " ,, text/event-stream ; charset=utf-8", true },
    { "text/event-stream;q=0", false },
    { "text/event-stream; x=y; q=0.000", false },
    { "text/event-stream;q=0.001", true },
    { "text/event-stream;q=0, */*", false },
    { "text/event-streams", false },
    { "text/html,*/*;q=0.8", false },
    { "", false },
};

START_TEST(reads_what_is_accepted)
{
    ck_assert_int_eq(event_query_accepts(lists[_i].list, "text/event-stream"), lists[_i].accepts);
}
END_TEST

static const struct {
    const char *type;
    bool valid;
} types[] = {
    { "deploy", true }, { "job.*", true }, { "*", true },    { "a/b:c_d-9.", true }, { "", false },
    { "a b", false },   { "*a", false },   { "a**", false }, { "\xc3\xa9", false },  { "berth.missed", true },
};

START_TEST(knows_types)
{
    struct event_query_texts texts = { .types = { "good", types[_i].type }, .type_count = 2 };

    ck_assert_int_eq(parse(&texts), types[_i].valid ? 0 : -EINVAL);
    if (types[_i].valid)
        ck_assert_ptr_eq(query.types[1], types[_i].type);
    else
        ck_assert_str_eq(fault.name, "type");
}
END_TEST

START_TEST(knows_how_long_a_type_may_be)
{
    char type[BERTH_EVENT_TYPE_MAX + 3];
    struct event_query_texts texts = { .types = { type }, .type_count = 1 };

    memset(type, 'a', sizeof(type));
    type[BERTH_EVENT_TYPE_MAX] = '\0';
    ck_assert_int_eq(parse(&texts), 0);
    type[BERTH_EVENT_TYPE_MAX] = '*';
    type[BERTH_EVENT_TYPE_MAX + 1] = '\0';
    ck_assert_int_eq(parse(&texts), 0);
    type[BERTH_EVENT_TYPE_MAX] = 'a';
    ck_assert_int_eq(parse(&texts), -EINVAL);
}
END_TEST

#define LOOP(test, table) tcase_add_loop_test(tcase, test, 0, sizeof(table) / sizeof((table)[0]))

Suite *suite_event_query(void)
{
    Suite *suite = suite_create("event_query");
    TCase *tcase = tcase_create("what is asked for");

    LOOP(reads_times, times);
    tcase_add_test(tcase, reads_numbers);
    tcase_add_test(tcase, begins_and_ends);
    tcase_add_test(tcase, chooses_the_form);
    LOOP(reads_what_is_accepted, lists);
    LOOP(knows_types, types);
    tcase_add_test(tcase, knows_how_long_a_type_may_be);
    suite_add_tcase(suite, tcase);
    return suite;
}
