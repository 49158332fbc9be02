/* SPDX-License-Identifier: MIT */
/*
 * container/spsc_impl.h - what a ring of one producer and one consumer is made
 * of, for spsc.c and the tests of internals.
 */
#ifndef WEFT_CONTAINER_SPSC_IMPL_H
#define WEFT_CONTAINER_SPSC_IMPL_H

#include <weft/spsc.h>

#include <assert.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cacheline.h"

/* What the two sides write lies apart, and so do the constants. */
struct weft_spsc {
    alignas(WEFT_CACHE_PAIR) struct weft_spsc_ends_ ends; /* first, public */

    enum weft_impl impl; /* constant, like capacity */
    uint64_t capacity;

    /* WEFT_MUTEX only: the positions, written under the lock. */
    alignas(WEFT_CACHE_PAIR) pthread_mutex_t lock;
    _Atomic uint64_t tail;
    _Atomic uint64_t head;

    alignas(WEFT_CACHE_PAIR) struct weft_spsc_cell_ cells[]; /* and one */
};
static_assert(offsetof(struct weft_spsc, ends) == 0 &&
                  sizeof(struct weft_spsc_side_) == WEFT_CACHE_PAIR,
              "compiled into programs");

#endif /* WEFT_CONTAINER_SPSC_IMPL_H */
