#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "berth.h"
#include "common/packets.h"
#include "events/channel.h"
#include "socket/scratch.h"

Suite *suite_event_channel(void);

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static int ends[2];
static char body[CHANNEL_BODY_MAX];

/* ---- packets ---- */

START_TEST(carries_a_packet)
{
    static const uint32_t sizes[] = { 0, 1, 1000, CHANNEL_BODY_MAX };
    struct channel_header header = { .type = CHANNEL_PUBLISH,
                                     .size = sizes[_i],
                                     .token = UINT64_MAX - 1,
                                     .value = 1700000000000001,
                                     .count = 77,
                                     .last = 1 };
    struct channel_header got = { 0 };
    int descriptors[2] = { 77, 77 };
    char *bytes = malloc(CHANNEL_BODY_MAX);

    for (size_t i = 0; i < CHANNEL_BODY_MAX; i++)
        bytes[i] = (char)(i * 7);
    ends_open(ends);
    ck_assert_int_eq(channel_receive(ends[0], &got, body, descriptors), 0);
    ck_assert_int_eq(channel_send(ends[1], &header, header.size > 0 ? bytes : NULL, NULL), 0);
    ck_assert_int_eq(channel_receive(ends[0], &got, body, descriptors), 1);
    ck_assert_mem_eq(&got, &header, sizeof(header));
    ck_assert_mem_eq(body, bytes, header.size);
    ck_assert_int_eq(descriptors[0], -1);
    ck_assert_int_eq(descriptors[1], -1);
    ck_assert_int_eq(channel_receive(ends[0], &got, body, descriptors), 0);
    free(bytes);
    ends_close(ends);
}
END_TEST

/* Which of the two is given, and how many then arrive. */
static const struct {
    bool first, second;
    int count;
} given[] = { { false, false, 0 }, { true, false, 1 }, { false, true, 1 }, { true, true, 2 } };

START_TEST(carries_descriptors)
{
    struct channel_header header = { .type = CHANNEL_HELLO, .value = CHANNEL_VERSION };
    int sent[2] = { given[_i].first ? STDOUT_FILENO : -1, given[_i].second ? STDERR_FILENO : -1 };
    int got[2] = { 77, 77 };
    size_t before;

    ends_open(ends);
    before = fds_open();
    ck_assert_int_eq(channel_send(ends[1], &header, NULL, sent), 0);
    ck_assert_uint_eq(fds_open(), before);
    ck_assert_int_eq(channel_receive(ends[0], &header, body, got), 1);
    ck_assert_uint_eq(fds_open(), before + (size_t)given[_i].count);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(got[i] >= 0, i < given[_i].count);
        if (got[i] < 0)
            continue;
        ck_assert_int_eq(fcntl(got[i], F_GETFD), FD_CLOEXEC);
        close(got[i]);
    }
    ends_close(ends);
}
END_TEST

/* Sends to somebody who does not read, or is not there, or more than a packet. */
START_TEST(does_not_wait_and_does_not_cut)
{
    struct channel_header header = { .type = CHANNEL_STORED };
    int descriptors[2], r, count = 0;

    ends_open(ends);
    header.size = CHANNEL_BODY_MAX + 1;
    ck_assert_int_eq(channel_send(ends[1], &header, body, NULL), -EMSGSIZE);
    header.size = 0;
    do
        r = channel_send(ends[1], &header, NULL, NULL);
    while (r == 0 && count++ < 100000);
    ck_assert_int_eq(r, -EAGAIN);
    ck_assert_int_eq(channel_receive(ends[0], &header, body, descriptors), 1);
    ck_assert_int_eq(channel_send(ends[1], &header, NULL, NULL), 0);
    close(ends[0]);
    ck_assert_int_eq(channel_send(ends[1], &header, NULL, NULL), -EPIPE);
    close(ends[1]);
}
END_TEST

/* What was sent before the end is there; then the end is. */
START_TEST(sees_the_end)
{
    struct channel_header header = { .type = CHANNEL_STORED };
    int descriptors[2];

    ends_open(ends);
    ck_assert_int_eq(channel_send(ends[1], &header, NULL, NULL), 0);
    close(ends[1]);
    ck_assert_int_eq(channel_receive(ends[0], &header, body, descriptors), 1);
    ck_assert_int_eq(channel_receive(ends[0], &header, body, descriptors), -EPIPE);
    close(ends[0]);
    ends_open(ends);
    ck_assert_int_eq(channel_send(ends[0], &header, NULL, NULL), 0);
    close(ends[1]); /* with something unread, which the other side is told as a reset */
    ck_assert_int_eq(channel_receive(ends[0], &header, body, descriptors), -EPIPE);
    close(ends[0]);
}
END_TEST

static const struct {
    size_t size; /* of the packet */
    uint32_t type, said;
    size_t fd_count;
    int result;
} packets[] = {
    { 0, 0, 0, 0, -EPIPE }, /* an empty packet looks like the end */
    { 0, 0, 0, 4, -EPIPE },
    { 1, CHANNEL_READY, 0, 0, -EPROTO },
    { 31, CHANNEL_READY, 0, 0, -EPROTO },
    { 31, CHANNEL_READY, 0, 2, -EPROTO },
    { 32, CHANNEL_READY, 0, 0, 1 },
    { 32, CHANNEL_READY, 0, 1, 1 },
    { 32, CHANNEL_READY, 0, 2, 1 },
    { 32, CHANNEL_READY, 0, 3, -EPROTO },
    { 32, CHANNEL_READY, 0, 4, -EPROTO },
    { 32, CHANNEL_READY, 0, 8, -EPROTO }, /* more than there is room for */
    { 32, 0, 0, 0, -EPROTO },
    { 32, 0, 0, 2, -EPROTO },
    { 32, CHANNEL_HELLO, 0, 0, 1 },
    { 32, CHANNEL_REFUSED, 0, 0, 1 },
    { 32, CHANNEL_REFUSED + 1, 0, 0, -EPROTO },
    { 32, UINT32_MAX, 0, 0, -EPROTO },
    { 32, CHANNEL_PUBLISH, 1, 0, -EPROTO },
    { 32, CHANNEL_PUBLISH, UINT32_MAX, 0, -EPROTO },
    { 33, CHANNEL_PUBLISH, 0, 0, -EPROTO },
    { 33, CHANNEL_PUBLISH, 1, 0, 1 },
    { 33, CHANNEL_PUBLISH, 2, 1, -EPROTO },
    { CHANNEL_PACKET_MAX, CHANNEL_PUBLISH, CHANNEL_BODY_MAX, 0, 1 },
    { CHANNEL_PACKET_MAX + 1, CHANNEL_PUBLISH, CHANNEL_BODY_MAX, 0, -EPROTO },
    { CHANNEL_PACKET_MAX + 1, CHANNEL_PUBLISH, CHANNEL_BODY_MAX + 1, 2, -EPROTO },
};

START_TEST(judges_raw_packets)
{
    struct channel_header header = { .type = packets[_i].type, .size = packets[_i].said }, got = { .type = 77 };
    char *packet = calloc(1, CHANNEL_PACKET_MAX + 1);
    int descriptors[2] = { 77, 77 };
    size_t taken = packets[_i].result == 1 ? packets[_i].fd_count : 0;
    size_t before;

    memcpy(packet, &header, sizeof(header));
    ends_open(ends);
    before = fds_open();
    raw_send(ends[1], packet, packets[_i].size, packets[_i].fd_count);
    ck_assert_int_eq(channel_receive(ends[0], &got, body, descriptors), packets[_i].result);
    ck_assert_uint_eq(fds_open(), before + taken);
    if (packets[_i].result != 1) {
        ck_assert_uint_eq(got.type, 77);
        ck_assert_int_eq(descriptors[0], 77);
        ck_assert_int_eq(descriptors[1], 77);
    }
    for (size_t i = 0; i < taken; i++)
        close(descriptors[i]);
    ck_assert_int_eq(channel_receive(ends[0], &got, body, descriptors), 0);
    free(packet);
    ends_close(ends);
}
END_TEST

/* ---- the body of a batch ---- */

static const struct event events[] = {
    { 1000, 4242, "alice", 5, "deploy", 6, "{\"v\":2}", 7, NULL, 0 },
    { 0, 0, "", 0, "a", 1, "1", 1, "", 0 },
    { UINT32_MAX, INT32_MAX, "\xff\0\"", 3, "a.b_c:d/e-f", 11, "[1,2,3]", 7, "203.0.113.7", 11 },
};

static void check_same(const struct event *event, const struct event *expected)
{
    ck_assert_uint_eq(event->uid, expected->uid);
    ck_assert_int_eq(event->pid, expected->pid);
    ck_assert_uint_eq(event->user_size, expected->user_size);
    ck_assert_mem_eq(event->user, expected->user, expected->user_size);
    ck_assert_uint_eq(event->type_size, expected->type_size);
    ck_assert_mem_eq(event->type, expected->type, expected->type_size);
    ck_assert_uint_eq(event->data_size, expected->data_size);
    ck_assert_mem_eq(event->data, expected->data, expected->data_size);
    ck_assert_int_eq(!event->client, !expected->client);
    ck_assert_uint_eq(event->client_size, expected->client_size);
    if (event->client)
        ck_assert_mem_eq(event->client, expected->client, expected->client_size);
}

/* Where each event of the table ends. */
static void make_batch(struct channel_batch *batch, size_t event_ends[COUNT(events)])
{
    for (int i = 0; i < COUNT(events); i++) {
        ck_assert_int_eq(channel_batch_add(batch, &events[i]), 0);
        event_ends[i] = batch->buffer.size;
    }
    ck_assert_uint_eq(batch->count, COUNT(events));
}

/* Cut behind every byte, in memory of exactly that size: the whole events before the cut are there, and nothing else.
 */
START_TEST(reads_up_to_every_cut)
{
    struct channel_batch batch = { 0 };
    size_t event_ends[COUNT(events)], offset;
    struct event event;
    int r, count;

    make_batch(&batch, event_ends);
    for (size_t size = 0; size <= batch.buffer.size; size++) {
        char *cut = malloc(size + 1);

        memcpy(cut + 1, batch.buffer.bytes, size);
        offset = 0;
        for (count = 0; count < COUNT(events) && event_ends[count] <= size; count++) {
            ck_assert_int_eq(channel_batch_next(cut + 1, size, &offset, &event), 1);
            check_same(&event, &events[count]);
            ck_assert_uint_eq(offset, event_ends[count]);
        }
        event.uid = 77;
        r = channel_batch_next(cut + 1, size, &offset, &event);
        ck_assert_int_eq(r, size == (count > 0 ? event_ends[count - 1] : 0) ? 0 : -EPROTO);
        ck_assert_uint_eq(offset, count > 0 ? event_ends[count - 1] : 0);
        ck_assert_uint_eq(event.uid, 77);
        free(cut);
    }
    channel_batch_done(&batch);
    ck_assert_ptr_null(batch.buffer.bytes);
    channel_batch_done(&batch);
}
END_TEST

static const struct {
    size_t user_size, type_size, data_size;
    int r;
    size_t client_size;
} sizes[] = {
    { EVENT_USER_MAX, BERTH_EVENT_TYPE_MAX, BERTH_EVENT_SIZE_MAX - BERTH_EVENT_TYPE_MAX, 0, EVENT_CLIENT_MAX },
    { 0, 1, 1, -EMSGSIZE, EVENT_CLIENT_MAX + 1 },
    { EVENT_USER_MAX, BERTH_EVENT_TYPE_MAX, BERTH_EVENT_SIZE_MAX - BERTH_EVENT_TYPE_MAX, 0 },
    { 0, 1, 1, 0 },
    { EVENT_USER_MAX + 1, 1, 1, -EMSGSIZE },
    { 0, 0, 1, -EMSGSIZE },
    { 0, 1, 0, -EMSGSIZE },
    { 0, BERTH_EVENT_TYPE_MAX + 1, 1, -EMSGSIZE },
    { 0, BERTH_EVENT_TYPE_MAX, BERTH_EVENT_SIZE_MAX - BERTH_EVENT_TYPE_MAX + 1, -EMSGSIZE },
    { 0, 1, BERTH_EVENT_SIZE_MAX, -EMSGSIZE },
    { 0, 1, UINT32_MAX, -EMSGSIZE },
};

/* What may not be added is not believed either. */
START_TEST(keeps_the_limits)
{
    size_t all = 16 + EVENT_CLIENT_MAX + 1 + EVENT_USER_MAX + 1 + BERTH_EVENT_SIZE_MAX + BERTH_EVENT_TYPE_MAX,
           offset = 0;
    char *bytes = malloc(all);
    struct { /* as channel.c has it */
        uint32_t uid;
        int32_t pid;
        uint32_t data_size;
        uint8_t type_size, client;
        uint16_t user_size;
    } head = { 0,
               0,
               (uint32_t)sizes[_i].data_size,
               (uint8_t)sizes[_i].type_size,
               (uint8_t)(sizes[_i].client_size + 1),
               (uint16_t)sizes[_i].user_size };
    struct event event = { .user = bytes,
                           .user_size = sizes[_i].user_size,
                           .type = bytes,
                           .type_size = sizes[_i].type_size,
                           .data = bytes,
                           .data_size = sizes[_i].data_size,
                           .client = bytes,
                           .client_size = sizes[_i].client_size };
    struct channel_batch batch = { 0 };

    memset(bytes, '7', all);
    ck_assert_int_eq(channel_batch_add(&batch, &event), sizes[_i].r);
    ck_assert_uint_eq(batch.count, sizes[_i].r == 0);
    memcpy(bytes, &head, sizeof(head));
    ck_assert_int_eq(channel_batch_next(bytes, all, &offset, &event), sizes[_i].r == 0 ? 1 : -EPROTO);
    channel_batch_done(&batch);
    free(bytes);
}
END_TEST

START_TEST(refuses_types)
{
    static const struct {
        const char *type;
        int r;
    } types[] = { { "berth", 1 },     { "berth.", -EPROTO }, { "berth.missed", -EPROTO }, { "berthx", 1 },
                  { "a b", -EPROTO }, { "a\n", -EPROTO },    { "\xc3\xa9", -EPROTO },     { "a\"", -EPROTO } };
    struct event event = events[0];
    struct channel_batch batch = { 0 };
    size_t offset = 0;

    event.type = types[_i].type;
    event.type_size = strlen(types[_i].type);
    ck_assert_int_eq(channel_batch_add(&batch, &event), 0);
    ck_assert_int_eq(channel_batch_next(batch.buffer.bytes, batch.buffer.size, &offset, &event), types[_i].r);
    channel_batch_done(&batch);
}
END_TEST

/* The last one that fits is taken, one byte more is not, and what is there stays. */
START_TEST(a_batch_ends_somewhere)
{
    char *bytes = malloc(BERTH_EVENT_SIZE_MAX);
    struct event event = {
        .user = "", .type = "t", .type_size = 1, .data = bytes, .data_size = CHANNEL_BATCH_MAX / 64 - 17
    };
    struct channel_batch batch = { 0 };

    memset(bytes, '7', BERTH_EVENT_SIZE_MAX);
    for (int i = 0; i < 63; i++)
        ck_assert_int_eq(channel_batch_add(&batch, &event), 0);
    event.data_size++;
    ck_assert_int_eq(channel_batch_add(&batch, &event), -EMSGSIZE);
    event.data_size--;
    ck_assert_uint_eq(batch.count, 63);
    ck_assert_int_eq(channel_batch_add(&batch, &event), 0);
    ck_assert_uint_eq(batch.buffer.size, CHANNEL_BATCH_MAX);
    event = events[1];
    ck_assert_int_eq(channel_batch_add(&batch, &event), -EMSGSIZE);
    ck_assert_uint_eq(batch.count, 64);
    channel_batch_done(&batch);
    free(bytes);
}
END_TEST

Suite *suite_event_channel(void)
{
    Suite *suite = suite_create("event_channel");
    TCase *one = tcase_create("packets"), *batches = tcase_create("batches");

    tcase_add_loop_test(one, carries_a_packet, 0, 4);
    tcase_add_loop_test(one, carries_descriptors, 0, COUNT(given));
    tcase_add_test(one, does_not_wait_and_does_not_cut);
    tcase_add_test(one, sees_the_end);
    tcase_add_loop_test(one, judges_raw_packets, 0, COUNT(packets));
    suite_add_tcase(suite, one);
    tcase_add_test(batches, reads_up_to_every_cut);
    tcase_add_loop_test(batches, keeps_the_limits, 0, COUNT(sizes));
    tcase_add_loop_test(batches, refuses_types, 0, 8);
    tcase_add_test(batches, a_batch_ends_somewhere);
    suite_add_tcase(suite, batches);
    return suite;
}
