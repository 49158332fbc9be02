/* SPDX-License-Identifier: MIT */
/*
 * scenario.h - one thing that weft-stress can run.
 *
 * A scenario is one file with one `const struct scenario` in it, and one line
 * in the table of scenarios.c.
 *
 *       static enum outcome
 *       run(const struct options *o, struct report *r)
 *       {
 *           struct table *t = report_table(r, "lost", NULL);
 *           ...
 *           table_end(t);
 *           return OUTCOME_OK;      // a row marked FAILED is seen by itself
 *       }
 *
 *       const struct scenario race_lost_update = {
 *           .command = "race",
 *           .name = "lost-update",
 *           .summary = "two threads do count++ and updates vanish",
 *           .run = run,
 *       };
 */
#ifndef STRESS_SCENARIO_H
#define STRESS_SCENARIO_H

#include <stddef.h>

#include "options.h"
#include "report/report.h"

struct scenario {
    const char *command;
    const char *name; /* NULL: the command is one scenario, as `tour` is */
    const char *summary;
    enum outcome (*run)(const struct options *o, struct report *r);
    const struct extra *extras; /* options of its own, ended by a name of
                                   NULL; NULL: none */
};

struct command {
    const char *name;
    const char *summary;
};

/* Every command and every scenario, in the order `list` shows them. */
extern const struct command commands[];
extern const size_t command_count;
extern const struct scenario *const scenarios[];
extern const size_t scenario_count;

#endif /* STRESS_SCENARIO_H */
