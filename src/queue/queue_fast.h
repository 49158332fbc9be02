/* SPDX-License-Identifier: MIT */
/*
 * queue/queue_fast.h - what the parts of the fast forms share: a container that
 * never waits, and beside it two bells and a count of what is done.
 */
#ifndef WEFT_QUEUE_QUEUE_FAST_H
#define WEFT_QUEUE_QUEUE_FAST_H

#include "container/fifo_impl.h"
#include "container/ring_impl.h"
#include "queue/bell.h"
#include "queue/queue_counted.h"
#include "queue/queue_impl.h"

/* What holds the items. */
enum weft_queue_store {
    WEFT_QUEUE_RING_LOCKFREE,
    WEFT_QUEUE_RING_LOCKLESS,
    WEFT_QUEUE_FIFO_LOCKFREE,
    WEFT_QUEUE_FIFO_LOCKLESS,
    WEFT_QUEUE_COUNTED
};

/* In `ended`. */
#define WEFT_QUEUE_CLOSED_    1u /* the store is closed, or about to be */
#define WEFT_QUEUE_DISCARDED_ 2u

struct weft_queue_fast {
    weft_queue base;
    enum weft_queue_store store; /* constant */
    weft_ring *ring;             /* the same, as is the next; RING */
    weft_fifo *fifo;             /* FIFO */
    _Atomic uint32_t ended;

    /* gets sleep here; puts ring */
    alignas(WEFT_CACHE_PAIR) struct weft_bell items;
    /* the other way round */
    alignas(WEFT_CACHE_PAIR) struct weft_bell room;

    alignas(WEFT_CACHE_PAIR) _Atomic uint64_t done; /* items, marked as such */
    _Atomic uint32_t joining; /* threads that sleep, or are about to */
    _Atomic uint32_t rounds;  /* so often they were woken; sleep while same */

    struct weft_queue_counted counted; /* COUNTED */
};

static inline struct weft_queue_fast *
weft_queue_fast_(weft_queue *q)
{
    return (struct weft_queue_fast *)(void *)q;
}

static inline const struct weft_queue_fast *
weft_queue_fast_const_(const weft_queue *q)
{
    return (const struct weft_queue_fast *)(const void *)q;
}

/* Drop what can be popped, and count it as done. */
void weft_queue_discard_(struct weft_queue_fast *q);

/* Count up to `n` items as done, as far as they were put; false: they were
 * not. */
bool weft_queue_finish_(struct weft_queue_fast *q, uint64_t n, bool all);

/* What follows a put, and a get, of `n` items where the other side is to be
 * told: the status of the call. */
enum weft_status weft_queue_told_put_(struct weft_queue_fast *q, size_t n);
enum weft_status weft_queue_told_get_(struct weft_queue_fast *q,
                                      void *const *items, size_t n);

/* A put, and a get, that found no room, no memory, or no item. */
enum weft_status weft_queue_put_slowly_(struct weft_queue_fast *q, void *item,
                                        weft_deadline deadline);
enum weft_status weft_queue_get_slowly_(struct weft_queue_fast *q, void **item,
                                        weft_deadline deadline);

/* The calls of the form. */
enum weft_status weft_queue_put_n_fast_(weft_queue *base, void *const *items,
                                        size_t n, weft_deadline deadline,
                                        size_t *done);
enum weft_status weft_queue_get_n_fast_(weft_queue *base, void **items,
                                        size_t n, weft_deadline deadline,
                                        size_t *done);
enum weft_status weft_queue_task_done_fast_(weft_queue *base);
enum weft_status weft_queue_join_fast_(weft_queue *base,
                                       weft_deadline deadline);
void weft_queue_close_fast_(weft_queue *base, enum weft_close how);
size_t weft_queue_unfinished_fast_(const weft_queue *base);
bool weft_queue_is_closed_fast_(const weft_queue *base);

extern const struct weft_queue_form weft_queue_ring_lockfree_;
extern const struct weft_queue_form weft_queue_ring_lockless_;
extern const struct weft_queue_form weft_queue_fifo_lockfree_;
extern const struct weft_queue_form weft_queue_fifo_lockless_;
extern const struct weft_queue_form weft_queue_lifo_or_priority_;

#endif /* WEFT_QUEUE_QUEUE_FAST_H */
