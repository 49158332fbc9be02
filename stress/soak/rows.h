/* SPDX-License-Identifier: MIT */
/*
 * rows.h - a list of subjects, one after the other, a row for each.
 */
#ifndef STRESS_SOAK_ROWS_H
#define STRESS_SOAK_ROWS_H

#include <stddef.h>

#include "scenario.h"
#include "soak/sync.h"

struct soak_list {
    const char *name;   /* of the scenario and its table */
    const char *column; /* what a subject is called */
    const char *stuck;  /* what has come of a thread that does not get on */
    const struct soak_subject *const *subjects;
    size_t count;
};

/* The options of the soaks that go by such a list. */
extern const struct extra soak_extras[];

/*
 * Soak those that the option `only` asks for, by their whole name or by the
 * part before its first slash.  A library built with --enable-sched draws what
 * its schedule points do from the same seed.
 */
enum outcome soak_rows(const struct soak_list *list, const struct options *o,
                       struct report *r);

#endif /* STRESS_SOAK_ROWS_H */
