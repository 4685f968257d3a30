/*
 * `berth check --explain`: which rule decides whether a user may ask for something, and what it says.
 */
#ifndef BERTH_COMMAND_EXPLAIN_H
#define BERTH_COMMAND_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "common/option.h"

struct explanation {
    bool asked;       /* --explain is there */
    const char *user; /* a name, a number, or "proxied:" before one; NULL without the option, as all of these */
    const char *method;
    const char *target;   /* as in a request line */
    const char *listener; /* --listener NAME; "" */
};

/* The two, for --help, manual pages and completions. */
extern const struct option_entry explain_options[];
extern const size_t explain_option_count;

/* Takes --explain USER METHOD TARGET and --listener NAME out of the arguments, which stay in their order. -EINVAL with
 * a message for what is missing. */
int explain_take(int *argc, char **argv, struct explanation *ret_explanation, struct error *error);

/* Says it of the settings that the other arguments, the environment and the file give. Returns 0 for what is allowed, 1
 * for what is refused, 2 for settings with mistakes or a question that is none. */
int explain(const struct explanation *explanation, int argc, char **argv);

#endif
