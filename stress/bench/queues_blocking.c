/* SPDX-License-Identifier: MIT */
/*
 * queues_blocking.c - the forms of weft_queue, with a capacity and without, and
 * beside them the ring they stand on, polled.
 */
#include <weft/queue.h>
#include <weft/ring.h>

#include <stdlib.h>

#include "bench/queue_loops.h"
#include "bench/window.h"

static void *
create(const struct queue_load *load, int kind)
{
    const weft_queue_options options = {.impl = (enum weft_impl)kind,
                                        .capacity = load->capacity};
    weft_queue *q;

    return weft_queue_create(&q, &options) == WEFT_OK ? q : NULL;
}

static void
destroy(void *queue)
{
    weft_queue_destroy(queue);
}

/* The producers are gone. */
static void
finish(void *queue)
{
    (void)weft_queue_close(queue, WEFT_DRAIN);
}

static inline bool
push(struct queue_hand *h, void *queue, void *item)
{
    (void)h;
    return weft_queue_put(queue, item, WEFT_FOREVER) == WEFT_OK;
}

static inline bool
pop(struct queue_hand *h, void *queue, void **item)
{
    (void)h;
    return weft_queue_get(queue, item, WEFT_FOREVER) == WEFT_OK;
}

static void
work(struct queue_hand *h)
{
    static const struct queue_ops ops = {push, pop, NULL, NULL};

    queue_work(h, &ops);
}

/* --- without a capacity: a window keeps the memory within bounds --------- */

struct windowed {
    weft_queue *queue;
    struct window window;
};

static void *
create_open(const struct queue_load *load, int kind)
{
    const weft_queue_options options = {.impl = (enum weft_impl)kind};
    struct windowed *q = must_have(1, sizeof(*q));

    if (weft_queue_create(&q->queue, &options) != WEFT_OK) {
        free(q);
        return NULL;
    }
    window_open(&q->window, load);
    return q;
}

static void
destroy_open(void *queue)
{
    struct windowed *q = queue;

    weft_queue_destroy(q->queue);
    window_close(&q->window);
    free(q);
}

static void
finish_open(void *queue)
{
    struct windowed *q = queue;

    finish(q->queue);
}

static inline bool
push_open(struct queue_hand *h, void *queue, void *item)
{
    struct windowed *q = queue;

    return window_enter(&q->window, h, 1) && push(h, q->queue, item);
}

static inline bool
pop_open(struct queue_hand *h, void *queue, void **item)
{
    struct windowed *q = queue;
    const bool done = pop(h, q->queue, item);

    window_leave(&q->window, h, done);
    return done;
}

static void
work_open(struct queue_hand *h)
{
    static const struct queue_ops ops = {push_open, pop_open, NULL, NULL};

    queue_work(h, &ops);
}

/* --- what it could be at best -------------------------------------------- */

static void *
create_ring(const struct queue_load *load, int kind)
{
    weft_ring *r;

    return weft_ring_create(&r, load->capacity, (enum weft_impl)kind) == WEFT_OK
               ? r
               : NULL;
}

static void
destroy_ring(void *queue)
{
    weft_ring_destroy(queue);
}

static inline bool
push_ring(struct queue_hand *h, void *queue, void *item)
{
    (void)h;
    return weft_ring_push(queue, item) == WEFT_OK;
}

static inline bool
pop_ring(struct queue_hand *h, void *queue, void **item)
{
    (void)h;
    return weft_ring_pop(queue, item) == WEFT_OK;
}

static void
work_ring(struct queue_hand *h)
{
    static const struct queue_ops ops = {push_ring, pop_ring, NULL, NULL};

    queue_work(h, &ops);
}

const struct queue_variant queue_weft_blocking[] = {
    {"weft lock-free", NULL, false, false, false, QUEUE_ANY, WEFT_LOCKFREE,
     create, destroy, work, finish},
    {"weft lockless", NULL, false, false, false, QUEUE_ANY, WEFT_LOCKLESS,
     create, destroy, work, finish},
    {"weft mutex", NULL, false, false, false, QUEUE_ANY, WEFT_MUTEX, create,
     destroy, work, finish},
    {.name = NULL},
};

const struct queue_variant queue_weft_unbounded[] = {
    {"weft lock-free", NULL, false, false, false, QUEUE_ANY, WEFT_LOCKFREE,
     create_open, destroy_open, work_open, finish_open},
    {"weft lockless", NULL, false, false, false, QUEUE_ANY, WEFT_LOCKLESS,
     create_open, destroy_open, work_open, finish_open},
    {"weft mutex", NULL, false, false, false, QUEUE_ANY, WEFT_MUTEX,
     create_open, destroy_open, work_open, finish_open},
    {.name = NULL},
};

const struct queue_variant queue_weft_polled[] = {
    {"ring lock-free (limit)", "polled, never sleeps", false, false, false,
     QUEUE_ANY, WEFT_LOCKFREE, create_ring, destroy_ring, work_ring, NULL},
    {"ring lockless (limit)", "polled, never sleeps", false, false, false,
     QUEUE_ANY, WEFT_LOCKLESS, create_ring, destroy_ring, work_ring, NULL},
    {.name = NULL},
};
