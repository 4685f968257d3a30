#include "apps/site_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apps/beneath.h"
#include "apps/media_type.h"

#define SLOTS 1024 /* a power of two */

static const char *const endings[ENCODING_COUNT] = { "", ".gz", ".br" };

struct site_cache {
    int folder;
    size_t count, memory;
    struct site_entry *newest, *oldest;
    struct site_entry *slots[SLOTS];
};

/* ---- What lies at a path -------------------------------------------------------------------------------------- */

struct site_look {
    char name[PATH_MAX];                    /* of the original */
    struct site_mark marks[ENCODING_COUNT]; /* zero: not there */
};

static bool path_served(const char *path)
{
    if (*path == '/')
        return false;
    for (; *path; path += *path == '/') {
        if (*path == '.' || *path == '/')
            return false;
        path += strcspn(path, "/");
    }
    return true;
}

/* 0 for a regular file, with its mark. This follows links wherever they lead, and decides nothing: only what
 * beneath_open opened is served. */
static int look_at(int folder, const char *name, struct site_mark *ret_mark)
{
    struct stat status;

    if (fstatat(folder, name, &status, 0) < 0)
        return -errno;
    if (S_ISDIR(status.st_mode))
        return -EISDIR;
    if (!S_ISREG(status.st_mode))
        return -ENXIO;
    site_mark_set(ret_mark, &status);
    return 0;
}

static int look_for_original(int folder, const char *path, struct site_look *look)
{
    size_t size = strlen(path);
    bool in_folder = size == 0 || path[size - 1] == '/';
    int r;

    if (size > sizeof(look->name) - sizeof("index.html") - sizeof(".gz"))
        return -ENOENT;
    snprintf(look->name, sizeof(look->name), "%s%s", path, in_folder ? "index.html" : "");
    r = look_at(folder, look->name, &look->marks[ENCODING_IDENTITY]);
    if (!in_folder && r != -ENOENT)
        return r;
    if (!in_folder) {
        memcpy(look->name + size, ".html", sizeof(".html"));
        r = look_at(folder, look->name, &look->marks[ENCODING_IDENTITY]);
    }
    return r == -EISDIR ? -ENOENT : r; /* a folder of the name that a file would have */
}

static int look(int folder, const char *path, struct site_look *look)
{
    size_t size;
    int r;

    memset(look->marks, 0, sizeof(look->marks));
    r = look_for_original(folder, path, look);
    if (r < 0)
        return r;
    size = strlen(look->name);
    for (enum encoding i = ENCODING_GZIP; i < ENCODING_COUNT; i++) {
        struct site_mark *mark = &look->marks[i];

        memcpy(look->name + size, endings[i], strlen(endings[i]) + 1);
        if (look_at(folder, look->name, mark) < 0 ||
            mark->modified.tv_sec < look->marks[ENCODING_IDENTITY].modified.tv_sec - SITE_OLDER_SECONDS)
            memset(mark, 0, sizeof(*mark));
    }
    look->name[size] = '\0';
    return 0;
}

/* A path with a folder behind it is told to come back with a slash; that the folder is one of ours is looked at here.
 */
static int check_folder(int folder, const char *path)
{
    int fd = beneath_open(folder, path, O_PATH | O_DIRECTORY);

    if (fd < 0)
        return -ENOENT;
    close(fd);
    return -EISDIR;
}

/* ---- The table ------------------------------------------------------------------------------------------------ */

/* FNV-1a */
static size_t slot_of(const char *path)
{
    uint32_t hash = 2166136261U;

    for (; *path; path++)
        hash = (hash ^ (unsigned char)*path) * 16777619U;
    return (hash ^ hash >> 16) & (SLOTS - 1);
}

static void order_remove(struct site_cache *cache, struct site_entry *entry)
{
    *(entry->newer ? &entry->newer->older : &cache->newest) = entry->older;
    *(entry->older ? &entry->older->newer : &cache->oldest) = entry->newer;
}

static void order_add(struct site_cache *cache, struct site_entry *entry)
{
    entry->newer = NULL;
    entry->older = cache->newest;
    *(cache->newest ? &cache->newest->newer : &cache->oldest) = entry;
    cache->newest = entry;
}

static void entry_free(struct site_entry *entry)
{
    for (int i = 0; i < ENCODING_COUNT; i++)
        site_file_close(entry->files[i]);
    free(entry->path);
    free(entry);
}

static void entry_remove(struct site_cache *cache, struct site_entry *entry)
{
    struct site_entry **link = &cache->slots[slot_of(entry->path)];

    while (*link != entry)
        link = &(*link)->next_in_slot;
    *link = entry->next_in_slot;
    order_remove(cache, entry);
    cache->count--;
    cache->memory -= entry->size;
    entry_free(entry);
}

static void entry_add(struct site_cache *cache, struct site_entry *entry)
{
    struct site_entry **slot = &cache->slots[slot_of(entry->path)];

    entry->next_in_slot = *slot;
    *slot = entry;
    order_add(cache, entry);
    cache->count++;
    cache->memory += entry->size;
    while (cache->oldest != entry && (cache->count > SITE_ENTRIES_MAX || cache->memory > SITE_MEMORY_MAX))
        entry_remove(cache, cache->oldest);
}

static struct site_entry *entry_find(const struct site_cache *cache, const char *path)
{
    struct site_entry *entry = cache->slots[slot_of(path)];

    while (entry && strcmp(entry->path, path) != 0)
        entry = entry->next_in_slot;
    return entry;
}

/* ---- Entries -------------------------------------------------------------------------------------------------- */

static int entry_open(const struct site_cache *cache, struct site_look *look, struct site_entry *entry)
{
    const char *type = media_type(look->name);
    size_t size = strlen(look->name);
    bool varies = look->marks[ENCODING_GZIP].inode || look->marks[ENCODING_BR].inode;

    for (enum encoding i = ENCODING_IDENTITY; i < ENCODING_COUNT; i++) {
        int r;

        if (!look->marks[i].inode)
            continue;
        memcpy(look->name + size, endings[i], strlen(endings[i]) + 1);
        r = site_file_open(cache->folder, look->name, type, i, varies, &entry->files[i]);
        /* An encoded file that cannot be had is not missed; but for want of descriptors, nothing is remembered. */
        if (r < 0 && (i == ENCODING_IDENTITY || r == -EMFILE || r == -ENFILE || r == -ENOMEM))
            return r;
        if (r == 0 && entry->files[i]->bytes)
            entry->size += entry->files[i]->mark.size;
    }
    return 0;
}

static int entry_new(const struct site_cache *cache, const char *path, struct site_look *look,
                     struct site_entry **ret_entry)
{
    struct site_entry *entry = calloc(1, sizeof(*entry));
    int r = -ENOMEM;

    if (entry)
        entry->path = strdup(path);
    if (entry && entry->path) {
        entry->size = strlen(path);
        r = entry_open(cache, look, entry);
    }
    if (r < 0) {
        if (entry)
            entry_free(entry);
        return r;
    }
    *ret_entry = entry;
    return 0;
}

/* Whether the files are still those that lie there, and none of them waits for its strong tag. */
static bool entry_valid(const struct site_entry *entry, const struct site_look *look)
{
    static const struct site_mark nothing;

    for (int i = 0; i < ENCODING_COUNT; i++) {
        const struct site_file *file = entry->files[i];

        if (!site_marks_equal(file ? &file->mark : &nothing, &look->marks[i]) || (file && !file->settled))
            return false;
    }
    return true;
}

static int entry_make(struct site_cache *cache, const char *path, struct site_look *look, struct site_entry **ret_entry)
{
    int r = entry_new(cache, path, look, ret_entry);

    if (r == -EMFILE || r == -ENFILE) {
        while (cache->oldest)
            entry_remove(cache, cache->oldest);
        r = entry_new(cache, path, look, ret_entry);
    }
    if (r == 0)
        entry_add(cache, *ret_entry);
    return r;
}

int site_cache_get(struct site_cache *cache, const char *path, uint64_t now, struct site_entry **ret_entry)
{
    struct site_entry *entry = entry_find(cache, path);
    struct site_look found;
    int r = 0;

    if (!entry || now >= entry->fresh) {
        if (!entry && !path_served(path))
            return -ENOENT;
        r = look(cache->folder, path, &found);
        if (entry && (r < 0 || !entry_valid(entry, &found))) {
            entry_remove(cache, entry);
            entry = NULL;
        }
        if (r == 0 && !entry)
            r = entry_make(cache, path, &found, &entry);
        if (r < 0)
            return r == -EISDIR ? check_folder(cache->folder, path) : site_error(r);
        entry->fresh = now + SITE_FRESH_MS;
    }
    if (cache->newest != entry) {
        order_remove(cache, entry);
        order_add(cache, entry);
    }
    *ret_entry = entry;
    return 0;
}

/* ---- Beginning and end ---------------------------------------------------------------------------------------- */

struct site_cache *site_cache_new(int folder)
{
    struct site_cache *cache = calloc(1, sizeof(*cache));

    if (cache)
        cache->folder = folder;
    return cache;
}

void site_cache_free(struct site_cache *cache)
{
    if (!cache)
        return;
    while (cache->oldest)
        entry_remove(cache, cache->oldest);
    free(cache);
}

size_t site_cache_count(const struct site_cache *cache)
{
    return cache->count;
}

size_t site_cache_memory(const struct site_cache *cache)
{
    return cache->memory;
}
