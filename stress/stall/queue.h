/* SPDX-License-Identifier: MIT */
/*
 * queue.h - a bounded queue as a subject: its calls, and whose they are.
 */
#ifndef STRESS_STALL_QUEUE_H
#define STRESS_STALL_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include <weft/base.h>
#include <weft/status.h>

#include "stall/stall.h"

/* The calls with the queue as void *. */
struct queue {
    enum weft_status (*create)(void **out, size_t capacity,
                               enum weft_impl impl);
    void (*destroy)(void *q);
    enum weft_status (*push)(void *q, void *item);
    enum weft_status (*pop)(void *q, void **item);
    size_t (*push_n)(void *q, void *const *items, size_t n);
    size_t (*pop_n)(void *q, void **items, size_t n);

    /*
     * Of one producer and one consumer: the victim is one of them.  With the
     * producer stopped the other must get each item of a push that has
     * returned; with the consumer stopped it must fill each cell that was
     * free.  Beyond that EMPTY and FULL are right answers.
     */
    bool is_spsc;
};

/* Stop a thread in push, pop, push_n and pop_n of `q`. */
enum outcome queue_run(const struct queue *q, const struct variant *variants,
                       const struct options *o, struct report *r);

/* The same of a container whose items may overtake each other. */
enum outcome queue_run_unordered(const struct queue *q,
                                 const struct variant *variants,
                                 const struct options *o, struct report *r);

#endif /* STRESS_STALL_QUEUE_H */
