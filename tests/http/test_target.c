#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "http/memory.h"
#include "http/target.h"

Suite *suite_target(void);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Segments as one text, each behind a '|'. */
static const struct {
    const char *sent, *raw, *path, *segments, *query, *authority;
} valid[] = {
    { "/", "/", "/", "|", NULL, NULL },
    { "/index", "/index", "/index", "|index", NULL, NULL },
    { "/a/b", "/a/b", "/a/b", "|a|b", NULL, NULL },
    { "/a/", "/a/", "/a/", "|a|", NULL, NULL },
    { "//", "//", "//", "||", NULL, NULL },
    { "//evil.example/x", "//evil.example/x", "//evil.example/x", "||evil.example|x", NULL, NULL },
    { "/a?b=c", "/a?b=c", "/a", "|a", "b=c", NULL },
    { "/a?", "/a?", "/a", "|a", "", NULL },
    { "/a?b?c/..%2F%00%", "/a?b?c/..%2F%00%", "/a", "|a", "b?c/..%2F%00%", NULL },
    { "/%61%2d%2E%62", "/%61%2d%2E%62", "/a-.b", "|a-.b", NULL, NULL },
    { "/a%20b/%c3%A9", "/a%20b/%c3%A9", "/a b/\xc3\xa9", "|a b|\xc3\xa9", NULL, NULL },
    { "/%252F", "/%252F", "/%2F", "|%2F", NULL, NULL },
    { "/%252e%252e", "/%252e%252e", "/%2e%2e", "|%2e%2e", NULL, NULL },
    { "/a%5Cb%3F%23", "/a%5Cb%3F%23", "/a\\b?#", "|a\\b?#", NULL, NULL },
    { "/...", "/...", "/...", "|...", NULL, NULL },
    { "/.a/a./..a", "/.a/a./..a", "/.a/a./..a", "|.a|a.|..a", NULL, NULL },
    { "/a+b", "/a+b", "/a+b", "|a+b", NULL, NULL },
    { "/a*", "/a*", "/a*", "|a*", NULL, NULL },
    { "http://localhost/index", "/index", "/index", "|index", NULL, "localhost" },
    { "HTTPS://h:80/a/?q", "/a/?q", "/a/", "|a|", "q", "h:80" },
    { "http://h", "/", "/", "|", NULL, "h" },
    { "http://h?q=/", "/?q=/", "/", "|", "q=/", "h" },
    { "http://[::1]:1/", "/", "/", "|", NULL, "[::1]:1" },
    { "http://u@h/", "/", "/", "|", NULL, "u@h" },
};

START_TEST(accepts)
{
    char segments[256] = "";
    struct target target;
    const char *reason = "none";

    ck_assert_int_eq(target_parse(valid[_i].sent, strlen(valid[_i].sent), &memory, &target, &reason), 0);
    ck_assert_str_eq(reason, "none");
    ck_assert_str_eq(target.raw, valid[_i].raw);
    ck_assert_str_eq(target.path, valid[_i].path);
    ck_assert_pstr_eq(target.query, valid[_i].query);
    ck_assert_pstr_eq(target.authority, valid[_i].authority);
    ck_assert(!target.asterisk);
    for (size_t i = 0; i < target.segment_count; i++) {
        strcat(strcat(segments, "|"), target.segments[i]);
        ck_assert_uint_eq(target.segment_sizes[i], strlen(target.segments[i]));
    }
    ck_assert_str_eq(segments, valid[_i].segments);
}
END_TEST

/* Each with a word of the reason that is given. */
static const struct {
    const char *sent, *word;
} invalid[] = {
    { "", "empty" },
    { "index", "neither" },
    { "example.org:443", "neither" },
    { "ftp://h/", "neither" },
    { "http:/h/", "neither" },
    { "http:", "neither" },
    { "**", "neither" },
    { "*?a", "neither" },
    { "?a", "neither" },
    { "http://", "without a host" },
    { "http:///a", "without a host" },
    { "https://?a", "without a host" },
    { "/.", "segment" },
    { "/..", "segment" },
    { "/../a", "segment" },
    { "/a/./b", "segment" },
    { "/a/..?x", "segment" },
    { "/a/%2e", "segment" },
    { "/a/.%2E/b", "segment" },
    { "/%2e%2e", "segment" },
    { "http://h/..", "segment" },
    { "/a%2Fb", "slash" },
    { "/a%2f", "slash" },
    { "/a%00", "NUL" },
    { "/a%", "hexadecimal" },
    { "/a%4", "hexadecimal" },
    { "/a%4?1", "hexadecimal" },
    { "/a%4g", "hexadecimal" },
    { "/a%-1", "hexadecimal" },
    { "/a%%41", "hexadecimal" },
    { "/a#b", "fragment" },
    { "/a?b#c", "fragment" },
    { "/a b", "byte" },
    { "/a?b c", "byte" },
    { "/a\tb", "byte" },
    { "/a\r\nX: y", "byte" },
    { "/a\x7f", "byte" },
    { "/\xc3\xa9", "byte" },
    { "http://h\x01/", "byte" },
};

START_TEST(refuses)
{
    struct target target = { .raw = "untouched" };
    const char *reason = NULL;

    ck_assert_int_eq(target_parse(invalid[_i].sent, strlen(invalid[_i].sent), &memory, &target, &reason), -EINVAL);
    ck_assert_ptr_nonnull(reason);
    ck_assert_msg(strstr(reason, invalid[_i].word), "\"%s\" does not say \"%s\"", reason, invalid[_i].word);
    ck_assert_str_eq(target.raw, "untouched");
}
END_TEST

START_TEST(refuses_nul)
{
    struct target target;
    const char *reason;

    ck_assert_int_eq(target_parse("/a\0b", 4, &memory, &target, &reason), -EINVAL);
    ck_assert_int_eq(target_parse("/a?\0", 4, &memory, &target, &reason), -EINVAL);
}
END_TEST

START_TEST(reads_no_further_than_told)
{
    struct target target;
    const char *reason;

    ck_assert_int_eq(target_parse("/ab%41", 3, &memory, &target, &reason), 0);
    ck_assert_str_eq(target.path, "/ab");
    ck_assert_int_eq(target_parse("/ab%41", 5, &memory, &target, &reason), -EINVAL);
}
END_TEST

START_TEST(asterisk)
{
    struct target target;
    const char *reason;

    ck_assert_int_eq(target_parse("*", 1, &memory, &target, &reason), 0);
    ck_assert(target.asterisk);
    ck_assert_str_eq(target.path, "*");
    ck_assert_uint_eq(target.segment_count, 0);
}
END_TEST

static const struct {
    const char *raw, *mount;
    bool below;
} mounts[] = {
    { "/", "", true },      { "/x", "", true },     { "/x", "/x", true },       { "/x/", "/x", true },
    { "/x/y", "/x", true }, { "/%78", "/x", true }, { "/x/y", "/x/y", true },   { "/x?a", "/x", true },
    { "/xy", "/x", false }, { "/", "/x", false },   { "/y/x", "/x", false },    { "/x", "/x/y", false },
    { "*", "", false },     { "*", "/x", false },   { "/x/yz", "/x/y", false },
};

START_TEST(is_below_a_mount)
{
    struct target target;
    const char *reason;

    ck_assert_int_eq(target_parse(mounts[_i].raw, strlen(mounts[_i].raw), &memory, &target, &reason), 0);
    ck_assert_msg(target_is_below(&target, mounts[_i].mount) == mounts[_i].below, "%s below \"%s\"", mounts[_i].raw,
                  mounts[_i].mount);
}
END_TEST

START_TEST(segments_at_most_128)
{
    char raw[2 * (TARGET_SEGMENTS_MAX + 1)];
    struct target target;
    const char *reason;

    for (size_t i = 0; i < sizeof(raw); i += 2)
        memcpy(raw + i, "/a", 2);
    ck_assert_int_eq(target_parse(raw, 2 * TARGET_SEGMENTS_MAX, &memory, &target, &reason), 0);
    ck_assert_uint_eq(target.segment_count, TARGET_SEGMENTS_MAX);
    ck_assert_int_eq(target_parse(raw, 2 * TARGET_SEGMENTS_MAX + 1, &memory, &target, &reason), -EINVAL);
    ck_assert_ptr_nonnull(strstr(reason, "128 segments"));
}
END_TEST

START_TEST(out_of_memory)
{
    static char raw[ARENA_SIZE_MAX / 2];
    struct target target;
    const char *reason;

    memset(raw, 'a', sizeof(raw));
    raw[0] = '/';
    ck_assert_int_eq(target_parse(raw, sizeof(raw), &memory, &target, &reason), -ENOMEM);
}
END_TEST

Suite *suite_target(void)
{
    Suite *suite = suite_create("target");
    TCase *tcase = tcase_create("target");

    tcase_add_checked_fixture(tcase, memory_setup, memory_teardown);
    tcase_add_loop_test(tcase, accepts, 0, COUNT(valid));
    tcase_add_loop_test(tcase, refuses, 0, COUNT(invalid));
    tcase_add_test(tcase, refuses_nul);
    tcase_add_test(tcase, reads_no_further_than_told);
    tcase_add_test(tcase, asterisk);
    tcase_add_loop_test(tcase, is_below_a_mount, 0, COUNT(mounts));
    tcase_add_test(tcase, segments_at_most_128);
    tcase_add_test(tcase, out_of_memory);
    suite_add_tcase(suite, tcase);
    return suite;
}
