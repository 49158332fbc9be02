/* SPDX-License-Identifier: MIT */
/*
 * heaps_weft.c - Weft's heaps, through the calls that every user makes, and
 * what one writes by hand: a binary heap under a pthread mutex.
 */
#include <weft/heap.h>

#include <pthread.h>
#include <stdlib.h>

#include "bench/heap_loops.h"
#include "memory.h"

static int64_t
key_of(const void *item, void *ctx)
{
    (void)ctx;
    return ((const struct heap_item *)item)->key;
}

static int
compare(const void *a, const void *b, void *ctx)
{
    const int64_t x = key_of(a, ctx);
    const int64_t y = key_of(b, ctx);

    return x < y ? -1 : x > y;
}

static void *
create_keyed(int kind)
{
    weft_heap *h = NULL;

    (void)!weft_heap_create_keyed(&h, key_of, NULL, (enum weft_impl)kind);
    return h;
}

static void *
create_compared(int kind)
{
    weft_heap *h = NULL;

    (void)!weft_heap_create(&h, compare, NULL, (enum weft_impl)kind);
    return h;
}

static void
destroy_weft(void *heap)
{
    weft_heap_destroy(heap);
}

static bool
push_weft(void *heap, struct heap_item *item)
{
    return weft_heap_push(heap, item) == WEFT_OK;
}

static struct heap_item *
pop_weft(void *heap)
{
    void *item;

    return weft_heap_pop(heap, &item) == WEFT_OK ? item : NULL;
}

HEAP_WORK(work_weft, push_weft, pop_weft)

#define WEFT(label, form, make)                                               \
    {                                                                         \
        .name = label, .kind = form, .create = make, .destroy = destroy_weft, \
        .push = push_weft, .pop = pop_weft, .work = work_weft                 \
    }

const struct heap_variant heap_weft[] = {
    WEFT("weft lock-free, key", WEFT_LOCKFREE, create_keyed),
    WEFT("weft lock-free, compare", WEFT_LOCKFREE, create_compared),
    WEFT("weft mutex, key", WEFT_MUTEX, create_keyed),
    WEFT("weft mutex, compare", WEFT_MUTEX, create_compared),
    {.name = NULL},
};

/* By hand: equal ones in any order. */
struct by_hand {
    pthread_mutex_t lock;
    struct heap_item **items;
    size_t count;
    size_t room;
};

static void *
create_by_hand(int kind)
{
    struct by_hand *b = must_have(1, sizeof(*b));

    (void)kind;
    pthread_mutex_init(&b->lock, NULL);
    return b;
}

static void
destroy_by_hand(void *heap)
{
    struct by_hand *b = heap;

    pthread_mutex_destroy(&b->lock);
    free(b->items);
    free(b);
}

static bool
push_by_hand(void *heap, struct heap_item *item)
{
    struct by_hand *b = heap;

    pthread_mutex_lock(&b->lock);
    if (b->count == b->room) {
        b->room = b->room > 0 ? 2 * b->room : 64;
        void *items = realloc(b->items, b->room * sizeof(b->items[0]));
        if (items == NULL)
            abort();
        b->items = items;
    }
    size_t hole = b->count++;
    while (hole > 0 && item->key < b->items[(hole - 1) / 2]->key) {
        b->items[hole] = b->items[(hole - 1) / 2];
        hole = (hole - 1) / 2;
    }
    b->items[hole] = item;
    pthread_mutex_unlock(&b->lock);
    return true;
}

static struct heap_item *
pop_by_hand(void *heap)
{
    struct by_hand *b = heap;
    struct heap_item *first = NULL;

    pthread_mutex_lock(&b->lock);
    if (b->count > 0) {
        first = b->items[0];
        struct heap_item *last = b->items[--b->count];
        size_t hole = 0;
        for (size_t below = 1; below < b->count; below = 2 * hole + 1) {
            if (below + 1 < b->count &&
                b->items[below + 1]->key < b->items[below]->key)
                below++;
            if (last->key <= b->items[below]->key)
                break;
            b->items[hole] = b->items[below];
            hole = below;
        }
        b->items[hole] = last;
    }
    pthread_mutex_unlock(&b->lock);
    return first;
}

HEAP_WORK(work_by_hand, push_by_hand, pop_by_hand)

const struct heap_variant heap_pthread[] = {
    {.name = "pthread mutex, binary heap",
     .note = "equal ones in any order; keys are read while others wait",
     .rival = true,
     .baseline = true,
     .create = create_by_hand,
     .destroy = destroy_by_hand,
     .push = push_by_hand,
     .pop = pop_by_hand,
     .work = work_by_hand},
    {.name = NULL},
};
