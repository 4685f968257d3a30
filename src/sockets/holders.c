#include "sockets/holders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/number.h"

enum { ROOM_START = 256, STATUS_MAX = 4096 };

int holder_link_parse(const char *link, size_t size, uint32_t *ret_inode)
{
    static const char prefix[] = "socket:[";
    size_t at = sizeof(prefix) - 1;
    uint64_t inode = 0;

    if (size < at + 2 || memcmp(link, prefix, at) != 0 || link[size - 1] != ']')
        return -EINVAL;
    for (; at < size - 1; at++) {
        if (link[at] < '0' || link[at] > '9')
            return -EINVAL;
        inode = inode * 10 + (uint64_t)(link[at] - '0');
        if (inode > UINT32_MAX)
            return -EINVAL;
    }
    *ret_inode = (uint32_t)inode;
    return 0;
}

int holder_status_parse(const char *text, uid_t *ret_uid)
{
    static const char key[] = "\nUid:\t"; /* real, effective, saved, of the file system */
    const char *at = strstr(text, key);
    uint64_t uid = 0;
    size_t digits;

    if (!at)
        return -EINVAL;
    at += sizeof(key) - 1;
    at += strspn(at, "0123456789");
    if (*at++ != '\t')
        return -EINVAL;
    digits = strspn(at, "0123456789");
    if (digits == 0 || digits > 10)
        return -EINVAL;
    for (size_t i = 0; i < digits; i++)
        uid = uid * 10 + (uint64_t)(at[i] - '0');
    if (uid > UINT32_MAX)
        return -EINVAL;
    *ret_uid = (uid_t)uid;
    return 0;
}

/* ---- one process ---- */

/* What a file of the process's folder begins with, as a text. Its size, or -errno. */
static ssize_t text_read(int folder, const char *name, char *ret_text, size_t room)
{
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    ssize_t size;

    if (fd < 0)
        return -errno;
    size = read(fd, ret_text, room - 1);
    if (size < 0)
        size = -errno;
    ret_text[size > 0 ? size : 0] = '\0';
    close(fd);
    return size;
}

/* -ESRCH: it has ended. */
static int process_read(int folder, pid_t pid, struct holding_process *ret_process)
{
    struct holding_process process = { .pid = pid };
    char command[COMMAND_SIZE + 1], status[STATUS_MAX];
    ssize_t size = text_read(folder, "comm", command, sizeof(command));

    if (size <= 0 || text_read(folder, "status", status, sizeof(status)) <= 0 ||
        holder_status_parse(status, &process.uid) < 0)
        return -ESRCH;
    /* A newline ends it; it may have others. */
    size -= command[size - 1] == '\n';
    memcpy(process.command, command, (size_t)size < COMMAND_SIZE ? (size_t)size : COMMAND_SIZE - 1);
    *ret_process = process;
    return 0;
}

/* Makes room for one more. */
static int grow(void **items, size_t size, size_t count, size_t *room)
{
    size_t more = *room ? 2 * *room : ROOM_START;
    void *grown;

    if (count < *room)
        return 0;
    if (count >= HOLDERS_MAX)
        return -EMSGSIZE;
    grown = reallocarray(*items, more, size);
    if (!grown)
        return -ENOMEM;
    *items = grown;
    *room = more;
    return 0;
}

static int holder_add(struct holders *holders, uint32_t inode, int fd)
{
    int r = grow((void **)&holders->items, sizeof(*holders->items), holders->count, &holders->room);

    if (r == 0)
        holders->items[holders->count++] =
            (struct holder){ .inode = inode, .fd = fd, .process = holders->process_count };
    return r;
}

/* The sockets among its descriptors, as those of the process that comes next. */
static int descriptors_look(struct holders *holders, DIR *descriptors)
{
    struct dirent *entry;
    uint32_t inode;
    uint64_t fd;
    int r = 0;

    while (r == 0 && (entry = readdir(descriptors))) {
        char link[64];
        ssize_t size = readlinkat(dirfd(descriptors), entry->d_name, link, sizeof(link));

        if (size > 0 && holder_link_parse(link, (size_t)size, &inode) == 0 &&
            number_parse(entry->d_name, 0, INT_MAX, &fd, NULL) == 0)
            r = holder_add(holders, inode, (int)fd);
    }
    return r;
}

/* A kernel's thread has no arguments, and no sockets of this kind either. */
static bool has_arguments(int folder)
{
    char byte[2];

    return text_read(folder, "cmdline", byte, sizeof(byte)) > 0;
}

static int process_add(struct holders *holders, int folder, pid_t pid)
{
    struct holding_process process;
    int r = process_read(folder, pid, &process);

    if (r == 0)
        r = grow((void **)&holders->processes, sizeof(*holders->processes), holders->process_count,
                 &holders->process_room);
    if (r == 0)
        holders->processes[holders->process_count++] = process;
    return r;
}

static int process_look(struct holders *holders, int folder, pid_t pid)
{
    int fd = openat(folder, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;
    DIR *descriptors = fd < 0 ? NULL : fdopendir(fd);
    size_t before = holders->count;

    if (!descriptors) {
        r = -errno;
        if (fd >= 0)
            close(fd);
        holders->refused += (r == -EACCES || r == -EPERM) && has_arguments(folder);
        return r == -ENOMEM || r == -EMFILE || r == -ENFILE ? r : 0;
    }
    r = descriptors_look(holders, descriptors);
    closedir(descriptors);
    if (r == 0 && holders->count > before)
        r = process_add(holders, folder, pid);
    if (r < 0)
        holders->count = before; /* they would be nobody's */
    return r == -ESRCH ? 0 : r;
}

/* ---- all of them ---- */

static int holder_compare(const void *one, const void *other)
{
    const struct holder *a = one, *b = other;

    if (a->inode != b->inode)
        return a->inode < b->inode ? -1 : 1;
    if (a->process != b->process)
        return a->process < b->process ? -1 : 1;
    return (a->fd > b->fd) - (a->fd < b->fd);
}

int holders_look(struct holders *ret_holders)
{
    DIR *processes = opendir("/proc");
    struct dirent *entry;
    uint64_t pid;
    int r = 0;

    *ret_holders = (struct holders){ 0 };
    if (!processes)
        return -errno;
    while (r == 0 && (entry = readdir(processes))) {
        int folder;

        if (number_parse(entry->d_name, 1, INT_MAX, &pid, NULL) < 0)
            continue;
        folder = openat(dirfd(processes), entry->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (folder < 0)
            continue;
        r = process_look(ret_holders, folder, (pid_t)pid);
        close(folder);
    }
    closedir(processes);
    if (ret_holders->count > 0)
        qsort(ret_holders->items, ret_holders->count, sizeof(*ret_holders->items), holder_compare);
    return r;
}

void holders_done(struct holders *holders)
{
    free(holders->processes);
    free(holders->items);
    *holders = (struct holders){ 0 };
}

const struct holder *holders_of(const struct holders *holders, uint32_t inode, size_t *ret_count)
{
    size_t low = 0, high = holders->count, end;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (holders->items[middle].inode < inode)
            low = middle + 1;
        else
            high = middle;
    }
    for (end = low; end < holders->count && holders->items[end].inode == inode;)
        end++;
    *ret_count = end - low;
    return end > low ? &holders->items[low] : NULL;
}
