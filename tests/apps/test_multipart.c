#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/multipart.h"

Suite *suite_multipart(void);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SIZE         1000

/* A source of SIZE bytes, of which each says where it is; with a hole in it when asked, and in small pieces. */
struct source {
    uint64_t end;
    size_t piece;
};

static ssize_t read_source(const void *data, uint64_t offset, void *buffer, size_t room)
{
    const struct source *source = data;
    size_t size = room < source->piece ? room : source->piece;

    if (offset >= source->end)
        return 0;
    for (size_t i = 0; i < size; i++)
        ((char *)buffer)[i] = (char)('a' + (offset + i) % 26);
    return (ssize_t)size;
}

static const struct range ranges[] = { { 0, 1 }, { 500, 100 }, { 990, 10 } };
static const struct source whole = { SIZE, SIZE };

static char *read_body(const struct multipart *multipart, size_t room, const struct source *source)
{
    uint64_t size = multipart_size(multipart);
    char *body = calloc(1, size + 1);
    uint64_t at = 0;

    ck_assert_ptr_nonnull(body);
    while (at < size) {
        ssize_t got =
            multipart_read(multipart, at, body + at, room < size - at ? room : size - at, read_source, source);

        ck_assert_int_gt(got, 0);
        at += (uint64_t)got;
    }
    return body;
}

START_TEST(is_a_multipart)
{
    struct multipart *multipart = multipart_new("text/plain", SIZE, ranges, COUNT(ranges));
    char *body = read_body(multipart, SIZE * 2, &whole), expected[2048], middle[101] = "";
    const char *type = multipart_type(multipart), *boundary = strchr(type, '=') + 1;

    ck_assert_int_eq(strncmp(type, "multipart/byteranges; boundary=", 31), 0);
    ck_assert_uint_eq(strlen(boundary), MULTIPART_BOUNDARY_SIZE);
    for (int i = 0; i < 100; i++)
        middle[i] = (char)('a' + (500 + i) % 26);
    snprintf(expected, sizeof(expected),
             "--%s\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-0/1000\r\n\r\na\r\n"
             "--%s\r\nContent-Type: text/plain\r\nContent-Range: bytes 500-599/1000\r\n\r\n%s\r\n"
             "--%s\r\nContent-Type: text/plain\r\nContent-Range: bytes 990-999/1000\r\n\r\ncdefghijkl\r\n"
             "--%s--\r\n",
             boundary, boundary, middle, boundary, boundary);
    ck_assert_str_eq(body, expected);
    ck_assert_uint_eq(multipart_size(multipart), strlen(expected));
    free(body);
    multipart_free(multipart);
}
END_TEST

START_TEST(reads_the_same_in_pieces_of_any_size)
{
    struct multipart *multipart = multipart_new("text/plain", SIZE, ranges, COUNT(ranges));
    char *body = read_body(multipart, SIZE * 2, &whole);

    for (size_t room = 1; room < 700; room++) {
        struct source source = { SIZE, room % 7 + 1 };
        char *same = read_body(multipart, room, &source);

        ck_assert_str_eq(same, body);
        free(same);
    }
    free(body);
    multipart_free(multipart);
}
END_TEST

START_TEST(ends_with_an_error_where_the_source_ends)
{
    static const struct source cut = { 500, SIZE };
    struct multipart *multipart = multipart_new("text/plain", SIZE, ranges, COUNT(ranges));
    char buffer[2048];

    ck_assert_int_eq(multipart_read(multipart, 0, buffer, sizeof(buffer), read_source, &cut), -EIO);
    multipart_free(multipart);
}
END_TEST

START_TEST(has_a_boundary_of_its_own)
{
    struct multipart *one = multipart_new("text/plain", SIZE, ranges, COUNT(ranges));
    struct multipart *other = multipart_new("text/plain", SIZE, ranges, COUNT(ranges));

    ck_assert_str_ne(multipart_type(one), multipart_type(other));
    multipart_free(one);
    multipart_free(other);
    multipart_free(NULL);
}
END_TEST

Suite *suite_multipart(void)
{
    Suite *suite = suite_create("multipart");
    TCase *tcase = tcase_create("multipart");

    tcase_add_test(tcase, is_a_multipart);
    tcase_add_test(tcase, reads_the_same_in_pieces_of_any_size);
    tcase_add_test(tcase, ends_with_an_error_where_the_source_ends);
    tcase_add_test(tcase, has_a_boundary_of_its_own);
    suite_add_tcase(suite, tcase);
    return suite;
}
