/* SPDX-License-Identifier: MIT */
/*
 * counter.c - a sum under a mutex or in one atomic word.
 */
#include <weft/counter.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/cacheline.h"

struct weft_counter {
    enum weft_counter_kind kind; /* constant */
    pthread_mutex_t lock;        /* MUTEX only */
    _Atomic int64_t sum;
};

enum weft_status
weft_counter_create(weft_counter **out, enum weft_counter_kind kind)
{
    if (out == NULL || (unsigned)kind > WEFT_COUNTER_MUTEX)
        return WEFT_INVALID;
    weft_counter *c = aligned_alloc(WEFT_CACHE_LINE, 2 * WEFT_CACHE_LINE);
    if (c == NULL)
        return WEFT_NO_MEMORY;
    c->kind = kind;
    pthread_mutex_init(&c->lock, NULL);
    atomic_init(&c->sum, 0);
    *out = c;
    return WEFT_OK;
}

void
weft_counter_destroy(weft_counter *c)
{
    if (c == NULL)
        return;
    pthread_mutex_destroy(&c->lock);
    free(c);
}

void
weft_counter_add(weft_counter *c, int64_t n)
{
    atomic_fetch_add_explicit(&c->sum, n, memory_order_relaxed);
}

int64_t
weft_counter_sum(const weft_counter *c)
{
    return atomic_load_explicit(&c->sum, memory_order_relaxed);
}

int64_t
weft_counter_reset(weft_counter *c)
{
    return atomic_exchange_explicit(&c->sum, 0, memory_order_relaxed);
}
