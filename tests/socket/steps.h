/*
 * A child that stops where each of its system calls begins and ends, so that a test sees every moment of it.
 */
#ifndef TESTS_SOCKET_STEPS_H
#define TESTS_SOCKET_STEPS_H

#include <stdbool.h>
#include <sys/types.h>

/* Runs body(data) in a child, up to where the body calls steps_start; its steps come then. It ends with exit code 0,
 * or by itself with another. */
pid_t steps_begin(void (*body)(void *data), void *data);
void steps_start(void);

/* On to the next stop: true. false: it has ended, with *ret_status as waitpid(2) has it. */
bool steps_next(pid_t pid, int *ret_status);

/* Whether the process has the file open. */
bool steps_has_open(pid_t pid, const char *path);

#endif
