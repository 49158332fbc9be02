/* SPDX-License-Identifier: MIT */
/*
 * rivals_pthread.c - what everybody writes first: a ring under one mutex, once
 * with calls that come back when it is full or empty, and once with two
 * conditions to sleep on.
 */
#include <pthread.h>
#include <stdlib.h>

#include "bench/queue_loops.h"

struct locked {
    pthread_mutex_t lock;
    pthread_cond_t not_full;
    pthread_cond_t not_empty;
    bool finished; /* nobody pushes any more: do not sleep */
    size_t capacity;
    size_t count;
    size_t head; /* place of the oldest */
    size_t tail; /* place of the next */
    void *items[];
};

static void *
create(const struct queue_load *load, int kind)
{
    struct locked *q =
        calloc(1, sizeof(*q) + load->capacity * sizeof(q->items[0]));

    (void)kind;
    if (q == NULL)
        return NULL;
    /* Touched now, not in the measured loop. */
    for (size_t i = 0; i < load->capacity; i++)
        q->items[i] = q;
    q->capacity = load->capacity;
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->not_full, NULL);
    pthread_cond_init(&q->not_empty, NULL);
    return q;
}

static void
destroy(void *queue)
{
    struct locked *q = queue;

    pthread_cond_destroy(&q->not_empty);
    pthread_cond_destroy(&q->not_full);
    pthread_mutex_destroy(&q->lock);
    free(q);
}

static void
finish(void *queue)
{
    struct locked *q = queue;

    pthread_mutex_lock(&q->lock);
    q->finished = true;
    pthread_cond_broadcast(&q->not_empty);
    pthread_mutex_unlock(&q->lock);
}

static inline size_t
after(const struct locked *q, size_t place)
{
    return place + 1 == q->capacity ? 0 : place + 1;
}

/* The two below with the lock held. */
static inline size_t
put(struct locked *q, void *const *items, size_t n)
{
    const size_t room = q->capacity - q->count;
    const size_t k = n < room ? n : room;

    for (size_t i = 0; i < k; i++) {
        q->items[q->tail] = items[i];
        q->tail = after(q, q->tail);
    }
    q->count += k;
    return k;
}

static inline size_t
take(struct locked *q, void **items, size_t n)
{
    const size_t k = n < q->count ? n : q->count;

    for (size_t i = 0; i < k; i++) {
        items[i] = q->items[q->head];
        q->head = after(q, q->head);
    }
    q->count -= k;
    return k;
}

static inline size_t
push_n(struct queue_hand *h, void *queue, void *const *items, size_t n)
{
    struct locked *q = queue;

    (void)h;
    pthread_mutex_lock(&q->lock);
    const size_t k = put(q, items, n);
    pthread_mutex_unlock(&q->lock);
    return k;
}

static inline size_t
pop_n(struct queue_hand *h, void *queue, void **items, size_t n)
{
    struct locked *q = queue;

    (void)h;
    pthread_mutex_lock(&q->lock);
    const size_t k = take(q, items, n);
    pthread_mutex_unlock(&q->lock);
    return k;
}

static inline bool
push(struct queue_hand *h, void *queue, void *item)
{
    return push_n(h, queue, &item, 1) == 1;
}

static inline bool
pop(struct queue_hand *h, void *queue, void **item)
{
    return pop_n(h, queue, item, 1) == 1;
}

static void
work(struct queue_hand *h)
{
    static const struct queue_ops ops = {push, pop, push_n, pop_n};

    queue_work(h, &ops);
}

/* Wakes everybody it may have something for: one for one item. */
static inline void
wake(pthread_cond_t *c, size_t n)
{
    if (n == 1)
        pthread_cond_signal(c);
    else
        pthread_cond_broadcast(c);
}

static inline size_t
push_n_blocking(struct queue_hand *h, void *queue, void *const *items, size_t n)
{
    struct locked *q = queue;

    (void)h;
    pthread_mutex_lock(&q->lock);
    while (q->count == q->capacity)
        pthread_cond_wait(&q->not_full, &q->lock);
    const size_t k = put(q, items, n);
    pthread_mutex_unlock(&q->lock);
    wake(&q->not_empty, k);
    return k;
}

static inline size_t
pop_n_blocking(struct queue_hand *h, void *queue, void **items, size_t n)
{
    struct locked *q = queue;

    (void)h;
    pthread_mutex_lock(&q->lock);
    while (q->count == 0 && !q->finished)
        pthread_cond_wait(&q->not_empty, &q->lock);
    const size_t k = take(q, items, n);
    pthread_mutex_unlock(&q->lock);
    if (k > 0)
        wake(&q->not_full, k);
    return k;
}

static inline bool
push_blocking(struct queue_hand *h, void *queue, void *item)
{
    return push_n_blocking(h, queue, &item, 1) == 1;
}

static inline bool
pop_blocking(struct queue_hand *h, void *queue, void **item)
{
    return pop_n_blocking(h, queue, item, 1) == 1;
}

static void
work_blocking(struct queue_hand *h)
{
    static const struct queue_ops ops = {push_blocking, pop_blocking,
                                         push_n_blocking, pop_n_blocking};

    queue_work(h, &ops);
}

const struct queue_variant queue_pthread_blocking[] = {
    {"pthread mutex+2 cond ring", NULL, true, true, true, QUEUE_ANY, 0, create,
     destroy, work_blocking, finish},
    {.name = NULL},
};

const struct queue_variant queue_pthread[] = {
    {"pthread mutex ring", NULL, true, true, true, QUEUE_ANY, 0, create,
     destroy, work, NULL},
    {"pthread mutex+cond ring", "waits inside", true, false, true, QUEUE_ANY, 0,
     create, destroy, work_blocking, finish},
    {.name = NULL},
};
