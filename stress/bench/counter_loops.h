/* SPDX-License-Identifier: MIT */
/*
 * counter_loops.h - the measured loops of counters, compiled for each variant
 * with its own addition and sum (queue_loops.h says how and why).  Beside an
 * addition there is a quarter of an instruction of loop.
 */
#ifndef STRESS_BENCH_COUNTER_LOOPS_H
#define STRESS_BENCH_COUNTER_LOOPS_H

#include "bench/counter.h"
#include "bench/ticks.h"

#define COUNTER_ROUND  256 /* additions between two looks at the stop flag */
#define COUNTER_SAMPLE 8   /* one addition in so many is timed */
#define COUNTER_INLINE static inline __attribute__((always_inline))

struct counter_ops {
    void (*add)(struct counter_hand *h, void *counter);
    int64_t (*sum)(void *counter);
};

COUNTER_INLINE void
counter_add_round(struct counter_hand *h, const struct counter_ops *ops)
{
    void *const counter = h->counter;

    for (int i = 0; i < COUNTER_ROUND; i += 4) {
        ops->add(h, counter);
        ops->add(h, counter);
        ops->add(h, counter);
        ops->add(h, counter);
    }
}

COUNTER_INLINE void
counter_add_timed(struct counter_hand *h, const struct counter_ops *ops)
{
    for (int i = 0; i < COUNTER_ROUND; i += COUNTER_SAMPLE) {
        for (int k = 1; k < COUNTER_SAMPLE; k++)
            ops->add(h, h->counter);
        const int64_t begin = ticks_now();
        ops->add(h, h->counter);
        histogram_record(h->times, ticks_now() - begin);
    }
}

/* Do the job of `h` with the constant operations `ops`. */
COUNTER_INLINE void
counter_work(struct counter_hand *h, const struct counter_ops *ops)
{
    uint64_t done = 0;
    uint64_t wrong = 0;

    if (h->run->job == COUNTER_FILL) {
        for (int i = 0; i < COUNTER_READ_SUM; i++)
            ops->add(h, h->counter);
        return;
    }
    do {
        switch (h->run->job) {
        case COUNTER_ADD:
            counter_add_round(h, ops);
            break;
        case COUNTER_ADD_TIMED:
            counter_add_timed(h, ops);
            break;
        case COUNTER_FILL:
            break;
        case COUNTER_SUM:
            for (int i = 0; i < COUNTER_ROUND; i++)
                wrong += ops->sum(h->counter) != COUNTER_READ_SUM;
            break;
        }
        done += COUNTER_ROUND;
    } while (!worker_is_stopped(h->worker));
    h->done = done;
    h->wrong = wrong;
}

#endif /* STRESS_BENCH_COUNTER_LOOPS_H */
