/* SPDX-License-Identifier: MIT */
/*
 * container/deque.c - Chase and Lev's deque.
 *
 * Items have positions: the items in the deque are those from `top`, the
 * oldest, to before `bottom`.  The owner moves bottom both ways; top only goes
 * up, by a compare-and-swap, and whoever moves it from p to p + 1 has item p.
 *
 *     top      bottom
 *      |          |
 *      v          v          p is at items[p & mask]
 *      a b c d e f . . . .
 *      ^         ^
 *      steal     pop, push
 *
 * The owner takes an item without a compare-and-swap if it is not the last.  It
 * first announces by moving bottom down that it will, and then looks at top;
 * a thief looks at top and then at bottom.  If the owner finds top below its
 * item, no thief can have got there without seeing the announcement.  If top is
 * at its item, owner and thieves settle by the compare-and-swap who has it.
 *
 * A thief reads the item before it owns it.  If its swap then succeeds, top was
 * p all the time, so the owner has not come round to write another item at
 * items[p & mask]: it would have seen an array that is full.
 *
 * An array that was outgrown stays until the deque is destroyed.  A thief that
 * holds an old array reads what it would find in the new one, since the owner
 * writes neither of them at positions that are not yet stolen.  All old arrays
 * together are smaller than the one in use.  (To give them back earlier, a
 * thief would have to tell that it is reading: doc/design/deque.md.)
 *
 * Positions are compared by their difference, so that they may wrap.
 *
 * Ordering.
 *
 *     publish    push moves bottom       ->  steal sees the item; pop, which
 *                                            lowers it, passes that on
 *     vacate     steal moves top         ->  push writes the same cell
 *     replace    push stores an array    ->  steal sees its items
 *     agreement  pop stores bottom         ->  steal loads it after top, and
 *                                            does not miss what pop missed
 *
 * The agreement: pop stores bottom and then loads top; a thief loads top, which
 * tells it of thieves before it, and then loads bottom.  Not both may miss what
 * the other did.  It is one of sequentially consistent operations and needs no
 * fence: on x86-64 pop pays one exchange.  Le, Pop, Cohen and Zappa Nardelli
 * use fences and weaker operations, which ThreadSanitizer cannot follow.
 */
#include "container/deque_impl.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/sched.h"

static struct weft_deque_array *
new_array(uint64_t room)
{
    if (room > (PTRDIFF_MAX - sizeof(struct weft_deque_array)) / sizeof(void *))
        return NULL;
    struct weft_deque_array *a =
        malloc(sizeof(*a) + (size_t)room * sizeof(a->items[0]));
    if (a != NULL) {
        a->older = NULL;
        a->mask = room - 1;
    }
    return a;
}

static _Atomic(void *) *
cell_of(struct weft_deque_array *a, uint64_t p)
{
    return &a->items[p & a->mask];
}

void
weft_deque_begin_at_(weft_deque *d, uint64_t p)
{
    atomic_store_explicit(&d->bottom, p, memory_order_relaxed);
    atomic_store_explicit(&d->top, p, memory_order_relaxed);
    d->seen_top = p;
}

enum weft_status
weft_deque_create(weft_deque **out)
{
    if (out == NULL)
        return WEFT_INVALID;

    weft_deque *d = aligned_alloc(alignof(weft_deque), sizeof(*d));
    struct weft_deque_array *a = new_array(WEFT_DEQUE_FIRST);
    if (d == NULL || a == NULL) {
        free(d);
        free(a);
        return WEFT_NO_MEMORY;
    }
    d->mine = a;
    atomic_init(&d->array, a);
    atomic_init(&d->bottom, 0);
    atomic_init(&d->top, 0);
    weft_deque_begin_at_(d, 0);
    *out = d;
    return WEFT_OK;
}

void
weft_deque_destroy_with(weft_deque *d, void (*drop)(void *item, void *ctx),
                        void *ctx)
{
    if (d == NULL)
        return;
    void *item;
    while (drop != NULL && weft_deque_pop(d, &item) == WEFT_OK)
        drop(item, ctx);
    while (d->mine != NULL) {
        struct weft_deque_array *older = d->mine->older;
        free(d->mine);
        d->mine = older;
    }
    free(d);
}

void
weft_deque_destroy(weft_deque *d)
{
    weft_deque_destroy_with(d, NULL, NULL);
}

/*
 * The owner at `bottom` thinks the array is full: look again, and make a
 * bigger one if it is.  False if there is no memory.
 */
static __attribute__((noinline)) bool
find_room(weft_deque *d, uint64_t bottom)
{
    struct weft_deque_array *old = d->mine;
    /* acquire: vacate */
    const uint64_t top = atomic_load_explicit(&d->top, memory_order_acquire);

    d->seen_top = top;
    if (bottom - top <= old->mask)
        return true;
    struct weft_deque_array *a = new_array(2 * (old->mask + 1));
    if (a == NULL)
        return false;
    for (uint64_t p = top; p != bottom; p++) {
        void *item =
            atomic_load_explicit(cell_of(old, p), memory_order_relaxed);
        atomic_store_explicit(cell_of(a, p), item, memory_order_relaxed);
    }
    a->older = old;
    d->mine = a;
    WEFT_SCHED_POINT_("deque.push.copied");
    /* release: replace */
    atomic_store_explicit(&d->array, a, memory_order_release);
    return true;
}

enum weft_status
weft_deque_push(weft_deque *d, void *item)
{
    const uint64_t bottom =
        atomic_load_explicit(&d->bottom, memory_order_relaxed);

    if (bottom - d->seen_top > d->mine->mask && !find_room(d, bottom))
        return WEFT_NO_MEMORY;
    atomic_store_explicit(cell_of(d->mine, bottom), item, memory_order_relaxed);
    WEFT_SCHED_POINT_("deque.push.written");
    /* release: publish */
    atomic_store_explicit(&d->bottom, bottom + 1, memory_order_release);
    return WEFT_OK;
}

/* Move top on from `top`: whether item `top` is the caller's. */
static bool
win(weft_deque *d, uint64_t top)
{
    /* seq_cst: vacate, agreement */
    return atomic_compare_exchange_strong_explicit(
        &d->top, &top, top + 1, memory_order_seq_cst, memory_order_relaxed);
}

enum weft_status
weft_deque_pop(weft_deque *d, void **item)
{
    const uint64_t bottom =
        atomic_load_explicit(&d->bottom, memory_order_relaxed) - 1;

    /* Nothing there is often the answer, and top never goes back. */
    uint64_t top = atomic_load_explicit(&d->top, memory_order_relaxed);
    if (top == bottom + 1)
        return WEFT_EMPTY;

    /* seq_cst: publish, agreement.  Were the store to pass the load, a thief
     * could take this item and we, seeing the old top, take it too. */
    atomic_store_explicit(&d->bottom, bottom, memory_order_seq_cst);
    WEFT_SCHED_POINT_("deque.pop.announced");
    /* seq_cst: agreement */
    top = atomic_load_explicit(&d->top, memory_order_seq_cst);

    void *last =
        atomic_load_explicit(cell_of(d->mine, bottom), memory_order_relaxed);
    if ((int64_t)(bottom - top) > 0) {
        *item = last;
        return WEFT_OK;
    }
    const bool mine = bottom == top && win(d, top);
    /* release: publish */
    atomic_store_explicit(&d->bottom, bottom + 1, memory_order_release);
    if (!mine)
        return WEFT_EMPTY;
    *item = last;
    return WEFT_OK;
}

enum weft_status
weft_deque_steal(weft_deque *d, void **item)
{
    /* seq_cst: agreement */
    const uint64_t top = atomic_load_explicit(&d->top, memory_order_seq_cst);
    /* seq_cst: publish, agreement */
    const uint64_t bottom =
        atomic_load_explicit(&d->bottom, memory_order_seq_cst);

    if ((int64_t)(bottom - top) <= 0)
        return WEFT_EMPTY;
    /* acquire: replace */
    struct weft_deque_array *a =
        atomic_load_explicit(&d->array, memory_order_acquire);
    void *oldest = atomic_load_explicit(cell_of(a, top), memory_order_relaxed);
    WEFT_SCHED_POINT_("deque.steal.read");
    if (!win(d, top))
        return WEFT_BUSY;
    *item = oldest;
    return WEFT_OK;
}

size_t
weft_deque_size(const weft_deque *d)
{
    const uint64_t top = atomic_load_explicit(&d->top, memory_order_relaxed);
    const uint64_t bottom =
        atomic_load_explicit(&d->bottom, memory_order_relaxed);

    /* Not one snapshot; clamp what no moment ever held. */
    return (int64_t)(bottom - top) > 0 ? (size_t)(bottom - top) : 0;
}
