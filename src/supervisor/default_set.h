/*
 * What is served when no application is named.
 */
#ifndef BERTH_SUPERVISOR_DEFAULT_SET_H
#define BERTH_SUPERVISOR_DEFAULT_SET_H

#include "common/settings.h"

/* As settings_load, with builtin_default_set after the arguments. `program` is the path of this program: the site that
 * comes with it lies beside it, or where it was configured to go. */
int default_set_load(struct settings *ret_settings, int argc, char **argv, const char *program,
                     struct mistakes *mistakes);

#endif
