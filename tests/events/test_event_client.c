/*
 * A worker's end, with a recorder that is played here: the log is real, the channel's other end is ours.
 */
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "common/log.h"
#include "events/batch.h"
#include "events/client.h"

Suite *suite_event_client(void);

static uv_loop_t loop;
static int log_fd, rendezvous, channel = -1, news = -1;
static struct event_log_writer *writer;
static unsigned int asked, settled;

/* What became of publications, by their number. */
static struct {
    unsigned int calls;
    int r;
    uint64_t first_id;
    size_t count;
} outcomes[64];

static void ask(void *data)
{
    (void)data;
    asked++;
}

static void on_settled(void *data)
{
    (void)data;
    settled++;
}

static void stored(void *data, int r, uint64_t first_id, size_t count)
{
    size_t n = (size_t)(uintptr_t)data;

    outcomes[n].calls++;
    outcomes[n].r = r;
    outcomes[n].first_id = first_id;
    outcomes[n].count = count;
}

static void turn(void)
{
    for (int i = 0; i < 5; i++)
        uv_run(&loop, UV_RUN_NOWAIT);
}

static void setup(void)
{
    int ends[2];

    log_init(BERTH_LOG_ERROR, "test");
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    ck_assert_int_eq(event_log_make(EVENT_LOG_SIZE_MIN, &log_fd), 0);
    ck_assert_int_eq(event_log_writer_open(log_fd, &writer), 0);
    event_log_start(writer, 100);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    rendezvous = ends[0];
    memset(outcomes, 0, sizeof(outcomes));
    asked = settled = 0;
    client_init(&loop, ask, on_settled, NULL);
    ck_assert_int_eq(client_open(), 0);
    ck_assert_int_eq(client_open(), 0);
    ck_assert_uint_eq(asked, 1);
    ck_assert_int_eq(client_connect(dup(log_fd), ends[1]), 0);
}

static void hang_up(void)
{
    if (channel >= 0)
        close(channel);
    if (news >= 0)
        close(news);
    channel = news = -1;
}

static void teardown(void)
{
    client_done();
    turn();
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    hang_up();
    close(rendezvous);
    event_log_writer_close(writer);
    close(log_fd);
}

static _Alignas(8) char body[CHANNEL_PACKET_MAX];

/* The next packet; waits for it for as long as the loop has timers. */
static bool receive(int fd, struct channel_header *ret_header, int descriptors[2])
{
    for (int i = 0; i < 2000; i++) {
        int r = channel_receive(fd, ret_header, body, descriptors);

        ck_assert_int_ge(r, 0);
        if (r > 0)
            return true;
        uv_run(&loop, UV_RUN_NOWAIT);
        if (i > 5)
            poll(NULL, 0, 1);
    }
    return false;
}

static void say(enum channel_type type, uint64_t token, uint64_t value, uint32_t count)
{
    const struct channel_header header = { .type = type, .token = token, .value = value, .count = count };

    ck_assert_int_eq(channel_send(channel, &header, NULL, NULL), 0);
    turn();
}

/* A recorder comes. */
static void greet(void)
{
    struct channel_header header;
    int descriptors[2];

    hang_up();
    ck_assert(receive(rendezvous, &header, descriptors));
    ck_assert_uint_eq(header.type, CHANNEL_HELLO);
    ck_assert_uint_eq(header.value, CHANNEL_VERSION);
    channel = descriptors[0];
    news = descriptors[1];
    ck_assert(channel >= 0 && news >= 0);
}

static void publish_sized(unsigned int n, unsigned int count, size_t data_size)
{
    char *data = malloc(data_size);
    struct event event = { .user = "u", .user_size = 1, .type = "t", .type_size = 1, .data = data };
    struct channel_batch batch = { 0 };

    memset(data, '7', data_size);
    event.data_size = data_size;
    for (unsigned int i = 0; i < count; i++)
        ck_assert_int_eq(channel_batch_add(&batch, &event), 0);
    ck_assert_int_eq(client_publish(&batch, stored, (void *)(uintptr_t)n), 0);
    ck_assert_ptr_null(batch.buffer.bytes);
    free(data);
}

static void publish(unsigned int n, unsigned int count)
{
    publish_sized(n, count, 1);
}

/* A whole publication; its token. */
static uint64_t take(unsigned int count)
{
    struct channel_header header;
    int descriptors[2];
    uint64_t token = 0;

    do {
        ck_assert(receive(channel, &header, descriptors));
        ck_assert_uint_eq(header.type, CHANNEL_PUBLISH);
        ck_assert_uint_eq(header.count, count);
        ck_assert(token == 0 || header.token == token);
        token = header.token;
    } while (!header.last);
    ck_assert_uint_ne(token, 0);
    return token;
}

static bool nothing_comes(void)
{
    struct channel_header header;
    int descriptors[2];

    turn();
    return channel_receive(channel, &header, body, descriptors) == 0;
}

/* As a recorder stores a batch. */
static uint64_t store(uint64_t token, unsigned int count, size_t data_size)
{
    char *data = malloc(data_size);
    struct event event = { .user = "u", .user_size = 1, .type = "t", .type_size = 1, .data = data };
    struct event_batch batch = { 0 };
    uint64_t first = event_log_next_id(writer);

    memset(data, '7', data_size);
    event.data_size = data_size;
    for (unsigned int i = 0; i < count; i++)
        ck_assert_int_eq(event_batch_add(&batch, &event, first + i, 1, token), 0);
    ck_assert_int_eq(event_log_append(writer, batch.buffer.bytes, batch.buffer.size), 0);
    event_batch_done(&batch);
    free(data);
    return first;
}

static void expect(unsigned int n, int r, uint64_t first_id, size_t count)
{
    ck_assert_uint_eq(outcomes[n].calls, 1);
    ck_assert_int_eq(outcomes[n].r, r);
    if (r == 0)
        ck_assert_uint_eq(outcomes[n].first_id, first_id);
    ck_assert_uint_eq(outcomes[n].count, count);
}

START_TEST(sends_when_there_is_a_recorder)
{
    uint64_t tokens[2];

    publish(0, 1);
    publish(1, 3);
    greet();
    ck_assert(nothing_comes());
    say(CHANNEL_READY, 0, CHANNEL_VERSION, 0);
    tokens[0] = take(1);
    tokens[1] = take(3);
    ck_assert_uint_ne(tokens[0], tokens[1]);
    ck_assert_uint_eq(client_pending(), 2);
    say(CHANNEL_STORED, tokens[0], 100, 1);
    expect(0, 0, 100, 1);
    ck_assert_uint_eq(outcomes[1].calls, 0);
    ck_assert_uint_eq(settled, 0);
    say(CHANNEL_REFUSED, tokens[1], ENOSPC, 0);
    expect(1, -ENOSPC, 0, 3);
    ck_assert_uint_eq(settled, 1);
    ck_assert_uint_eq(client_pending(), 0);
}
END_TEST

START_TEST(cuts_a_large_one_into_packets)
{
    uint64_t token;

    greet();
    say(CHANNEL_READY, 0, CHANNEL_VERSION, 0);
    publish_sized(0, 30, 65000); /* more than the channel takes at once */
    publish(1, 1);
    token = take(30);
    say(CHANNEL_STORED, token, 500, 30);
    expect(0, 0, 500, 30);
    token = take(1);
    say(CHANNEL_STORED, token, 530, 1);
    expect(1, 0, 530, 1);
}
END_TEST

/* Stored and not acknowledged, not stored, and not even sent. */
START_TEST(stores_each_once_when_a_recorder_dies)
{
    uint64_t tokens[3], first;

    greet();
    say(CHANNEL_READY, 0, CHANNEL_VERSION, 0);
    for (unsigned int n = 0; n < 3; n++)
        publish(n, n + 1);
    for (unsigned int n = 0; n < 3; n++)
        tokens[n] = take(n + 1);
    store(12345, 2, 1); /* somebody else's */
    first = store(tokens[1], 2, 1);
    store(12345, 2, 1);
    close(channel);
    channel = -1;
    turn();
    publish(3, 1);
    greet();
    ck_assert_uint_eq(outcomes[1].calls, 0);
    say(CHANNEL_READY, 0, CHANNEL_VERSION, 0);
    expect(1, 0, first, 2);
    ck_assert_uint_eq(take(1), tokens[0]);
    ck_assert_uint_eq(take(3), tokens[2]);
    take(1);
    ck_assert_uint_eq(client_pending(), 3);

    /* Once more: those that are sent for the second time are looked for as well. */
    first = store(tokens[2], 3, 1);
    close(channel);
    channel = -1;
    turn();
    greet();
    say(CHANNEL_READY, 0, CHANNEL_VERSION, 0);
    expect(2, 0, first, 3);
    ck_assert_uint_eq(take(1), tokens[0]);
    say(CHANNEL_STORED, tokens[0], 900, 1);
    expect(0, 0, 900, 1);
    ck_assert_uint_eq(client_pending(), 1);
}
END_TEST

START_TEST(says_when_nobody_knows)
{
    uint64_t token;

    greet();
    say(CHANNEL_READY, 0, CHANNEL_VERSION, 0);
    publish(0, 1);
    token = take(1);
    store(token, 1, 1);
    for (int i = 0; i < 20; i++) /* more than the log keeps */
        store(1, 3, 60000);
    close(channel);
    channel = -1;
    turn();
    publish(1, 1);
    greet();
    say(CHANNEL_READY, 0, CHANNEL_VERSION, 0);
    expect(0, -EIO, 0, 1);
    token = take(1);
    say(CHANNEL_STORED, token, 4000, 1);
    expect(1, 0, 4000, 1);
}
END_TEST

/* Each of these costs the recorder its channel, and the publication goes to the next one. */
static const struct {
    enum channel_type type;
    int token; /* too much */
    uint64_t value;
    uint32_t count;
} wrong[] = {
    { CHANNEL_STORED, 1, 100, 1 },      { CHANNEL_STORED, 0, 100, 2 }, { CHANNEL_REFUSED, 0, 0, 0 },
    { CHANNEL_REFUSED, 0, 1000000, 0 }, { CHANNEL_HELLO, 0, 1, 0 },    { CHANNEL_READY, 0, CHANNEL_VERSION, 0 },
    { CHANNEL_PUBLISH, 0, 1, 1 },
};

START_TEST(takes_nothing_wrong)
{
    uint64_t token;

    log_init((enum berth_log_level)0, "test");
    greet();
    say(CHANNEL_READY, 0, CHANNEL_VERSION, 0);
    publish(0, 1);
    token = take(1);
    say(wrong[_i].type, token + (uint64_t)wrong[_i].token, wrong[_i].value, wrong[_i].count);
    ck_assert_uint_eq(outcomes[0].calls, 0);
    greet();
    say(CHANNEL_READY, 0, CHANNEL_VERSION, 0);
    ck_assert_uint_eq(take(1), token);
    say(CHANNEL_STORED, token, 100, 1);
    expect(0, 0, 100, 1);
}
END_TEST

START_TEST(lets_no_more_wait_than_it_says)
{
    struct event event = { .user = "u", .user_size = 1, .type = "t", .type_size = 1, .data_size = 60000 };
    struct channel_batch batch = { 0 };
    char *data = calloc(1, event.data_size);
    int r = 0;
    size_t size = 0;

    event.data = memset(data, '7', event.data_size);
    while (r == 0) {
        ck_assert_int_eq(channel_batch_add(&batch, &event), 0);
        size += batch.buffer.size;
        ck_assert_uint_le(size, CLIENT_WAITING_MAX + batch.buffer.size);
        r = client_publish(&batch, NULL, NULL);
    }
    ck_assert_int_eq(r, -EAGAIN);
    ck_assert_uint_gt(size, CLIENT_WAITING_MAX / 2);
    ck_assert_int_eq(batch.count, 1);
    channel_batch_done(&batch);
    ck_assert_int_eq(client_publish(&batch, NULL, NULL), -EINVAL);
    free(data);
}
END_TEST

START_TEST(ends_what_is_open)
{
    publish(0, 1);
    greet();
    say(CHANNEL_READY, 0, CHANNEL_VERSION, 0);
    publish(1, 1);
    client_done();
    expect(0, -EIO, 0, 1);
    expect(1, -EIO, 0, 1);
    ck_assert_uint_eq(settled, 0);
}
END_TEST

/* ---- waiters ---- */

static struct client_waiter waiters[3];
static unsigned int told[3];

/* The first takes the second out, and itself. */
static void on_news(struct client_waiter *waiter)
{
    told[waiter - waiters]++;
    if (waiter == &waiters[2]) {
        client_leave(&waiters[1]);
        client_leave(&waiters[2]);
    }
}

START_TEST(tells_who_waits)
{
    const uint64_t one = 1;

    greet();
    memset(told, 0, sizeof(told));
    for (size_t i = 0; i < 3; i++) {
        waiters[i].news = on_news;
        client_wait(&waiters[i]); /* the last comes first */
    }
    ck_assert_int_eq(write(news, &one, sizeof(one)), sizeof(one));
    turn();
    ck_assert(told[2] == 1 && told[1] == 0 && told[0] == 1);
    say(CHANNEL_READY, 0, CHANNEL_VERSION, 0); /* the one before may not have told */
    ck_assert_uint_eq(told[0], 2);
    turn();
    ck_assert_uint_eq(told[0], 2);
    client_leave(&waiters[0]);
}
END_TEST

Suite *suite_event_client(void)
{
    Suite *suite = suite_create("event_client");
    TCase *tcase = tcase_create("publications");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, sends_when_there_is_a_recorder);
    tcase_add_test(tcase, cuts_a_large_one_into_packets);
    tcase_add_test(tcase, stores_each_once_when_a_recorder_dies);
    tcase_add_test(tcase, says_when_nobody_knows);
    tcase_add_loop_test(tcase, takes_nothing_wrong, 0, sizeof(wrong) / sizeof(wrong[0]));
    tcase_add_test(tcase, lets_no_more_wait_than_it_says);
    tcase_add_test(tcase, ends_what_is_open);
    tcase_add_test(tcase, tells_who_waits);
    suite_add_tcase(suite, tcase);
    return suite;
}
