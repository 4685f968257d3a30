#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <berth.h>
#include "events/batch.h"
#include "events/block.h"
#include "events/selection.h"

Suite *suite_event_block(void);

#define FIRST 1000

static int fd = -1;
static struct event_log_writer *writer;
static struct event_log *log_;
static _Alignas(8) char records[BLOCK_RECORDS_MAX];
static char text[BLOCK_TEXT_MAX + 1];

static void setup(void)
{
    ck_assert_int_eq(event_log_make(EVENT_LOG_SIZE_MIN, &fd), 0);
    ck_assert_int_eq(event_log_writer_open(fd, &writer), 0);
    event_log_start(writer, FIRST);
    ck_assert_int_eq(event_log_open(fd, &log_), 0);
}

static void teardown(void)
{
    event_log_close(log_);
    event_log_writer_close(writer);
    close(fd);
}

/* The n-th event, at the time of n seconds: "a" with even numbers, "b.N" with odd ones. */
static void store(unsigned int n, const char *data)
{
    char type[16] = "a";
    struct event event = { .user = "u", .user_size = 1, .type = type, .data = data, .data_size = strlen(data) };
    struct event_batch batch = { 0 };

    if (n % 2 == 1)
        snprintf(type, sizeof(type), "b.%u", n);
    event.type_size = strlen(type);
    ck_assert_int_eq(event_batch_add(&batch, &event, event_log_next_id(writer), n * 1000000, 0), 0);
    ck_assert_int_eq(event_log_append(writer, batch.buffer.bytes, batch.buffer.size), 0);
    event_batch_done(&batch);
}

/* All from a cursor on, up to a position. */
static bool format(const struct block_form *form, struct event_cursor *cursor, uint64_t stop, struct block *ret_block,
                   size_t *ret_size)
{
    bool over;

    if (!block_read(log_, cursor, stop, records, ret_block))
        return false;
    *ret_size = block_format(ret_block, form, text, &over);
    text[*ret_size] = '\0';
    return true;
}

static struct event_cursor begin(void)
{
    struct event_cursor cursor;

    ck_assert_uint_eq(event_log_seek_id(log_, 0, &cursor), 0);
    return cursor;
}

START_TEST(formats_lines_and_server_sent_events)
{
    struct block_form form = { 0 };
    struct event_cursor cursor = begin();
    struct block block;
    size_t size;

    store(0, "1");
    store(1, "{\"v\":2}");
    ck_assert(format(&form, &cursor, UINT64_MAX, &block, &size));
    ck_assert_str_eq(
        text,
        "{\"id\":1000,\"time\":0.000000,\"type\":\"a\",\"peer\":{\"uid\":0,\"user\":\"u\",\"pid\":0},\"data\":1}\n"
        "{\"id\":1001,\"time\":1.000000,\"type\":\"b.1\",\"peer\":{\"uid\":0,\"user\":\"u\",\"pid\":0},\"data\":"
        "{\"v\":2}}\n");
    ck_assert(!format(&form, &cursor, UINT64_MAX, &block, &size));
    form.server_sent = true;
    cursor = begin();
    ck_assert(format(&form, &cursor, UINT64_MAX, &block, &size));
    ck_assert_ptr_nonnull(strstr(text, "\n\nid: 1001\ndata: {\"id\":1001,"));
    ck_assert_str_eq(text + size - 3, "}\n\n");
    ck_assert_int_eq(strncmp(text, "id: 1000\ndata: {", 16), 0);
}
END_TEST

START_TEST(passes_what_is_wanted)
{
    static const char *const types[] = { "b.*" };
    struct filter *filter;
    struct block_form form = { .until_us = 4000000 };
    struct event_cursor cursor = begin();
    struct block block;
    bool over;

    for (unsigned int n = 0; n < 6; n++)
        store(n, "0");
    ck_assert_int_eq(filter_new(types, 1, &filter), 0);
    form.filter = filter;
    ck_assert(block_read(log_, &cursor, UINT64_MAX, records, &block));
    text[block_format(&block, &form, text, &over)] = '\0';
    ck_assert(over);
    ck_assert_ptr_nonnull(strstr(text, "b.1"));
    ck_assert_ptr_nonnull(strstr(text, "b.3"));
    ck_assert_ptr_null(strstr(text, "b.5"));
    ck_assert_ptr_null(strstr(text, "\"a\""));
    filter_free(filter);
}
END_TEST

START_TEST(stops_where_it_is_told)
{
    struct event_cursor cursor = begin(), ends[4];
    struct block_form form = { 0 };
    struct block block;
    size_t size;

    for (unsigned int n = 0; n < 4; n++) {
        store(n, "0");
        event_log_seek_end(log_, &ends[n]);
    }
    for (unsigned int n = 0; n < 4; n++) {
        ck_assert(format(&form, &cursor, ends[n].position, &block, &size));
        ck_assert_uint_eq(cursor.position, ends[n].position);
        ck_assert_uint_eq(cursor.after_id, FIRST + n);
        ck_assert(!block_read(log_, &cursor, ends[n].position, records, &block));
        ck_assert_uint_eq(cursor.position, ends[n].position);
    }
}
END_TEST

/* Wherever a text was cut: what was sent, the rest of the frame, and what is read from the place behind it are the
 * text. With a filter, with a line for missing events, in both forms. */
START_TEST(resumes_at_every_byte)
{
    static const char *const types[] = { "b.*" };
    static char whole[BLOCK_TEXT_MAX + 1], joined[2 * BLOCK_TEXT_MAX];
    struct filter *filter = NULL;
    struct block_form form = { .server_sent = _i & 1 };
    struct event_cursor cursor = begin(), place;
    struct block block, again;
    size_t size;

    for (unsigned int n = 0; n < 7; n++)
        store(n, n == 3 ? "\"something longer\"" : "0");
    if (_i & 2)
        ck_assert_int_eq(filter_new(types, 1, &filter), 0);
    form.filter = filter;
    ck_assert(block_read(log_, &cursor, UINT64_MAX, records, &block));
    block.missed = _i & 4 ? 17 : 0;
    for (size_t sent = 0;; sent++) {
        static _Alignas(8) char copy[BLOCK_RECORDS_MAX];
        struct block original = block;
        bool over;
        size_t end, rest;

        size = block_format(&block, &form, whole, &over);
        whole[size] = '\0';
        if (sent > size)
            break;
        end = block_resume(&original, &form, sent, &place);
        ck_assert_uint_ge(end, sent);
        ck_assert_uint_le(end, size);
        memcpy(joined, whole, end);
        memcpy(copy, records, sizeof(copy));
        rest = block_read(log_, &place, UINT64_MAX, records, &again) ? block_format(&again, &form, joined + end, &over)
                                                                     : 0;
        memcpy(records, copy, sizeof(copy));
        joined[end + rest] = '\0';
        ck_assert_str_eq(joined, whole);
    }
    filter_free(filter);
}
END_TEST

START_TEST(seeks_what_is_later)
{
    struct berth_event_query query = { .since_id_given = true, .since_id = FIRST + 1, .since_us = 4000000 };
    struct event_cursor cursor, end;

    for (unsigned int n = 0; n < 6; n++)
        store(n, "0");
    ck_assert_uint_eq(selection_seek(log_, &query, &cursor), 0);
    ck_assert_uint_eq(cursor.after_id, FIRST + 3);
    query.since_us = 1;
    ck_assert_uint_eq(selection_seek(log_, &query, &cursor), 0);
    ck_assert_uint_eq(cursor.after_id, FIRST + 1);
    query = (struct berth_event_query){ 0 };
    event_log_seek_end(log_, &end);
    ck_assert_uint_eq(selection_seek(log_, &query, &cursor), 0);
    ck_assert_uint_eq(cursor.position, end.position);
    ck_assert_uint_eq(selection_stop(log_, &query), UINT64_MAX);
    query.past_only = true;
    ck_assert_uint_eq(selection_stop(log_, &query), end.position);
    query = (struct berth_event_query){ .until_us = 1 };
    ck_assert_uint_eq(selection_stop(log_, &query), end.position);
}
END_TEST

/* ---- filters ---- */

static const struct {
    const char *type;
    bool exact, beginning, both; /* pass "job.a", "job.*", either of "job.a" and "x" */
} passing[] = {
    { "job.a", true, true, true },  { "job.", false, true, false }, { "job.ab", false, true, false },
    { "job", false, false, false }, { "x", false, false, true },    { "X", false, false, false },
};

START_TEST(passes_by_name_and_by_beginning)
{
    static const char *const exact[] = { "job.a" }, *const beginning[] = { "job.*" }, *const both[] = { "x", "job.a" };
    const char *type = passing[_i].type;
    struct filter *filters[3];

    ck_assert_int_eq(filter_new(exact, 1, &filters[0]), 0);
    ck_assert_int_eq(filter_new(beginning, 1, &filters[1]), 0);
    ck_assert_int_eq(filter_new(both, 2, &filters[2]), 0);
    ck_assert_int_eq(filter_passes(filters[0], type, strlen(type)), passing[_i].exact);
    ck_assert_int_eq(filter_passes(filters[1], type, strlen(type)), passing[_i].beginning);
    ck_assert_int_eq(filter_passes(filters[2], type, strlen(type)), passing[_i].both);
    ck_assert(filter_passes(NULL, type, strlen(type)));
    for (size_t i = 0; i < 3; i++)
        filter_free(filters[i]);
}
END_TEST

START_TEST(is_equal_however_it_was_written)
{
    static const char *const one[] = { "a", "b*", "a" }, *const other[] = { "b*", "a" }, *const third[] = { "b", "a" };
    static const char *const wrong[][1] = { { "" }, { "a b" }, { "*a" }, { "a**" } };
    struct filter *filters[3], *none = NULL;
    const char *many[FILTER_TYPES_MAX + 1];

    ck_assert_int_eq(filter_new(one, 3, &filters[0]), 0);
    ck_assert_int_eq(filter_new(other, 2, &filters[1]), 0);
    ck_assert_int_eq(filter_new(third, 2, &filters[2]), 0);
    ck_assert(filter_equal(filters[0], filters[1]));
    ck_assert(!filter_equal(filters[0], filters[2]));
    ck_assert(!filter_equal(filters[0], NULL));
    ck_assert(filter_equal(NULL, NULL));
    for (size_t i = 0; i < 3; i++)
        filter_free(filters[i]);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        ck_assert_int_eq(filter_new(wrong[i], 1, &none), -EINVAL);
    for (size_t i = 0; i <= FILTER_TYPES_MAX; i++)
        many[i] = "a";
    ck_assert_int_eq(filter_new(many, FILTER_TYPES_MAX + 1, &none), -E2BIG);
    ck_assert_int_eq(filter_new(NULL, 0, &none), 0);
    ck_assert_ptr_null(none);
}
END_TEST

Suite *suite_event_block(void)
{
    Suite *suite = suite_create("event_block");
    TCase *tcase = tcase_create("records as text");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, formats_lines_and_server_sent_events);
    tcase_add_test(tcase, passes_what_is_wanted);
    tcase_add_test(tcase, stops_where_it_is_told);
    tcase_add_loop_test(tcase, resumes_at_every_byte, 0, 8);
    tcase_add_test(tcase, seeks_what_is_later);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("filters");
    tcase_add_loop_test(tcase, passes_by_name_and_by_beginning, 0, sizeof(passing) / sizeof(passing[0]));
    tcase_add_test(tcase, is_equal_however_it_was_written);
    suite_add_tcase(suite, tcase);
    return suite;
}
