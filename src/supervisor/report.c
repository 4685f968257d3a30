/*
 * What others are told of us: whoever started us by hand, the service manager, whoever reads the pid file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/internal.h"

/* Before --log takes standard error's place, and before NOTIFY_SOCKET is taken out of the environment. */
void report_prepare_banner(struct supervisor *supervisor)
{
    bool managed = getenv("NOTIFY_SOCKET") || getenv("JOURNAL_STREAM");

    supervisor->banner_fd = -1;
    if (isatty(STDERR_FILENO) || !managed)
        supervisor->banner_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

/* A worker runs what others wrote, and this line is there to be pasted into a shell. */
static const char *try_target(const char *target)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/";

    return *target == '/' && target[strspn(target, plain)] == '\0' ? target : "/";
}

static void print_datagrams(int fd, const struct server_socket *item)
{
    bool abstract = item->address[0] == '@';

    dprintf(fd, "berth takes events at %s\n    try: echo hello | socat - %s:%s\n",
            item->listener ? item->address : item->name, abstract ? "abstract-sendto" : "unix-sendto",
            item->address + abstract);
}

void report_banner(struct supervisor *supervisor, const char *target)
{
    if (supervisor->banner_fd < 0)
        return;
    for (size_t i = 0; i < supervisor->sockets.count; i++) {
        const struct server_socket *item = &supervisor->sockets.items[i];
        bool abstract = item->address[0] == '@';

        if (item->datagram) {
            print_datagrams(supervisor->banner_fd, item);
            continue;
        }
        dprintf(supervisor->banner_fd, "berth listens on %s\n", item->listener ? item->address : item->name);
        if (item->address[0] != '\0')
            dprintf(supervisor->banner_fd, "    try: curl --%sunix-socket %s http://localhost%s\n",
                    abstract ? "abstract-" : "", item->address + abstract, try_target(target));
    }
    close(supervisor->banner_fd);
    supervisor->banner_fd = -1;
}

void report_state(struct supervisor *supervisor, const char *news)
{
    unsigned int serving = 0, leaving = 0;

    for (const struct generation *g = supervisor->generations; g; g = g->next) {
        serving += generation_count(g, PROCESS_SERVING) + generation_count(g, PROCESS_RETIRING);
        leaving += generation_count(g, PROCESS_LEAVING);
    }
    if (leaving > 0)
        notify_send(supervisor->notify, "%s\nSTATUS=workers: %u, draining: %u", news, serving, leaving);
    else
        notify_send(supervisor->notify, "%s\nSTATUS=workers: %u", news, serving);
}

/* ---- the pid file ---- */

static int write_pid(int fd)
{
    int length = dprintf(fd, "%d\n", (int)getpid());

    /* Its mode is not the umask's matter: it is there to be read. */
    return length < 0 || fchmod(fd, 0644) < 0 ? -errno : 0;
}

int report_pid(struct supervisor *supervisor, const char *path, struct error *error)
{
    char temporary[PATH_MAX];
    int length = snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path);
    int fd = -1, r;

    if (length < 0 || (size_t)length >= sizeof(temporary))
        return error_set(error, -EINVAL, "--pid: the path is too long");
    supervisor->pid_file = strdup(path);
    if (!supervisor->pid_file)
        return error_set(error, -ENOMEM, "out of memory");
    fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return error_set(error, -errno, "--pid %s: %s", path, strerror(errno));
    r = write_pid(fd);
    close(fd);
    if (r == 0 && rename(temporary, path) < 0)
        r = -errno;
    if (r < 0) {
        unlink(temporary);
        error_set(error, r, "--pid %s: %s", path, strerror(-r));
    }
    return r;
}

/* A successor may have written its own meanwhile. */
static bool is_ours(const char *path)
{
    char ours[16], found[16];
    int size = snprintf(ours, sizeof(ours), "%d\n", (int)getpid());
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    bool same;

    if (fd < 0)
        return false;
    same = read(fd, found, sizeof(found)) == size && memcmp(found, ours, (size_t)size) == 0;
    close(fd);
    return same;
}

void report_pid_remove(struct supervisor *supervisor)
{
    if (!supervisor->pid_file)
        return;
    if (is_ours(supervisor->pid_file))
        unlink(supervisor->pid_file);
    free(supervisor->pid_file);
    supervisor->pid_file = NULL;
}
