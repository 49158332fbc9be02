/* SPDX-License-Identifier: MIT */
/*
 * container/fifo_impl.h - what the forms of the fifo share: a list of segments
 * (segments.h), of whose cells the stamp tells the life in which they were last
 * filled or taken, and only grows.
 *
 * Bit 63 of a position stays free: 2^51 lives of 4092 items last 292 years at
 * 10^9 items a second.
 *
 * A fifo may be closed, for the blocking queue (src/queue), by a mark where a
 * push cannot miss it, which costs it nothing: WEFT_SEGMENTS_CLOSED in
 *
 *     LOCKLESS   the counter of the tail, so that no push claims a position
 *     LOCKFREE   the stamp of the first cell that is not pushed, which no push
 *                goes past, or if its segment is full, in its `next`, to which
 *                nothing is appended any more
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
#include "container/segments.h"

#define WEFT_FIFO_CHUNK_ITEMS 1020 /* WEFT_MUTEX: with the link, 8 KiB */

/* WEFT_MUTEX: items that lie together. */
struct weft_fifo_chunk {
    struct weft_fifo_chunk *next; /* the younger */
    void *items[WEFT_FIFO_CHUNK_ITEMS];
};

struct weft_fifo {
    enum weft_impl impl; /* constant, as are the next two */
    uint64_t first_life; /* at least 1: fresh cells have the stamp 0 */
    uint64_t cells;      /* of a segment that are used */

    struct weft_segments list;

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

/* What a new fifo begins with; tests set its life near the end, and its cells
 * to few. */
struct weft_fifo_start {
    uint64_t first_life;
    uint64_t cells;
};
extern struct weft_fifo_start weft_fifo_start_;

/* How many positions of `f` are before `position` [items]. */
static inline uint64_t
weft_fifo_count_(const weft_fifo *f, uint64_t position)
{
    return (weft_segments_life_(position) - f->first_life) * f->cells +
           weft_segments_index_(position);
}

/* --- the forms ----------------------------------------------------------- */

/*
 * Return how many items were ever pushed.
 *
 *   returns    at least all pushes that have returned, at most all that have
 *              begun; never less than an earlier call that happens-before
 *   cost       a few loads
 */
uint64_t weft_fifo_pushed_(const weft_fifo *f);

/*
 * Let no push succeed from now on; not WEFT_MUTEX, as are the three below.  One
 * that overlaps succeeds, and every pop after the close sees its item or, in
 * the lockless form, sees it on its way; or says WEFT_NO_MEMORY.
 *
 *   progress   lock-free; may be repeated, and called by several threads
 *   ordering   everything before the close happens-before
 *              weft_fifo_is_closed_ is true
 */
void weft_fifo_close_(weft_fifo *f);
bool weft_fifo_is_closed_(weft_fifo *f);

/* Whether it is closed and no pop will succeed again; whether one would now. */
bool weft_fifo_is_drained_(weft_fifo *f);
bool weft_fifo_is_ready_(weft_fifo *f);

void weft_fifo_close_lockfree_(weft_fifo *f);
bool weft_fifo_is_closed_lockfree_(weft_fifo *f);
bool weft_fifo_is_drained_lockfree_(weft_fifo *f);
bool weft_fifo_is_ready_lockfree_(weft_fifo *f);
bool weft_fifo_is_ready_lockless_(weft_fifo *f);

/* Each as the public call without the suffix; pushed and popped are counts. */
enum weft_status weft_fifo_push_lockfree_(weft_fifo *f, void *item);
enum weft_status weft_fifo_pop_lockfree_(weft_fifo *f, void **item);
size_t weft_fifo_push_n_lockfree_(weft_fifo *f, void *const *items, size_t n);
size_t weft_fifo_pop_n_lockfree_(weft_fifo *f, void **items, size_t n);
uint64_t weft_fifo_pushed_lockfree_(const weft_fifo *f);
uint64_t weft_fifo_popped_lockfree_(const weft_fifo *f);

enum weft_status weft_fifo_push_lockless_(weft_fifo *f, void *item);
enum weft_status weft_fifo_pop_lockless_(weft_fifo *f, void **item);
size_t weft_fifo_push_n_lockless_(weft_fifo *f, void *const *items, size_t n);
size_t weft_fifo_pop_n_lockless_(weft_fifo *f, void **items, size_t n);
uint64_t weft_fifo_pushed_lockless_(const weft_fifo *f);
uint64_t weft_fifo_popped_lockless_(const weft_fifo *f);

bool weft_fifo_init_mutex_(weft_fifo *f);
void weft_fifo_fini_mutex_(weft_fifo *f);
enum weft_status weft_fifo_push_mutex_(weft_fifo *f, void *item);
enum weft_status weft_fifo_pop_mutex_(weft_fifo *f, void **item);
size_t weft_fifo_push_n_mutex_(weft_fifo *f, void *const *items, size_t n);
size_t weft_fifo_pop_n_mutex_(weft_fifo *f, void **items, size_t n);
uint64_t weft_fifo_pushed_mutex_(const weft_fifo *f);
uint64_t weft_fifo_popped_mutex_(const weft_fifo *f);

#endif /* WEFT_CONTAINER_FIFO_IMPL_H */
