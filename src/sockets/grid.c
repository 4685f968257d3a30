#include "sockets/grid.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/line.h"

enum {
    ROOM_START = 256,
    ESCAPED_MAX = 4, /* bytes in the place of one */
};

static size_t width_of(const char *text)
{
    size_t width = 0;

    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

/* Takes `cell`. */
static void cell_put(struct grid *grid, char *cell)
{
    size_t column = grid->count % grid->columns, width = cell ? width_of(cell) : 0;

    if (cell && grid->count == grid->room && !grid->failed) {
        size_t room = grid->room ? 2 * grid->room : ROOM_START;
        char **cells = reallocarray(grid->cells, room, sizeof(*cells));

        grid->failed = cells ? 0 : -ENOMEM;
        grid->cells = cells ? cells : grid->cells;
        grid->room = cells ? room : grid->room;
    }
    if (!cell || grid->failed) {
        grid->failed = -ENOMEM;
        free(cell);
        return;
    }
    grid->cells[grid->count++] = cell;
    if (width > grid->widths[column])
        grid->widths[column] = width;
}

static void word_add(struct line *line, const char *text)
{
    line_add_escaped(line, text, LINE_WORD, line->limit - line->size);
}

void grid_add_words(struct grid *grid, const char *text, const char *more)
{
    struct line line = { .limit = ESCAPED_MAX * (strlen(text) + strlen(more)) + 2 * LINE_CUT_SIZE + 8 };

    line.bytes = malloc(line.limit + 1);
    if (line.bytes) {
        word_add(&line, text);
        if (*more) {
            line_add_text(&line, " -> ");
            word_add(&line, more);
        }
        line.bytes[line.size] = '\0';
    }
    cell_put(grid, line.bytes);
}

void grid_add(struct grid *grid, const char *text)
{
    grid_add_words(grid, text && *text ? text : "-", "");
}

int grid_print(const struct grid *grid, FILE *stream)
{
    if (grid->failed)
        return grid->failed;
    for (size_t i = 0; i < grid->count; i++) {
        size_t column = i % grid->columns;
        bool last = column == grid->columns - 1;

        fputs(grid->cells[i], stream);
        fprintf(stream, "%*s", last ? 0 : (int)(grid->widths[column] - width_of(grid->cells[i]) + 2), "");
        if (last)
            fputc('\n', stream);
    }
    return 0;
}

void grid_done(struct grid *grid)
{
    for (size_t i = 0; i < grid->count; i++)
        free(grid->cells[i]);
    free(grid->cells);
    *grid = (struct grid){ .columns = grid->columns };
}
