/* SPDX-License-Identifier: MIT */
/*
 * heaps_glib.c - what GLib has for this: GAsyncQueue, which keeps a sorted
 * list, and GSequence, a balanced tree, under a mutex.
 */
#include <glib.h>

#include "bench/heap_loops.h"
#include "bench/sanitized.h"
#include "memory.h"

#include <stdlib.h>

static gint
compare(gconstpointer a, gconstpointer b, gpointer ctx)
{
    const int64_t x = ((const struct heap_item *)a)->key;
    const int64_t y = ((const struct heap_item *)b)->key;

    (void)ctx;
    return x < y ? -1 : x > y;
}

static void *
create_async(int kind)
{
    (void)kind;
    return g_async_queue_new();
}

static void
destroy_async(void *heap)
{
    g_async_queue_unref(heap);
}

static bool
push_async(void *heap, struct heap_item *item)
{
    g_async_queue_push_sorted(heap, item, compare, NULL);
    return true;
}

static struct heap_item *
pop_async(void *heap)
{
    return g_async_queue_try_pop(heap);
}

HEAP_WORK(work_async, push_async, pop_async)

struct sequence {
    GMutex lock;
    GSequence *items;
};

static void *
create_sequence(int kind)
{
    struct sequence *s = must_have(1, sizeof(*s));

    (void)kind;
    g_mutex_init(&s->lock);
    s->items = g_sequence_new(NULL);
    return s;
}

static void
destroy_sequence(void *heap)
{
    struct sequence *s = heap;

    g_sequence_free(s->items);
    g_mutex_clear(&s->lock);
    free(s);
}

static bool
push_sequence(void *heap, struct heap_item *item)
{
    struct sequence *s = heap;

    g_mutex_lock(&s->lock);
    g_sequence_insert_sorted(s->items, item, compare, NULL);
    g_mutex_unlock(&s->lock);
    return true;
}

static struct heap_item *
pop_sequence(void *heap)
{
    struct sequence *s = heap;
    struct heap_item *first = NULL;

    g_mutex_lock(&s->lock);
    GSequenceIter *i = g_sequence_get_begin_iter(s->items);
    if (!g_sequence_iter_is_end(i)) {
        first = g_sequence_get(i);
        g_sequence_remove(i);
    }
    g_mutex_unlock(&s->lock);
    return first;
}

HEAP_WORK(work_sequence, push_sequence, pop_sequence)

/* ThreadSanitizer does not see GLib's locks. */
const struct heap_variant heap_glib[] = {
    {.name = SANITIZED_THREADS ? NULL : "GAsyncQueue, sorted",
     .note = "a list: only up to 100 items",
     .rival = true,
     .most = 100,
     .create = create_async,
     .destroy = destroy_async,
     .push = push_async,
     .pop = pop_async,
     .work = work_async},
    {.name = "GSequence, GMutex",
     .rival = true,
     .create = create_sequence,
     .destroy = destroy_sequence,
     .push = push_sequence,
     .pop = pop_sequence,
     .work = work_sequence},
    {.name = NULL},
};
