#include "apps/tree.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int tree = -1;
char tree_path[64];

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

void tree_setup(void)
{
    snprintf(tree_path, sizeof(tree_path), "/tmp/berth-tree-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(tree_path));
    tree = open(tree_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(tree, 0);
}

void tree_teardown(void)
{
    close(tree);
    tree = -1;
    nftw(tree_path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void make_folders(const char *path)
{
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        char folder[512];

        snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
        ck_assert(mkdirat(tree, folder, 0755) == 0 || errno == EEXIST);
    }
}

void tree_age(const char *path, int seconds)
{
    struct timespec times[2];

    clock_gettime(CLOCK_REALTIME, &times[1]);
    times[1].tv_sec -= seconds;
    times[0] = times[1];
    ck_assert_int_eq(utimensat(tree, path, times, 0), 0);
}

void tree_write(const char *path, const char *bytes, size_t size)
{
    int fd;

    make_folders(path);
    fd = openat(tree, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
    close(fd);
    tree_age(path, 3600);
}

void tree_text(const char *path, const char *text)
{
    tree_write(path, text, strlen(text));
}

int tree_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;

    ck_assert_ptr_nonnull(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}
