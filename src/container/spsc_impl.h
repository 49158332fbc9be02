/* SPDX-License-Identifier: MIT */
/*
 * container/spsc_impl.h - what a ring of one producer and one consumer is made
 * of, for spsc.c and the tests of internals.
 */
#ifndef WEFT_CONTAINER_SPSC_IMPL_H
#define WEFT_CONTAINER_SPSC_IMPL_H

#include <weft/spsc.h>

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/cacheline.h"

struct weft_spsc_cell {
    _Atomic uint64_t stamp;
    void *item; /* the consumer's while the stamp is, else the producer's */
};

/* What the two sides write lies apart, and so do the constants. */
struct weft_spsc {
    enum weft_impl impl; /* constant, like capacity */
    uint64_t capacity;
    pthread_mutex_t lock; /* WEFT_MUTEX only */

    alignas(WEFT_CACHE_PAIR) struct {
        _Atomic uint64_t tail; /* next position to push */
        uint64_t limit;        /* the producer's: it may push below */
        uint64_t lap;          /* the producer's */
    } producer;

    alignas(WEFT_CACHE_PAIR) struct {
        _Atomic uint64_t head; /* next position to pop */
        uint64_t lap;          /* the consumer's */
    } consumer;

    alignas(
        WEFT_CACHE_PAIR) struct weft_spsc_cell cells[]; /* capacity and one */
};

#endif /* WEFT_CONTAINER_SPSC_IMPL_H */
