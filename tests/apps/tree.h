/*
 * A folder of a test's own, with files, made before it and removed behind it.
 */
#ifndef TESTS_APPS_TREE_H
#define TESTS_APPS_TREE_H

#include <stddef.h>

/* Checked fixtures: an empty folder, open as `tree`, at the path `tree_path`. */
extern int tree;
extern char tree_path[];
void tree_setup(void);
void tree_teardown(void);

/* A file below it, with folders on the way; an hour old, so that its entity tag is strong. */
void tree_write(const char *path, const char *bytes, size_t size);
void tree_text(const char *path, const char *text);

/* Sets how many seconds ago it was modified. */
void tree_age(const char *path, int seconds);

/* How many descriptors this process has open, or something that grows with them. */
int tree_descriptors(void);

#endif
