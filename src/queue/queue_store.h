/* SPDX-License-Identifier: MIT */
/*
 * queue/queue_store.h - the containers of the fast forms, as one: each call
 * with a switch, which goes where the store is a constant.
 *
 *     store             order            capacity
 *     RING_LOCKFREE     FIFO             yes
 *     RING_LOCKLESS     FIFO             yes
 *     FIFO_LOCKFREE     FIFO             no
 *     FIFO_LOCKLESS     FIFO             no
 *     COUNTED           LIFO, PRIORITY   yes and no
 */
#ifndef WEFT_QUEUE_QUEUE_STORE_H
#define WEFT_QUEUE_QUEUE_STORE_H

#include "queue/queue_fast.h"

#define WEFT_QUEUE_INLINE_ static inline __attribute__((always_inline))

/* What a push of the fifo said: closed, or no memory. */
static inline enum weft_status
weft_store_refused_(struct weft_queue_fast *q)
{
    return weft_fifo_is_closed_(q->fifo) ? WEFT_FULL : WEFT_NO_MEMORY;
}

/* WEFT_OK; WEFT_FULL, also if it is closed; WEFT_NO_MEMORY. */
WEFT_QUEUE_INLINE_ enum weft_status
weft_store_push_(struct weft_queue_fast *q, enum weft_queue_store store,
                 void *item)
{
    size_t done;

    switch (store) {
    case WEFT_QUEUE_RING_LOCKFREE:
        return weft_ring_push_lockfree_(q->ring, item);
    case WEFT_QUEUE_RING_LOCKLESS:
        return weft_ring_push_lockless_(q->ring, item);
    case WEFT_QUEUE_FIFO_LOCKFREE:
        return weft_fifo_push_lockfree_(q->fifo, item) == WEFT_OK
                   ? WEFT_OK
                   : weft_store_refused_(q);
    case WEFT_QUEUE_FIFO_LOCKLESS:
        return weft_fifo_push_lockless_(q->fifo, item) == WEFT_OK
                   ? WEFT_OK
                   : weft_store_refused_(q);
    case WEFT_QUEUE_COUNTED:
        break;
    }
    return weft_queue_counted_push_n_(q, &item, 1, &done);
}

/* WEFT_OK or WEFT_EMPTY. */
WEFT_QUEUE_INLINE_ enum weft_status
weft_store_pop_(struct weft_queue_fast *q, enum weft_queue_store store,
                void **item)
{
    switch (store) {
    case WEFT_QUEUE_RING_LOCKFREE:
        return weft_ring_pop_lockfree_(q->ring, item);
    case WEFT_QUEUE_RING_LOCKLESS:
        return weft_ring_pop_lockless_(q->ring, item);
    case WEFT_QUEUE_FIFO_LOCKFREE:
        return weft_fifo_pop_lockfree_(q->fifo, item);
    case WEFT_QUEUE_FIFO_LOCKLESS:
        return weft_fifo_pop_lockless_(q->fifo, item);
    case WEFT_QUEUE_COUNTED:
        break;
    }
    return weft_queue_counted_pop_n_(q, item, 1) == 1 ? WEFT_OK : WEFT_EMPTY;
}

/* As weft_store_push_, with how many in `*done` if it is WEFT_OK. */
static inline enum weft_status
weft_store_push_n_(struct weft_queue_fast *q, void *const *items, size_t n,
                   size_t *done)
{
    if (q->ring != NULL) {
        *done = weft_ring_push_n(q->ring, items, n);
        return *done != 0 ? WEFT_OK : WEFT_FULL;
    }
    if (q->fifo != NULL) {
        *done = weft_fifo_push_n(q->fifo, items, n);
        return *done != 0 ? WEFT_OK : weft_store_refused_(q);
    }
    return weft_queue_counted_push_n_(q, items, n, done);
}

/* How many. */
static inline size_t
weft_store_pop_n_(struct weft_queue_fast *q, void **items, size_t n)
{
    if (q->ring != NULL)
        return weft_ring_pop_n(q->ring, items, n);
    if (q->fifo != NULL)
        return weft_fifo_pop_n(q->fifo, items, n);
    return weft_queue_counted_pop_n_(q, items, n);
}

/* Let no push succeed from now on; may be repeated, by several threads. */
static inline void
weft_store_close_(struct weft_queue_fast *q)
{
    if (q->ring != NULL)
        weft_ring_close_(q->ring);
    else if (q->fifo != NULL)
        weft_fifo_close_(q->fifo);
    else
        weft_queue_counted_close_(&q->counted);
}

static inline bool
weft_store_is_closed_(const struct weft_queue_fast *q)
{
    if (q->ring != NULL)
        return weft_ring_is_closed_(q->ring);
    if (q->fifo != NULL)
        return weft_fifo_is_closed_(q->fifo);
    return weft_queue_counted_is_closed_(&q->counted);
}

/* Whether it is closed and no pop will succeed again. */
static inline bool
weft_store_is_drained_(const struct weft_queue_fast *q)
{
    if (q->ring != NULL)
        return weft_ring_is_drained_(q->ring);
    if (q->fifo != NULL)
        return weft_fifo_is_drained_(q->fifo);
    return weft_queue_counted_is_drained_(&q->counted);
}

/* Whether `side`, PUSH or POP, would succeed now. */
static inline bool
weft_store_is_ready_(const struct weft_queue_fast *q, unsigned side)
{
    if (q->ring != NULL)
        return weft_ring_is_ready_(q->ring, side);
    if (q->fifo != NULL)
        return side == PUSH ? !weft_fifo_is_closed_(q->fifo)
                            : weft_fifo_is_ready_(q->fifo);
    return side == PUSH ? weft_queue_counted_has_room_(&q->counted)
                        : weft_queue_counted_is_ready_(&q->counted);
}

/* How many were ever pushed, or are on their way; if not `exactly`, perhaps
 * fewer. */
static inline uint64_t
weft_store_pushed_(const struct weft_queue_fast *q, bool exactly)
{
    if (q->ring != NULL)
        return weft_ring_pushed_(q->ring, exactly);
    if (q->fifo != NULL)
        return weft_fifo_pushed_(q->fifo);
    return weft_queue_counted_pushed_(&q->counted);
}

static inline size_t
weft_store_size_(const struct weft_queue_fast *q)
{
    if (q->ring != NULL)
        return weft_ring_size(q->ring);
    if (q->fifo != NULL)
        return weft_fifo_size(q->fifo);
    return weft_queue_counted_size_(&q->counted);
}

#endif /* WEFT_QUEUE_QUEUE_STORE_H */
