/* SPDX-License-Identifier: MIT */
/*
 * container/heap_impl.h - what the forms of the heap share, and what the parts
 * of the one without a lock do for each other.
 */
#ifndef WEFT_CONTAINER_HEAP_IMPL_H
#define WEFT_CONTAINER_HEAP_IMPL_H

#include <weft/counter.h>
#include <weft/heap.h>

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cacheline.h"
#include "base/reclaim.h"

/* One item of WEFT_MUTEX. */
struct weft_heap_entry {
    void *item;
    int64_t key;      /* 0 with a compare function */
    uint64_t arrival; /* the push's number; compared by difference */
};

/* Levels of the list that has no lock; level 0 has all nodes. */
#define WEFT_HEAP_LEVELS 16

/* In next[0]: the node that it leads to is taken. */
#define WEFT_HEAP_TAKEN ((uintptr_t)1)

/* One item of the list, or the one before the first. */
struct weft_heap_node {
    void *item;             /* constant from here ... */
    int64_t key;            /* 0 with a compare function */
    uint8_t height;         /* ... to here: its links, at least 1 */
    _Atomic uint8_t linked; /* its push makes no more links */
    _Atomic uint8_t taken;  /* with a compare function: to be freed soon */
    _Atomic uintptr_t next[];
};

/*
 * Nodes that may be used again, linked by next[0].  It outlives its heap while
 * nodes are on their way back.
 */
struct weft_heap_pool {
    alignas(WEFT_CACHE_PAIR) _Atomic uintptr_t top;
    _Atomic int64_t kept;                             /* about how many */
    alignas(WEFT_CACHE_PAIR) _Atomic unsigned shares; /* heap and batches */
    int64_t most; /* how many are kept; constant */
};

/* One thread that compares: which node it looks at. */
struct weft_heap_pin {
    alignas(WEFT_CACHE_LINE) _Atomic uint64_t at; /* its address; 0: none */
    _Atomic uint32_t busy;
    _Atomic uint32_t waiting; /* pops that sleep, or are about to */
    _Atomic uint32_t turn;    /* what they sleep on */
    struct weft_heap_pin *next;
};

/* What is written by different threads, or at different rates, lies apart. */
struct weft_heap {
    enum weft_impl impl;   /* constant, as are the next five */
    weft_compare *compare; /* NULL: keyed */
    int64_t (*key)(const void *item, void *ctx);
    void *ctx;
    weft_counter *items;         /* but for WEFT_MUTEX: how many */
    struct weft_heap_pool *pool; /* the same */

    union {
        struct { /* WEFT_MUTEX; all under the lock */
            alignas(WEFT_CACHE_PAIR) pthread_mutex_t lock;
            struct weft_heap_entry *entries; /* room for `room` of them */
            size_t room;
            _Atomic size_t count; /* also read without the lock */
            uint64_t arrivals;    /* pushes so far; it may wrap */
        };
        struct { /* the others */
            /* A taken node, not far before the first that is not. */
            alignas(WEFT_CACHE_PAIR) _Atomic(struct weft_heap_node *) front;
            /* first[i], i > 0: of level i. */
            alignas(WEFT_CACHE_PAIR) _Atomic uintptr_t first[WEFT_HEAP_LEVELS];
            _Atomic unsigned top; /* the highest level in use */
            _Atomic(struct weft_heap_pin *) pins;
            alignas(WEFT_CACHE_PAIR) _Atomic unsigned giving; /* one thread */
            struct weft_heap_node *oldest; /* not yet given; its alone */
        };
    };
};

static inline struct weft_heap_node *
weft_heap_led_to_(uintptr_t link)
{
    return (struct weft_heap_node *)(link & ~WEFT_HEAP_TAKEN);
}

/* Make the pool of `h`; false: no memory. */
bool weft_heap_pool_create_(weft_heap *h);

/* The heap needs it no more. */
void weft_heap_pool_leave_(struct weft_heap_pool *p);

/*
 * Return a node for `item`, not shared yet; NULL: no memory.
 *
 *   height     of a new node; one that is used again has its own
 *   requires   between weft_reclaim_enter_ and weft_reclaim_leave_
 */
struct weft_heap_node *weft_heap_node_(struct weft_heap_pool *p,
                                       unsigned height, void *item,
                                       int64_t key);

/*
 * Give back the nodes that pops have passed, as far as nobody still links them.
 *
 *   requires   between weft_reclaim_enter_ and weft_reclaim_leave_
 */
void weft_heap_give_back_(weft_heap *h);

/* Take a pin for a push; NULL: no memory.  Return it. */
struct weft_heap_pin *weft_heap_pin_take_(weft_heap *h);
void weft_heap_pin_return_(struct weft_heap_pin *p);

/* Look at nothing, as it is when the pin is returned. */
void weft_heap_pin_clear_(struct weft_heap_pin *p);

/* Look at `n` and nothing else from now on; false if it may be freed. */
bool weft_heap_pin_(struct weft_heap_pin *p, struct weft_heap_node *n);

/* Wait until nobody looks at `n`, and let nobody from now on. */
void weft_heap_unpin_all_(weft_heap *h, struct weft_heap_node *n);

void weft_heap_pins_free_(weft_heap *h);

/* The variants; each as the public call without the suffix. */
enum weft_status weft_heap_open_lockfree_(weft_heap *h);
void weft_heap_close_lockfree_(weft_heap *h);
size_t weft_heap_push_n_lockfree_(weft_heap *h, void *const *items, size_t n);
size_t weft_heap_pop_n_lockfree_(weft_heap *h, void **items, size_t n);
size_t weft_heap_size_lockfree_(const weft_heap *h);

enum weft_status weft_heap_open_mutex_(weft_heap *h);
void weft_heap_close_mutex_(weft_heap *h);
size_t weft_heap_push_n_mutex_(weft_heap *h, void *const *items, size_t n);
size_t weft_heap_pop_n_mutex_(weft_heap *h, void **items, size_t n);
size_t weft_heap_size_mutex_(const weft_heap *h);

#endif /* WEFT_CONTAINER_HEAP_IMPL_H */
