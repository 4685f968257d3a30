/*
 * Which sockets are wanted, and how they are shown: of listings that are made here.
 */
#include "sockets/listing.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "sockets/listing_json.h"
#include "sockets/listing_table.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

Suite *suite_listing(void);

enum { NOBODY = 4242424 }; /* who has no name */

static struct holding_process processes[] = {
    { 12, NOBODY, "nginx" },
    { 13, NOBODY + 1, "berth worker 1" },
    { 14, NOBODY, "0123456789abcde" },
};
static struct holder holder_items[] = { { 1, 3, 0 }, { 1, 7, 1 }, { 5, 4, 0 }, { 6, 5, 2 } };
static struct listed items[5];
static struct listing listing;

static void setup(void)
{
    items[0] = (struct listed){ .socket = { .type = SOCK_STREAM, .listening = true, .inode = 1, .has_queue = true } };
    items[0].socket.queued = 2;
    items[0].socket.limit = 128;
    items[0].place = (struct place){ .kind = PLACE_OK, .has_file = true };
    items[0].place.file.st_mode = S_IFSOCK | 0660;
    items[0].place.file.st_uid = NOBODY;
    items[0].place.file.st_gid = NOBODY;
    inspected_name(&items[0].socket, "/run/a b\n\x1b[2J", 13);
    items[1] = (struct listed){ .socket = { .type = SOCK_DGRAM, .inode = 2 } };
    inspected_name(&items[1].socket, "\0x\0y\xff", 5);
    items[2] = (struct listed){ .socket = { .type = SOCK_STREAM, .connected = true, .inode = 5, .peer = 6 } };
    items[3] = (struct listed){ .socket = { .type = SOCK_STREAM, .inode = 7 } };
    items[4] = (struct listed){ .socket = { .type = SOCK_DGRAM, .inode = 8, .connected = true } };
    inspected_name(&items[4].socket, "/run/c", 6);
    listing = (struct listing){ .items = items,
                                .count = COUNT(items),
                                .holders = { .processes = processes,
                                             .items = holder_items,
                                             .process_count = COUNT(processes),
                                             .count = COUNT(holder_items) } };
}

/* ---- the filter ---- */

static const struct {
    bool all;
    const char *path;
    const char *wanted; /* a digit for each socket */
} asked[] = {
    { false, NULL, "11000" },    { true, NULL, "11111" },  { true, "*", "11001" },    { false, "/run*", "10000" },
    { true, "/run/*", "10001" }, { false, "@*", "01000" }, { true, "/run", "00000" },
};

START_TEST(wants_sockets)
{
    struct listing_filter filter = { .all = asked[_i].all };

    if (asked[_i].path)
        ck_assert_int_eq(text_list_add(&filter.paths, asked[_i].path), 0);
    for (size_t i = 0; i < COUNT(items); i++)
        ck_assert_int_eq(listing_filter_socket(&filter, &items[i].socket), asked[_i].wanted[i] == '1');
    text_list_done(&filter.paths);
}
END_TEST

static const struct {
    const char *command;
    uid_t user;
    const char *wanted;
} held[] = {
    { NULL, 0, "11111" },
    { "nginx", 0, "10100" },
    { "ngin", 0, "10100" },
    { "nginxx", 0, "00000" },
    { "berth worker 1", 0, "10000" },
    { "0123456789abcdefgh", 0, "00000" },
    { NULL, NOBODY + 1, "10000" },
    { NULL, NOBODY + 2, "00000" },
    { "nginx", NOBODY, "10100" },
    { "nginx", NOBODY + 1, "00000" }, /* not both of one process */
};

START_TEST(wants_holders)
{
    struct listing_filter filter = { .users = &held[_i].user, .user_count = held[_i].user ? 1 : 0 };

    if (held[_i].command)
        ck_assert_int_eq(text_list_add(&filter.commands, held[_i].command), 0);
    for (size_t i = 0; i < COUNT(items); i++)
        ck_assert_int_eq(listing_filter_holders(&filter, &listing.holders, items[i].socket.inode),
                         held[_i].wanted[i] == '1');
    text_list_done(&filter.commands);
}
END_TEST

START_TEST(wants_a_command_that_the_kernel_cut)
{
    struct listing_filter filter = { .all = false };

    ck_assert_int_eq(text_list_add(&filter.commands, "0123456789abcdefgh"), 0);
    ck_assert(listing_filter_holders(&filter, &listing.holders, 6));
    text_list_done(&filter.commands);
}
END_TEST

/* ---- the table ---- */

static char *table_of(bool peers)
{
    struct people people = { 0 };
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);

    ck_assert_int_eq(listing_table_print(&listing, peers, &people, stream), 0);
    fclose(stream);
    people_done(&people);
    return text;
}

START_TEST(is_a_table)
{
    char *text;

    listing.count = 2;
    text = table_of(false);
    ck_assert_str_eq(
        text,
        "COMMAND               PID  USER     FD  TYPE      STATE      BACKLOG  OWNER            MODE  FILE  PATH\n"
        "nginx                 12   4242424  3   stream    listening  2/128    4242424:4242424  0660  ok    "
        "/run/a\\x20b\\n\\x1b[2J\n"
        "berth\\x20worker\\x201  13   4242425  7   stream    listening  2/128    4242424:4242424  0660  ok    "
        "/run/a\\x20b\\n\\x1b[2J\n"
        "-                     -    -        -   datagram  bound      -        -                -     -     "
        "@x@y\\xff\n");
    free(text);
}
END_TEST

START_TEST(shows_peers)
{
    char *text;

    listing.items += 2;
    listing.count = 1;
    items[2].socket.peer = 1;
    text = table_of(true);
    ck_assert_str_eq(
        text, "COMMAND  PID  USER     FD  TYPE    STATE      BACKLOG  OWNER  MODE  PEER                                "
              "FILE  PATH\n"
              "nginx    12   4242424  4   stream  connected  -        -      -     "
              "nginx[12],berth\\x20worker\\x201[13]  -     -\n");
    free(text);
    items[2].socket.peer = 99;
    text = table_of(true);
    ck_assert_ptr_nonnull(strstr(text, " inode:99 "));
    free(text);
}
END_TEST

START_TEST(shows_where_a_renamed_one_is)
{
    char *text;

    listing.count = 1;
    items[0].place.kind = PLACE_RENAMED;
    items[0].place.now = strdup("/run/b c");
    text = table_of(false);
    ck_assert_ptr_nonnull(strstr(text, " renamed  /run/a\\x20b\\n\\x1b[2J -> /run/b\\x20c\n"));
    free(text);
    place_done(&items[0].place);
}
END_TEST

/* ---- JSON ---- */

START_TEST(is_json)
{
    static const char expected[] =
        "[{\"path\":\"/run/a b\\n\\u001b[2J\",\"type\":\"stream\",\"state\":\"listening\",\"inode\":1,\"uid\":null,"
        "\"holders\":[{\"command\":\"nginx\",\"pid\":12,\"user\":\"4242424\",\"uid\":4242424,\"fd\":3},"
        "{\"command\":\"berth worker 1\",\"pid\":13,\"user\":\"4242425\",\"uid\":4242425,\"fd\":7}],"
        "\"file\":\"ok\",\"owner\":\"4242424\",\"group\":\"4242424\",\"mode\":\"0660\","
        "\"backlog\":{\"queued\":2,\"limit\":128},\"peer\":null},"
        "{\"abstract\":\"x\\u0000y\xef\xbf\xbd\",\"abstract_hex\":\"780079ff\",\"type\":\"datagram\","
        "\"state\":\"bound\",\"inode\":2,\"uid\":null,\"holders\":[],\"file\":null,\"owner\":null,\"group\":null,"
        "\"mode\":null,\"backlog\":null,\"peer\":null},"
        "{\"path\":null,\"type\":\"stream\",\"state\":\"connected\",\"inode\":5,\"uid\":null,"
        "\"holders\":[{\"command\":\"nginx\",\"pid\":12,\"user\":\"4242424\",\"uid\":4242424,\"fd\":4}],"
        "\"file\":null,\"owner\":null,\"group\":null,\"mode\":null,\"backlog\":null,"
        "\"peer\":{\"inode\":6,\"holders\":[{\"command\":\"0123456789abcde\",\"pid\":14,\"user\":\"4242424\","
        "\"uid\":4242424,\"fd\":5}]}}]";
    struct people people = { 0 };
    json_t *array, *wanted = json_loads(expected, JSON_ALLOW_NUL, NULL);
    char *text;

    listing.count = 3;
    array = listing_json(&listing, &people);
    text = json_dumps(array, JSON_COMPACT);
    ck_assert_ptr_nonnull(wanted);
    ck_assert_msg(json_equal(array, wanted), "%s", text);
    free(text);
    json_decref(array);
    json_decref(wanted);
    people_done(&people);
}
END_TEST

Suite *suite_listing(void)
{
    Suite *suite = suite_create("listing");
    TCase *tests = tcase_create("listing");

    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_loop_test(tests, wants_sockets, 0, COUNT(asked));
    tcase_add_loop_test(tests, wants_holders, 0, COUNT(held));
    tcase_add_test(tests, wants_a_command_that_the_kernel_cut);
    tcase_add_test(tests, is_a_table);
    tcase_add_test(tests, shows_peers);
    tcase_add_test(tests, shows_where_a_renamed_one_is);
    tcase_add_test(tests, is_json);
    suite_add_tcase(suite, tests);
    return suite;
}
