/* SPDX-License-Identifier: MIT */
/*
 * timer_heap.c - the timers' heap.
 *
 * The array doubles when it is full and halves when a quarter is used, so a
 * change costs O(log n) and now and then a copy, and no time that many timers
 * once needed memory keeps it.
 */
#include "thread/timer_heap.h"

#include <stdlib.h>

#define CHILDREN   4
#define LEAST_ROOM 32

static bool
is_before(const struct weft_timer_node *a, const struct weft_timer_node *b)
{
    return a->when != b->when ? a->when < b->when : a->number < b->number;
}

static void
put(struct weft_timer_heap *h, size_t place, struct weft_timer_node node)
{
    h->nodes[place] = node;
    node.timer->place = place;
}

/* Find the place of `node`, from the free `place` upwards, and put it there. */
static void
rise(struct weft_timer_heap *h, size_t place, struct weft_timer_node node)
{
    while (place > 0) {
        const size_t parent = (place - 1) / CHILDREN;
        if (!is_before(&node, &h->nodes[parent]))
            break;
        put(h, place, h->nodes[parent]);
        place = parent;
    }
    put(h, place, node);
}

/* The earliest child of `place`, or `place` if it has none. */
static size_t
first_child(const struct weft_timer_heap *h, size_t place)
{
    const size_t begin = place * CHILDREN + 1;
    size_t first = begin;

    if (begin >= h->count)
        return place;
    for (size_t i = begin + 1; i < begin + CHILDREN && i < h->count; i++)
        if (is_before(&h->nodes[i], &h->nodes[first]))
            first = i;
    return first;
}

/* As rise, downwards. */
static void
sink(struct weft_timer_heap *h, size_t place, struct weft_timer_node node)
{
    for (;;) {
        const size_t child = first_child(h, place);
        if (child == place || !is_before(&h->nodes[child], &node))
            break;
        put(h, place, h->nodes[child]);
        place = child;
    }
    put(h, place, node);
}

static bool
resize(struct weft_timer_heap *h, size_t room)
{
    struct weft_timer_node *nodes = realloc(h->nodes, room * sizeof(*h->nodes));

    if (nodes == NULL)
        return false;
    h->nodes = nodes;
    h->room = room;
    return true;
}

bool
weft_timer_heap_add_(struct weft_timer_heap *h, struct weft_timer_node node)
{
    if (h->count == h->room &&
        !resize(h, h->room > 0 ? 2 * h->room : LEAST_ROOM))
        return false;
    h->count++;
    rise(h, h->count - 1, node);
    return true;
}

weft_timer *
weft_timer_heap_remove_(struct weft_timer_heap *h, size_t place)
{
    weft_timer *t = h->nodes[place].timer;
    const struct weft_timer_node last = h->nodes[--h->count];

    t->place = WEFT_TIMER_NOWHERE;
    if (last.timer != t) {
        if (place > 0 && is_before(&last, &h->nodes[(place - 1) / CHILDREN]))
            rise(h, place, last);
        else
            sink(h, place, last);
    }
    if (h->room > LEAST_ROOM && h->count <= h->room / 4)
        (void)resize(h, h->room / 2); /* if it fails, nothing is lost */
    return t;
}

void
weft_timer_heap_clear_(struct weft_timer_heap *h)
{
    free(h->nodes);
    *h = (struct weft_timer_heap){0};
}
