/*
 * What a person reads: a line for each check, with a mark, and the remedy at the end. Whatever bytes a name or a
 * server's answer has, a line is one line, without control characters.
 */
#ifndef BERTH_DOCTOR_REPORT_H
#define BERTH_DOCTOR_REPORT_H

#include <stdio.h>

/* Longer lines are cut. */
enum { REPORT_LINE_MAX = 1024 };

/* `check` is the word in the second column. */
void report_ok(FILE *stream, const char *check, const char *format, ...) __attribute__((format(printf, 3, 4)));
void report_hint(FILE *stream, const char *check, const char *format, ...) __attribute__((format(printf, 3, 4)));
void report_wrong(FILE *stream, const char *check, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* What to do about the line that is wrong. Returns 1, which is what an examination that found something returns. */
int report_remedy(FILE *stream, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
