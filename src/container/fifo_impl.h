/* SPDX-License-Identifier: MIT */
/*
 * container/fifo_impl.h - what the forms of the fifo share: segments in a list,
 * their lives, and positions.
 *
 *      head                                  tail
 *       |                                     |
 *     +---------+      +---------+      +---------+
 *     | life 7  |----->| life 8  |----->| life 9  |      spare: [s] [s] [ ]
 *     +---------+      +---------+      +---------+
 *      oldest                            youngest
 *
 * A segment that has drained is put at the other end again at once, while
 * threads that were stopped may still look at it.  What keeps them from taking
 * it for what it was: each place in the list has a number, its life, which is
 * never used again, and
 *
 *   - `segment` of each end is a pair {segment, life}, replaced as a whole;
 *   - `next` is a pair {next, own life}, replaced as a whole;
 *   - the stamp of a cell tells the life in which it was last filled or taken,
 *     and only grows.
 *
 * A segment's memory goes back to the system only through base/reclaim.h, so
 * whoever is inside a call may read any segment that he has seen.
 *
 * A position is {life, index} in one word.  The index of a segment that is done
 * is the number of its cells, still of its own life: so a position never names
 * a life that `segment` of its end has not come to.
 *
 *     63                         12               0
 *     +--------------------------+----------------+
 *     |           life           |     index      |   0 to WEFT_FIFO_CELLS
 *     +--------------------------+----------------+
 *
 * Bit 63 of a position stays free: 2^51 lives of 4092 items last 292 years at
 * 10^9 items a second.
 *
 * A fifo may be closed, for the blocking queue (src/queue), by a mark where a
 * push cannot miss it, which costs it nothing: WEFT_FIFO_END_ in
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
#include "base/pair.h"
#include "base/reclaim.h"

#define WEFT_FIFO_INDEX_BITS 12
#define WEFT_FIFO_CELLS      4092 /* with the header, 64 KiB */
#define WEFT_FIFO_SPARES     4
#define WEFT_FIFO_END_       (UINT64_C(1) << 63)

#define WEFT_FIFO_CHUNK_ITEMS 1020 /* WEFT_MUTEX: with the link, 8 KiB */

struct weft_fifo_segment {
    alignas(WEFT_CACHE_LINE) struct weft_pair next; /* {younger, own life} */
    struct weft_retired retired;
    alignas(WEFT_CACHE_LINE) struct weft_pair cells[WEFT_FIFO_CELLS];
};

_Static_assert(sizeof(struct weft_fifo_segment) == 65536 &&
                   WEFT_FIFO_CELLS < 1 << WEFT_FIFO_INDEX_BITS,
               "the index of a segment that is done fits");

/* One end of the list. */
struct weft_fifo_end {
    alignas(WEFT_CACHE_PAIR) struct weft_pair segment; /* {segment, life} */
    _Atomic uint64_t position; /* a counter or a hint: the form knows */
};

/* WEFT_MUTEX: items that lie together. */
struct weft_fifo_chunk {
    struct weft_fifo_chunk *next; /* the younger */
    void *items[WEFT_FIFO_CHUNK_ITEMS];
};

struct weft_fifo {
    enum weft_impl impl; /* constant, as are the next two */
    uint64_t first_life; /* at least 1: fresh cells have the stamp 0 */
    uint64_t cells;      /* of a segment that are used */

    struct weft_fifo_end tail;
    struct weft_fifo_end head;
    alignas(WEFT_CACHE_PAIR) _Atomic(struct weft_fifo_segment *)
        spares[WEFT_FIFO_SPARES];

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

/* Where a call stands: the segment `s` in its life `life`. */
struct weft_fifo_place {
    struct weft_fifo_segment *s;
    uint64_t life;
    uint64_t index;
};

/* What a new fifo begins with; tests set its life near the end, and its cells
 * to few. */
struct weft_fifo_start {
    uint64_t first_life;
    uint64_t cells;
};
extern struct weft_fifo_start weft_fifo_start_;

static inline uint64_t
weft_fifo_position_(uint64_t life, uint64_t index)
{
    return life << WEFT_FIFO_INDEX_BITS | index;
}

static inline uint64_t
weft_fifo_life_(uint64_t position)
{
    return position >> WEFT_FIFO_INDEX_BITS;
}

static inline uint64_t
weft_fifo_index_(uint64_t position)
{
    return position & ((UINT64_C(1) << WEFT_FIFO_INDEX_BITS) - 1);
}

/* How many positions of `f` are before `position` [items]. */
static inline uint64_t
weft_fifo_count_(const weft_fifo *f, uint64_t position)
{
    return (weft_fifo_life_(position) - f->first_life) * f->cells +
           weft_fifo_index_(position);
}

/* --- segments: fifo_segment.c --------------------------------------------
 * All but init and fini are called between weft_reclaim_enter_ and _leave_. */

bool weft_fifo_init_segments_(weft_fifo *f);
void weft_fifo_fini_segments_(weft_fifo *f);

/* Segment and life of an end, as they were together at one moment. */
struct weft_fifo_place weft_fifo_look_(const struct weft_fifo_end *end);

/*
 * Go on from `at`, which is full, to the next segment at the tail, and append
 * one if there is none; false if there is no memory.
 */
bool weft_fifo_tail_on_(weft_fifo *f, const struct weft_fifo_place *at);

/* Let nothing be appended to `at`, which is full, any more; false: it is not
 * the last.  And whether that has been done. */
bool weft_fifo_end_list_(weft_fifo *f, const struct weft_fifo_place *at);
bool weft_fifo_is_end_of_list_(const struct weft_fifo_place *at);

/*
 * Go on from `at`, which has drained, to the next segment at the head; false
 * if there is none.
 */
bool weft_fifo_head_on_(weft_fifo *f, const struct weft_fifo_place *at);

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
