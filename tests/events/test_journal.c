/*
 * The journal: nothing false is read back, nothing that was appended is missing, and nothing of anybody's is deleted,
 * whatever is found in the files, and whatever the disk says.
 */
#include "events/journals.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "events/checksum.h"
#include "socket/scratch.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

Suite *suite_journal(void);

static void file_is(const char *name, const char *bytes, size_t size)
{
    size_t size_now;
    char *now = file_read(scratch_path(name), &size_now);

    ck_assert_uint_eq(size_now, size);
    ck_assert_mem_eq(now, bytes, size);
    free(now);
}

START_TEST(knows_its_checksum)
{
    char bytes[64];

    ck_assert_uint_eq(checksum("123456789", 9), 0xe3069283);
    ck_assert_uint_eq(checksum("", 0), 0);
    memset(bytes, 0, sizeof(bytes));
    ck_assert_uint_eq(checksum(bytes, 32), 0x8a9136aa); /* RFC 3720, B.4 */
    memset(bytes, 0xff, sizeof(bytes));
    ck_assert_uint_eq(checksum(bytes, 32), 0x62a8ab43);
}
END_TEST

START_TEST(begins_and_goes_on)
{
    struct replayed replayed;
    struct stat status;
    mode_t mask = umask(0777);
    size_t fds = fds_open();

    open_journal(ROOM);
    ck_assert_uint_eq(umask(mask), 0777);
    ck_assert_uint_eq(journal_first_id(journal), 0);
    ck_assert_uint_eq(journal_last_id(journal), 0);
    ck_assert_int_eq(append(1, 1, RECORD), -EBADMSG);
    ck_assert_int_eq(journal_start(journal, 0), -EINVAL);
    ck_assert_int_eq(journal_start(journal, FIRST), 0);
    ck_assert_uint_eq(journal_last_id(journal), 0);
    ck_assert_int_eq(append(FIRST, 3, RECORD), 0);
    ck_assert_uint_eq(journal_last_id(journal), FIRST + 2);
    ck_assert_int_eq(stat(scratch_path("j"), &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0600);
    close_journal();
    ck_assert_uint_eq(fds_open(), fds);
    open_journal(ROOM);
    ck_assert(!journal_is_dirty(journal));
    ck_assert_uint_eq(journal_first_id(journal), FIRST);
    replayed = replay();
    ck_assert_uint_eq(replayed.first, FIRST);
    ck_assert_uint_eq(replayed.count, 3);
    ck_assert_uint_eq(replayed.frames, 1);
    goes_on(ROOM);
    ck_assert_str_eq(scratch_list(), "j ");
    journal_close(NULL);
}
END_TEST

static int take_two(void *data, const void *records, size_t size)
{
    int *calls = data;

    return ++*calls == 2 ? 42 : 0;
}

START_TEST(stops_where_it_is_told)
{
    size_t size;
    int calls = 0;

    free(small_make(&size));
    open_journal(ROOM);
    ck_assert_int_eq(journal_replay(journal, take_two, &calls), 42);
    ck_assert_int_eq(calls, 2);
    ck_assert_uint_eq(replay().count, SMALL_RECORDS);
}
END_TEST

START_TEST(takes_only_what_is_due)
{
    char bytes[2 * RECORD];
    size_t size;

    free(small_make(&size));
    open_journal(ROOM);
    ck_assert_int_eq(append(FIRST + 4, 1, RECORD), -EBADMSG);
    ck_assert_int_eq(append(FIRST + 6, 1, RECORD), -EBADMSG);
    record_make(bytes, RECORD, FIRST + 5, 1);
    record_make(bytes + RECORD, RECORD, FIRST + 7, 1);
    ck_assert_int_eq(journal_append(journal, bytes, sizeof(bytes)), -EBADMSG);
    ck_assert_int_eq(journal_append(journal, bytes, RECORD - 8), -EBADMSG);
    ck_assert_int_eq(journal_append(journal, bytes, JOURNAL_APPEND_MAX + 1), -EMSGSIZE);
    ck_assert_int_eq(journal_append(journal, bytes, 0), 0);
    ck_assert(!journal_is_dirty(journal));
    ck_assert_uint_eq(journal_last_id(journal), FIRST + 4);
    goes_on(ROOM);
}
END_TEST

/* ---- what is found in the files ---- */

START_TEST(cuts_a_torn_end_off)
{
    size_t size, frames = 0;
    char *bytes = small_make(&size);

    ck_assert_uint_eq(size, small_ends[SMALL_FRAMES]);
    for (size_t length = 0; length <= size; length++) {
        bool whole =
            length == 0 || length == small_ends[frames + (frames < SMALL_FRAMES && length == small_ends[frames + 1])];

        if (frames < SMALL_FRAMES && length == small_ends[frames + 1])
            frames++;
        file_write("j", bytes, length);
        open_journal(ROOM);
        ck_assert_uint_eq(replay().count, small_counts[frames]);
        ck_assert_uint_eq(journal_first_id(journal), length < HEADER ? 0 : FIRST);
        ck_assert_int_eq(strstr(journal_said(), "ends in the middle of a write") != NULL, !whole);
        ck_assert_int_eq(journal_is_dirty(journal), !whole);
        goes_on(ROOM);
        ck_assert_str_eq(scratch_list(), "j ");
    }
    free(bytes);
}
END_TEST

/* What a file system leaves that stored the new length before the bytes. */
START_TEST(cuts_zeroes_off)
{
    size_t size;
    char *bytes = small_make(&size);

    ck_assert_int_eq(truncate(scratch_path("j"), (off_t)size + 10000), 0);
    open_journal(ROOM);
    ck_assert_uint_eq(replay().count, SMALL_RECORDS);
    assert_has(journal_said(), "/j\" ends in the middle of a write; the last 10000 of its bytes are cut off");
    file_is("j", bytes, size);
    goes_on(ROOM);
    ck_assert_str_eq(scratch_list(), "j ");
    free(bytes);
}
END_TEST

START_TEST(finds_every_flipped_byte)
{
    size_t size, frames = 0;
    char *bytes = small_make(&size);

    for (size_t i = 0; i < size; i++) {
        if (frames < SMALL_FRAMES && i == small_ends[frames + 1])
            frames++;
        bytes[i] ^= (char)(1 << i % 8);
        file_write("j", bytes, size);
        open_journal(ROOM);
        ck_assert_uint_eq(replay().count, small_counts[frames]);
        ck_assert_uint_eq(journal_first_id(journal), i < HEADER ? 0 : FIRST);
        assert_has(journal_said(), "it is set aside as j.damaged-1");
        ck_assert_str_eq(scratch_list(), "j j.damaged-1 ");
        file_is("j.damaged-1", bytes, size);
        goes_on(ROOM);
        ck_assert_str_eq(scratch_list(), "j j.damaged-1 ");
        ck_assert_int_eq(unlink(scratch_path("j.damaged-1")), 0);
        bytes[i] ^= (char)(1 << i % 8);
    }
    free(bytes);
}
END_TEST

/* The latest events are there without those before, which are kept for people. */
START_TEST(finds_every_flipped_byte_in_the_old_one)
{
    size_t size;
    char *bytes;

    pair_make();
    bytes = file_read(scratch_path("j.old"), &size);
    for (size_t i = 0; i < size; i++) {
        struct replayed replayed;

        bytes[i] ^= (char)(1 << i % 8);
        file_write("j.old", bytes, size);
        open_journal(ROOM);
        replayed = replay();
        ck_assert_uint_eq(replayed.first, FIRST + 5);
        ck_assert_uint_eq(replayed.count, 2);
        ck_assert_uint_eq(journal_first_id(journal), FIRST);
        assert_has(journal_said(), "/j.old\" is ");
        close_journal();
        ck_assert_str_eq(scratch_list(), "j j.damaged-1 ");
        file_is("j.damaged-1", bytes, size);
        ck_assert_int_eq(unlink(scratch_path("j.damaged-1")), 0);
        bytes[i] ^= (char)(1 << i % 8);
    }
    free(bytes);
}
END_TEST

START_TEST(wants_both_files_to_fit)
{
    size_t size;
    char *bytes;

    pair_make();
    bytes = file_read(scratch_path("j.old"), &size);
    file_write("j.old", bytes, small_ends[2]);
    open_journal(ROOM);
    ck_assert_uint_eq(replay().first, FIRST + 5);
    assert_has(journal_said(), "/j.old\" does not end where the file after it begins; it is set aside as j.damaged-1");
    goes_on(ROOM);
    free(bytes);
}
END_TEST

/* One of another sequence, whose ids end just where this one's begin. */
START_TEST(wants_both_files_to_be_of_one_sequence)
{
    size_t size;

    free(small_make(&size));
    ck_assert_int_eq(rename(scratch_path("j"), scratch_path("later")), 0);
    open_journal(ROOM);
    ck_assert_int_eq(journal_start(journal, FIRST - 2), 0);
    ck_assert_int_eq(append(FIRST - 2, 2, RECORD), 0);
    close_journal();
    ck_assert_int_eq(rename(scratch_path("j"), scratch_path("j.old")), 0);
    ck_assert_int_eq(rename(scratch_path("later"), scratch_path("j")), 0);
    open_journal(ROOM);
    ck_assert_uint_eq(replay().first, FIRST);
    assert_has(journal_said(), "it is set aside as j.damaged-1");
    goes_on(ROOM);
}
END_TEST

/* An end that could not be cut off, before the file became the old one. */
START_TEST(cuts_a_torn_end_off_the_old_one)
{
    size_t size;
    char *bytes;

    pair_make();
    bytes = file_read(scratch_path("j.old"), &size);
    bytes = realloc(bytes, size + small_ends[1]);
    memcpy(bytes + size, bytes + HEADER, HEAD + RECORD - 1);
    file_write("j.old", bytes, size + HEAD + RECORD - 1);
    open_journal(ROOM);
    ck_assert_uint_eq(replay().count, SMALL_RECORDS + 2);
    assert_has(journal_said(), "/j.old\" ends in the middle of a write");
    file_is("j.old", bytes, size);
    goes_on(ROOM);
    free(bytes);
}
END_TEST

/* Frames, each of them whole, that do not follow each other: one missing, one twice, one behind another's header. */
static const int orders[][SMALL_FRAMES + 1] = {
    { 0, 2, -1 }, { 0, 0, -1 }, { 0, 1, 1, -1 }, { 1, -1 }, { 0, 2, 1, -1 }
};
static const uint64_t orders_whole[] = { 1, 1, 4, 0, 1 };

START_TEST(finds_frames_that_are_out_of_order)
{
    size_t size, length = HEADER;
    char *bytes = small_make(&size), shuffled[1024];

    memcpy(shuffled, bytes, HEADER);
    for (const int *at = orders[_i]; *at >= 0; at++) {
        size_t frame = small_ends[*at + 1] - small_ends[*at];

        memcpy(shuffled + length, bytes + small_ends[*at], frame);
        length += frame;
    }
    file_write("j", shuffled, length);
    open_journal(ROOM);
    ck_assert_uint_eq(replay().count, orders_whole[_i]);
    assert_has(journal_said(), "/j\" is damaged at byte ");
    file_is("j.damaged-1", shuffled, length);
    goes_on(ROOM);
    free(bytes);
}
END_TEST

static const struct {
    const char *bytes;
    size_t size;
} strangers[] = {
    { "x", 1 },
    { "precious\n", 9 },
    { "\0\0\0", 3 },
    { "SQLite format 3\0 and a lot more than a header is", 48 },
    { "berth-ev is only how it begins, and that is all of it", 53 },
};

START_TEST(sets_what_is_foreign_aside)
{
    static const char *const places[] = { "j", "j.old", "j.new" };
    const char *place = places[_i % COUNT(places)];
    size_t i = (size_t)_i / COUNT(places);

    file_write(place, strangers[i].bytes, strangers[i].size);
    open_journal(ROOM);
    ck_assert_uint_eq(journal_first_id(journal), 0);
    assert_has(journal_said(), "it is set aside as j.damaged-1");
    file_is("j.damaged-1", strangers[i].bytes, strangers[i].size);
    goes_on(ROOM);
    ck_assert_str_eq(scratch_list(), "j j.damaged-1 ");
}
END_TEST

START_TEST(replaces_nothing_that_was_set_aside)
{
    struct error error = { "" };
    char name[32];

    ck_assert_int_eq(symlink("nowhere", scratch_path("j.damaged-1")), 0);
    scratch_write("j.damaged-2", "precious");
    scratch_write("j", "foreign");
    open_journal(ROOM);
    close_journal();
    assert_has(journal_said(), "set aside as j.damaged-3");
    file_is("j.damaged-2", "precious", 8);
    file_is("j.damaged-3", "foreign", 7);
    for (int n = 4; n <= 1000; n++) {
        snprintf(name, sizeof(name), "j.damaged-%d", n);
        file_write(name, "", 0);
    }
    scratch_write("j", "foreign");
    ck_assert_int_eq(try_open(ROOM, &error), -EEXIST);
    assert_has(error.text, "move them elsewhere");
    file_is("j", "foreign", 7);
}
END_TEST

static void make_link(const char *name)
{
    scratch_write("target", "precious");
    ck_assert_int_eq(symlink("target", scratch_path(name)), 0);
}

static void make_dangling_link(const char *name)
{
    ck_assert_int_eq(symlink("target", scratch_path(name)), 0);
}

static void make_folder(const char *name)
{
    ck_assert_int_eq(mkdir(scratch_path(name), 0755), 0);
}

static void make_fifo(const char *name)
{
    ck_assert_int_eq(mkfifo(scratch_path(name), 0600), 0);
}

static void make_socket(const char *name)
{
    close(socket_bound(scratch_path(name), SOCK_STREAM, -1));
}

static const struct {
    void (*make)(const char *name);
    int r;
    const char *text;
} irregular[] = {
    { make_link, -ELOOP, "is a symbolic link" },   { make_dangling_link, -ELOOP, "is a symbolic link" },
    { make_folder, -EISDIR, "is a folder" },       { make_fifo, -EOPNOTSUPP, "is no regular file" },
    { make_socket, -ENXIO, "is no regular file" },
};

START_TEST(refuses_what_is_no_regular_file)
{
    const char *name = _i % 2 ? "j.old" : "j";
    struct error error = { "" };
    size_t fds = fds_open();
    char entries[256];

    irregular[_i / 2].make(name);
    strcpy(entries, scratch_list());
    ck_assert_int_eq(try_open(ROOM, &error), irregular[_i / 2].r);
    assert_has(error.text, irregular[_i / 2].text);
    assert_has(error.text, scratch_path(name));
    ck_assert_str_eq(scratch_list(), entries);
    ck_assert_uint_eq(fds_open(), fds);
    ck_assert_ptr_null(journal);
}
END_TEST

START_TEST(refuses_a_device)
{
    struct error error = { "" };

    ck_assert_int_eq(journal_open("/dev/null", ROOM, &error, &journal), -EOPNOTSUPP);
    assert_has(error.text, "\"/dev/null\" is no regular file");
}
END_TEST

START_TEST(refuses_what_is_no_path)
{
    char name[JOURNAL_NAME_MAX + 2];
    struct error error = { "" };

    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    ck_assert_int_eq(journal_open(scratch_path(name), ROOM, &error, &journal), -ENAMETOOLONG);
    assert_has(error.text, "201 bytes; at most 200");
    ck_assert_int_eq(journal_open(scratch_path(name + 1), ROOM, &error, &journal), 0);
    close_journal();
    ck_assert_int_eq(journal_open(scratch_path(""), ROOM, &error, &journal), -EISDIR);
    ck_assert_int_eq(journal_open(scratch_path(".."), ROOM, &error, &journal), -EISDIR);
    ck_assert_int_eq(journal_open("", ROOM, &error, &journal), -EISDIR);
    ck_assert_int_eq(journal_open(scratch_path("none/j"), ROOM, &error, &journal), -ENOENT);
    assert_has(error.text, "mkdir -p ");
    scratch_write("file", "");
    ck_assert_int_eq(journal_open(scratch_path("file/j"), ROOM, &error, &journal), -ENOTDIR);
    ck_assert_int_eq(chdir(scratch_path("")), 0);
    ck_assert_int_eq(journal_open("here", ROOM, &error, &journal), 0);
    ck_assert_int_eq(access(scratch_path("here"), F_OK), 0);
    ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

static void open_unwritable(void *data)
{
    struct error *error = data;

    become(SOMEBODY, SOME_GROUP, NULL, 0);
    _exit(try_open(ROOM, error) == -EACCES ? 0 : 1);
}

START_TEST(says_who_may_not_write)
{
    struct error *error = shared_new(sizeof(*error));

    child_run(open_unwritable, error);
    assert_has(error->text, "/j\" as uid 54321: Permission denied");
    ck_assert_str_eq(scratch_list(), "");
    scratch_write("j", "");
    ck_assert_int_eq(chmod(scratch_path("j"), 0600), 0);
    child_run(open_unwritable, error);
    assert_has(error->text, "--event-log: cannot open");
}
END_TEST

/* ---- locks ---- */

START_TEST(has_one_owner)
{
    open_journal(2 * RECORD);
    is_busy();
    ck_assert_int_eq(journal_start(journal, 1), 0);
    for (uint64_t id = 1; id < 20; id++) {
        ck_assert_int_eq(append(id, 1, RECORD), 0);
        is_busy();
    }
    ck_assert_int_eq(journal_start(journal, FIRST), 0);
    is_busy();
    ck_assert_int_eq(rename(scratch_path("j"), scratch_path("elsewhere")), 0);
    ck_assert_int_eq(link(scratch_path("elsewhere"), scratch_path("j")), 0);
    is_busy();
    close_journal();
    open_journal(ROOM);
}
END_TEST

/* ---- rotation ---- */

START_TEST(keeps_the_latest)
{
    const size_t limit = 20 * RECORD;
    uint64_t id = FIRST, state = 0x1234567 + (uint64_t)_i, written = 0;
    size_t most = 0;

    open_journal(limit);
    ck_assert_int_eq(journal_start(journal, FIRST), 0);
    for (int turn = 0; turn < 200; turn++) {
        int count = _i == 0 ? 1 : (int)(next_random(&state) % 9) + 1;
        size_t size = _i == 0 ? RECORD : RECORD + 8 * (next_random(&state) % 20);
        struct replayed replayed;

        ck_assert_int_eq(append(id, count, size), 0);
        id += (uint64_t)count;
        written += (size_t)count * size;
        most = most > (size_t)count * size ? most : (size_t)count * size;
        replayed = replay();
        ck_assert_uint_eq(replayed.last, id - 1);
        ck_assert_uint_ge(replayed.bytes, written < limit ? written : limit);
        ck_assert_uint_lt(replayed.bytes, 2 * limit + 2 * most);
        if (turn % 20 == 19) {
            close_journal();
            open_journal(limit);
            ck_assert_uint_eq(replay().count, replayed.count);
            ck_assert_uint_eq(journal_first_id(journal), FIRST);
        }
    }
    ck_assert_uint_eq(replay().first > FIRST, 1);
    ck_assert_str_eq(scratch_list(), "j j.old ");
    ck_assert_str_eq(journal_said(), "");
}
END_TEST

/* At the limit to the byte, one record below it, and with one that is larger than the limit. */
START_TEST(rotates_when_the_limit_is_reached)
{
    open_journal(3 * RECORD);
    ck_assert_int_eq(journal_start(journal, 1), 0);
    ck_assert_int_eq(append(1, 2, RECORD), 0);
    ck_assert_int_eq(append(3, 1, RECORD), 0);
    ck_assert_str_eq(scratch_list(), "j ");
    ck_assert_int_eq(append(4, 1, RECORD), 0);
    ck_assert_str_eq(scratch_list(), "j j.old ");
    ck_assert_uint_eq(replay().count, 4);
    ck_assert_int_eq(append(5, 10, RECORD), 0);
    ck_assert_uint_eq(replay().count, 14);
    ck_assert_int_eq(append(15, 1, RECORD), 0);
    ck_assert_uint_eq(replay().first, 4);
    goes_on(3 * RECORD);
}
END_TEST

START_TEST(goes_on_when_it_was_removed)
{
    open_journal(2 * RECORD);
    ck_assert_int_eq(journal_start(journal, 1), 0);
    ck_assert_int_eq(append(1, 2, RECORD), 0);
    ck_assert_int_eq(unlink(scratch_path("j")), 0);
    ck_assert_int_eq(append(3, 2, RECORD), 0);
    assert_has(journal_said(), "was removed while it was in use");
    scratch_write("other", "precious");
    ck_assert_int_eq(rename(scratch_path("other"), scratch_path("j")), 0);
    ck_assert_int_eq(append(5, 1, RECORD), -EBUSY);
    file_is("j", "precious", 8);
}
END_TEST

/* What is synced is looked at, so that no more than that is without a file. */
START_TEST(begins_anew_soon_when_it_was_removed)
{
    open_journal(100 * RECORD);
    ck_assert_int_eq(journal_start(journal, 1), 0);
    ck_assert_int_eq(append(1, 2, RECORD), 0);
    ck_assert_int_eq(unlink(scratch_path("j")), 0);
    ck_assert_int_eq(append(3, 1, RECORD), 0);
    ck_assert_int_eq(journal_sync(journal), 0);
    ck_assert_str_eq(scratch_list(), "");
    ck_assert_int_eq(append(4, 2, RECORD), 0);
    ck_assert_str_eq(scratch_list(), "j ");
    assert_has(journal_said(), "was removed while it was in use");
    ck_assert_int_eq(journal_sync(journal), 0);
    ck_assert_int_eq(append(6, 1, RECORD), 0);
    ck_assert_uint_eq(replay().first, 4);
    ck_assert_uint_eq(replay().count, 3);
}
END_TEST

START_TEST(begins_another_sequence)
{
    struct replayed replayed;
    size_t size, old_size;
    char *bytes, *old;

    pair_make();
    bytes = file_read(scratch_path("j"), &size);
    old = file_read(scratch_path("j.old"), &old_size);
    open_journal(ROOM);
    ck_assert_int_eq(journal_start(journal, 5 * FIRST), 0);
    ck_assert_str_eq(scratch_list(), "j j.damaged-1 j.damaged-2 ");
    assert_has(journal_said(), "/j\" is of an older sequence of events; it is set aside as j.damaged-2");
    file_is("j.damaged-1", old, old_size);
    file_is("j.damaged-2", bytes, size);
    ck_assert_uint_eq(replay().count, 0);
    ck_assert_int_eq(append(FIRST + 7, 1, RECORD), -EBADMSG);
    ck_assert_int_eq(append(5 * FIRST, 1, RECORD), 0);
    close_journal();
    open_journal(ROOM);
    replayed = replay();
    ck_assert_uint_eq(replayed.first, 5 * FIRST);
    ck_assert_uint_eq(replayed.count, 1);
    goes_on(ROOM);
    free(bytes);
    free(old);
}
END_TEST

/* ---- jumps, and what is certain ---- */

static void make_ended(void)
{
    size_t size;

    free(small_make(&size));
    open_journal(ROOM);
    ck_assert(!journal_is_certain(journal));
    close_journal();
}

START_TEST(is_certain_when_closed)
{
    struct stat ended, now;

    open_journal(ROOM);
    ck_assert(journal_is_certain(journal));
    close_journal();
    make_ended();
    ck_assert_int_eq(stat(scratch_path("j"), &ended), 0);
    for (int i = 0; i < 2; i++) {
        open_journal(ROOM);
        ck_assert(journal_is_certain(journal));
        ck_assert(!journal_is_dirty(journal));
        ck_assert_uint_eq(journal_next_id(journal), FIRST + 5);
        close_journal();
        ck_assert_int_eq(stat(scratch_path("j"), &now), 0);
        ck_assert_int_eq(now.st_size, ended.st_size);
    }
    open_journal(ROOM);
    ck_assert_int_eq(append(FIRST + 5, 1, RECORD), 0);
    ck_assert_int_eq(stat(scratch_path("j"), &now), 0);
    ck_assert_int_eq(now.st_size, ended.st_size - MARK + HEAD + RECORD);
    kill_journal();
    open_journal(ROOM);
    ck_assert(!journal_is_certain(journal));
    ck_assert_uint_eq(replay().count, SMALL_RECORDS + 1);
    ck_assert_str_eq(journal_said(), "");
}
END_TEST

/* Somebody's copy, say: a mark with more behind it marks nothing. */
START_TEST(is_not_certain_of_a_mark_in_the_middle)
{
    size_t size, longer;
    char *ended, *bytes;

    make_ended();
    ended = file_read(scratch_path("j"), &size);
    open_journal(ROOM);
    ck_assert_int_eq(append(FIRST + 5, 1, RECORD), 0);
    kill_journal();
    bytes = file_read(scratch_path("j"), &longer);
    ended = realloc(ended, longer + MARK);
    memcpy(ended + size, bytes + size - MARK, HEAD + RECORD);
    file_write("j", ended, longer + MARK);
    open_journal(ROOM);
    ck_assert(!journal_is_certain(journal));
    ck_assert_uint_eq(replay().count, SMALL_RECORDS + 1);
    free(ended);
    free(bytes);
}
END_TEST

/* Cut off anywhere, or with a byte that is another. */
START_TEST(is_not_certain_of_a_damaged_end)
{
    size_t size;
    char *bytes;

    make_ended();
    bytes = file_read(scratch_path("j"), &size);
    for (size_t i = size - MARK; i < size; i++) {
        file_write("j", bytes, i);
        open_journal(ROOM);
        ck_assert(!journal_is_certain(journal));
        ck_assert_uint_eq(replay().count, SMALL_RECORDS);
        goes_on(ROOM);
        bytes[i] ^= 1;
        file_write("j", bytes, size);
        bytes[i] ^= 1;
        open_journal(ROOM);
        ck_assert(!journal_is_certain(journal));
        ck_assert_uint_eq(replay().count, SMALL_RECORDS);
        close_journal();
        ck_assert_int_eq(unlink(scratch_path("j.damaged-1")), 0);
    }
    file_write("j", bytes, size);
    ck_assert_int_eq(truncate(scratch_path("j"), (off_t)size + 100), 0);
    open_journal(ROOM);
    ck_assert(!journal_is_certain(journal));
    file_write("j.old", "foreign", 7);
    close_journal();
    open_journal(ROOM);
    ck_assert(!journal_is_certain(journal));
    free(bytes);
}
END_TEST

START_TEST(jumps_when_told)
{
    struct replayed replayed;

    make_ended();
    open_journal(ROOM);
    ck_assert_int_eq(journal_skip_to(journal, FIRST + 4), -EINVAL);
    ck_assert_int_eq(journal_skip_to(journal, UINT64_MAX), -EINVAL);
    ck_assert_int_eq(journal_skip_to(journal, FIRST + 5), 0);
    ck_assert_int_eq(journal_skip_to(journal, 5000), 0);
    close_journal();
    open_journal(ROOM); /* without a record */
    ck_assert(journal_is_certain(journal));
    ck_assert_uint_eq(journal_next_id(journal), 5000);
    ck_assert_uint_eq(journal_last_id(journal), FIRST + 4);
    ck_assert_uint_eq(replay().jumps, 0);
    ck_assert_int_eq(journal_skip_to(journal, 6000), 0);
    ck_assert_int_eq(append(5000, 1, RECORD), -EBADMSG);
    ck_assert_int_eq(append(6000, 2, RECORD), 0);
    ck_assert_int_eq(journal_skip_to(journal, 9000), 0);
    ck_assert_int_eq(append(9000, 1, RECORD), 0);
    ck_assert_int_eq(append(9001, 1, RECORD), 0);
    kill_journal();
    open_journal(ROOM);
    replayed = replay();
    ck_assert_uint_eq(replayed.count, SMALL_RECORDS + 4);
    ck_assert_uint_eq(replayed.jumps, 2);
    ck_assert_uint_eq(replayed.last, 9001);
    ck_assert_uint_eq(journal_base_id(journal), FIRST);
    ck_assert_uint_eq(journal_base_run(journal), FIRST);
    goes_on(ROOM);
}
END_TEST

/* The jump is the first in a new file; then the file that it was in is gone. */
START_TEST(jumps_over_a_rotation)
{
    open_journal(2 * RECORD);
    ck_assert_int_eq(journal_start(journal, FIRST), 0);
    ck_assert_int_eq(append(FIRST, 2, RECORD), 0);
    ck_assert_int_eq(journal_skip_to(journal, 5000), 0);
    ck_assert_int_eq(append(5000, 2, RECORD), 0);
    close_journal();
    open_journal(2 * RECORD);
    ck_assert_str_eq(scratch_list(), "j j.old ");
    ck_assert_str_eq(journal_said(), "");
    ck_assert_uint_eq(replay().jumps, 1);
    ck_assert_int_eq(append(5002, 2, RECORD), 0);
    ck_assert_uint_eq(journal_base_id(journal), FIRST + 2); /* what is left begins with the jump */
    ck_assert_uint_eq(journal_base_run(journal), FIRST);
    ck_assert_uint_eq(replay().first, 5000);
    ck_assert_int_eq(append(5004, 2, RECORD), 0);
    close_journal();
    open_journal(2 * RECORD);
    ck_assert_uint_eq(journal_base_id(journal), 5002);
    ck_assert_uint_eq(journal_base_run(journal), 5000);
    ck_assert_uint_eq(journal_first_id(journal), FIRST);
    goes_on(2 * RECORD);
}
END_TEST

/* An append that jumps was torn off, at every byte. */
START_TEST(cuts_a_torn_jump_off)
{
    size_t size, before;
    char *bytes = small_make(&before);

    free(bytes);
    open_journal(ROOM);
    ck_assert_int_eq(journal_skip_to(journal, 5000), 0);
    ck_assert_int_eq(append(5000, 1, RECORD), 0);
    kill_journal();
    bytes = file_read(scratch_path("j"), &size);
    ck_assert_uint_eq(size, before + MARK + HEAD + RECORD);
    for (size_t length = before; length < size; length++) {
        file_write("j", bytes, length);
        open_journal(ROOM);
        ck_assert(!journal_is_certain(journal));
        ck_assert_uint_eq(replay().count, SMALL_RECORDS);
        ck_assert_uint_eq(journal_last_id(journal), FIRST + 4);
        ck_assert_uint_eq(journal_next_id(journal), length < before + MARK ? FIRST + 5 : 5000);
        ck_assert_int_eq(journal_skip_to(journal, 7000), 0);
        goes_on(ROOM);
    }
    file_write("j", bytes, before + MARK);
    open_journal(RECORD); /* and becomes FILE.old like that */
    ck_assert_int_eq(journal_skip_to(journal, 7000), 0);
    goes_on(RECORD);
    ck_assert_str_eq(scratch_list(), "j j.old ");
    free(bytes);
}
END_TEST

/* ---- full disks ---- */

static void limit_files(rlim_t size)
{
    struct rlimit limit = { size, RLIM_INFINITY };

    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* At every byte of a frame, also of the first, which the header comes with. */
static void fill_up(void *data)
{
    struct stat before, after;

    signal(SIGXFSZ, SIG_IGN);
    for (uint64_t id = FIRST; id < FIRST + 3; id += 2) {
        ck_assert_int_eq(stat(scratch_path("j"), &before), 0);
        for (size_t room = 0; room < HEAD + 2 * RECORD; room++) {
            limit_files((rlim_t)before.st_size + room);
            ck_assert_int_eq(append(id, 2, RECORD), -EFBIG);
            ck_assert_int_eq(stat(scratch_path("j"), &after), 0);
            ck_assert_int_eq(after.st_size, before.st_size);
            ck_assert_uint_eq(journal_last_id(journal), id == FIRST ? 0 : id - 1);
        }
        limit_files(RLIM_INFINITY);
        ck_assert_int_eq(append(id, 2, RECORD), 0);
    }
}

START_TEST(appends_all_or_nothing)
{
    open_journal(ROOM);
    ck_assert_int_eq(journal_start(journal, FIRST), 0);
    child_run(fill_up, NULL);
    close_journal();
    open_journal(ROOM);
    ck_assert_uint_eq(replay().count, 4);
    ck_assert_str_eq(journal_said(), "");
    goes_on(ROOM);
}
END_TEST

static void copy_without_room(void *data)
{
    struct error error = { "" };

    signal(SIGXFSZ, SIG_IGN);
    limit_files(HEADER + 10);
    ck_assert_int_eq(try_open(ROOM, &error), -EFBIG);
    assert_has(error.text, "/j\" is damaged at byte 296, and what is before that cannot be copied: File too large");
}

START_TEST(leaves_all_as_it_is_without_room_to_mend)
{
    size_t size;
    char *bytes = small_make(&size);

    bytes[small_ends[2] + 1] ^= 1;
    file_write("j", bytes, size);
    child_run(copy_without_room, NULL);
    ck_assert_str_eq(scratch_list(), "j ");
    file_is("j", bytes, size);
    open_journal(ROOM);
    ck_assert_uint_eq(replay().count, 4);
    free(bytes);
}
END_TEST

enum { SKIPPED = 77 };

/* A disk of 64 KiB, full; the journal lives on it, is opened on it, and goes on when there is room again. */
static void live_on_a_full_disk(void *data)
{
    uint64_t id = 1;
    int r;

    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("berth-test", scratch_path(""), "tmpfs", 0, "size=65536") < 0)
        _exit(SKIPPED);
    open_journal(ROOM);
    ck_assert_int_eq(journal_start(journal, 1), 0);
    while ((r = append(id, 2, RECORD)) == 0)
        id += 2;
    ck_assert_int_eq(r, -ENOSPC);
    for (int turn = 0; turn < 2; turn++) {
        ck_assert_uint_eq(replay().count, id - 1);
        ck_assert_int_eq(append(id, 1, 4096), -ENOSPC);
        close_journal();
        open_journal(ROOM);
    }
    close_journal();
    open_journal(4096);
    ck_assert_int_eq(append(id, 1, RECORD), -ENOSPC); /* rotated, and not even an event larger */
    ck_assert_uint_eq(replay().count, id - 1);
    close_journal();
    open_journal(4096);
    ck_assert_uint_eq(replay().count, id - 1);
    ck_assert_int_eq(mount("none", scratch_path(""), "none", MS_REMOUNT, "size=131072"), 0);
    ck_assert_int_eq(append(id, 1, RECORD), 0);
    ck_assert_uint_eq(replay().count, id);
    ck_assert_int_eq(append(id + 1, 80, RECORD), 0);
    ck_assert_int_eq(append(id + 81, 1, RECORD), 0); /* what was before the old one is gone, and its room is free */
    ck_assert_uint_eq(replay().first, id);
    ck_assert_str_eq(journal_said(), "");
    close_journal();
}

START_TEST(lives_on_a_full_disk)
{
    const char *ci = getenv("CI");
    pid_t pid = fork();
    int status;

    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        live_on_a_full_disk(NULL);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != SKIPPED) {
        ck_assert_int_eq(status, 0);
        return;
    }
    say("journal: lives_on_a_full_disk is left out: no tmpfs can be mounted here");
    ck_assert_msg(!ci || strcmp(ci, "true") != 0, "CI=true, and a test would be left out");
}
END_TEST

/* ---- the disk ---- */

START_TEST(knows_what_is_not_on_the_disk)
{
    open_journal(2 * RECORD);
    ck_assert(journal_is_dirty(journal)); /* its name */
    ck_assert_int_eq(journal_sync(journal), 0);
    ck_assert(!journal_is_dirty(journal));
    ck_assert_int_eq(journal_start(journal, 1), 0);
    for (uint64_t id = 1; id < 10; id++) {
        ck_assert_int_eq(append(id, 1, RECORD), 0);
        ck_assert(journal_is_dirty(journal));
        if (id % 3 == 0) {
            ck_assert_int_eq(journal_sync(journal), 0);
            ck_assert(!journal_is_dirty(journal));
        }
    }
}
END_TEST

static atomic_bool syncing_ends;

static void *sync_always(void *data)
{
    int *syncs = data;

    while (!atomic_load(&syncing_ends)) {
        if (journal_sync(journal) != 0)
            return data;
        ++*syncs;
    }
    return NULL;
}

START_TEST(syncs_beside_appending)
{
    pthread_t thread;
    void *failed;
    int syncs = 0;
    size_t fds;

    open_journal(10 * RECORD);
    ck_assert_int_eq(journal_start(journal, 1), 0);
    ck_assert_int_eq(append(1, 10, RECORD), 0);
    ck_assert_int_eq(append(11, 1, RECORD), 0);
    fds = fds_open();
    atomic_store(&syncing_ends, false);
    ck_assert_int_eq(pthread_create(&thread, NULL, sync_always, &syncs), 0);
    for (uint64_t id = 12; id < 4000; id++)
        ck_assert_int_eq(append(id, 1, RECORD), 0);
    atomic_store(&syncing_ends, true);
    ck_assert_int_eq(pthread_join(thread, &failed), 0);
    ck_assert_ptr_null(failed);
    ck_assert_int_gt(syncs, 0);
    ck_assert_int_eq(journal_sync(journal), 0);
    ck_assert(!journal_is_dirty(journal));
    ck_assert_uint_eq(fds_open(), fds);
    ck_assert_uint_eq(replay().last, 3999);
}
END_TEST

Suite *suite_journal(void)
{
    Suite *suite = suite_create("journal");
    TCase *tests = tcase_create("journal"), *root = tcase_create("as root");

    tcase_add_checked_fixture(tests, journal_setup, journal_teardown);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, knows_its_checksum);
    tcase_add_test(tests, begins_and_goes_on);
    tcase_add_test(tests, stops_where_it_is_told);
    tcase_add_test(tests, takes_only_what_is_due);
    tcase_add_test(tests, cuts_a_torn_end_off);
    tcase_add_test(tests, cuts_zeroes_off);
    tcase_add_test(tests, finds_every_flipped_byte);
    tcase_add_test(tests, finds_every_flipped_byte_in_the_old_one);
    tcase_add_test(tests, wants_both_files_to_fit);
    tcase_add_test(tests, wants_both_files_to_be_of_one_sequence);
    tcase_add_test(tests, cuts_a_torn_end_off_the_old_one);
    tcase_add_loop_test(tests, finds_frames_that_are_out_of_order, 0, COUNT(orders));
    tcase_add_loop_test(tests, sets_what_is_foreign_aside, 0, 3 * COUNT(strangers));
    tcase_add_test(tests, replaces_nothing_that_was_set_aside);
    tcase_add_loop_test(tests, refuses_what_is_no_regular_file, 0, 2 * COUNT(irregular));
    tcase_add_test(tests, refuses_a_device);
    tcase_add_test(tests, refuses_what_is_no_path);
    tcase_add_test(tests, has_one_owner);
    tcase_add_loop_test(tests, keeps_the_latest, 0, 4);
    tcase_add_test(tests, rotates_when_the_limit_is_reached);
    tcase_add_test(tests, goes_on_when_it_was_removed);
    tcase_add_test(tests, begins_anew_soon_when_it_was_removed);
    tcase_add_test(tests, begins_another_sequence);
    tcase_add_test(tests, is_certain_when_closed);
    tcase_add_test(tests, is_not_certain_of_a_damaged_end);
    tcase_add_test(tests, is_not_certain_of_a_mark_in_the_middle);
    tcase_add_test(tests, jumps_when_told);
    tcase_add_test(tests, jumps_over_a_rotation);
    tcase_add_test(tests, cuts_a_torn_jump_off);
    tcase_add_test(tests, appends_all_or_nothing);
    tcase_add_test(tests, leaves_all_as_it_is_without_room_to_mend);
    tcase_add_test(tests, lives_on_a_full_disk);
    tcase_add_test(tests, knows_what_is_not_on_the_disk);
    tcase_add_test(tests, syncs_beside_appending);
    tcase_add_checked_fixture(root, journal_setup, journal_teardown);
    if (root_for(root, "journal"))
        tcase_add_test(root, says_who_may_not_write);
    suite_add_tcase(suite, tests);
    suite_add_tcase(suite, root);
    return suite;
}
