#include "sockets/place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The device is not compared: where stat(2) shows another than the file system's (btrfs, overlayfs), it would never be
 * the same; and an equal number on another device, of a socket as well, is a chance that can be taken. */
static bool is_this(const struct inspected *socket, const struct stat *file)
{
    return socket->has_file && S_ISSOCK(file->st_mode) && (uint32_t)file->st_ino == socket->file_inode;
}

static bool is_kept(struct place *place, const struct inspected *socket, const struct stat *file, enum place_kind kind)
{
    if (!is_this(socket, file))
        return false;
    place->kind = kind;
    place->has_file = true;
    place->file = *file;
    return true;
}

/* The path as one of the holders sees it: from its root, or from the folder that it is in. */
static bool held_at(const struct inspected *socket, const pid_t *pids, size_t count, enum place_kind kind,
                    struct place *place)
{
    bool absolute = socket->name[0] == '/';
    char path[128 + sizeof(socket->name)];
    struct stat file;

    for (size_t i = 0; i < count; i++) {
        snprintf(path, sizeof(path), "/proc/%d/%s%s", (int)pids[i], absolute ? "root" : "cwd/", socket->name);
        if (stat(path, &file) == 0 && is_kept(place, socket, &file, kind))
            return true;
    }
    return false;
}

/* Another name of the same file in that folder; to be freed. NULL: none is found. */
static char *name_look(const struct inspected *socket, DIR *folder, const char *path, struct stat *ret_file)
{
    struct dirent *entry;
    struct stat file;
    char *now;

    for (size_t i = 0; i < PLACE_NAMES_MAX && (entry = readdir(folder)); i++)
        if ((uint32_t)entry->d_ino == socket->file_inode &&
            fstatat(dirfd(folder), entry->d_name, &file, AT_SYMLINK_NOFOLLOW) == 0 && is_this(socket, &file)) {
            *ret_file = file;
            return asprintf(&now, "%s/%s", strcmp(path, "/") == 0 ? "" : path, entry->d_name) < 0 ? NULL : now;
        }
    return NULL;
}

static bool renamed(const struct inspected *socket, struct place *place)
{
    char path[sizeof(socket->name)], *slash;
    struct stat file;
    DIR *folder;

    memcpy(path, socket->name, sizeof(path));
    slash = strrchr(path, '/');
    slash[slash == path] = '\0';
    folder = socket->has_file ? opendir(path) : NULL;
    if (!folder)
        return false;
    place->now = name_look(socket, folder, path, &file);
    closedir(folder);
    return place->now && is_kept(place, socket, &file, PLACE_RENAMED);
}

void place_find(const struct inspected *socket, const pid_t *pids, size_t count, struct place *ret_place)
{
    bool exists;
    struct stat file;

    *ret_place = (struct place){ .kind = PLACE_UNKNOWN };
    if (socket->raw_name_size == 0 || socket->raw_name[0] == '\0') {
        ret_place->kind = PLACE_NONE;
        return;
    }
    if (socket->name[0] != '/') {
        held_at(socket, pids, count, PLACE_OK, ret_place);
        return;
    }
    exists = stat(socket->name, &file) == 0;
    if (exists ? is_kept(ret_place, socket, &file, PLACE_OK) : errno != ENOENT && errno != ENOTDIR)
        return;
    if (exists && !socket->has_file)
        return;
    if (!held_at(socket, pids, count, PLACE_ELSEWHERE, ret_place) && !renamed(socket, ret_place))
        ret_place->kind = exists ? PLACE_REPLACED : PLACE_REMOVED;
}

void place_done(struct place *place)
{
    free(place->now);
    *place = (struct place){ 0 };
}

const char *place_name(enum place_kind kind)
{
    static const char *const names[] = {
        [PLACE_OK] = "ok",           [PLACE_RENAMED] = "renamed",     [PLACE_REPLACED] = "replaced",
        [PLACE_REMOVED] = "removed", [PLACE_ELSEWHERE] = "elsewhere", [PLACE_UNKNOWN] = "unknown"
    };

    return names[kind];
}
