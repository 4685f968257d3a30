/*
 * The built-in applications, by the names that an APP may have: "site:DIR", "status". Each is one file of this folder,
 * written against berth.h alone.
 */
#ifndef BERTH_APPS_APPS_H
#define BERTH_APPS_APPS_H

#include <berth.h>

struct builtin {
    const char *name;
    const struct berth_app *app;
    const char *argument; /* what stands for the argument in a message, such as "DIR"; NULL: it takes none */
};

/* The one that `spec` names, with what follows its colon (NULL without one); NULL if there is none of that name, or
 * with an argument where it takes none, or without where it needs one. */
const struct builtin *builtin_find(const char *spec, const char **ret_argument);

/* All of them, one by one, up to NULL. */
const struct builtin *builtin_at(size_t index);

/* What is served when no application is named: APPs as on the command line, up to a NULL. "%s" stands for the folder of
 * the site that comes with berth; without that folder, those with it are left out. */
extern const char *const builtin_default_set[];

/* The built-in names for a message: "events, site:DIR, status". */
const char *builtin_names(void);

#endif
