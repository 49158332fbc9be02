/* SPDX-License-Identifier: MIT */
/*
 * report.h - what a run found: on the screen as it goes, in files at the end.
 *
 *       struct table *t = report_table(r, "lost", "updates lost");
 *       table_column(t, "variant", NULL);
 *       table_column(t, "lost", "updates");
 *       table_row(t);
 *       table_text(t, "mutex");
 *       table_count(t, lost);
 *       table_verdict(t, lost == 0 ? VERDICT_OK : VERDICT_FAILED, NULL);
 *       table_end(t);
 *
 * All of it belongs to the thread that runs the scenario.  Memory that runs out
 * ends the program with one line and status 1.
 */
#ifndef STRESS_REPORT_H
#define STRESS_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define REPORT_FORMAT(text, first) __attribute__((format(printf, text, first)))

enum outcome {
    OUTCOME_OK,     /* all as it should be: exit status 0 */
    OUTCOME_FAILED, /* something failed: 1 */
    OUTCOME_USAGE   /* it was asked for wrongly, and a line said so: 2 */
};

enum verdict {
    VERDICT_NONE,
    VERDICT_OK,
    VERDICT_FAILED, /* makes the exit status 1 */
    VERDICT_NOTE    /* neither, but there is something to say */
};

struct report;
struct table; /* belongs to its report */

struct report *report_create(FILE *screen);
void report_destroy(struct report *r);

/* The tables that follow belong to the scenario `name`. */
void report_scenario(struct report *r, const char *name);

/* A fact about the run: "cpu", "AMD EPYC 9354". */
void report_meta(struct report *r, const char *key, const char *format, ...)
    REPORT_FORMAT(3, 4);

/* A line for people, without its newline. */
void report_say(struct report *r, const char *format, ...) REPORT_FORMAT(2, 3);

/* The same with an empty line above, bold where that can be shown. */
void report_heading(struct report *r, const char *format, ...)
    REPORT_FORMAT(2, 3);

/*
 * Say in one line on stderr why the run cannot go on; no file will be written.
 *
 *   returns    OUTCOME_FAILED, so that a scenario can return the call
 */
enum outcome report_abandon(struct report *r, const char *format, ...)
    REPORT_FORMAT(2, 3);
bool report_is_abandoned(const struct report *r);

/* OUTCOME_FAILED if the run was abandoned or a row has VERDICT_FAILED. */
enum outcome report_outcome(const struct report *r);

/*
 * Begin a table.  First all its columns, then row by row one cell for each
 * column, left to right.
 *
 *   name       one word, for programs
 *   title      for people; NULL for none
 */
struct table *report_table(struct report *r, const char *name,
                           const char *title);

/* `unit` is shown in brackets; NULL for none. */
void table_column(struct table *t, const char *name, const char *unit);

void table_row(struct table *t);
void table_text(struct table *t, const char *format, ...) REPORT_FORMAT(2, 3);
void table_count(struct table *t, int64_t count);
void table_real(struct table *t, double value,
                int digits);      /* after the point */
void table_none(struct table *t); /* nothing was measured here */

/* Judge the row; `format` may be NULL. */
void table_verdict(struct table *t, enum verdict v, const char *format, ...)
    REPORT_FORMAT(3, 4);

/* The table is complete: show it. */
void table_end(struct table *t);

/* Write `count` in groups of three, "412 345", and return `text`. */
#define REPORT_COUNT_BYTES 32
char *report_count(char text[REPORT_COUNT_BYTES], int64_t count);

#endif /* STRESS_REPORT_H */
