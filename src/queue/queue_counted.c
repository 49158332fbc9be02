/* SPDX-License-Identifier: MIT */
/*
 * queue/queue_counted.c - a stack or a heap between two counters.
 *
 *     claims     grows when a push begins, if there is room and it is open
 *     released   grows when a pop has ended, or a push has failed
 *
 *     claims - released   items, and calls in progress: never above the
 *                         capacity
 *     claims - done       unfinished items (queue_fast_end.c)
 *
 * Each counter is written by one side only, so producers and consumers do not
 * fight over it; a put reads `released` only where there is a capacity.
 *
 * End.  Both counters have the bit CLOSED, which is set in `claims` first.  From
 * then on no push begins, so `claims` stays what it is, and once `released` has
 * come to it nothing is left and nothing will come: drained.  Whoever brings
 * `released` there after the bit was set there wakes all who wait for items;
 * if it was before, the close that sets the bit wakes them later.
 *
 * A thread that is stopped inside a push keeps the room it has claimed, and the
 * end from being seen; one that is stopped in a pop after it has the item, the
 * same.  Nothing else: others push and pop.
 *
 * Both counters have 63 bits: at 10^9 items a second they last 292 years.
 *
 * Ordering.  The containers carry the items.
 *
 *     counted.room    a pop counts in `released`  ->  a push that finds the room
 *                     it made
 *     counted.end     a close sets CLOSED         ->  who finds it set
 */
#include "queue/queue_counted.h"

#include <pthread.h>

#include "base/sched.h"
#include "container/stack_impl.h"
#include "queue/queue_fast.h"

#define CLOSED ((uint64_t)1 << 63)

bool
weft_queue_counted_create_(struct weft_queue_counted *c,
                           const weft_queue_options *o)
{
    c->capacity = o->capacity != 0 ? o->capacity : UINT64_MAX;
    if (o->order == WEFT_LIFO)
        return weft_stack_create(&c->stack, o->impl) == WEFT_OK;
    if (o->key != NULL)
        return weft_heap_create_keyed(&c->heap, o->key, o->ctx, o->impl) ==
               WEFT_OK;
    return weft_heap_create(&c->heap, o->compare, o->ctx, o->impl) == WEFT_OK;
}

void
weft_queue_counted_destroy_(struct weft_queue_counted *c)
{
    weft_stack_destroy(c->stack);
    weft_heap_destroy(c->heap);
}

static uint64_t
claims_of(const struct weft_queue_counted *c)
{
    /* acquire: counted.end */
    return atomic_load_explicit(&c->claims, memory_order_acquire);
}

static uint64_t
released_of(const struct weft_queue_counted *c)
{
    /* acquire: counted.room, counted.end */
    return atomic_load_explicit(&c->released, memory_order_acquire);
}

/* What there is of a capacity if `claims` was loaded before `released`, which
 * may have passed it by now. */
static uint64_t
room_of(const struct weft_queue_counted *c, uint64_t claims, uint64_t released)
{
    const int64_t held = (int64_t)((claims & ~CLOSED) - (released & ~CLOSED));

    return c->capacity - (held > 0 ? (uint64_t)held : 0);
}

/* Claim room for up to `n`; how many, 0 if it is full or closed. */
static size_t
claim(struct weft_queue_counted *c, size_t n)
{
    uint64_t claims = atomic_load_explicit(&c->claims, memory_order_relaxed);
    size_t k = n;

    do {
        if ((claims & CLOSED) != 0)
            return 0;
        if (c->capacity == UINT64_MAX)
            continue;
        const uint64_t room = room_of(c, claims, released_of(c));
        k = n < room ? n : (size_t)room;
        if (k == 0)
            return 0;
    } while (!atomic_compare_exchange_weak_explicit(
        &c->claims, &claims, claims + k, memory_order_relaxed,
        memory_order_relaxed));
    return k;
}

/* Count `n` items that have left, or that never came. */
static void
release(struct weft_queue_fast *q, size_t n)
{
    struct weft_queue_counted *c = &q->counted;
    /* acq_rel: counted.room (release), counted.end (acquire) */
    const uint64_t was =
        atomic_fetch_add_explicit(&c->released, n, memory_order_acq_rel);

    if ((was & CLOSED) != 0 && weft_queue_counted_is_drained_(c))
        weft_bell_ring_all_(&q->items);
}

/* The container has no memory for `n` of the items that were claimed. */
static void
fail(struct weft_queue_fast *q, size_t n)
{
    release(q, n);
    (void)weft_queue_finish_(q, n, true);
    (void)weft_bell_ring_(&q->room, n);
}

/* The caller's functions may have cancellation points, and a claim would be
 * lost, or an item. */
static size_t
push_heap(weft_heap *h, void *const *items, size_t n)
{
    int state;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    n = weft_heap_push_n(h, items, n);
    pthread_setcancelstate(state, NULL);
    return n;
}

static size_t
pop_heap(weft_heap *h, void **items, size_t n)
{
    int state;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    n = weft_heap_pop_n(h, items, n);
    pthread_setcancelstate(state, NULL);
    return n;
}

enum weft_status
weft_queue_counted_push_n_(struct weft_queue_fast *q, void *const *items,
                           size_t n, size_t *done)
{
    struct weft_queue_counted *c = &q->counted;
    const size_t k = claim(c, n);
    size_t pushed;

    if (k == 0)
        return WEFT_FULL;
    WEFT_SCHED_POINT_("queue.put.claimed");
    if (c->stack == NULL)
        pushed = push_heap(c->heap, items, k);
    else if (k == 1)
        pushed = weft_stack_push_lockfree_(c->stack, items[0]) == WEFT_OK;
    else
        pushed = weft_stack_push_n_lockfree_(c->stack, items, k);
    if (pushed < k)
        fail(q, k - pushed);
    *done = pushed;
    return pushed > 0 ? WEFT_OK : WEFT_NO_MEMORY;
}

size_t
weft_queue_counted_pop_n_(struct weft_queue_fast *q, void **items, size_t n)
{
    struct weft_queue_counted *c = &q->counted;
    size_t k;

    if (c->stack == NULL)
        k = pop_heap(c->heap, items, n);
    else if (n == 1)
        k = weft_stack_pop_lockfree_(c->stack, items) == WEFT_OK;
    else
        k = weft_stack_pop_n_lockfree_(c->stack, items, n);
    WEFT_SCHED_POINT_("queue.get.not_released");
    if (k != 0)
        release(q, k);
    return k;
}

bool
weft_queue_counted_has_room_(const struct weft_queue_counted *c)
{
    const uint64_t claims = claims_of(c);

    return room_of(c, claims, released_of(c)) != 0;
}

bool
weft_queue_counted_has_items_(const struct weft_queue_counted *c)
{
    const uint64_t released = released_of(c);

    return (released & ~CLOSED) != (claims_of(c) & ~CLOSED);
}

bool
weft_queue_counted_is_ready_(const struct weft_queue_counted *c)
{
    if (c->stack == NULL)
        return weft_heap_size(c->heap) != 0;
    /* Relaxed: what is there is taken by a pop. */
    return atomic_load_explicit(&c->stack->top.item, memory_order_relaxed) !=
           NULL;
}

void
weft_queue_counted_close_(struct weft_queue_counted *c)
{
    /* release: counted.end */
    atomic_fetch_or_explicit(&c->claims, CLOSED, memory_order_release);
    WEFT_SCHED_POINT_("queue.close.claims");
    /* release: counted.end */
    atomic_fetch_or_explicit(&c->released, CLOSED, memory_order_release);
}

bool
weft_queue_counted_is_closed_(const struct weft_queue_counted *c)
{
    return (claims_of(c) & CLOSED) != 0;
}

bool
weft_queue_counted_is_drained_(const struct weft_queue_counted *c)
{
    const uint64_t claims = claims_of(c);

    return (claims & CLOSED) != 0 &&
           (released_of(c) & ~CLOSED) == (claims & ~CLOSED);
}

uint64_t
weft_queue_counted_pushed_(const struct weft_queue_counted *c)
{
    return claims_of(c) & ~CLOSED;
}

size_t
weft_queue_counted_size_(const struct weft_queue_counted *c)
{
    const uint64_t released = released_of(c) & ~CLOSED;
    const uint64_t held = (claims_of(c) & ~CLOSED) - released;

    return (size_t)(held < c->capacity ? held : c->capacity);
}
