/* SPDX-License-Identifier: MIT */
/*
 * contention.h - threads that all use one object, and how much they get done.
 */
#ifndef STRESS_CONTENTION_H
#define STRESS_CONTENTION_H

#include <weft/counter.h>
#include <weft/ring.h>

#include "options.h"
#include "report/report.h"

/* One of the two: a counter that each thread adds 1 to, or a ring that each
 * thread puts an item into and takes one out of, over and over. */
struct contender {
    const char *name;
    bool is_ring;
    enum weft_counter_kind kind;
    enum weft_impl impl;
};

struct contention {
    double rate; /* additions, or items put and taken [1/s] */
    bool right;  /* nothing was lost and nothing came twice */
};

/*
 * Let `threads` threads use a new object for `seconds`.
 *
 *   returns    true; false if the report has been abandoned
 */
bool contention_measure(const struct contender *c, unsigned threads,
                        double seconds, const struct options *o,
                        struct report *r, struct contention *result);

#endif /* STRESS_CONTENTION_H */
