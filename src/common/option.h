/*
 * One entry of an option table: where its value lies, what it may be, and what --help says. The tables are data
 * (settings_table.c); this is how a text becomes a value.
 */
#ifndef BERTH_COMMON_OPTION_H
#define BERTH_COMMON_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/error.h"

enum option_kind {
    OPTION_FLAG,          /* bool; on the command line without a value, elsewhere yes or no */
    OPTION_NUMBER,        /* an unsigned integer of any width, as are the next two */
    OPTION_SIZE,          /* bytes */
    OPTION_DURATION,      /* milliseconds */
    OPTION_MODE,          /* mode_t */
    OPTION_CHOICE,        /* an enum: one of .choices */
    OPTION_WORKERS,       /* unsigned int; "auto" is the number of usable CPUs */
    OPTION_TEXT,          /* char *, not empty, without control characters */
    OPTION_PREFIX,        /* char *, a path of URLs (mount_check); "/" becomes "" */
    OPTION_TEXT_LIST,     /* struct text_list, may be given several times */
    OPTION_NUMBER_LIST,   /* the same, of numbers as text */
    OPTION_DATAGRAM_LIST, /* the same, of APP:PATH (datagram_check) */
    OPTION_HOST_LIST,     /* the same, of hosts (host_entry_check) */
    OPTION_ORIGIN_LIST,   /* the same, of origins (origin_entry_check) */
};

struct option_choice {
    const char *name; /* NULL ends a table */
    int value;
};

struct option_entry {
    const char *heading; /* of the group that this entry begins in --help; NULL: goes on with the one before */
    const char *name;    /* without "--" */
    enum option_kind kind;
    size_t offset, width; /* of the value's field in its struct */
    uint64_t min, max;    /* of numbers */
    const struct option_choice *choices;
    const char *fallback; /* the default, as text; NULL: zeroes */
    const char *metavar;
    const char *help;
    bool not_in_file; /* --config itself */
    bool distinct;    /* of a list: the same value twice is a mistake */
};

/* Reads `text` as the option's value. `base` is the struct to store it in (a list grows by it, a text is copied); NULL
 * only checks. -EINVAL with a message that begins with the text in quotes, -ENOMEM. */
int option_read(const struct option_entry *option, const char *text, void *base, struct error *error);

/* Frees what option_read stored. */
void option_done(const struct option_entry *option, void *base);

/* The entry whose name these `length` bytes are; NULL if there is none. */
const struct option_entry *option_find(const struct option_entry *options, size_t count, const char *name,
                                       size_t length);

/* The name nearest to one that is none; or NULL. */
const char *option_suggest(const struct option_entry *options, size_t count, const char *name);

/* -EINVAL for an argument of `berth COMMAND` that is none of its options. */
int option_unknown(const struct option_entry *options, size_t count, const char *command, const char *argument,
                   struct error *error);

bool option_is_list(const struct option_entry *option);

/* The entries as --help shows them, in at most 100 columns. */
void option_help(const struct option_entry *options, size_t count, FILE *stream);

#endif
