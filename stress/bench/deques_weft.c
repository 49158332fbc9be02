/* SPDX-License-Identifier: MIT */
/*
 * deques_weft.c - Weft's own deque: the producer is its owner, the consumers
 * are thieves.
 */
#include <weft/deque.h>

#include <stdlib.h>

#include "bench/deques.h"
#include "bench/window.h"

struct owned {
    weft_deque *deque;
    struct window window;
};

static void *
create(const struct queue_load *load, int kind)
{
    struct owned *q = must_have(1, sizeof(*q));

    (void)kind;
    if (weft_deque_create(&q->deque) != WEFT_OK) {
        free(q);
        return NULL;
    }
    window_open(&q->window, load);
    return q;
}

static void
destroy(void *queue)
{
    struct owned *q = queue;

    weft_deque_destroy(q->deque);
    window_close(&q->window);
    free(q);
}

static inline bool
push_in_window(struct queue_hand *h, void *queue, void *item)
{
    struct owned *q = queue;

    return window_enter(&q->window, h, 1) &&
           weft_deque_push(q->deque, item) == WEFT_OK;
}

static inline bool
steal(struct queue_hand *h, void *queue, void **item)
{
    struct owned *q = queue;
    const bool done = weft_deque_steal(q->deque, item) == WEFT_OK;

    window_leave(&q->window, h, done);
    return done;
}

static inline bool
push(struct queue_hand *h, void *queue, void *item)
{
    struct owned *q = queue;

    (void)h;
    return weft_deque_push(q->deque, item) == WEFT_OK;
}

static inline bool
pop(struct queue_hand *h, void *queue, void **item)
{
    struct owned *q = queue;

    (void)h;
    return weft_deque_pop(q->deque, item) == WEFT_OK;
}

static inline bool
steal_free(struct queue_hand *h, void *queue, void **item)
{
    struct owned *q = queue;

    (void)h;
    return weft_deque_steal(q->deque, item) == WEFT_OK;
}

static void
work(struct queue_hand *h)
{
    static const struct queue_ops robbed = {push_in_window, steal, NULL, NULL};
    static const struct queue_ops alone = {push, pop, NULL, NULL};

    if (h->run->load->kind == QUEUE_PAIRS)
        queue_work(h, &alone);
    else
        queue_work(h, &robbed);
}

/* The owner at 3 of 4 pops: one in four is left for the thieves, so it keeps
 * the size in bounds by itself. */
static inline bool
push_below(struct queue_hand *h, void *queue, void *item)
{
    struct owned *q = queue;

    return ((uintptr_t)item % 64 != 0 ||
            weft_deque_size(q->deque) < h->run->load->capacity) &&
           weft_deque_push(q->deque, item) == WEFT_OK;
}

static void
work_own(struct queue_hand *h)
{
    static const struct queue_ops robbed = {push, steal_free, NULL, NULL};

    if (h->job == QUEUE_PRODUCE)
        deque_own(h, push_below, pop);
    else
        queue_work(h, &robbed);
}

#define MODES (QUEUE_SPSC | QUEUE_SPMC)

const struct queue_variant deque_weft[] = {
    {"weft", NULL, false, false, false, MODES, 0, create, destroy, work, NULL},
    {.name = NULL},
};

const struct queue_variant deque_weft_works[] = {
    {"weft, owner pops 3 of 4", NULL, false, false, false, MODES, 0, create,
     destroy, work_own, NULL},
    {.name = NULL},
};
