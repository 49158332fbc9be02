/* SPDX-License-Identifier: MIT */
/*
 * container/heap_impl.h - what the forms of the heap share.
 */
#ifndef WEFT_CONTAINER_HEAP_IMPL_H
#define WEFT_CONTAINER_HEAP_IMPL_H

#include <weft/heap.h>

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cacheline.h"

/* One item of WEFT_MUTEX. */
struct weft_heap_entry {
    void *item;
    int64_t key;      /* 0 with a compare function */
    uint64_t arrival; /* the push's number; compared by difference */
};

/* The constants lie apart: who only reads them must not wait for a writer. */
struct weft_heap {
    enum weft_impl impl;   /* constant, as are the next three */
    weft_compare *compare; /* NULL: keyed */
    int64_t (*key)(const void *item, void *ctx);
    void *ctx;

    /* WEFT_MUTEX only, all under the lock. */
    alignas(WEFT_CACHE_PAIR) pthread_mutex_t lock;
    struct weft_heap_entry *entries; /* room for `room` of them */
    size_t room;
    _Atomic size_t count; /* also read without the lock */
    uint64_t arrivals;    /* pushes so far; it may wrap */
};

/* The variants; each as the public call without the suffix. */
enum weft_status weft_heap_open_mutex_(weft_heap *h);
void weft_heap_close_mutex_(weft_heap *h);
size_t weft_heap_push_n_mutex_(weft_heap *h, void *const *items, size_t n);
size_t weft_heap_pop_n_mutex_(weft_heap *h, void **items, size_t n);
size_t weft_heap_size_mutex_(const weft_heap *h);

#endif /* WEFT_CONTAINER_HEAP_IMPL_H */
