/* SPDX-License-Identifier: MIT */
/*
 * hangs.h - a program that hangs, or could, and the same one mended, each under
 * the detector.
 *
 * Each form runs in a process of its own, which is ended when it hangs: the
 * harness never does.
 */
#ifndef STRESS_HANGS_H
#define STRESS_HANGS_H

#include <weft/weft.h>

#include <stdbool.h>
#include <stddef.h>

#include "scenario.h"

/* Returns when it is over; not at all if it hangs. */
typedef void deadlock_body(unsigned threads);

struct deadlock_case {
    const char *says[3]; /* what this is about, line by line */
    const char *found;   /* what the report of the broken form has in it; NULL:
                            nothing may be reported */
    bool recovers;       /* the broken form backs out, and ends */
    bool goes_well;      /* it ends as it is, but might have hung */
    unsigned threads;    /* if none are asked for */
    deadlock_body *broken; /* NULL: there is none */
    deadlock_body *mended;
};

/* Run both forms and judge what the detector said. */
enum outcome deadlock_run(const struct deadlock_case *c,
                          const struct options *o, struct report *r);

/* For the bodies: start a thread that does not keep the process, and wait for
 * its end; no memory ends the process. */
weft_thread *deadlock_start(weft_fn *fn, void *arg, const char *name);
void deadlock_join(weft_thread *t);

/* Run these at the same time as far as anybody knows, but one after the other:
 * nobody ever waits. */
void deadlock_take_turns(weft_fn *const *bodies, void *const *args, unsigned n);

/* Meet `parties` threads here. */
void deadlock_meet(weft_barrier *b);
void deadlock_meet_init(weft_barrier *b, unsigned parties);

/* Make it a scenario `weft-stress deadlock NAME`. */
#define DEADLOCK_SCENARIO(variable, case_, name_, summary_)     \
    static enum outcome run_##variable(const struct options *o, \
                                       struct report *r)        \
    {                                                           \
        return deadlock_run(&(case_), o, r);                    \
    }                                                           \
    const struct scenario variable = {.command = "deadlock",    \
                                      .name = name_,            \
                                      .summary = summary_,      \
                                      .run = run_##variable}

#endif /* STRESS_HANGS_H */
