/* SPDX-License-Identifier: MIT */
/*
 * row.h - what the stops in one operation showed, and the tables of it.
 */
#ifndef STRESS_STALL_ROW_H
#define STRESS_STALL_ROW_H

#include <stdint.h>

#include "report/report.h"
#include "stall/others.h"
#include "stall/places.h"
#include "stall/subject.h"

/* Zero bytes are one in which nothing was tried. */
struct row {
    unsigned stops;
    unsigned fates[FATES];
    int64_t longest_ns; /* until the others were done, where they went on */
    struct places places;
    const char *wrong; /* NULL: everything was there, and in order */
};

void row_add(struct row *sum, const struct row *row);

/* At how many stops others were held up. */
unsigned row_held(const struct row *row);

/* The table of stops: a row for each operation, and then the sum of a variant
 * with the judgement whether its promise is kept. */
struct table *row_table(struct report *r);
void row_show(struct table *t, const char *variant, const char *operation,
              const struct row *row);
void row_judge(struct table *t, const struct variant *v, const struct row *sum);

/* The table of places: those of `sum` at which others were held up. */
struct table *row_table_held(struct report *r);
void row_show_held(struct table *t, const char *variant, struct row *sum);

#endif /* STRESS_STALL_ROW_H */
