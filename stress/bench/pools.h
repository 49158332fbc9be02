/* SPDX-License-Identifier: MIT */
/*
 * pools.h - what is measured of pools: each variant does a job once, over and
 * over, and says how many tasks that were and whether the outcome is right.
 */
#ifndef STRESS_BENCH_POOLS_H
#define STRESS_BENCH_POOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/sanitized.h"

/* The sizes, so that a job takes milliseconds.  ThreadSanitizer's builds only
 * show that it is done right. */
#define POOL_QUEENS 9
#if SANITIZED_THREADS
#define POOL_FIB     18
#define POOL_TREE    10000
#define POOL_SKYNET  1000
#define POOL_FLAT    1000
#define POOL_SUBMITS 1000
#define POOL_TRIPS   50
#define POOL_MATRIX  32
#define POOL_FOR     10000
#define POOL_SKEWED  1000
#define POOL_STEPS   5
#define POOL_SMALLS  10
#else
#define POOL_FIB     27
#define POOL_TREE    100000 /* leaves */
#define POOL_SKYNET  100000 /* leaves, ten to a node */
#define POOL_FLAT    100000 /* tasks */
#define POOL_SUBMITS 20000  /* tasks */
#define POOL_TRIPS   200
#define POOL_MATRIX  256      /* rows and columns */
#define POOL_FOR     10000000 /* numbers */
#define POOL_SKEWED  10000    /* the same */
#define POOL_STEPS   500      /* for a number that is not dear */
#define POOL_SMALLS  20       /* loops */
#endif
#define POOL_SMALL   1000 /* numbers */
#define POOL_THREADS 100  /* at a time, where each task has its own */

/* Who runs it. */
struct pool_place {
    void *pool; /* a weft_pool, or what a rival has */
    unsigned workers;
    double seconds; /* that the row has */
    uint64_t runs;  /* where jobs are counted: how many since `before` */
};

struct pool_job {
    const char *name; /* NULL ends a list */
    const char *note;
    bool rival;
    bool baseline;
    bool alone; /* it has one thread: only in the tables of one worker */
    int kind;   /* an enum weft_impl, or its own */
    bool (*open)(struct pool_place *at, int kind);
    void (*close)(struct pool_place *at);
    /* Do it once; how many tasks that were, 0 if the outcome is wrong. */
    uint64_t (*run)(struct pool_place *at);
    /* NULL, or what is done once, before the time that counts. */
    void (*before)(struct pool_place *at);
    /* NULL, or whether the runs together did what they should; after it. */
    bool (*is_right)(struct pool_place *at);
};

struct pool_table {
    const char *name; /* NULL ends a list */
    const char *title;
    const char *unit; /* of one task */
    double per_ns;    /* the unit [1 / ns] */
    const struct pool_job *jobs;
    const struct pool_job *rivals; /* more of them, as far as there are any */
    /* NULL, or what takes the place of `run`: a figure; below 0: it is wrong. */
    double (*figure)(struct pool_place *at);
    bool alone; /* with one worker only */
};

extern const struct pool_table pool_tables[];

/* What each does, without a pool; for its rivals and for the outcome. */
uint64_t pool_fib(uint64_t n);
unsigned pool_queens_fit(const char *rows, unsigned n, char row);
uint64_t pool_hash(uint64_t seed);

/* pools_serial.c: plain calls. */
uint64_t pool_serial_fib(struct pool_place *at);
uint64_t pool_serial_queens(struct pool_place *at);
uint64_t pool_serial_tree(struct pool_place *at);
uint64_t pool_serial_skynet(struct pool_place *at);

/* pools_weft.c. */
bool pool_weft_open(struct pool_place *at, int kind);
void pool_weft_close(struct pool_place *at);
uint64_t pool_weft_fib(struct pool_place *at);
uint64_t pool_weft_queens(struct pool_place *at);
uint64_t pool_weft_tree(struct pool_place *at);
uint64_t pool_weft_skynet(struct pool_place *at);
uint64_t pool_weft_flat(struct pool_place *at);
uint64_t pool_weft_submit(struct pool_place *at);
uint64_t pool_weft_futures(struct pool_place *at);
uint64_t pool_weft_two(struct pool_place *at);
uint64_t pool_weft_trips(struct pool_place *at);

/* pools_loops.c: plain loops, and the loops of a pool of Weft. */
uint64_t pool_serial_matrix(struct pool_place *at);
uint64_t pool_serial_for(struct pool_place *at);
uint64_t pool_serial_skewed(struct pool_place *at);
uint64_t pool_serial_small(struct pool_place *at);
uint64_t pool_weft_matrix(struct pool_place *at);
uint64_t pool_weft_for(struct pool_place *at);
uint64_t pool_weft_skewed(struct pool_place *at);
uint64_t pool_weft_small(struct pool_place *at);

/* pools_rest.c: pools that rest.  CPU time of 3 s [us], a trip [us], memory of a task
 * that waits [bytes]. */
double pool_idle(struct pool_place *at);
double pool_cold(struct pool_place *at);
double pool_weft_room(struct pool_place *at);
double pool_weft_future_room(struct pool_place *at);

/* The same without a pool, for what waking costs. */
uint64_t pool_bare_trips(struct pool_place *at);

/* pools_glib.c, pools_openmp.c, or files that have none. */
extern const struct pool_job pool_glib_submits[];
extern const struct pool_job pool_glib_twos[];
extern const struct pool_job pool_glib_idle[];
extern const struct pool_job pool_openmp_fibs[];
extern const struct pool_job pool_openmp_queens[];
extern const struct pool_job pool_openmp_trees[];
extern const struct pool_job pool_openmp_skynets[];
extern const struct pool_job pool_openmp_flats[];
extern const struct pool_job pool_openmp_matrices[];
extern const struct pool_job pool_openmp_fors[];
extern const struct pool_job pool_openmp_skewed[];
extern const struct pool_job pool_openmp_smalls[];

/* pools_serial.c: a thread for each task. */
uint64_t pool_thread_submits(struct pool_place *at);
uint64_t pool_thread_trips(struct pool_place *at);

#endif /* STRESS_BENCH_POOLS_H */
