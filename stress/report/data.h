/* SPDX-License-Identifier: MIT */
/*
 * data.h - a report as its writers see it.
 */
#ifndef STRESS_REPORT_DATA_H
#define STRESS_REPORT_DATA_H

#include <stddef.h>

#include "report/report.h"

enum cell_kind { CELL_NONE, CELL_TEXT, CELL_COUNT, CELL_REAL };

struct cell {
    enum cell_kind kind;
    int digits;    /* CELL_REAL */
    char *text;    /* CELL_TEXT */
    int64_t count; /* CELL_COUNT */
    double real;   /* CELL_REAL */
};

struct column {
    char *name;
    char *unit; /* or NULL */
};

struct row {
    struct cell *cells; /* one for each column */
    size_t filled;
    enum verdict verdict;
    char *note; /* or NULL */
};

struct table {
    struct report *report;
    char *scenario; /* or NULL */
    char *name;
    char *title; /* or NULL */
    struct column *columns;
    size_t column_count;
    struct row *rows;
    size_t row_count;
};

struct meta {
    char *key;
    char *value;
};

struct report {
    FILE *screen;
    bool bold;      /* it is a terminal, and colours are not refused */
    char *scenario; /* the one that runs, or NULL */
    struct meta *metas;
    size_t meta_count;
    char **lines; /* for people */
    size_t line_count;
    struct table **tables;
    size_t table_count;
    bool failed; /* a row has VERDICT_FAILED */
    bool abandoned;
};

/* "ok", "FAILED", "note", or "" for VERDICT_NONE. */
const char *verdict_name(enum verdict v);

void table_print(const struct table *t, FILE *f);

/*
 * Write all of the report.
 *
 *   returns    whether it could; the stream's own errors are the caller's
 */
bool report_write_json(const struct report *r, FILE *f);
bool report_write_csv(const struct report *r, FILE *f);

#endif /* STRESS_REPORT_DATA_H */
