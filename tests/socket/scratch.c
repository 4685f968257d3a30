#include "socket/scratch.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];
static int ready_fd = -1;

void scratch_setup(void)
{
    strcpy(folder, "/tmp/berth-socket-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chmod(folder, 0755), 0);
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status;
    (void)kind;
    (void)where;
    return remove(path);
}

void scratch_teardown(void)
{
    nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

const char *scratch_path(const char *name)
{
    static char paths[8][256];
    static unsigned int next;
    char *path = paths[next++ % 8];

    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

const char *scratch_list(void)
{
    static char text[1024];
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);

    ck_assert_int_ge(count, 0);
    text[0] = '\0';
    for (int i = 0; i < count; i++) {
        if (strcmp(entries[i]->d_name, ".") != 0 && strcmp(entries[i]->d_name, "..") != 0)
            snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s ", entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return text;
}

void scratch_write(const char *name, const char *content)
{
    FILE *file = fopen(scratch_path(name), "we");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(content, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

void scratch_chown(uid_t uid)
{
    ck_assert_int_eq(chown(folder, uid, (gid_t)-1), 0);
}

struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    ck_assert_uint_lt(strlen(path), sizeof(address.sun_path));
    strcpy(address.sun_path, path);
    return address;
}

int socket_bound(const char *path, int type, int backlog)
{
    struct sockaddr_un address = address_of(path);
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    if (backlog >= 0)
        ck_assert_int_eq(listen(fd, backlog), 0);
    return fd;
}

int socket_connect(const char *path)
{
    struct sockaddr_un address = address_of(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int r;

    ck_assert_int_ge(fd, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    r = -errno;
    close(fd);
    return r;
}

size_t fds_open(void)
{
    DIR *list = opendir("/proc/self/fd");
    size_t count = 0;

    ck_assert_ptr_nonnull(list);
    while (readdir(list) != NULL)
        count++;
    closedir(list);
    return count;
}

void *shared_new(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    ck_assert_ptr_ne(memory, MAP_FAILED);
    return memory;
}

/* A failed assertion in a child must not run what the test would run next. */
static void child_body(void (*body)(void *data), void *data)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    body(data);
    _exit(0);
}

pid_t child_start(void (*body)(void *data), void *data)
{
    int ends[2];
    char byte;
    pid_t pid;

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        close(ends[0]);
        ready_fd = ends[1];
        child_body(body, data);
    }
    close(ends[1]);
    ck_assert_msg(read(ends[0], &byte, 1) == 1, "the child ended before it was ready");
    close(ends[0]);
    return pid;
}

void child_ready(void)
{
    if (write(ready_fd, "", 1) != 1)
        _exit(1);
    close(ready_fd);
}

void child_kill(pid_t pid)
{
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

void child_run(void (*body)(void *data), void *data)
{
    int status;
    pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        child_body(body, data);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(status == 0, "the child ended with status 0x%x", (unsigned int)status);
}

bool under_valgrind(void)
{
    const char *preload = getenv("LD_PRELOAD");

    return preload && strstr(preload, "valgrind");
}

void become(uid_t uid, gid_t gid, const gid_t *groups, size_t count)
{
    if (setgroups(count, groups) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
        _exit(99);
}

START_TEST(leaves_out_nothing_in_ci)
{
    ck_abort_msg("CI=true, and this is not root: tests would be left out");
}
END_TEST

bool root_for(TCase *tests, const char *suite)
{
    const char *ci = getenv("CI");

    if (geteuid() == 0)
        return true;
    fprintf(stderr, "%s: not root, so the tests that need it are left out\n", suite);
    if (ci != NULL && strcmp(ci, "true") == 0)
        tcase_add_test(tests, leaves_out_nothing_in_ci);
    return false;
}
