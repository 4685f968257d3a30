/*
 * An arena for each test of what takes its memory from one.
 */
#ifndef TESTS_HTTP_MEMORY_H
#define TESTS_HTTP_MEMORY_H

#include "http/arena.h"

extern struct arena memory;

/* For tcase_add_checked_fixture. */
void memory_setup(void);
void memory_teardown(void);

#endif
