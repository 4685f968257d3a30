/*
 * A line of a log: appenders into memory of a fixed size, none of which formats by printf, since one is made for each
 * request. Whatever the bytes are that go in, what comes out is one line, valid UTF-8, without control characters.
 */
#ifndef BERTH_COMMON_LINE_H
#define BERTH_COMMON_LINE_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* Nothing is ever written beyond `limit`: what does not fit is left out. */
struct line {
    char *bytes;
    size_t size, limit;
};

/* How text from elsewhere is shown. All of them show a byte that must not be seen as itself as \n, \t, \xNN and so on.
 */
enum line_style {
    LINE_PLAIN,  /* nothing else: the end of a line, which a person reads */
    LINE_WORD,   /* nor spaces, quotes and backslashes: it stays one word */
    LINE_QUOTED, /* quotes and backslashes have a backslash before them: for between quotes, which it brings along */
    LINE_JSON,   /* a JSON string, quotes included (RFC 8259); what is no UTF-8 is \xNN in its value */
};

/* So much of the line's room a mark at the end of what was cut takes: an ellipsis. */
#define LINE_CUT_SIZE 3

void line_add(struct line *line, const char *bytes, size_t size);
void line_add_text(struct line *line, const char *text); /* as it is */
void line_add_number(struct line *line, uint64_t number);
void line_add_padded(struct line *line, uint64_t number, unsigned int digits); /* with zeroes before it */

/* At most `room` bytes in all, quotes and mark included; longer texts are cut and marked. A character is never cut. */
void line_add_escaped(struct line *line, const char *text, enum line_style style, size_t room);

/* The time that was formatted last: it is the same for all lines of a second. Begins as zeroes. */
struct line_clock {
    time_t second;
    size_t size, zone_size;
    char text[32], zone[8];
};

/* RFC 3339 with milliseconds, in the local time zone. */
void line_add_time(struct line *line, struct line_clock *clock, const struct timespec *time);

#endif
