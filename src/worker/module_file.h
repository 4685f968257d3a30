/*
 * A look at a shared object before dlopen(3) maps it: of a file that ends early it maps what is not there, and the
 * first touch of that is a SIGBUS, which says nothing of any file.
 */
#ifndef BERTH_WORKER_MODULE_FILE_H
#define BERTH_WORKER_MODULE_FILE_H

#include "common/error.h"

/* Whether all that the headers name lies within the file; what else may be wrong with it is for dlopen to say. -ENOEXEC
 * with a message that begins with `name`. */
int module_file_check(const char *name, int fd, struct error *error);

#endif
