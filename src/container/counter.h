/* SPDX-License-Identifier: MIT */
/*
 * container/counter.h - what a counter is made of, for counter.c and the
 * tests of internals.
 */
#ifndef WEFT_CONTAINER_COUNTER_H
#define WEFT_CONTAINER_COUNTER_H

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>

#include <weft/counter.h>

#include "base/cacheline.h"
#include "base/percpu.h"

/* The constants lie apart: who only reads them must not wait for a writer. */
struct weft_counter {
    enum weft_counter_kind kind;
    unsigned by_cpu; /* PERCPU: the cells that CPUs reach by their number */
    unsigned count;  /* PERCPU: the cells there are; else 0 */

    alignas(WEFT_CACHE_LINE) _Atomic int64_t word; /* see counter.c */
    pthread_mutex_t lock;                          /* MUTEX only */

    struct weft_percpu_cell cells[]; /* lines of their own */
};

#endif /* WEFT_CONTAINER_COUNTER_H */
