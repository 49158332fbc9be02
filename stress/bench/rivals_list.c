/* SPDX-License-Identifier: MIT */
/*
 * rivals_list.c - unbounded queues as they are usually written: a list of
 * nodes from malloc, under one mutex, or under one for each end (the two-lock
 * queue of Michael & Scott, Simple, Fast, and Practical Non-Blocking and
 * Blocking Concurrent Queue Algorithms, PODC 1996).
 *
 * Ordering.  The two-lock queue has one edge beside its locks:
 *
 *     link    a node is appended   ->  who pops finds it
 */
#include <pthread.h>
#include <stdlib.h>

#include "bench/queue_loops.h"
#include "bench/window.h"
#include "memory.h"

struct node {
    _Atomic(struct node *) next;
    void *item;
};

struct list {
    struct window window;
    alignas(64) pthread_mutex_t pop_lock; /* of all, with one mutex */
    struct node *dummy;                   /* the oldest item is in the next */
    alignas(64) pthread_mutex_t push_lock;
    struct node *last;
};

static void *
create(const struct queue_load *load, int kind)
{
    struct list *q = must_have(1, sizeof(*q));

    (void)kind;
    window_open(&q->window, load);
    pthread_mutex_init(&q->pop_lock, NULL);
    pthread_mutex_init(&q->push_lock, NULL);
    q->dummy = q->last = must_have(1, sizeof(struct node));
    return q;
}

static void
destroy(void *queue)
{
    struct list *q = queue;

    while (q->dummy != NULL) {
        struct node *next =
            atomic_load_explicit(&q->dummy->next, memory_order_relaxed);
        free(q->dummy);
        q->dummy = next;
    }
    pthread_mutex_destroy(&q->push_lock);
    pthread_mutex_destroy(&q->pop_lock);
    window_close(&q->window);
    free(q);
}

QUEUE_INLINE bool
push_under(struct queue_hand *h, struct list *q, pthread_mutex_t *lock,
           void *item)
{
    if (window_is_kept(h) && !window_enter(&q->window, h, 1))
        return false;
    struct node *n = malloc(sizeof(*n));
    if (n == NULL)
        return false;
    n->item = item;
    atomic_init(&n->next, NULL);
    pthread_mutex_lock(lock);
    /* release: link */
    atomic_store_explicit(&q->last->next, n, memory_order_release);
    q->last = n;
    pthread_mutex_unlock(lock);
    return true;
}

static inline bool
pop_under(struct queue_hand *h, struct list *q, void **item)
{
    pthread_mutex_lock(&q->pop_lock);
    struct node *old = q->dummy;
    /* acquire: link */
    struct node *next = atomic_load_explicit(&old->next, memory_order_acquire);
    if (next != NULL) {
        *item = next->item;
        q->dummy = next;
    }
    pthread_mutex_unlock(&q->pop_lock);
    if (next != NULL)
        free(old);
    if (window_is_kept(h))
        window_leave(&q->window, h, next != NULL);
    return next != NULL;
}

static inline bool
push_one_lock(struct queue_hand *h, void *queue, void *item)
{
    struct list *q = queue;

    return push_under(h, q, &q->pop_lock, item);
}

static inline bool
push_two_locks(struct queue_hand *h, void *queue, void *item)
{
    struct list *q = queue;

    return push_under(h, q, &q->push_lock, item);
}

static inline bool
pop(struct queue_hand *h, void *queue, void **item)
{
    return pop_under(h, queue, item);
}

static void
work_one_lock(struct queue_hand *h)
{
    static const struct queue_ops ops = {push_one_lock, pop, NULL, NULL};

    queue_work(h, &ops);
}

static void
work_two_locks(struct queue_hand *h)
{
    static const struct queue_ops ops = {push_two_locks, pop, NULL, NULL};

    queue_work(h, &ops);
}

const struct queue_variant queue_list[] = {
    {"pthread mutex list", "a malloc an item", true, true, false, QUEUE_ANY, 0,
     create, destroy, work_one_lock, NULL},
    {"two-lock queue", "a malloc an item", true, false, false, QUEUE_ANY, 0,
     create, destroy, work_two_locks, NULL},
    {.name = NULL},
};
