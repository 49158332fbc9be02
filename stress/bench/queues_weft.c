/* SPDX-License-Identifier: MIT */
/*
 * queues_weft.c - Weft's own queues, through the calls that every user makes.
 */
#include <weft/ring.h>
#include <weft/spsc.h>

#include "bench/queue_loops.h"

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

static inline size_t
push_n_ring(struct queue_hand *h, void *queue, void *const *items, size_t n)
{
    (void)h;
    return weft_ring_push_n(queue, items, n);
}

static inline size_t
pop_n_ring(struct queue_hand *h, void *queue, void **items, size_t n)
{
    (void)h;
    return weft_ring_pop_n(queue, items, n);
}

static void
work_ring(struct queue_hand *h)
{
    static const struct queue_ops ops = {push_ring, pop_ring, push_n_ring,
                                         pop_n_ring};

    queue_work(h, &ops);
}

static void *
create_spsc(const struct queue_load *load, int kind)
{
    weft_spsc *r;

    return weft_spsc_create(&r, load->capacity, (enum weft_impl)kind) == WEFT_OK
               ? r
               : NULL;
}

static void
destroy_spsc(void *queue)
{
    weft_spsc_destroy(queue);
}

static inline bool
push_spsc(struct queue_hand *h, void *queue, void *item)
{
    (void)h;
    return weft_spsc_push(queue, item) == WEFT_OK;
}

static inline bool
pop_spsc(struct queue_hand *h, void *queue, void **item)
{
    (void)h;
    return weft_spsc_pop(queue, item) == WEFT_OK;
}

static inline size_t
push_n_spsc(struct queue_hand *h, void *queue, void *const *items, size_t n)
{
    (void)h;
    return weft_spsc_push_n(queue, items, n);
}

static inline size_t
pop_n_spsc(struct queue_hand *h, void *queue, void **items, size_t n)
{
    (void)h;
    return weft_spsc_pop_n(queue, items, n);
}

static void
work_spsc(struct queue_hand *h)
{
    static const struct queue_ops ops = {push_spsc, pop_spsc, push_n_spsc,
                                         pop_n_spsc};

    queue_work(h, &ops);
}

const struct queue_variant queue_weft_ring[] = {
    {"weft lock-free", NULL, false, false, true, QUEUE_ANY, WEFT_LOCKFREE,
     create_ring, destroy_ring, work_ring, NULL},
    {"weft lockless", NULL, false, false, true, QUEUE_ANY, WEFT_LOCKLESS,
     create_ring, destroy_ring, work_ring, NULL},
    {"weft mutex", NULL, false, false, true, QUEUE_ANY, WEFT_MUTEX, create_ring,
     destroy_ring, work_ring, NULL},
    {.name = NULL},
};

const struct queue_variant queue_weft_spsc[] = {
    {"weft lock-free", NULL, false, false, true, QUEUE_SPSC, WEFT_LOCKFREE,
     create_spsc, destroy_spsc, work_spsc, NULL},
    {"weft lockless", NULL, false, false, true, QUEUE_SPSC, WEFT_LOCKLESS,
     create_spsc, destroy_spsc, work_spsc, NULL},
    {"weft mutex", NULL, false, false, true, QUEUE_SPSC, WEFT_MUTEX,
     create_spsc, destroy_spsc, work_spsc, NULL},
    {.name = NULL},
};
