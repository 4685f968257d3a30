/*
 * Rows of words in columns that are as wide as their widest word. Whatever the words are made of, each is shown as one
 * word, and nothing in it as something that a terminal obeys.
 */
#ifndef BERTH_SOCKETS_GRID_H
#define BERTH_SOCKETS_GRID_H

#include <stddef.h>
#include <stdio.h>

#define GRID_COLUMNS_MAX 16

struct grid {
    size_t columns;                  /* set by whoever makes it, at most GRID_COLUMNS_MAX */
    size_t widths[GRID_COLUMNS_MAX]; /* in characters */
    char **cells;
    size_t count, room;
    int failed; /* -ENOMEM once there was no memory for a cell; those after it are left out, too */
};

/* The next cell, from left to right and from top to bottom; "-" stands for NULL and for an empty text. */
void grid_add(struct grid *grid, const char *text);
/* The same of what begins with `text`, and goes on with "-> MORE", unless `more` is empty. */
void grid_add_words(struct grid *grid, const char *text, const char *more);

/* 0, or -ENOMEM with nothing printed. */
int grid_print(const struct grid *grid, FILE *stream);
void grid_done(struct grid *grid);

#endif
