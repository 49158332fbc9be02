/* SPDX-License-Identifier: MIT */
/*
 * bench.h - measures things side by side: every round runs each row of each
 * table once, in an order that the seed shuffles anew, and the round trip of a
 * cache line between two CPUs is taken before and after each of them.
 *
 * A virtual machine's CPUs are near to each other or far apart, and the host
 * moves them every few seconds; rounds of different states are never mixed in
 * a median.
 *
 *       struct bench_table *t = bench_table(&run, ...);
 *       bench_row(t, ...);
 *       if (bench_measure(&run))
 *           bench_print(&run);
 *       bench_end(&run);
 */
#ifndef STRESS_BENCH_BENCH_H
#define STRESS_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/usage.h"
#include "options.h"
#include "report/report.h"

#define BENCH_FAULT_BYTES 96

enum bench_percentile {
    BENCH_P50,
    BENCH_P99,
    BENCH_P999,
    BENCH_MOST,
    BENCH_PERCENTILES
};

/* What one row gave in one round. */
struct bench_sample {
    double value; /* in the unit of its table */
    double turns; /* most over fewest operations of a thread; 0: one thread */
    double switches;       /* voluntary ones of all threads [per second] */
    double trip_before_ns; /* 0: there is only one CPU */
    double trip_after_ns;
    double latency_ns[BENCH_PERCENTILES]; /* 0: not taken */
    bool done;
    char fault[BENCH_FAULT_BYTES]; /* empty: all that went in came out */
};

/* How long and with what a row is measured; the seed differs per cell. */
struct bench_cell {
    double seconds;
    uint64_t seed;
    bool pin;
    struct report *report;
};

struct bench_row {
    const char *name;
    const char *note; /* what the reader should know of it; NULL: nothing */
    bool rival;
    bool baseline; /* the row that the others are compared with */
    const void *subject;
    struct bench_sample *samples; /* one per round */
};

struct bench_table {
    const char *name;  /* one word, for programs; freed with the run */
    const char *title; /* the same */
    const char *unit;
    bool less_is_better;
    bool has_turns;
    bool has_switches;
    bool has_latency;
    double weight;    /* of its rows' time, against that of others */
    const void *load; /* for `measure`; freed with the run */
    /* Fill in all of the sample but trips and `done`; false: give up. */
    bool (*measure)(const struct bench_table *t, const struct bench_row *row,
                    const struct bench_cell *cell, struct bench_sample *out);
    struct bench_row *rows;
    size_t row_count;
};

struct bench_run {
    struct report *report;
    const char *what;  /* "bench ring", for the progress line */
    double duration_s; /* of everything together */
    unsigned rounds;
    uint64_t seed;
    bool pin;
    double least_trip_ns;     /* the shortest round trip of the run */
    struct usage_share share; /* of the CPUs while it ran */
    struct bench_table *tables;
    size_t table_count;
};

/* Two CPUs near or far; one CPU; it changed meanwhile. */
enum bench_state { BENCH_ALONE, BENCH_NEAR, BENCH_FAR, BENCH_MOVED };

/* What the rounds of one row come to, all taken in one state. */
struct bench_summary {
    enum bench_state state;
    unsigned rounds; /* in that state */
    unsigned of;     /* in any */
    double median;
    double least;
    double most;
    double turns;                         /* the median */
    double switches;                      /* the same */
    double trip_ns;                       /* the median */
    double latency_ns[BENCH_PERCENTILES]; /* medians; of BENCH_MOST the most */
    const char *fault; /* of the first round that has one; NULL: none */
};

/*
 * Set a run up from the options.  `duration_s` and `rounds` are for those who
 * did not say.
 */
void bench_begin(struct bench_run *run, const char *what,
                 const struct options *o, struct report *r, double duration_s,
                 unsigned rounds);

/* Add an empty table, a copy of `t`; it is valid until the next is added. */
struct bench_table *bench_table(struct bench_run *run,
                                const struct bench_table *t);

/* Add a row, a copy of `row`. */
void bench_row(struct bench_table *t, const struct bench_row *row);

/* Run all rounds; false if the report was abandoned. */
bool bench_measure(struct bench_run *run);

/* Show the tables; a row with a fault is FAILED. */
void bench_print(const struct bench_run *run);

void bench_end(struct bench_run *run);

/* What a row of weight 1 gets of the duration, at most [s]. */
double bench_cell_s(const struct bench_run *run);

/*
 * Say on what machine and with what this is measured, before any number; the
 * machine only once in a report.
 *
 *   threads    the thread counts or mixes, in words
 */
void bench_header(const struct bench_run *run, const char *threads);

/* The shortest of many round trips of a cache line between the first two CPUs
 * [ns]; 0 if this process may use only one, negative if it was abandoned. */
double bench_round_trip(struct report *r);

/* --- sums over rounds ---------------------------------------------------- */

/* The middle value, or the mean of the two; `values` is sorted meanwhile. */
double bench_median(double *values, size_t count);

/*
 * In which state a sample was taken.  Far: a round trip over 150 ns and over
 * twice the shortest of the run.
 */
enum bench_state bench_state_of(const struct bench_sample *s, double least_ns);

/* The state in which most samples of the table were taken. */
enum bench_state bench_state_of_table(const struct bench_table *t,
                                      unsigned rounds, double least_ns);

/* Sum a row up in `state`, or in the one it has most of if it has none. */
struct bench_summary bench_summarize(const struct bench_row *row,
                                     unsigned rounds, enum bench_state state,
                                     double least_ns);

const char *bench_state_name(enum bench_state s);

/* --- for the tour -------------------------------------------------------- */

/* One variant and what it reached with each thread count. */
struct bench_quick {
    const char *name;
    bool rival;
    bool ok; /* nothing was lost */
    double per_second[OPTIONS_THREADS_MAX];
};

/*
 * Measure every variant of the counter (of the ring: half of the threads push,
 * at least one, as many pop) and its rivals with each thread count, in about
 * `seconds` together; the medians go into `rows`.
 *
 *   o          threads (with none given: 1, 2, 4, 8), seed, pin and rounds
 *   returns    how many rows, at most `max`; 0 if the report was abandoned
 */
size_t bench_quick_counter(const struct options *o, struct report *r,
                           double seconds, struct bench_quick *rows,
                           size_t max);
size_t bench_quick_ring(const struct options *o, struct report *r,
                        double seconds, struct bench_quick *rows, size_t max);

#endif /* STRESS_BENCH_BENCH_H */
