/*
 * The open files of a site, by the paths that they are asked for: opening one costs more than sending it.
 *
 * What is in the cache is believed for SITE_FRESH_MS and then compared with what lies at its path, so that a change is
 * noticed at the latest after that time: a file that is written to, replaced by a rename, removed, or hidden by another
 * that comes before it (`page` before `page.html`), and an encoded file beside it that comes or goes.
 */
#ifndef BERTH_APPS_SITE_CACHE_H
#define BERTH_APPS_SITE_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "apps/site_file.h"

#define SITE_FRESH_MS      250
#define SITE_ENTRIES_MAX   512               /* paths; each has at most two descriptors for each of its encodings */
#define SITE_MEMORY_MAX    (2 * 1024 * 1024) /* bytes of small files */
#define SITE_OLDER_SECONDS 2 /* an encoded file that is older than the original by more is out of date: not served */

struct site_cache;

/* What a path is answered with. */
struct site_entry {
    struct site_file *files[ENCODING_COUNT]; /* NULL: not there; the original always is */
    /* the cache's */
    char *path;
    size_t size;    /* of its path, and of its files' bytes in memory */
    uint64_t fresh; /* until when it is believed */
    struct site_entry *next_in_slot, *newer, *older;
};

/* The folder stays the caller's. NULL without memory. */
struct site_cache *site_cache_new(int folder);
void site_cache_free(struct site_cache *cache); /* NULL is allowed */

/*
 * What a path ("" or "a/b" or "a/") is answered with: the file, `index.html` in a folder, or for a name that is not
 * there the file of that name with `.html`. `now` in milliseconds. -EISDIR for a folder without a slash behind it;
 * -ENOENT for what is not there or not served: links that lead out, what is neither file nor folder, and every path
 * with a segment that is empty or begins with a dot; other errors of open(2). The entry is the cache's, until its next
 * use.
 */
int site_cache_get(struct site_cache *cache, const char *path, uint64_t now, struct site_entry **ret_entry);

/* For tests: how many there are, and how many bytes of small files. */
size_t site_cache_count(const struct site_cache *cache);
size_t site_cache_memory(const struct site_cache *cache);

#endif
