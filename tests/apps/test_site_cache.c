#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apps/site_cache.h"
#include "apps/tree.h"

Suite *suite_site_cache(void);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct site_cache *cache;
static uint64_t now;

static void setup(void)
{
    tree_setup();
    cache = site_cache_new(tree);
    ck_assert_ptr_nonnull(cache);
    now = 1000;
}

static void teardown(void)
{
    site_cache_free(cache);
    tree_teardown();
}

/* The original that a path stands for, as text; NULL with what it failed with in *ret_error. */
static const char *get(const char *path, int *ret_error)
{
    static char text[64];
    struct site_entry *entry;
    ssize_t size;
    int r = site_cache_get(cache, path, now, &entry);

    if (ret_error)
        *ret_error = r;
    if (r < 0)
        return "";
    size = site_file_read(entry->files[ENCODING_IDENTITY], 0, text, sizeof(text) - 1);
    ck_assert_int_ge(size, 0);
    text[size] = '\0';
    return text;
}

static struct site_entry *entry_of(const char *path)
{
    struct site_entry *entry = NULL;

    ck_assert_int_eq(site_cache_get(cache, path, now, &entry), 0);
    return entry;
}

static void later(void)
{
    now += SITE_FRESH_MS;
}

/* ---- Which file a path stands for ----------------------------------------------------------------------------- */

static const struct {
    const char *path;
    int error;
    const char *text;
} paths[] = {
    { "", 0, "root" },
    { "index.html", 0, "root" },
    { "index", 0, "root" },
    { "page.html", 0, "page" },
    { "page", 0, "page" },
    { "page/", -ENOENT, "" },
    { "plain", 0, "plain" },
    { "plain/", -ENOENT, "" },
    { "plain/x", -ENOENT, "" },
    { "both", 0, "both" },
    { "both.html", 0, "both as a page" },
    { "folder", -EISDIR, "" },
    { "folder/", 0, "folder" },
    { "folder/index", 0, "folder" },
    { "empty", -EISDIR, "" },
    { "empty/", -ENOENT, "" },
    { "bare/", -ENOENT, "" },
    { "odd", -ENOENT, "" },
    { "folder.html", 0, "hidden" },
    { "missing", -ENOENT, "" },
    { "missing/", -ENOENT, "" },
    /* dots and slashes */
    { ".hidden", -ENOENT, "" },
    { ".folder/file", -ENOENT, "" },
    { "folder/.hidden", -ENOENT, "" },
    { ".", -ENOENT, "" },
    { "..", -ENOENT, "" },
    { "folder/../page", -ENOENT, "" },
    { "...", -ENOENT, "" },
    { "/", -ENOENT, "" },
    { "/page", -ENOENT, "" },
    { "folder//", -ENOENT, "" },
    { "folder//index.html", -ENOENT, "" },
    /* what is no file */
    { "fifo", -ENOENT, "" },
    { "link-out", -ENOENT, "" },
    { "folder-out", -ENOENT, "" },
    { "folder-out/passwd", -ENOENT, "" },
    { "loop", -ENOENT, "" },
    { "dangling", -ENOENT, "" },
    { "link", 0, "page" },
    { "linked/", 0, "folder" },
};

static void tree_of_paths(void)
{
    setup();
    tree_text("index.html", "root");
    tree_text("page.html", "page");
    tree_text("plain", "plain");
    tree_text("both", "both");
    tree_text("both.html", "both as a page");
    tree_text("folder/index.html", "folder");
    tree_text("folder/.hidden", "hidden");
    tree_text("folder.html", "hidden");
    tree_text(".hidden", "hidden");
    tree_text(".folder/file", "hidden");
    tree_text("bare/other.txt", "other");
    ck_assert_int_eq(mkdirat(tree, "empty", 0755), 0);
    ck_assert_int_eq(mkdirat(tree, "odd.html", 0755), 0);
    ck_assert_int_eq(mkfifoat(tree, "fifo", 0644), 0);
    ck_assert_int_eq(symlinkat("/etc/passwd", tree, "link-out"), 0);
    ck_assert_int_eq(symlinkat("/etc", tree, "folder-out"), 0);
    ck_assert_int_eq(symlinkat("loop", tree, "loop"), 0);
    ck_assert_int_eq(symlinkat("nowhere", tree, "dangling"), 0);
    ck_assert_int_eq(symlinkat("page.html", tree, "link"), 0);
    ck_assert_int_eq(symlinkat("folder", tree, "linked"), 0);
}

START_TEST(finds)
{
    int r;

    for (int again = 0; again < 3; again++, now += SITE_FRESH_MS / 2) {
        ck_assert_str_eq(get(paths[_i].path, &r), paths[_i].text);
        ck_assert_int_eq(r, paths[_i].error);
        ck_assert_uint_eq(site_cache_count(cache), paths[_i].error == 0);
    }
}
END_TEST

START_TEST(refuses_what_is_too_long)
{
    char *path = malloc(10001);
    int r;

    for (size_t size = 4000; size <= 10000; size += size < 4200 ? 1 : 1000) {
        for (size_t i = 0; i < size; i++)
            path[i] = i % 2 ? '/' : 'x';
        path[size] = '\0';
        get(path, &r);
        ck_assert_int_eq(r, -ENOENT);
    }
    free(path);
}
END_TEST

/* ---- Changes -------------------------------------------------------------------------------------------------- */

static void replace(void)
{
    tree_text("other", "new");
    ck_assert_int_eq(renameat(tree, "other", tree, "page.html"), 0);
}

static void write_in_place(void)
{
    tree_text("page.html", "new");
}

/* Of the same size, with its old date put back: what was changed about it still tells. */
static void write_in_secret(void)
{
    struct timespec times[2];
    struct stat status;

    ck_assert_int_eq(fstatat(tree, "page.html", &status, 0), 0);
    tree_text("page.html", "new");
    times[0] = times[1] = status.st_mtim;
    ck_assert_int_eq(utimensat(tree, "page.html", times, 0), 0);
}

static void remove_it(void)
{
    ck_assert_int_eq(unlinkat(tree, "page.html", 0), 0);
}

static void hide_it(void)
{
    tree_text("page", "new");
}

static void hide_it_by_a_folder(void)
{
    ck_assert_int_eq(mkdirat(tree, "page", 0755), 0);
}

static void make_a_link_out(void)
{
    remove_it();
    ck_assert_int_eq(symlinkat("/etc/passwd", tree, "page.html"), 0);
}

/* The same file, by way of a link that leads out and back: the mark alone would not tell. */
static void make_a_link_out_and_back(void)
{
    char target[128];

    tree_text("elsewhere/page.html", "old");
    remove_it();
    snprintf(target, sizeof(target), "%s/elsewhere/page.html", tree_path);
    ck_assert_int_eq(symlinkat(target, tree, "page.html"), 0);
}

static const struct {
    void (*change)(void);
    int error;
    const char *text;
} changes[] = {
    { replace, 0, "new" },
    { write_in_place, 0, "new" },
    { write_in_secret, 0, "new" },
    { remove_it, -ENOENT, "" },
    { hide_it, 0, "new" },
    { hide_it_by_a_folder, -EISDIR, "" },
    { make_a_link_out, -ENOENT, "" },
    { make_a_link_out_and_back, -ENOENT, "" },
};

START_TEST(notices)
{
    int r;

    tree_text("page.html", "old");
    ck_assert_str_eq(get("page", &r), "old");
    changes[_i].change();
    now += SITE_FRESH_MS - 1;
    ck_assert_str_eq(get("page", &r), "old");
    now++;
    ck_assert_str_eq(get("page", &r), changes[_i].text);
    ck_assert_int_eq(r, changes[_i].error);
}
END_TEST

START_TEST(keeps_what_stays_the_same)
{
    struct site_entry *entry;

    tree_text("page.html", "old");
    entry = entry_of("page");
    for (int i = 0; i < 10; i++, later())
        ck_assert_ptr_eq(entry_of("page"), entry);
}
END_TEST

/* A reply that reads from a file may outlive it. */
START_TEST(lets_replies_end)
{
    static char large[SITE_MEMORY_FILE_MAX + 1];
    struct site_file *small_file, *large_file;
    char byte;

    tree_text("small", "old");
    tree_write("large", large, sizeof(large));
    small_file = site_file_use(entry_of("small")->files[ENCODING_IDENTITY]);
    large_file = site_file_use(entry_of("large")->files[ENCODING_IDENTITY]);
    ck_assert_int_eq(small_file->fd, -1);
    ck_assert_ptr_null(large_file->bytes);
    ck_assert_int_eq(unlinkat(tree, "small", 0), 0);
    ck_assert_int_eq(unlinkat(tree, "large", 0), 0);
    later();
    get("small", NULL);
    get("large", NULL);
    ck_assert_uint_eq(site_cache_count(cache), 0);
    ck_assert_int_eq(site_file_read(small_file, 2, &byte, 1), 1);
    ck_assert_int_eq(byte, 'd');
    ck_assert_int_eq(site_file_read(large_file, SITE_MEMORY_FILE_MAX, &byte, 1), 1);
    ck_assert_int_eq(site_file_read(large_file, SITE_MEMORY_FILE_MAX + 1, &byte, 1), 0);
    site_file_release(small_file);
    site_file_release(large_file);
}
END_TEST

/* ---- Entity tags ---------------------------------------------------------------------------------------------- */

/* Of a name of its own: a file that is changed twice within a tick has the strong one of the second. */
START_TEST(has_a_weak_tag_while_it_is_new)
{
    char tag[64];

    tree_text("page.html", "old");
    tree_age("page.html", 0);
    snprintf(tag, sizeof(tag), "%s", entry_of("page")->files[ENCODING_IDENTITY]->tag);
    ck_assert_int_eq(strncmp(tag, "W/\"", 3), 0);
    ck_assert_ptr_nonnull(strstr(tag, "-new\""));
    /* The same file some seconds later, without waiting for them: by its own date. */
    tree_age("page.html", SITE_SETTLE_SECONDS + 1);
    later();
    ck_assert_int_eq(entry_of("page")->files[ENCODING_IDENTITY]->tag[0], '"');
}
END_TEST

START_TEST(has_another_tag_when_it_changes)
{
    char tags[4][64];

    tree_text("page.html", "old");
    snprintf(tags[0], sizeof(tags[0]), "%s", entry_of("page")->files[ENCODING_IDENTITY]->tag);
    tree_text("page.html", "older");
    later();
    snprintf(tags[1], sizeof(tags[1]), "%s", entry_of("page")->files[ENCODING_IDENTITY]->tag);
    tree_age("page.html", 1800);
    later();
    snprintf(tags[2], sizeof(tags[2]), "%s", entry_of("page")->files[ENCODING_IDENTITY]->tag);
    replace();
    later();
    snprintf(tags[3], sizeof(tags[3]), "%s", entry_of("page")->files[ENCODING_IDENTITY]->tag);
    for (size_t i = 0; i < COUNT(tags); i++)
        for (size_t j = 0; j < i; j++)
            ck_assert_str_ne(tags[i], tags[j]);
}
END_TEST

START_TEST(has_no_date_from_the_future)
{
    tree_text("page.html", "old");
    ck_assert_uint_eq(strlen(entry_of("page")->files[ENCODING_IDENTITY]->modified), HTTP_DATE_SIZE - 1);
    tree_age("page.html", -3600);
    later();
    ck_assert_str_eq(entry_of("page")->files[ENCODING_IDENTITY]->modified, "");
}
END_TEST

/* ---- Encodings ------------------------------------------------------------------------------------------------ */

START_TEST(finds_encoded_files)
{
    struct site_entry *entry;

    tree_text("page.html", "page");
    entry = entry_of("page");
    ck_assert(!entry->files[ENCODING_GZIP] && !entry->files[ENCODING_BR]);
    ck_assert(!entry->files[ENCODING_IDENTITY]->varies);

    tree_text("page.html.gz", "packed");
    later();
    entry = entry_of("page");
    ck_assert(entry->files[ENCODING_GZIP] && !entry->files[ENCODING_BR]);
    ck_assert(entry->files[ENCODING_IDENTITY]->varies && entry->files[ENCODING_GZIP]->varies);
    ck_assert_str_eq(entry->files[ENCODING_GZIP]->type, "text/html; charset=utf-8");
    ck_assert_str_ne(entry->files[ENCODING_GZIP]->tag, entry->files[ENCODING_IDENTITY]->tag);

    tree_text("page.html.br", "tight");
    later();
    ck_assert_ptr_nonnull(entry_of("page")->files[ENCODING_BR]);
    ck_assert_int_eq(unlinkat(tree, "page.html.br", 0), 0);
    later();
    ck_assert_ptr_null(entry_of("page")->files[ENCODING_BR]);
}
END_TEST

START_TEST(leaves_out_encoded_files_that_are_out_of_date)
{
    tree_text("page.html", "page");
    tree_text("page.html.gz", "packed");
    tree_age("page.html.gz", 3600 + SITE_OLDER_SECONDS + 1);
    ck_assert_ptr_null(entry_of("page")->files[ENCODING_GZIP]);
    tree_age("page.html.gz", 3600);
    later();
    ck_assert_ptr_nonnull(entry_of("page")->files[ENCODING_GZIP]);
}
END_TEST

START_TEST(leaves_out_encoded_files_that_are_not_there)
{
    struct site_entry *entry;

    tree_text("page.html", "page");
    ck_assert_int_eq(symlinkat("/etc/passwd", tree, "page.html.gz"), 0);
    ck_assert_int_eq(mkdirat(tree, "page.html.br", 0755), 0);
    entry = entry_of("page");
    ck_assert(!entry->files[ENCODING_GZIP] && !entry->files[ENCODING_BR]);
}
END_TEST

/* ---- Limits --------------------------------------------------------------------------------------------------- */

START_TEST(has_room_for_so_many)
{
    char path[32];

    for (int i = 0; i <= SITE_ENTRIES_MAX; i++) {
        snprintf(path, sizeof(path), "%d.txt", i);
        tree_text(path, path);
    }
    for (int i = 0; i < SITE_ENTRIES_MAX; i++) {
        snprintf(path, sizeof(path), "%d.txt", i);
        ck_assert_str_eq(get(path, NULL), path);
    }
    ck_assert_uint_eq(site_cache_count(cache), SITE_ENTRIES_MAX);
    get("0.txt", NULL); /* used last: 1.txt is the one to go */
    snprintf(path, sizeof(path), "%d.txt", SITE_ENTRIES_MAX);
    ck_assert_str_eq(get(path, NULL), path);
    ck_assert_uint_eq(site_cache_count(cache), SITE_ENTRIES_MAX);
    ck_assert_int_eq(unlinkat(tree, "0.txt", 0), 0);
    ck_assert_int_eq(unlinkat(tree, "1.txt", 0), 0);
    ck_assert_str_eq(get("0.txt", NULL), "0.txt");
    ck_assert_str_eq(get("1.txt", NULL), "");
}
END_TEST

START_TEST(has_room_for_so_much)
{
    static char bytes[SITE_MEMORY_FILE_MAX];
    char path[32];

    for (int i = 0; i < SITE_MEMORY_MAX / SITE_MEMORY_FILE_MAX + 3; i++) {
        snprintf(path, sizeof(path), "%d.bin", i);
        tree_write(path, bytes, sizeof(bytes));
        entry_of(path);
        ck_assert_uint_le(site_cache_memory(cache), SITE_MEMORY_MAX);
    }
    ck_assert_uint_gt(site_cache_memory(cache), SITE_MEMORY_MAX - 2 * SITE_MEMORY_FILE_MAX);
    site_cache_free(cache);
    cache = site_cache_new(tree);
}
END_TEST

START_TEST(gives_descriptors_back)
{
    static char large[SITE_MEMORY_FILE_MAX + 1];
    int before = tree_descriptors(), r;
    char path[32];

    for (int i = 0; i < 20; i++) {
        snprintf(path, sizeof(path), "%d.bin", i);
        tree_write(path, large, sizeof(large));
        entry_of(path);
    }
    ck_assert_int_eq(tree_descriptors(), before + 40);
    for (int i = 0; i < 20; i++) {
        snprintf(path, sizeof(path), "%d.bin", i);
        ck_assert_int_eq(unlinkat(tree, path, 0), 0);
        later();
        get(path, &r);
        ck_assert_int_eq(r, -ENOENT);
    }
    ck_assert_int_eq(tree_descriptors(), before);
}
END_TEST

static TCase *add_case(Suite *suite, const char *name, void (*begin)(void))
{
    TCase *tcase = tcase_create(name);

    tcase_add_checked_fixture(tcase, begin, teardown);
    suite_add_tcase(suite, tcase);
    return tcase;
}

Suite *suite_site_cache(void)
{
    Suite *suite = suite_create("site_cache");
    TCase *tcase = add_case(suite, "paths", tree_of_paths);

    tcase_add_loop_test(tcase, finds, 0, COUNT(paths));
    tcase = add_case(suite, "site_cache", setup);
    tcase_add_test(tcase, refuses_what_is_too_long);
    tcase_add_loop_test(tcase, notices, 0, COUNT(changes));
    tcase_add_test(tcase, keeps_what_stays_the_same);
    tcase_add_test(tcase, lets_replies_end);
    tcase_add_test(tcase, has_a_weak_tag_while_it_is_new);
    tcase_add_test(tcase, has_another_tag_when_it_changes);
    tcase_add_test(tcase, has_no_date_from_the_future);
    tcase_add_test(tcase, finds_encoded_files);
    tcase_add_test(tcase, leaves_out_encoded_files_that_are_out_of_date);
    tcase_add_test(tcase, leaves_out_encoded_files_that_are_not_there);
    tcase_add_test(tcase, has_room_for_so_many);
    tcase_add_test(tcase, has_room_for_so_much);
    tcase_add_test(tcase, gives_descriptors_back);
    return suite;
}
