#include "doctor/private_tmp.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/number.h"

const char *private_tmp_folder(const char *path)
{
    static const char *const folders[] = { "/tmp", "/var/tmp" };

    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        size_t length = strlen(folders[i]);

        if (strncmp(path, folders[i], length) == 0 && path[length] == '/')
            return folders[i];
    }
    return NULL;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* `path` as that process sees it. */
static bool stat_of(pid_t pid, const char *path, struct stat *ret_file)
{
    char name[PATH_MAX];

    return snprintf(name, sizeof(name), "/proc/%d/root%s", (int)pid, path) < (int)sizeof(name) &&
           stat(name, ret_file) == 0;
}

struct view {
    const char *folder, *path;
    struct stat root_file, folder_file;
};

static void process_look(pid_t pid, const struct view *view, struct private_tmp *result)
{
    struct stat file;

    if (!stat_of(pid, "/", &file) || !same_file(&file, &view->root_file) || !stat_of(pid, view->folder, &file))
        return;
    if (same_file(&file, &view->folder_file)) {
        result->same++;
        return;
    }
    result->other++;
    if (stat_of(pid, view->path, &file) && S_ISSOCK(file.st_mode))
        result->pid_with = result->pid_with ? result->pid_with : pid;
    else if (result->pid == 0)
        result->pid = pid;
}

void private_tmp_look(uid_t uid, const char *folder, const char *path, struct private_tmp *ret_result)
{
    struct view view = { .folder = folder, .path = path };
    DIR *processes = opendir("/proc");
    struct dirent *entry;

    *ret_result = (struct private_tmp){ 0 };
    if (processes && stat("/", &view.root_file) == 0 && stat(folder, &view.folder_file) == 0)
        while ((entry = readdir(processes))) {
            struct stat process;
            uint64_t pid;

            if (number_parse(entry->d_name, 1, INT_MAX, &pid, NULL) == 0 &&
                fstatat(dirfd(processes), entry->d_name, &process, 0) == 0 && process.st_uid == uid)
                process_look((pid_t)pid, &view, ret_result);
        }
    if (processes)
        closedir(processes);
}
