/* SPDX-License-Identifier: MIT */
/*
 * container/fifo_impl.h - what the forms of the fifo share.
 */
#ifndef WEFT_CONTAINER_FIFO_IMPL_H
#define WEFT_CONTAINER_FIFO_IMPL_H

#include <weft/fifo.h>

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cacheline.h"

#define WEFT_FIFO_CHUNK_ITEMS 1020 /* WEFT_MUTEX: with the link, 8 KiB */

/* WEFT_MUTEX: items that lie together. */
struct weft_fifo_chunk {
    struct weft_fifo_chunk *next; /* the younger */
    void *items[WEFT_FIFO_CHUNK_ITEMS];
};

struct weft_fifo {
    enum weft_impl impl; /* constant */

    /* WEFT_MUTEX only; all but the counts belong to who holds the lock. */
    alignas(WEFT_CACHE_PAIR) pthread_mutex_t lock;
    struct weft_fifo_chunk *oldest;
    struct weft_fifo_chunk *youngest;
    struct weft_fifo_chunk *spare; /* NULL: none */
    size_t first;                  /* index of the oldest item */
    size_t end;                    /* after the youngest, in its chunk */
    _Atomic uint64_t pushed;
    _Atomic uint64_t popped;
};

/*
 * Return how many items were ever pushed.
 *
 *   returns    at least all pushes that have returned, at most all that have
 *              begun; never less than an earlier call that happens-before
 *   cost       a few loads
 */
uint64_t weft_fifo_pushed_(const weft_fifo *f);

/* The variants; each as the public call without the suffix. */
bool weft_fifo_init_mutex_(weft_fifo *f);
void weft_fifo_fini_mutex_(weft_fifo *f);
enum weft_status weft_fifo_push_mutex_(weft_fifo *f, void *item);
enum weft_status weft_fifo_pop_mutex_(weft_fifo *f, void **item);
size_t weft_fifo_push_n_mutex_(weft_fifo *f, void *const *items, size_t n);
size_t weft_fifo_pop_n_mutex_(weft_fifo *f, void **items, size_t n);
uint64_t weft_fifo_pushed_mutex_(const weft_fifo *f);
uint64_t weft_fifo_popped_mutex_(const weft_fifo *f);

#endif /* WEFT_CONTAINER_FIFO_IMPL_H */
