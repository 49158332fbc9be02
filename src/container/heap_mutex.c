/* SPDX-License-Identifier: MIT */
/*
 * container/heap_mutex.c - the form with one lock: what the others must do.
 *
 * entries[0] leaves first; none of the up to WAYS entries that follow entry i,
 * WAYS * i + 1 and on, leaves before it (Williams, Algorithm 232: Heapsort,
 * CACM 1964; with more than two ways: Johnson, Priority queues with update and
 * finding minimum spanning trees, 1975).  A heap keeps no order between equal
 * entries, so each has the number of its push, and no two are equal.
 *
 * The numbers may wrap: two are compared by their difference, which is right
 * while no item stays for 2^63 pushes.
 *
 * The array doubles when it is full, and halves when three quarters of it are
 * free, so that it has moved each item a constant number of times.
 *
 * Ordering.  The lock carries everything; `count` is atomic only because
 * weft_heap_size reads it without.
 */
#include "container/heap_impl.h"

#include <stdlib.h>
#include <string.h>

#define WAYS       4  /* doc/design/heap.md */
#define LEAST_ROOM 16 /* the array gets no smaller */
#define AT_ONCE    16 /* items under one lock */

static size_t
count_of(const weft_heap *h)
{
    return atomic_load_explicit(&h->count, memory_order_relaxed);
}

static void
set_count(weft_heap *h, size_t count)
{
    atomic_store_explicit(&h->count, count, memory_order_relaxed);
}

static bool
leaves_before(const weft_heap *h, const struct weft_heap_entry *a,
              const struct weft_heap_entry *b)
{
    if (h->compare != NULL) {
        const int order = h->compare(a->item, b->item, h->ctx);
        if (order != 0)
            return order < 0;
    } else if (a->key != b->key) {
        return a->key < b->key;
    }
    return (int64_t)(a->arrival - b->arrival) < 0;
}

/* Make room for `room` entries; false, and nothing changes, without memory. */
static bool
resize(weft_heap *h, size_t room)
{
    if (room > PTRDIFF_MAX / sizeof(h->entries[0]))
        return false;
    void *entries = realloc(h->entries, room * sizeof(h->entries[0]));
    if (entries == NULL)
        return false;
    h->entries = entries;
    h->room = room;
    return true;
}

/* Put `e` at `hole` or, after entries have moved down, above it. */
static void
rise(weft_heap *h, size_t hole, const struct weft_heap_entry *e)
{
    while (hole > 0) {
        const size_t above = (hole - 1) / WAYS;
        if (!leaves_before(h, e, &h->entries[above]))
            break;
        h->entries[hole] = h->entries[above];
        hole = above;
    }
    h->entries[hole] = *e;
}

/* The entry that leaves first of those that follow `above`; `count` if none
 * do. */
static size_t
first_below(const weft_heap *h, size_t above, size_t count)
{
    size_t first = WAYS * above + 1;

    if (first >= count)
        return count;
    const size_t end = count - first < WAYS ? count : first + WAYS;
    for (size_t i = first + 1; i < end; i++)
        if (leaves_before(h, &h->entries[i], &h->entries[first]))
            first = i;
    return first;
}

/*
 * Put `e`, which was last, at the top or, after entries have moved up, below
 * it.  The hole goes down to the end first: most last ones belong there, and
 * this way each level costs one comparison less.
 */
static void
sink(weft_heap *h, size_t count, const struct weft_heap_entry *e)
{
    size_t hole = 0;
    size_t below;

    while ((below = first_below(h, hole, count)) != count) {
        h->entries[hole] = h->entries[below];
        hole = below;
    }
    rise(h, hole, e);
}

/* Push up to AT_ONCE items whose keys are known; how many. */
static size_t
push_some(weft_heap *h, struct weft_heap_entry *some, size_t n)
{
    size_t done = 0;

    pthread_mutex_lock(&h->lock);
    for (; done < n; done++) {
        const size_t count = count_of(h);
        if (count == h->room && !resize(h, 2 * count))
            break;
        some[done].arrival = h->arrivals++;
        rise(h, count, &some[done]);
        set_count(h, count + 1);
    }
    pthread_mutex_unlock(&h->lock);
    return done;
}

size_t
weft_heap_push_n_mutex_(weft_heap *h, void *const *items, size_t n)
{
    struct weft_heap_entry some[AT_ONCE];
    size_t done = 0;

    /* The key is read before the lock is taken: no lock is held meanwhile. */
    while (done < n) {
        const size_t left = n - done;
        const size_t these = left < AT_ONCE ? left : AT_ONCE;
        for (size_t i = 0; i < these; i++) {
            some[i].item = items[done + i];
            some[i].key = h->key != NULL ? h->key(some[i].item, h->ctx) : 0;
        }
        const size_t k = push_some(h, some, these);
        done += k;
        if (k < these)
            break;
    }
    return done;
}

size_t
weft_heap_pop_n_mutex_(weft_heap *h, void **items, size_t n)
{
    size_t done = 0;

    pthread_mutex_lock(&h->lock);
    size_t count = count_of(h);
    for (; done < n && count > 0; done++) {
        items[done] = h->entries[0].item;
        const struct weft_heap_entry last = h->entries[--count];
        if (count > 0)
            sink(h, count, &last);
    }
    set_count(h, count);
    size_t room = h->room;
    while (room > LEAST_ROOM && count < room / 4)
        room /= 2;
    if (room != h->room)
        (void)resize(h, room); /* if it fails, it stays big for now */
    pthread_mutex_unlock(&h->lock);
    return done;
}

size_t
weft_heap_size_mutex_(const weft_heap *h)
{
    return count_of(h);
}

enum weft_status
weft_heap_open_mutex_(weft_heap *h)
{
    if (!resize(h, LEAST_ROOM))
        return WEFT_NO_MEMORY;
    if (pthread_mutex_init(&h->lock, NULL) != 0) {
        free(h->entries);
        return WEFT_NO_MEMORY;
    }
    return WEFT_OK;
}

void
weft_heap_close_mutex_(weft_heap *h)
{
    pthread_mutex_destroy(&h->lock);
    free(h->entries);
}
