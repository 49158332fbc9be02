/* SPDX-License-Identifier: MIT */
/*
 * queues_fifo.c - the forms of weft_fifo, with a window.
 */
#include <weft/fifo.h>

#include <stdlib.h>

#include "bench/queue_loops.h"
#include "bench/window.h"
#include "memory.h"

struct windowed {
    weft_fifo *fifo;
    struct window window;
};

static void *
create(const struct queue_load *load, int kind)
{
    struct windowed *q = must_have(1, sizeof(*q));

    if (weft_fifo_create(&q->fifo, (enum weft_impl)kind) != WEFT_OK) {
        free(q);
        return NULL;
    }
    window_open(&q->window, load);
    return q;
}

static void
destroy(void *queue)
{
    struct windowed *q = queue;

    weft_fifo_destroy(q->fifo);
    window_close(&q->window);
    free(q);
}

static inline bool
push(struct queue_hand *h, void *queue, void *item)
{
    struct windowed *q = queue;

    return window_enter(&q->window, h, 1) &&
           weft_fifo_push(q->fifo, item) == WEFT_OK;
}

static inline bool
pop(struct queue_hand *h, void *queue, void **item)
{
    struct windowed *q = queue;
    const bool done = weft_fifo_pop(q->fifo, item) == WEFT_OK;

    window_leave(&q->window, h, done);
    return done;
}

static inline size_t
push_n(struct queue_hand *h, void *queue, void *const *items, size_t n)
{
    struct windowed *q = queue;

    return window_enter(&q->window, h, n) ? weft_fifo_push_n(q->fifo, items, n)
                                          : 0;
}

static inline size_t
pop_n(struct queue_hand *h, void *queue, void **items, size_t n)
{
    struct windowed *q = queue;
    const size_t done = weft_fifo_pop_n(q->fifo, items, n);

    window_leave(&q->window, h, done);
    return done;
}

/* Where producers cannot run away there is no window to keep. */
static inline bool
push_free(struct queue_hand *h, void *queue, void *item)
{
    struct windowed *q = queue;

    (void)h;
    return weft_fifo_push(q->fifo, item) == WEFT_OK;
}

static inline bool
pop_free(struct queue_hand *h, void *queue, void **item)
{
    struct windowed *q = queue;

    (void)h;
    return weft_fifo_pop(q->fifo, item) == WEFT_OK;
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

const struct queue_variant queue_weft_fifo[] = {
    {"weft lock-free", NULL, false, false, true, QUEUE_ANY, WEFT_LOCKFREE,
     create, destroy, work, NULL},
    {"weft lockless", NULL, false, false, true, QUEUE_ANY, WEFT_LOCKLESS,
     create, destroy, work, NULL},
    {"weft mutex", NULL, false, false, true, QUEUE_ANY, WEFT_MUTEX, create,
     destroy, work, NULL},
    {.name = NULL},
};
