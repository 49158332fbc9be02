/* SPDX-License-Identifier: MIT */
/*
 * counter.h - counters under measurement, in the same way as queue.h has
 * queues.
 */
#ifndef STRESS_BENCH_COUNTER_H
#define STRESS_BENCH_COUNTER_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "bench/bench.h"
#include "report/histogram.h"
#include "workers.h"

enum counter_job {
    COUNTER_ADD,
    COUNTER_ADD_TIMED,
    COUNTER_FILL, /* add COUNTER_READ_SUM, so that a sum has something to find */
    COUNTER_SUM
};

struct counter_load {
    bool reads;       /* what is measured: sums, not additions */
    unsigned threads; /* that add, or that have a place in what is summed */
};

struct counter_hand;

struct counter_variant {
    const char *name;
    const char *note;
    bool rival;
    bool baseline;
    int kind;
    void *(*create)(unsigned threads, int kind); /* NULL: no memory */
    void (*destroy)(void *counter);
    void (*work)(struct counter_hand *h); /* the measured loops */
    int64_t (*sum)(void *counter);
};

/* Ended by a name of NULL. */
extern const struct counter_variant counter_weft[];
extern const struct counter_variant counter_rivals[];

struct counter_run {
    const struct counter_variant *variant;
    enum counter_job job;
    void *counter;
    struct counter_hand *hands;
    unsigned hand_count;
};

/* One thread, on lines of its own. */
struct counter_hand {
    alignas(64) void *counter;
    struct counter_run *run;
    const struct worker *worker;
    unsigned index;
    uint64_t done;           /* additions, or sums */
    uint64_t wrong;          /* sums that were not what had been added */
    struct histogram *times; /* NULL: not timed; in ticks */
    int64_t begin_ns;
    int64_t end_ns;
};

/* What is in a counter before it is only read. */
#define COUNTER_READ_SUM 12345

/* Judge a run: empty if the sum is what was added. */
void counter_check(const struct counter_run *run, int64_t sum,
                   char fault[BENCH_FAULT_BYTES]);

bool counter_measure(const struct bench_table *t, const struct bench_row *row,
                     const struct bench_cell *cell, struct bench_sample *out);

#endif /* STRESS_BENCH_COUNTER_H */
