/* SPDX-License-Identifier: MIT */
/*
 * container/stack_mutex.c - the form with one lock: what the others must do.
 *
 * An array whose last item is on top.  It doubles when it is full and is halved
 * when three quarters are free, so that the work per item stays bounded.
 *
 * Ordering.  The lock carries everything; `count` is atomic only because
 * weft_stack_size reads it without.
 */
#include "container/stack_impl.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_LEAST 64 /* [items] */

static size_t
count_of(const weft_stack *s)
{
    return atomic_load_explicit(&s->count, memory_order_relaxed);
}

static void
set_count(weft_stack *s, size_t count)
{
    atomic_store_explicit(&s->count, count, memory_order_relaxed);
}

/* Make room for `wanted` items in all; false if there is no memory. */
static bool
grow(weft_stack *s, size_t wanted)
{
    size_t room = s->room > 0 ? s->room : ROOM_LEAST;

    if (wanted > PTRDIFF_MAX / sizeof(void *) / 2)
        return false;
    while (room < wanted)
        room *= 2;
    if (room == s->room)
        return true;
    void **items = realloc(s->items, room * sizeof(items[0]));
    if (items == NULL)
        return false;
    s->items = items;
    s->room = room;
    return true;
}

/* Give back what is far too much; if that fails, all stays as it is. */
static void
shrink(weft_stack *s, size_t count)
{
    size_t room = s->room;

    while (room > ROOM_LEAST && count <= room / 4)
        room /= 2;
    if (room == s->room)
        return;
    void **items = realloc(s->items, room * sizeof(items[0]));
    if (items == NULL)
        return;
    s->items = items;
    s->room = room;
}

size_t
weft_stack_push_n_mutex_(weft_stack *s, void *const *items, size_t n)
{
    if (n == 0)
        return 0;
    pthread_mutex_lock(&s->lock);
    const size_t count = count_of(s);
    const bool fits = n <= SIZE_MAX - count && grow(s, count + n);
    if (fits) {
        memcpy(s->items + count, items, n * sizeof(items[0]));
        set_count(s, count + n);
    }
    pthread_mutex_unlock(&s->lock);
    return fits ? n : 0;
}

size_t
weft_stack_pop_n_mutex_(weft_stack *s, void **items, size_t n)
{
    pthread_mutex_lock(&s->lock);
    const size_t count = count_of(s);
    const size_t some = n < count ? n : count;
    for (size_t i = 0; i < some; i++)
        items[i] = s->items[count - 1 - i];
    set_count(s, count - some);
    shrink(s, count - some);
    pthread_mutex_unlock(&s->lock);
    return some;
}

size_t
weft_stack_size_mutex_(const weft_stack *s)
{
    return count_of(s);
}
