/* SPDX-License-Identifier: MIT */
/*
 * counter.c - a sum in one word, or in a cell per CPU.
 *
 *     kind       what the counter stands at
 *     MUTEX      word, written only under the lock
 *     ATOMIC     word
 *     PERCPU     sum of all cells - word
 *
 * A reset of a PERCPU counter cannot write the cells: the addition of a
 * restartable sequence is one instruction on its own CPU, but not atomic
 * against a store from another.  So cells are only ever added to, and `word`
 * is what resets have taken away so far.  A reset reads word, sums the cells,
 * and replaces word by that sum if nobody else has replaced it meanwhile; it
 * returns the difference.  The differences of all resets and of a last sum add
 * up to the cells, whatever the interleaving: nothing is lost or counted
 * twice.
 *
 * Overflow wraps: atomic additions do, the rest is computed unsigned.
 *
 * A sum counts each addition that happens before it: the addition is a store
 * to, or an atomic operation on, one word that the sum then loads, and a load
 * never returns a value older than one that happens before it.
 *
 * Ordering.  One edge, for PERCPU; the words themselves are relaxed:
 *
 *     take   a reset replaces word  ->  a sum or reset loads it, then cells
 *
 * It makes whoever subtracts `word` see every cell at least as new as the
 * reset that wrote it did.  Without it a sum could subtract an addition that
 * it does not see, and come out negative.
 */
#include "container/counter.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/percpu_port.h"

enum weft_status
weft_counter_create(weft_counter **out, enum weft_counter_kind kind)
{
    if (out == NULL || (unsigned)kind > WEFT_COUNTER_MUTEX)
        return WEFT_INVALID;

    unsigned count = kind == WEFT_COUNTER_PERCPU ? weft_percpu_count_() : 0;
    weft_counter *c = aligned_alloc(WEFT_CACHE_LINE,
                                    sizeof(*c) + count * sizeof(c->cells[0]));
    if (c == NULL)
        return WEFT_NO_MEMORY;

    c->kind = kind;
    c->count = count;
    c->by_cpu = owned_works() ? count : 0;
    atomic_init(&c->word, 0);
    pthread_mutex_init(&c->lock, NULL);
    for (unsigned i = 0; i < count; i++) {
        atomic_init(&c->cells[i].owned, 0);
        atomic_init(&c->cells[i].shared, 0);
    }
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

static int64_t
wrapping_sum(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static int64_t
wrapping_difference(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

/*
 * Replace the word of a MUTEX counter by `n`, plus itself if `keep`.  Not
 * inlined: the registers it saves would be saved by the other kinds too.
 */
__attribute__((noinline)) static int64_t
change_mutex(weft_counter *c, bool keep, int64_t n)
{
    pthread_mutex_lock(&c->lock);
    int64_t was = atomic_load_explicit(&c->word, memory_order_relaxed);
    int64_t next = keep ? wrapping_sum(was, n) : n;
    atomic_store_explicit(&c->word, next, memory_order_relaxed);
    pthread_mutex_unlock(&c->lock);
    return was;
}

/* What the cells of a PERCPU counter, at least one, hold together. */
static inline int64_t
sum_cells(const weft_counter *c)
{
    const struct weft_percpu_cell *cell = c->cells;
    const struct weft_percpu_cell *end = cell + c->count;
    uint64_t sum = 0;

    do {
        sum +=
            (uint64_t)atomic_load_explicit(&cell->owned, memory_order_relaxed);
        sum +=
            (uint64_t)atomic_load_explicit(&cell->shared, memory_order_relaxed);
    } while (++cell != end);
    return (int64_t)sum;
}

static int64_t
reset_percpu(weft_counter *c)
{
    /* acquire: take */
    int64_t taken = atomic_load_explicit(&c->word, memory_order_acquire);

    for (;;) {
        int64_t sum = sum_cells(c);
        /* acq_rel: take.  A failure loads what another reset has stored. */
        if (atomic_compare_exchange_weak_explicit(&c->word, &taken, sum,
                                                  memory_order_acq_rel,
                                                  memory_order_acquire))
            return wrapping_difference(sum, taken);
    }
}

/*
 * Start a line: on the CPUs from Skylake to Cascade Lake a jump that touches
 * the end of a 32-byte block is decoded anew each time, which made these
 * functions up to twice as slow where the linker happened to put them so.
 */
#define AT_LINE __attribute__((aligned(WEFT_CACHE_LINE)))

AT_LINE void
weft_counter_add(weft_counter *c, int64_t n)
{
    if (__builtin_expect(c->kind == WEFT_COUNTER_PERCPU, 1)) {
        if (!add_owned(c->cells, c->by_cpu, n))
            weft_percpu_add_shared_(c->cells, c->count, n);
    } else if (c->kind == WEFT_COUNTER_ATOMIC) {
        atomic_fetch_add_explicit(&c->word, n, memory_order_relaxed);
    } else {
        change_mutex(c, true, n);
    }
}

AT_LINE int64_t
weft_counter_sum(const weft_counter *c)
{
    /* acquire: take */
    int64_t word = atomic_load_explicit(&c->word, memory_order_acquire);

    if (c->kind != WEFT_COUNTER_PERCPU)
        return word;
    return wrapping_difference(sum_cells(c), word);
}

int64_t
weft_counter_reset(weft_counter *c)
{
    switch (c->kind) {
    case WEFT_COUNTER_PERCPU:
        return reset_percpu(c);
    case WEFT_COUNTER_ATOMIC:
        return atomic_exchange_explicit(&c->word, 0, memory_order_relaxed);
    case WEFT_COUNTER_MUTEX:
        break;
    }
    return change_mutex(c, false, 0);
}
