#include <check.h>
#include <string.h>

#include "apps/media_type.h"

Suite *suite_media_type(void);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define UNKNOWN      "application/octet-stream"

static const struct {
    const char *path, *type;
} paths[] = {
    { "index.html", "text/html; charset=utf-8" },
    { "a/b.c/index.HTML", "text/html; charset=utf-8" },
    { "style.css", "text/css; charset=utf-8" },
    { "script.js", "text/javascript; charset=utf-8" },
    { "script.mjs", "text/javascript; charset=utf-8" },
    { "data.json", "application/json" },
    { "picture.svg", "image/svg+xml" },
    { "picture.PNG", "image/png" },
    { "picture.jpeg", "image/jpeg" },
    { "module.wasm", "application/wasm" },
    { "notes.txt", "text/plain; charset=utf-8" },
    { "a.tar.gz", "application/gzip" },
    { "font.woff2", "font/woff2" },
    /* the first and the last of the table, so that all of it is found */
    { "a.7z", "application/x-7z-compressed" },
    { "a.zst", "application/zstd" },
    { "", UNKNOWN },
    { "a", UNKNOWN },
    { "a.", UNKNOWN },
    { "html", UNKNOWN },
    { "a.html/b", UNKNOWN },
    { "a.htmlx", UNKNOWN },
    { "a.ht", UNKNOWN },
    { "a.html ", UNKNOWN },
    { "a.html.unknown", UNKNOWN },
};

START_TEST(knows)
{
    ck_assert_str_eq(media_type(paths[_i].path), paths[_i].type);
}
END_TEST

/* A table that is not sorted loses some of its rows. */
START_TEST(finds_all)
{
    static const char *const extensions[] = {
        "7z",    "aac",  "apng", "atom", "avif", "bmp",         "br",   "bz2",  "c",    "conf",   "css",
        "csv",   "deb",  "doc",  "docx", "eot",  "epub",        "flac", "gif",  "gz",   "h",      "htm",
        "html",  "ico",  "ics",  "ini",  "jar",  "jpeg",        "jpg",  "js",   "json", "jsonld", "jxl",
        "log",   "m4a",  "m4v",  "map",  "md",   "mid",         "midi", "mjs",  "mkv",  "mov",    "mp3",
        "mp4",   "mpeg", "odp",  "ods",  "odt",  "oga",         "ogg",  "ogv",  "opus", "otf",    "pdf",
        "png",   "ppt",  "pptx", "rss",  "rtf",  "sh",          "svg",  "tar",  "tif",  "tiff",   "toml",
        "tsv",   "ttf",  "txt",  "vtt",  "wasm", "wav",         "weba", "webm", "webp", "woff",   "woff2",
        "xhtml", "xls",  "xlsx", "xml",  "xz",   "webmanifest", "yaml", "yml",  "zip",  "zst",
    };
    char path[32] = "x.";

    for (size_t i = 0; i < COUNT(extensions); i++) {
        stpcpy(path + 2, extensions[i]);
        ck_assert_str_ne(media_type(path), UNKNOWN);
    }
}
END_TEST

Suite *suite_media_type(void)
{
    Suite *suite = suite_create("media_type");
    TCase *tcase = tcase_create("media_type");

    tcase_add_loop_test(tcase, knows, 0, COUNT(paths));
    tcase_add_test(tcase, finds_all);
    suite_add_tcase(suite, tcase);
    return suite;
}
