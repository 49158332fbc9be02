/* SPDX-License-Identifier: MIT */
/*
 * rivals_deque.c - what one writes oneself: an array that goes round, under a
 * pthread mutex and under Concurrency Kit's spinlock.  It never is full: it has
 * room for twice the window.
 */
#include <ck_spinlock.h>

#include <pthread.h>
#include <stdlib.h>

#include "bench/deques.h"
#include "bench/sanitized.h"
#include "bench/window.h"

struct around {
    alignas(64) pthread_mutex_t mutex;
    ck_spinlock_fas_t spinlock;
    uint64_t top;
    uint64_t bottom;
    uint64_t mask;
    void **items;
    struct window window;
};

static void *
create(const struct queue_load *load, int kind)
{
    struct around *q = must_have(1, sizeof(*q));
    size_t room = 4096;

    (void)kind;
    while (room < 2 * load->capacity)
        room *= 2;
    pthread_mutex_init(&q->mutex, NULL);
    ck_spinlock_fas_init(&q->spinlock);
    q->mask = room - 1;
    q->items = must_have(room, sizeof(q->items[0]));
    window_open(&q->window, load);
    return q;
}

static void
destroy(void *queue)
{
    struct around *q = queue;

    pthread_mutex_destroy(&q->mutex);
    window_close(&q->window);
    free(q->items);
    free(q);
}

QUEUE_INLINE void
lock(struct around *q, bool spin)
{
    if (spin)
        ck_spinlock_fas_lock(&q->spinlock);
    else
        pthread_mutex_lock(&q->mutex);
}

QUEUE_INLINE void
unlock(struct around *q, bool spin)
{
    if (spin)
        ck_spinlock_fas_unlock(&q->spinlock);
    else
        pthread_mutex_unlock(&q->mutex);
}

QUEUE_INLINE bool
do_push(struct queue_hand *h, void *queue, void *item, bool spin, bool own)
{
    struct around *q = queue;

    if (!own && window_is_kept(h) && !window_enter(&q->window, h, 1))
        return false;
    lock(q, spin);
    const bool fits = !own || q->bottom - q->top < h->run->load->capacity;
    if (fits)
        q->items[q->bottom++ & q->mask] = item;
    unlock(q, spin);
    return fits;
}

QUEUE_INLINE bool
do_pop(void *queue, void **item, bool spin)
{
    struct around *q = queue;

    lock(q, spin);
    const bool done = q->bottom != q->top;
    if (done)
        *item = q->items[--q->bottom & q->mask];
    unlock(q, spin);
    return done;
}

QUEUE_INLINE bool
do_steal(struct queue_hand *h, void *queue, void **item, bool spin, bool own)
{
    struct around *q = queue;

    lock(q, spin);
    const bool done = q->bottom != q->top;
    if (done)
        *item = q->items[q->top++ & q->mask];
    unlock(q, spin);
    if (!own)
        window_leave(&q->window, h, done);
    return done;
}

/* The calls of one lock, and of an owner that works or only pushes. */
#define CALLS(name, spin, own)                                                \
    static inline bool push_##name(struct queue_hand *h, void *queue,         \
                                   void *item)                                \
    {                                                                         \
        return do_push(h, queue, item, spin, own);                            \
    }                                                                         \
    static inline bool pop_##name(struct queue_hand *h, void *queue,          \
                                  void **item)                                \
    {                                                                         \
        (void)h;                                                              \
        return do_pop(queue, item, spin);                                     \
    }                                                                         \
    static inline bool steal_##name(struct queue_hand *h, void *queue,        \
                                    void **item)                              \
    {                                                                         \
        return do_steal(h, queue, item, spin, own);                           \
    }                                                                         \
    static void work_##name(struct queue_hand *h)                             \
    {                                                                         \
        static const struct queue_ops robbed = {push_##name, steal_##name,    \
                                                NULL, NULL};                  \
        static const struct queue_ops alone = {push_##name, pop_##name, NULL, \
                                               NULL};                         \
        if (own && h->job == QUEUE_PRODUCE)                                   \
            deque_own(h, push_##name, pop_##name);                            \
        else if (h->run->load->kind == QUEUE_PAIRS)                           \
            queue_work(h, &alone);                                            \
        else                                                                  \
            queue_work(h, &robbed);                                           \
    }

CALLS(mutex, false, false)
CALLS(mutex_own, false, true)
CALLS(spin, true, false)
CALLS(spin_own, true, true)

#define MODES (QUEUE_SPSC | QUEUE_SPMC)

const struct queue_variant deque_rivals[] = {
    {"pthread mutex array", NULL, true, true, false, MODES, 0, create, destroy,
     work_mutex, NULL},
    {SANITIZED_THREADS ? NULL : "ck_spinlock array", NULL, true, false, false,
     MODES, 0, create, destroy, work_spin, NULL},
    {.name = NULL},
};

const struct queue_variant deque_rivals_work[] = {
    {"pthread mutex array", "owner pops 3 of 4", true, true, false, MODES, 0,
     create, destroy, work_mutex_own, NULL},
    {SANITIZED_THREADS ? NULL : "ck_spinlock array", "owner pops 3 of 4", true,
     false, false, MODES, 0, create, destroy, work_spin_own, NULL},
    {.name = NULL},
};
