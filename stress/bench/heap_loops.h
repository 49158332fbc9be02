/* SPDX-License-Identifier: MIT */
/*
 * heap_loops.h - the measured loops, written once, compiled for each variant:
 *
 *       HEAP_WORK(work_weft, push_weft, pop_weft)
 */
#ifndef STRESS_BENCH_HEAP_LOOPS_H
#define STRESS_BENCH_HEAP_LOOPS_H

#include "bench/heap.h"

#define HEAP_INLINE static inline __attribute__((always_inline))
#define HEAP_ROUND  16 /* turns between two looks at the stop flag */

struct heap_ops {
    bool (*push)(void *heap, struct heap_item *item);
    struct heap_item *(*pop)(void *heap); /* NULL: it is empty */
};

/* Who finds it empty, all items being on their way, just tries again. */
HEAP_INLINE void
heap_hold(struct worker *w, struct heap_run *run, const struct heap_ops *ops)
{
    const uint32_t width = 2 * run->load->size + 1;
    uint64_t turns = 0;
    uint64_t lost = 0;

    do {
        for (unsigned k = 0; k < HEAP_ROUND; k++) {
            struct heap_item *item = ops->pop(run->heap);
            if (item == NULL)
                continue;
            item->key += prng_below(&w->random, width);
            lost += !ops->push(run->heap, item);
            turns++;
        }
    } while (!worker_is_stopped(w));
    run->hands[w->index].turns = turns;
    run->hands[w->index].lost = lost;
}

HEAP_INLINE void
heap_fill(struct worker *w, struct heap_run *run, const struct heap_ops *ops)
{
    uint64_t turns = 0;
    uint64_t lost = 0;

    for (size_t i = w->index; i < run->load->size; i += w->count, turns++) {
        run->items[i].key = prng_below(&w->random, UINT32_MAX);
        lost += !ops->push(run->heap, &run->items[i]);
    }
    run->hands[w->index].turns = turns;
    run->hands[w->index].lost = lost;
}

HEAP_INLINE void
heap_drain(struct worker *w, struct heap_run *run, const struct heap_ops *ops)
{
    struct heap_item *item;
    uint64_t turns = 0;

    while ((item = ops->pop(run->heap)) != NULL) {
        item->seen++;
        turns++;
    }
    run->hands[w->index].turns = turns;
}

HEAP_INLINE void
heap_work(struct worker *w, const struct heap_ops *ops)
{
    struct heap_run *run = w->shared;

    switch (run->load->kind) {
    case HEAP_HOLD:
        heap_hold(w, run, ops);
        break;
    case HEAP_FILL:
        heap_fill(w, run, ops);
        break;
    case HEAP_DRAIN:
        heap_drain(w, run, ops);
        break;
    }
}

#define HEAP_WORK(name, push, pop)                      \
    static void name(struct worker *w)                  \
    {                                                   \
        static const struct heap_ops ops = {push, pop}; \
        heap_work(w, &ops);                             \
    }

#endif /* STRESS_BENCH_HEAP_LOOPS_H */
