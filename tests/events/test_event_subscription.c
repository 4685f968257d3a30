/*
 * Applications that read the events: from a real log, with a recorder that is played here.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <berth.h>
#include "events/batch.h"
#include "events/client.h"
#include "worker/loop.h"

Suite *suite_event_subscription(void);

static uv_loop_t loop;
static int log_fd, rendezvous, channel, news;
static struct event_log_writer *writer;
static struct berth_event_subscription *subscription;

static char got[4096];           /* "type=data " of each; "end" for the last */
static unsigned int leave_after; /* so many, from within `take` */

static void ask(void *data)
{
    (void)data;
}

static void turn(void)
{
    for (int i = 0; i < 20; i++)
        uv_run(&loop, UV_RUN_NOWAIT);
}

static _Alignas(8) char body[CHANNEL_PACKET_MAX];

static void greet(void)
{
    const struct channel_header ready = { .type = CHANNEL_READY, .value = CHANNEL_VERSION };
    struct channel_header header;
    int descriptors[2];

    ck_assert_int_eq(channel_receive(rendezvous, &header, body, descriptors), 1);
    channel = descriptors[0];
    news = descriptors[1];
    ck_assert_int_eq(channel_send(channel, &ready, NULL, NULL), 0);
    turn();
}

static void setup(void)
{
    int ends[2];

    ck_assert_int_eq(uv_loop_init(&loop), 0);
    loop_set(&loop);
    ck_assert_int_eq(event_log_make(EVENT_LOG_SIZE_MIN, &log_fd), 0);
    ck_assert_int_eq(event_log_writer_open(log_fd, &writer), 0);
    event_log_start(writer, 100);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    rendezvous = ends[0];
    client_init(&loop, ask, NULL, NULL);
    ck_assert_int_eq(berth_events_open(), 0);
    ck_assert_int_eq(client_connect(dup(log_fd), ends[1]), 0);
    channel = news = -1;
    subscription = NULL;
    got[0] = '\0';
    leave_after = 0;
}

static void teardown(void)
{
    berth_event_unsubscribe(subscription);
    client_done();
    turn();
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    close(channel);
    close(news);
    close(rendezvous);
    event_log_writer_close(writer);
    close(log_fd);
}

static void store_data(const char *type, const char *data, size_t size)
{
    struct event event = { .user = "u", .user_size = 1, .type = type, .data = data, .data_size = size };
    struct event_batch batch = { 0 };
    uint64_t id = event_log_next_id(writer);
    const uint64_t one = 1;

    event.type_size = strlen(type);
    ck_assert_int_eq(event_batch_add(&batch, &event, id, id * 1000000, 1), 0); /* 100 at 100 s, and so on */
    ck_assert_int_eq(event_log_append(writer, batch.buffer.bytes, batch.buffer.size), 0);
    event_batch_done(&batch);
    if (news >= 0)
        ck_assert_int_eq(write(news, &one, sizeof(one)), sizeof(one));
}

static void store(const char *type, const char *data)
{
    store_data(type, data, strlen(data));
}

static void take(void *data, const struct berth_event *event)
{
    size_t size = strlen(got);

    ck_assert_ptr_eq(data, got);
    if (!event)
        snprintf(got + size, sizeof(got) - size, "end");
    else
        snprintf(got + size, sizeof(got) - size, "%s=%.*s ", event->type,
                 event->data_size < 99 ? (int)event->data_size : 0, event->data);
    if (leave_after > 0 && --leave_after == 0) {
        berth_event_unsubscribe(subscription);
        subscription = NULL;
    }
}

static void subscribe(const struct berth_event_query *query)
{
    ck_assert_int_eq(berth_event_subscribe(query, take, got, &subscription), 0);
    ck_assert_str_eq(got, ""); /* never from within the call */
    turn();
}

START_TEST(reads_past_and_new)
{
    greet();
    store("a", "1");
    store("a", "2");
    subscribe(&(struct berth_event_query){ .since_id_given = true, .since_id = 100 });
    ck_assert_str_eq(got, "a=2 ");
    store("b", "{\"v\":3}");
    turn();
    ck_assert_str_eq(got, "a=2 b={\"v\":3} ");
}
END_TEST

START_TEST(begins_now_when_there_is_a_log)
{
    store("old", "1");
    subscribe(&(struct berth_event_query){ 0 });
    greet();
    ck_assert_str_eq(got, "");
    store("new", "2");
    turn();
    ck_assert_str_eq(got, "new=2 ");
}
END_TEST

START_TEST(ends_with_the_past)
{
    static const char *const types[] = { "job.*" };

    greet();
    store("job.a", "1");
    store("x", "2");
    store("job.b", "3");
    subscribe(
        &(struct berth_event_query){ .since_id_given = true, .past_only = true, .types = types, .type_count = 1 });
    ck_assert_str_eq(got, "job.a=1 job.b=3 end");
    store("job.c", "4");
    turn();
    ck_assert_str_eq(got, "job.a=1 job.b=3 end");
}
END_TEST

START_TEST(ends_at_a_time)
{
    greet();
    for (int i = 0; i < 4; i++)
        store("a", "0");
    /* It is past by the clock as well. */
    subscribe(&(struct berth_event_query){ .since_us = 101000000, .until_us = 103000000 });
    ck_assert_str_eq(got, "a=0 a=0 end");
}
END_TEST

START_TEST(ends_at_once_where_there_is_nothing)
{
    greet();
    subscribe(&(struct berth_event_query){ .since_id_given = true, .past_only = true });
    ck_assert_str_eq(got, "end");
}
END_TEST

START_TEST(tells_what_is_missing)
{
    static char data[60000];

    greet();
    memset(data, '7', sizeof(data));
    subscribe(&(struct berth_event_query){ .since_id_given = true, .since_id = 7, .past_only = true });
    ck_assert_str_eq(got, "berth.missed={\"missed\":null} end");
    berth_event_unsubscribe(subscription);
    got[0] = '\0';
    for (int i = 0; i < 40; i++)
        store_data("a", data, sizeof(data));
    store("last", "1");
    subscribe(&(struct berth_event_query){ .since_id_given = true, .past_only = true });
    ck_assert_int_eq(strncmp(got, "berth.missed={\"missed\":", 23), 0);
    ck_assert_int_gt(atoi(got + 23), 10);
    ck_assert_ptr_nonnull(strstr(got, "} a= a= "));
    ck_assert_str_eq(got + strlen(got) - 10, "last=1 end");
}
END_TEST

START_TEST(may_leave_at_any_event)
{
    greet();
    for (int i = 0; i < 3; i++)
        store("a", "0");
    leave_after = (unsigned int)_i;
    subscribe(&(struct berth_event_query){ .since_id_given = true, .past_only = true });
    ck_assert_ptr_null(subscription);
    ck_assert_uint_eq(strlen(got), _i < 4 ? 4 * (size_t)_i : 15);
}
END_TEST

Suite *suite_event_subscription(void)
{
    Suite *suite = suite_create("event_subscription");
    TCase *tcase = tcase_create("what an application gets");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, reads_past_and_new);
    tcase_add_test(tcase, begins_now_when_there_is_a_log);
    tcase_add_test(tcase, ends_with_the_past);
    tcase_add_test(tcase, ends_at_a_time);
    tcase_add_test(tcase, ends_at_once_where_there_is_nothing);
    tcase_add_test(tcase, tells_what_is_missing);
    tcase_add_loop_test(tcase, may_leave_at_any_event, 1, 5);
    suite_add_tcase(suite, tcase);
    return suite;
}
