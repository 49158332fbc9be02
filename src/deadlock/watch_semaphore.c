/* SPDX-License-Identifier: MIT */
/*
 * watch_semaphore.c - semaphores that serve as locks.
 *
 * One that begins at 1 is mostly used as a mutex: it is noted as a lock of who
 * takes it, until somebody posts it who has not taken it; then it never was one.
 * Of one that was not initialised by a call the beginning is not known: it is
 * taken for a lock if it can never pass 1, and the first that is seen of it is
 * that somebody takes it from 1.
 *
 * What is known is in a table, by addresses; a bit says that it is no lock.  One
 * that finds no place is none.
 */
#include "deadlock/watch.h"

#define ROOM  1024
#define TRIES 8
#define NOT   ((uintptr_t)1) /* a lock */

static _Atomic uintptr_t table[ROOM];

static _Atomic uintptr_t *
place_of(const void *semaphore, uint32_t i)
{
    const uint32_t at =
        (uint32_t)((uintptr_t)semaphore >> 3) * UINT32_C(2654435761);

    return &table[((at >> 16) + i) % ROOM];
}

/* Where it is in the table; NULL: nowhere. */
static _Atomic uintptr_t *
find(const void *semaphore)
{
    for (uint32_t i = 0; i < TRIES; i++) {
        _Atomic uintptr_t *p = place_of(semaphore, i);
        if ((atomic_load_explicit(p, memory_order_relaxed) & ~NOT) ==
            (uintptr_t)semaphore)
            return p;
    }
    return NULL;
}

/* Note what it is; false: there is no place. */
static bool
put(const void *semaphore, uintptr_t bit)
{
    const uintptr_t value = (uintptr_t)semaphore | bit;
    _Atomic uintptr_t *p = find(semaphore);

    if (p != NULL) {
        atomic_store_explicit(p, value, memory_order_relaxed);
        return true;
    }
    for (uint32_t i = 0; i < TRIES; i++) {
        uintptr_t free = 0;
        if (atomic_compare_exchange_strong_explicit(
                place_of(semaphore, i), &free, value, memory_order_relaxed,
                memory_order_relaxed))
            return true;
    }
    return false;
}

/* One that may pass 1 is known for a lock or not at all. */
static void
be_no_lock(const void *semaphore, bool is_binary)
{
    _Atomic uintptr_t *p = find(semaphore);

    if (is_binary)
        (void)put(semaphore, NOT);
    else if (p != NULL)
        atomic_store_explicit(p, 0, memory_order_relaxed);
}

static bool
holds(const void *semaphore)
{
    const struct weft_self *s = weft_self_record_;

    if (s == NULL)
        return false;
    uint32_t n = atomic_load_explicit(&s->held_count, memory_order_relaxed);
    for (n = n < WEFT_HELD_MAX ? n : WEFT_HELD_MAX; n > 0; n--)
        if (atomic_load_explicit(&s->held[n - 1].object,
                                 memory_order_relaxed) == semaphore)
            return true;
    return false;
}

void
weft_watch_begins_at_(const void *semaphore, uint32_t value, bool is_binary)
{
    weft_watch_orders_from_(semaphore, value);
    if (value == 1)
        (void)put(semaphore, 0);
    else
        be_no_lock(semaphore, is_binary);
}

void
weft_watch_is_no_lock_(const void *semaphore)
{
    be_no_lock(semaphore, false);
}

bool
weft_watch_takes_lock_(const void *semaphore, uint32_t value, bool is_binary)
{
    const _Atomic uintptr_t *p = find(semaphore);

    if (p != NULL)
        return (atomic_load_explicit(p, memory_order_relaxed) & NOT) == 0;
    return is_binary && put(semaphore, value == 1 ? 0 : NOT) && value == 1;
}

void
weft_watch_posts_(const void *semaphore, uint32_t n, bool is_binary)
{
    const _Atomic uintptr_t *p = find(semaphore);
    const bool is_lock =
        p != NULL && (atomic_load_explicit(p, memory_order_relaxed) & NOT) == 0;

    if (n == 1 && holds(semaphore)) {
        weft_watch_released_(semaphore, WEFT_KIND_SEMAPHORE);
    } else if (is_lock || p == NULL) {
        be_no_lock(semaphore, is_binary);
        if (is_lock)
            weft_watch_forgets_(semaphore, 1);
    }
    if (!is_lock)
        weft_watch_tells_(semaphore, WEFT_KIND_SEMAPHORE, NULL, n);
}
