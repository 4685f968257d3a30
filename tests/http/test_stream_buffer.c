#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/stream_buffer.h"

Suite *suite_stream_buffer(void);

static int ours, client;
static struct stream_buffer buffer;

/* What the client has read so far, and as far as it could be read: without its chunks. */
static char *raw, *body;
static size_t raw_size, body_size, chunk_count;
#define ROOM (4 * 1024 * 1024)

static void setup(void)
{
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    ours = fds[0];
    client = fds[1];
    memset(&buffer, 0, sizeof(buffer));
    raw = malloc(ROOM);
    body = malloc(ROOM);
    ck_assert(raw && body);
    raw_size = body_size = chunk_count = 0;
}

static void teardown(void)
{
    stream_buffer_done(&buffer);
    free(raw);
    free(body);
    close(ours);
    if (client >= 0)
        close(client);
}

/* So that the socket takes little: what is sent is often a part. */
static void make_narrow(void)
{
    int size = 1;

    ck_assert_int_eq(setsockopt(ours, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
}

static size_t client_reads(size_t most)
{
    ssize_t n = recv(client, raw + raw_size, most < ROOM - raw_size ? most : ROOM - raw_size, MSG_DONTWAIT);

    if (n < 0) {
        ck_assert_int_eq(errno, EAGAIN);
        return 0;
    }
    raw_size += (size_t)n;
    return (size_t)n;
}

static void client_reads_all(void)
{
    while (client_reads(ROOM) > 0)
        ;
}

static void assert_raw(const char *expected)
{
    client_reads_all();
    raw[raw_size] = '\0';
    ck_assert_str_eq(raw, expected);
}

/* Strictly, as the standard has it: everything must be there. */
static void decode(void)
{
    size_t at = 0;

    while (at < raw_size) {
        char *end;
        size_t size;

        raw[raw_size] = '\0';
        size = strtoul(raw + at, &end, 16);
        ck_assert_uint_gt(size, 0);
        ck_assert_mem_eq(end, "\r\n", 2);
        at = (size_t)(end - raw) + 2;
        ck_assert_uint_le(at + size + 2, raw_size);
        memcpy(body + body_size, raw + at, size);
        body_size += size;
        at += size;
        ck_assert_mem_eq(raw + at, "\r\n", 2);
        at += 2;
        chunk_count++;
    }
}

START_TEST(frames_each_write)
{
    stream_buffer_open(&buffer, ours, true);
    ck_assert_int_eq(stream_buffer_write(&buffer, "a", 1), 0);
    ck_assert_int_eq(stream_buffer_write(&buffer, "", 0), 0);
    ck_assert_int_eq(stream_buffer_write(&buffer, "bbbbbbbbbbbbbbbbbb", 18), 0);
    assert_raw("1\r\na\r\n12\r\nbbbbbbbbbbbbbbbbbb\r\n");
    ck_assert(stream_buffer_is_empty(&buffer));
    ck_assert_ptr_null(buffer.bytes);
    ck_assert_uint_eq(buffer.sent, 19);
}
END_TEST

START_TEST(sends_as_it_is_without_chunks)
{
    stream_buffer_open(&buffer, ours, false);
    ck_assert_int_eq(stream_buffer_write(&buffer, "a", 1), 0);
    ck_assert_int_eq(stream_buffer_write(&buffer, "bc", 2), 0);
    assert_raw("abc");
    ck_assert_uint_eq(buffer.sent, 3);
}
END_TEST

START_TEST(keeps_until_it_is_open)
{
    ck_assert_int_eq(stream_buffer_write(&buffer, "a", 1), 0);
    ck_assert_int_eq(stream_buffer_write(&buffer, "bc", 2), 0);
    ck_assert_uint_eq(buffer.size, 3);
    stream_buffer_open(&buffer, ours, true);
    ck_assert_int_eq(stream_buffer_flush(&buffer), 0);
    assert_raw("3\r\nabc\r\n");
    ck_assert_ptr_null(buffer.bytes);
}
END_TEST

/* Sizes around those of the ring and of the socket, against a client that reads now and then, in pieces that cut
 * through heads and ends of chunks. With chunks, and without. */
static const size_t sizes[] = { 1, 15, 16, 255, 256, 1000, 1023, 1024, 1025, 4095, 4096, 9999, 70000 };
static const size_t appetites[] = { 1, 2, 3, 5, 7, 1000, 4096, 100000 };
#define SIZES     (sizeof(sizes) / sizeof(sizes[0]))
#define APPETITES (sizeof(appetites) / sizeof(appetites[0]))

static char pattern(size_t at)
{
    return (char)('a' + (at * 7 + at / 251) % 26);
}

/* One assertion for all: each costs Check a system call. */
static void assert_follows_pattern(size_t size)
{
    size_t at = 0;

    while (at < size && body[at] == pattern(at))
        at++;
    ck_assert_uint_eq(at, size);
}

START_TEST(survives_every_cut)
{
    bool chunked = _i % 2 == 0;
    size_t appetite = appetites[_i / 2], total = 0;
    char *bytes = malloc(70000);

    ck_assert_ptr_nonnull(bytes);
    make_narrow();
    stream_buffer_open(&buffer, ours, chunked);
    for (int round = 0; round < 100; round++) {
        size_t size = sizes[(size_t)round * 5 % SIZES];

        for (size_t i = 0; i < size; i++)
            bytes[i] = pattern(total + i);
        total += size;
        ck_assert_int_eq(stream_buffer_write(&buffer, bytes, size), 0);
        for (int i = 0; i < 20; i++)
            client_reads(appetite);
        ck_assert_int_eq(stream_buffer_flush(&buffer), 0);
    }
    while (!stream_buffer_is_empty(&buffer)) {
        ck_assert_uint_gt(client_reads(ROOM), 0);
        ck_assert_int_eq(stream_buffer_flush(&buffer), 0);
    }
    client_reads_all();
    ck_assert_uint_lt(raw_size, ROOM);
    if (chunked) {
        decode();
    } else {
        memcpy(body, raw, raw_size);
        body_size = raw_size;
    }
    ck_assert_uint_eq(body_size, total);
    ck_assert_uint_eq(buffer.sent, total);
    assert_follows_pattern(total);
    ck_assert_ptr_null(buffer.bytes);
    free(bytes);
}
END_TEST

/* Filled to different amounts and drained again and again, so that what is kept goes over the ring's edge. */
START_TEST(goes_round)
{
    char bytes[700];
    size_t total = 0;

    make_narrow();
    stream_buffer_open(&buffer, ours, true);
    for (int round = 0; round < 3000; round++) {
        size_t size = (size_t)(round * 37) % sizeof(bytes) + 1;

        for (size_t i = 0; i < size; i++)
            bytes[i] = pattern(total + i);
        total += size;
        ck_assert_int_eq(stream_buffer_write(&buffer, bytes, size), 0);
        while (buffer.size > 900) {
            client_reads(600);
            ck_assert_int_eq(stream_buffer_flush(&buffer), 0);
        }
        ck_assert_uint_le(buffer.allocated, 2048);
    }
    while (!stream_buffer_is_empty(&buffer)) {
        client_reads_all();
        ck_assert_int_eq(stream_buffer_flush(&buffer), 0);
    }
    client_reads_all();
    decode();
    ck_assert_uint_eq(body_size, total);
    assert_follows_pattern(total);
}
END_TEST

START_TEST(says_that_the_client_is_gone)
{
    stream_buffer_open(&buffer, ours, true);
    close(client);
    client = -1;
    ck_assert_int_eq(stream_buffer_write(&buffer, "a", 1), -EPIPE);
}
END_TEST

START_TEST(says_so_when_it_flushes)
{
    ck_assert_int_eq(stream_buffer_write(&buffer, "a", 1), 0);
    stream_buffer_open(&buffer, ours, true);
    close(client);
    client = -1;
    ck_assert_int_eq(stream_buffer_flush(&buffer), -EPIPE);
}
END_TEST

Suite *suite_stream_buffer(void)
{
    Suite *suite = suite_create("stream_buffer");
    TCase *tcase = tcase_create("stream_buffer");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, frames_each_write);
    tcase_add_test(tcase, sends_as_it_is_without_chunks);
    tcase_add_test(tcase, keeps_until_it_is_open);
    tcase_add_loop_test(tcase, survives_every_cut, 0, 2 * APPETITES);
    tcase_add_test(tcase, goes_round);
    tcase_add_test(tcase, says_that_the_client_is_gone);
    tcase_add_test(tcase, says_so_when_it_flushes);
    suite_add_tcase(suite, tcase);
    return suite;
}
