/*
 * What the tests of sockets share: a folder of their own, and children that can be waited for, killed, and asked for a
 * result.
 */
#ifndef TESTS_SOCKET_SCRATCH_H
#define TESTS_SOCKET_SCRATCH_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/un.h>

/* Uid and gids that need not exist. */
enum { SOMEBODY = 54321, SOME_GROUP = 54322 };

/* A checked fixture: a folder in $TMPDIR that everybody may enter, gone with all that is in it afterwards. */
void scratch_setup(void);
void scratch_teardown(void);

/* FOLDER/name, in one of a few buffers that are used in turn. */
const char *scratch_path(const char *name);
/* What is in the folder, sorted, with a space after each. */
const char *scratch_list(void);
void scratch_write(const char *name, const char *content);
void scratch_chown(uid_t uid);

/* Sockets as other programs make them: bound, and listening if backlog >= 0. Fails the test where it fails. */
struct sockaddr_un address_of(const char *path);
int socket_bound(const char *path, int type, int backlog);
/* A connected client, or -errno. */
int socket_connect(const char *path);

size_t fds_open(void);

/* Memory that children share with the test; zeroes. */
void *shared_new(size_t size);

/* Runs body(data) in a child. child_start returns when the child has called child_ready, and ends the test if it ends
 * before that. */
pid_t child_start(void (*body)(void *data), void *data);
void child_ready(void);
void child_kill(pid_t pid);
/* To its end, which must be exit code 0. */
void child_run(void (*body)(void *data), void *data);

/* Whether we are root. If not, the tests that need it are to be left out, which is said; but where CI=true nothing may
 * be left out, and a test that fails takes their place. */
bool root_for(TCase *tests, const char *suite);

/* Whether valgrind runs us: it makes system calls of its own, and keeps some from the kernel. */
bool under_valgrind(void);

/* In a child: becomes an ordinary user with just these supplementary groups. Needs root. */
void become(uid_t uid, gid_t gid, const gid_t *groups, size_t count);

#endif
