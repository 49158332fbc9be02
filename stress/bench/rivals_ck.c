/* SPDX-License-Identifier: MIT */
/*
 * rivals_ck.c - Concurrency Kit's ck_ring in the mode that fits the mix.  A
 * ring of n cells holds n - 1 items.
 */
#include <ck_ring.h>

#include <stdlib.h>

#include "bench/queue_loops.h"
#include "bench/sanitized.h"

struct ringed {
    ck_ring_t ring;
    alignas(CK_MD_CACHELINE) ck_ring_buffer_t cells[];
};

static void *
create(const struct queue_load *load, int kind)
{
    size_t cells = 2;

    (void)kind;
    while (cells < load->capacity)
        cells *= 2;
    const size_t bytes = sizeof(struct ringed) + cells * sizeof(void *);
    struct ringed *q =
        aligned_alloc(CK_MD_CACHELINE, (bytes + CK_MD_CACHELINE - 1) /
                                           CK_MD_CACHELINE * CK_MD_CACHELINE);
    if (q == NULL)
        return NULL;
    ck_ring_init(&q->ring, (unsigned)cells);
    /* Touched now, not in the measured loop. */
    for (size_t i = 0; i < cells; i++)
        q->cells[i].value = q;
    return q;
}

static void
destroy(void *queue)
{
    free(queue);
}

static inline bool
push_spsc(struct queue_hand *h, void *queue, void *item)
{
    struct ringed *q = queue;

    (void)h;
    return ck_ring_enqueue_spsc(&q->ring, q->cells, item);
}

static inline bool
pop_spsc(struct queue_hand *h, void *queue, void **item)
{
    struct ringed *q = queue;

    (void)h;
    return ck_ring_dequeue_spsc(&q->ring, q->cells, item);
}

static inline bool
push_spmc(struct queue_hand *h, void *queue, void *item)
{
    struct ringed *q = queue;

    (void)h;
    return ck_ring_enqueue_spmc(&q->ring, q->cells, item);
}

static inline bool
pop_spmc(struct queue_hand *h, void *queue, void **item)
{
    struct ringed *q = queue;

    (void)h;
    return ck_ring_dequeue_spmc(&q->ring, q->cells, item);
}

static inline bool
push_mpsc(struct queue_hand *h, void *queue, void *item)
{
    struct ringed *q = queue;

    (void)h;
    return ck_ring_enqueue_mpsc(&q->ring, q->cells, item);
}

static inline bool
pop_mpsc(struct queue_hand *h, void *queue, void **item)
{
    struct ringed *q = queue;

    (void)h;
    return ck_ring_dequeue_mpsc(&q->ring, q->cells, item);
}

static inline bool
push_mpmc(struct queue_hand *h, void *queue, void *item)
{
    struct ringed *q = queue;

    (void)h;
    return ck_ring_enqueue_mpmc(&q->ring, q->cells, item);
}

static inline bool
pop_mpmc(struct queue_hand *h, void *queue, void **item)
{
    struct ringed *q = queue;

    (void)h;
    return ck_ring_dequeue_mpmc(&q->ring, q->cells, item);
}

static void
work_spsc(struct queue_hand *h)
{
    static const struct queue_ops ops = {push_spsc, pop_spsc, NULL, NULL};

    queue_work(h, &ops);
}

static void
work_spmc(struct queue_hand *h)
{
    static const struct queue_ops ops = {push_spmc, pop_spmc, NULL, NULL};

    queue_work(h, &ops);
}

static void
work_mpsc(struct queue_hand *h)
{
    static const struct queue_ops ops = {push_mpsc, pop_mpsc, NULL, NULL};

    queue_work(h, &ops);
}

static void
work_mpmc(struct queue_hand *h)
{
    static const struct queue_ops ops = {push_mpmc, pop_mpmc, NULL, NULL};

    queue_work(h, &ops);
}

#define NOTE "no bulk; holds one fewer"

const struct queue_variant queue_ck[] = {
    {SANITIZED_THREADS ? NULL : "ck_ring spsc", NOTE, true, false, false,
     QUEUE_SPSC, 0, create, destroy, work_spsc, NULL},
    {"ck_ring spmc", NOTE, true, false, false, QUEUE_SPMC, 0, create, destroy,
     work_spmc, NULL},
    {"ck_ring mpsc", NOTE, true, false, false, QUEUE_MPSC, 0, create, destroy,
     work_mpsc, NULL},
    {"ck_ring mpmc", NOTE, true, false, false, QUEUE_MPMC, 0, create, destroy,
     work_mpmc, NULL},
    {.name = NULL},
};
