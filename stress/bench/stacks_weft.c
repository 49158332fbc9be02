/* SPDX-License-Identifier: MIT */
/*
 * stacks_weft.c - Weft's own stack, through the calls that every user
 * makes, and in a window.
 */
#include <weft/stack.h>

#include <stdlib.h>

#include "bench/queue_loops.h"
#include "bench/window.h"

struct stacked {
    weft_stack *stack;
    struct window window;
};

static void *
create(const struct queue_load *load, int kind)
{
    struct stacked *q = must_have(1, sizeof(*q));

    if (weft_stack_create(&q->stack, (enum weft_impl)kind) != WEFT_OK) {
        free(q);
        return NULL;
    }
    window_open(&q->window, load);
    return q;
}

static void
destroy(void *queue)
{
    struct stacked *q = queue;

    weft_stack_destroy(q->stack);
    window_close(&q->window);
    free(q);
}

static inline bool
push(struct queue_hand *h, void *queue, void *item)
{
    struct stacked *q = queue;

    return window_enter(&q->window, h, 1) &&
           weft_stack_push(q->stack, item) == WEFT_OK;
}

static inline bool
pop(struct queue_hand *h, void *queue, void **item)
{
    struct stacked *q = queue;
    const bool done = weft_stack_pop(q->stack, item) == WEFT_OK;

    window_leave(&q->window, h, done);
    return done;
}

static inline size_t
push_n(struct queue_hand *h, void *queue, void *const *items, size_t n)
{
    struct stacked *q = queue;

    return window_enter(&q->window, h, n)
               ? weft_stack_push_n(q->stack, items, n)
               : 0;
}

static inline size_t
pop_n(struct queue_hand *h, void *queue, void **items, size_t n)
{
    struct stacked *q = queue;
    const size_t done = weft_stack_pop_n(q->stack, items, n);

    window_leave(&q->window, h, done);
    return done;
}

/* Where producers cannot run away there is no window to keep. */
static inline bool
push_free(struct queue_hand *h, void *queue, void *item)
{
    struct stacked *q = queue;

    (void)h;
    return weft_stack_push(q->stack, item) == WEFT_OK;
}

static inline bool
pop_free(struct queue_hand *h, void *queue, void **item)
{
    struct stacked *q = queue;

    (void)h;
    return weft_stack_pop(q->stack, item) == WEFT_OK;
}

static void
work(struct queue_hand *h)
{
    static const struct queue_ops ops = {push, pop, push_n, pop_n};
    static const struct queue_ops free_ops = {push_free, pop_free, NULL, NULL};

    if (window_is_kept(h))
        queue_work(h, &ops);
    else
        queue_work(h, &free_ops);
}

const struct queue_variant queue_weft_stack[] = {
    {"weft lock-free", "unbounded", false, false, true,
     QUEUE_ANY | QUEUE_UNORDERED, WEFT_LOCKFREE, create, destroy, work, NULL},
    {"weft mutex", "unbounded", false, true, true, QUEUE_ANY | QUEUE_UNORDERED,
     WEFT_MUTEX, create, destroy, work, NULL},
    {.name = NULL},
};
