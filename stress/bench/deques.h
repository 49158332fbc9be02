/* SPDX-License-Identifier: MIT */
/*
 * deques.h - the loop of an owner that pops, too, while others steal.
 */
#ifndef STRESS_BENCH_DEQUES_H
#define STRESS_BENCH_DEQUES_H

#include "bench/queue_loops.h"

enum {
    DEQUE_PUSHES, /* the owner only pushes */
    DEQUE_WORKS   /* it pushes four and pops three, and more if nobody steals */
};

extern const struct queue_variant deque_weft[];
extern const struct queue_variant deque_rivals[];
extern const struct queue_variant deque_weft_works[];
extern const struct queue_variant deque_rivals_work[];

/*
 * `push` and `pop` are the owner's; a push that is refused, because the window
 * is full, gives way to a pop.
 */
QUEUE_INLINE void
deque_own(struct queue_hand *h,
          bool (*push)(struct queue_hand *h, void *queue, void *item),
          bool (*pop)(struct queue_hand *h, void *queue, void **item))
{
    void *const queue = h->queue;
    const uint64_t first = queue_first_item(h->index);
    struct queue_got got = {.last = 0};
    uint64_t value = first;
    void *item;

    do {
        for (unsigned turn = 0; turn < QUEUE_ROUND; turn++) {
            unsigned pushed = 0;
            while (pushed < 4 && push(h, queue, queue_item(value + 1))) {
                value++;
                pushed++;
            }
            for (unsigned k = 0; k < 3; k++) {
                if (!pop(h, queue, &item))
                    break;
                got.count++;
                got.sum += (uint64_t)(uintptr_t)item;
            }
        }
    } while (!worker_is_stopped(h->worker));
    queue_keep_pushed(h, value - first);
    queue_keep(h, &got);
    queue_produced(h);
}

#endif /* STRESS_BENCH_DEQUES_H */
