/* SPDX-License-Identifier: MIT */
/*
 * heap.h - priority queues under measurement: what a variant brings along, and
 * what one thread of a run does and finds.
 *
 * A variant brings one function, `work`, that is the whole measured loop with
 * its own operations compiled in (heap_loops.h).
 */
#ifndef STRESS_BENCH_HEAP_H
#define STRESS_BENCH_HEAP_H

#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/bench.h"
#include "workers.h"

/* What a table measures. */
enum heap_kind {
    HEAP_HOLD, /* pop one, push it again further back: the size stays */
    HEAP_FILL, /* push only, into an empty one */
    HEAP_DRAIN /* pop only, until it is empty */
};

struct heap_load {
    enum heap_kind kind;
    unsigned threads;
    unsigned size; /* items before, or after it is filled */
};

/* An item: what it is ordered by, and how often it came out at the end. */
struct heap_item {
    int64_t key;
    unsigned seen;
};

struct heap_variant {
    const char *name; /* NULL ends a list */
    const char *note;
    bool rival;
    bool baseline;
    unsigned most;             /* the largest size it is good for; 0: any */
    int kind;                  /* for `create` */
    void *(*create)(int kind); /* NULL if memory runs out */
    void (*destroy)(void *heap);
    bool (*push)(void *heap, struct heap_item *item);
    struct heap_item *(*pop)(void *heap); /* NULL: it is empty */
    void (*work)(struct worker *w);
};

extern const struct heap_variant heap_weft[];
extern const struct heap_variant heap_pthread[];
extern const struct heap_variant heap_glib[];

/* One thread, on lines of its own. */
struct heap_hand {
    alignas(64) uint64_t turns;
    uint64_t lost; /* pushes without memory */
};

struct heap_run {
    const struct heap_variant *variant;
    const struct heap_load *load;
    void *heap;
    struct heap_item *items; /* `size` of them */
    struct heap_hand *hands;
};

/* Measure one variant under one load, once. */
bool heap_measure(const struct bench_table *t, const struct bench_row *row,
                  const struct bench_cell *cell, struct bench_sample *out);

#endif /* STRESS_BENCH_HEAP_H */
