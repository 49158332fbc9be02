/* SPDX-License-Identifier: MIT */
/*
 * container/deque_impl.h - what a deque consists of, for deque.c and the tests
 * of its inside.
 */
#ifndef WEFT_CONTAINER_DEQUE_IMPL_H
#define WEFT_CONTAINER_DEQUE_IMPL_H

#include <weft/deque.h>

#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/cacheline.h"

#define WEFT_DEQUE_FIRST 64 /* items of the first array, a power of two */

/* The item of position p is items[p & mask]. */
struct weft_deque_array {
    struct weft_deque_array *older; /* that it replaced; NULL: the first */
    uint64_t mask;                  /* a power of two less one */
    _Atomic(void *) items[];
};

/* What the owner writes and what thieves write lie apart. */
struct weft_deque {
    _Atomic(struct weft_deque_array *) array; /* the owner replaces it */

    alignas(WEFT_CACHE_PAIR) _Atomic uint64_t bottom; /* next one to push */
    uint64_t seen_top;             /* the owner's: `top` is this or after it */
    struct weft_deque_array *mine; /* the owner's copy of `array` */

    alignas(WEFT_CACHE_PAIR) _Atomic uint64_t top; /* next one to steal */
};

/* Let an unused deque begin at position `p`; positions may wrap. */
void weft_deque_begin_at_(weft_deque *d, uint64_t p);

#endif /* WEFT_CONTAINER_DEQUE_IMPL_H */
