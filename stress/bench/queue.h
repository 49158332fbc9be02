/* SPDX-License-Identifier: MIT */
/*
 * queue.h - queues under measurement: what a variant brings along, and what
 * one thread of a run does and finds.
 *
 * A variant brings one function, `work`, that is the whole measured loop with
 * its own operations compiled in (queue_loops.h).
 */
#ifndef STRESS_BENCH_QUEUE_H
#define STRESS_BENCH_QUEUE_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/bench.h"
#include "report/histogram.h"
#include "workers.h"

#define QUEUE_LIST_MAX     OPTIONS_THREADS_MAX /* mixes, capacities */
#define QUEUE_CAPACITY_MAX (1u << 28)
#define QUEUE_BULK         32 /* items at once, where a row is about bulk */

/* Which numbers of producers and consumers a variant is made for. */
enum queue_mode {
    QUEUE_SPSC = 1,
    QUEUE_SPMC = 2,
    QUEUE_MPSC = 4,
    QUEUE_MPMC = 8,
    QUEUE_ONE_CONSUMER = QUEUE_SPSC | QUEUE_MPSC,
    QUEUE_MANY_CONSUMERS = QUEUE_SPMC | QUEUE_MPMC,
    QUEUE_ANY = 15,
    QUEUE_UNORDERED = 16 /* not a mode: items may overtake each other */
};

/* What a table measures. */
enum queue_kind {
    QUEUE_FLOW,  /* producers push, consumers pop */
    QUEUE_BULKY, /* the same, QUEUE_BULK items a call */
    QUEUE_PAIRS, /* every thread pushes one, then pops one */
    QUEUE_PING,  /* one item goes there on one queue and back on another */
    QUEUE_SLEEP  /* a pop waits until the end, when one item comes */
};

/* What one thread does. */
enum queue_job {
    QUEUE_PRODUCE,
    QUEUE_CONSUME,
    QUEUE_PRODUCE_BULK,
    QUEUE_CONSUME_BULK,
    QUEUE_PUSH_POP,
    QUEUE_ASK,
    QUEUE_ANSWER,
    QUEUE_DOZE,
    QUEUE_RING
};

struct queue_load {
    enum queue_kind kind;
    unsigned producers; /* QUEUE_PAIRS: threads; consumers is the same */
    unsigned consumers;
    size_t capacity; /* window of the unbounded */
    bool one_cpu;    /* all threads on the same */
};

struct queue_hand;

struct queue_variant {
    const char *name;
    const char *note;
    bool rival;
    bool baseline;
    bool has_bulk;
    unsigned modes; /* of enum queue_mode */
    int kind;       /* for `create` */
    /* NULL if memory runs out. */
    void *(*create)(const struct queue_load *load, int kind);
    void (*destroy)(void *queue);
    void (*work)(struct queue_hand *h);
    /* Wake consumers that sleep in an empty queue, the producers being gone;
     * NULL: nobody sleeps. */
    void (*finish)(void *queue);
};

/* All variants of one bench; ended by a name of NULL. */
extern const struct queue_variant queue_weft_ring[];
extern const struct queue_variant queue_weft_spsc[];
extern const struct queue_variant queue_weft_stack[];
extern const struct queue_variant queue_weft_fifo[];
extern const struct queue_variant queue_list[];
extern const struct queue_variant queue_ck_fifo[];
extern const struct queue_variant queue_weft_blocking[];
extern const struct queue_variant queue_weft_unbounded[];
extern const struct queue_variant queue_weft_polled[];
extern const struct queue_variant queue_pthread[];
extern const struct queue_variant queue_pthread_blocking[];
extern const struct queue_variant queue_ck[];
extern const struct queue_variant queue_urcu[];
extern const struct queue_variant queue_glib[];
extern const struct queue_variant queue_stack_rivals[];

/* One run of one variant. */
struct queue_run {
    const struct queue_variant *variant;
    const struct queue_load *load;
    void *queue;
    void *back; /* QUEUE_PING: the way back */
    bool timed; /* single operations are timed, not the whole */
    struct queue_hand *hands;
    unsigned hand_count;
    alignas(64) atomic_uint producing; /* threads that may still push */
};

/* One thread, on lines of its own. */
struct queue_hand {
    alignas(64) void *queue;
    void *back;
    struct queue_run *run;
    const struct worker *worker;
    enum queue_job job;
    unsigned index; /* among those that push into `queue` */
    uint64_t pushed;
    uint64_t popped;
    uint64_t pushed_sum;
    uint64_t popped_sum;
    uint64_t disorder;       /* items that came out of their producer's order */
    uint64_t *last;          /* number seen last, of each producer */
    struct histogram *times; /* NULL: not timed; in ticks */
    int64_t begin_ns;
    int64_t end_ns;
    int64_t cpu_ns;      /* QUEUE_DOZE: CPU time of the pop */
    int64_t given_up_ns; /* when it first waited on after the end; 0: never */
};

/* An item is its producer and its number, from 1. */
#define QUEUE_NUMBER_BITS 40
#define QUEUE_LAST_ITEM   ((void *)UINTPTR_MAX) /* QUEUE_PING: that was all */

static inline uint64_t
queue_first_item(unsigned producer)
{
    return (uint64_t)(producer + 1) << QUEUE_NUMBER_BITS;
}

/*
 * Wait a moment for room or for items: a few pauses, then the processor goes
 * to whoever has work.
 *
 *   tries      0 the first time, then what the last call returned
 *   returns    that; 0 once the run has been over for so long that what is
 *              waited for must have been lost
 */
unsigned queue_wait(struct queue_hand *h, unsigned tries);

/* CPU time of the calling thread so far [ns]. */
int64_t queue_cpu_ns(void);

/* Sleep until the run is over. */
void queue_await_end(const struct queue_hand *h);

/* Pushing is over for this thread; the last one wakes who sleeps. */
void queue_produced(struct queue_hand *h);

/* Whether nobody pushes any more. */
bool queue_is_dry(const struct queue_hand *h);

/*
 * Judge what all hands moved.
 *
 *   fault      what is wrong, in words; empty if nothing is
 */
void queue_check(const struct queue_run *run, char fault[BENCH_FAULT_BYTES]);

/* Measure one variant under one load, once; false if there was no memory or
 * there were no threads. */
bool queue_measure(const struct bench_table *t, const struct bench_row *row,
                   const struct bench_cell *cell, struct bench_sample *out);

/* What the options say about a bench of queues. */
struct queue_plan {
    const char *bound; /* what the queues call it; NULL: capacity */
    struct mix mixes[QUEUE_LIST_MAX];
    size_t mix_count;
    unsigned capacities[QUEUE_LIST_MAX];
    size_t capacity_count;
    unsigned pairs[OPTIONS_THREADS_MAX];
    size_t pair_count;
    unsigned alone; /* modes that fit where one thread pushes and pops */
    struct mix bulks[4];
    size_t bulk_count;
    const char *only;              /* part of a variant's name; NULL: all */
    const struct options *options; /* for `rows`: which kinds of tables */
    const struct queue_variant *const *variants; /* ended by NULL */
};

/* The options of the benches of queues. */
extern const struct extra queue_extras[];

/* Fill in what the options say; what they leave open stays or is the usual. */
void queue_plan(struct queue_plan *plan, const struct options *o);

/* Add the tables of the plan to the run. */
void queue_tables(struct bench_run *run, const struct queue_plan *plan);

/* The tables of a queue whose calls wait: `plan->variants` with a capacity,
 * `unbounded` without. */
void queue_blocking_tables(struct bench_run *run, const struct queue_plan *plan,
                           const struct queue_variant *const *unbounded);

/* Add one of throughput only, with as many producers as consumers and those
 * variants only that are for any number of both. */
void queue_quick_table(struct bench_run *run, const struct queue_plan *plan,
                       unsigned each, unsigned capacity);

#endif /* STRESS_BENCH_QUEUE_H */
