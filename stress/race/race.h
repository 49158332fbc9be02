/* SPDX-License-Identifier: MIT */
/*
 * race.h - threads that update one number, and how many updates it kept.
 */
#ifndef STRESS_RACE_H
#define STRESS_RACE_H

#include <weft/counter.h>

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "scenario.h"
#include "workers.h"

#define RACE_BATCH 250 /* updates between two looks at the clock */

/* What the workers share. */
struct race_job {
    alignas(64) _Atomic int64_t word; /* the number, unless it is a counter */
    alignas(64) pthread_mutex_t lock;
    weft_counter *counter;      /* constant, like what follows */
    int64_t limit;              /* updates a worker makes at most */
    struct race_tally *tallies; /* one for each worker, its own */
};

struct race_tally {
    alignas(64) int64_t done; /* updates this worker made */
};

struct race_variant {
    const char *name;
    bool is_broken;
    void (*body)(struct worker *w);
    bool uses_counter; /* of `kind`, instead of the word */
    enum weft_counter_kind kind;
};

/* How long it goes on: until one of the two is reached. */
struct race_load {
    unsigned threads;
    double seconds;
    int64_t limit; /* updates of each thread; 0: none */
};

struct race_result {
    int64_t done;
    int64_t found; /* what the number came to */
    double elapsed_s;
};

/*
 * Let the workers update, and compare.
 *
 *   returns    true; false if the report has been abandoned
 */
bool race_measure(const struct race_variant *v, const struct race_load *load,
                  const struct options *o, struct report *r,
                  struct race_result *result);

/* Add a row that judges the result: a mended variant must lose nothing. */
void race_columns(struct table *t);
void race_row(struct table *t, const struct race_variant *v, unsigned threads,
              const struct race_result *result);

/* Run each variant that is asked for with each number of threads. */
enum outcome race_run(const struct race_variant *variants, size_t count,
                      const struct options *o, struct report *r);

/* Whether a worker of a race has done all it is to do. */
static inline bool
race_is_over(const struct worker *w, int64_t done)
{
    const struct race_job *job = w->shared;

    return done >= job->limit || worker_is_stopped(w);
}

/* The option --variant of every race. */
extern const struct extra race_extras[];

/* The variants of race lost-update, of which the tour shows some. */
#define RACE_LOST_UPDATE_COUNT 4
extern const struct race_variant race_lost_update_variants[];

#endif /* STRESS_RACE_H */
