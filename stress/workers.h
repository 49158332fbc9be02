/* SPDX-License-Identifier: MIT */
/*
 * workers.h - threads that begin together and end together.
 *
 *       static void
 *       add(struct worker *w)
 *       {
 *           while (!worker_is_stopped(w))
 *               weft_counter_add(w->shared, 1);
 *       }
 *
 *       struct crew crew = {.threads = 4, .seconds = 2, .body = add,
 *                           .shared = counter, .seed = o->seed};
 *       if (!crew_run(&crew, r))
 *           return OUTCOME_FAILED;
 */
#ifndef STRESS_WORKERS_H
#define STRESS_WORKERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "random.h"
#include "report/report.h"

struct worker {
    unsigned index; /* 0 to count - 1 */
    unsigned count;
    void *shared;
    struct prng random; /* its own sequence, the same for the same seed */
    const _Atomic bool *stop;
    int64_t end_ns; /* when its body returned */
};

struct crew {
    unsigned threads; /* at least 1 */
    double seconds;   /* 0: until every body has returned by itself */
    bool pin;         /* worker i to the i-th CPU allowed, and round again */
    uint64_t seed;
    void (*body)(struct worker *w);
    void *shared;
    const char *what; /* for the progress line; NULL: none is shown */
    double elapsed_s; /* out: from the gate to the last body's return */
};

/*
 * Start the workers, let them go together, and wait for them.
 *
 *   returns    true; false after a complaint if the system grants no more
 *              threads: then no body has run and the report is abandoned
 */
bool crew_run(struct crew *c, struct report *r);

/* Whether the time is over or the user has interrupted the run. */
static inline bool
worker_is_stopped(const struct worker *w)
{
    /* Relaxed: it carries no data; seen late, it costs one more turn. */
    return atomic_load_explicit(w->stop, memory_order_relaxed);
}

#endif /* STRESS_WORKERS_H */
