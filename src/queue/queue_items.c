/* SPDX-License-Identifier: MIT */
/*
 * queue/queue_items.c - an array that goes round, or a binary heap.
 *
 *     FIFO, LIFO   cells[first] is the oldest item, the `count` cells from
 *                  there on, going round, have them all
 *     PRIORITY     heap[i] leaves before heap[2 i + 1] and heap[2 i + 2]; equal
 *                  ones in the order in which they were pushed
 *
 * Without a capacity the array doubles when it is full and halves when three
 * quarters of it are free, so a push costs a constant number of moves on the
 * average and a drained queue gives its memory back.
 *
 * Ordering.  None: one thread at a time.
 */
#include "queue/queue_items.h"

#include <pthread.h>
#include <stdlib.h>

#define SIZE_LEAST 16

struct weft_queue_entry {
    void *item;
    int64_t key;
    uint64_t arrival;
};

static size_t
cell_bytes(const struct weft_queue_items *s)
{
    return s->options->order == WEFT_PRIORITY ? sizeof(struct weft_queue_entry)
                                              : sizeof(void *);
}

/* The cell `k` after the first. */
static size_t
cell(const struct weft_queue_items *s, size_t k)
{
    const size_t room = s->size - s->first;

    return k < room ? s->first + k : k - room;
}

/* Move to an array of `size` cells, which is enough; false: nothing changed. */
static bool
resize(struct weft_queue_items *s, size_t size)
{
    if (size > PTRDIFF_MAX / cell_bytes(s))
        return false;
    if (s->options->order == WEFT_PRIORITY) {
        void *heap = realloc(s->heap, size * sizeof(*s->heap));
        if (heap == NULL)
            return false;
        s->heap = heap;
    } else {
        void **cells = malloc(size * sizeof(*cells));
        if (cells == NULL)
            return false;
        for (size_t i = 0; i < s->count; i++)
            cells[i] = s->cells[cell(s, i)];
        free(s->cells);
        s->cells = cells;
        s->first = 0;
    }
    s->size = size;
    return true;
}

bool
weft_queue_items_init_(struct weft_queue_items *s,
                       const weft_queue_options *options)
{
    *s = (struct weft_queue_items){.options = options};
    return resize(s, options->capacity != 0 ? options->capacity : SIZE_LEAST);
}

void
weft_queue_items_free_(struct weft_queue_items *s)
{
    free(s->cells);
    free(s->heap);
    *s = (struct weft_queue_items){.options = s->options};
}

/* --- the heap ------------------------------------------------------------ */

static bool
is_before(const struct weft_queue_items *s, const struct weft_queue_entry *a,
          const struct weft_queue_entry *b)
{
    const weft_queue_options *o = s->options;

    if (o->key == NULL) {
        const int c = o->compare(a->item, b->item, o->ctx);
        return c != 0 ? c < 0 : a->arrival < b->arrival;
    }
    return a->key != b->key ? a->key < b->key : a->arrival < b->arrival;
}

static void
push_heap(struct weft_queue_items *s, void *item)
{
    const weft_queue_options *o = s->options;
    const struct weft_queue_entry e = {
        item, o->key != NULL ? o->key(item, o->ctx) : 0, s->arrivals++};
    size_t i = s->count;

    for (; i > 0 && is_before(s, &e, &s->heap[(i - 1) / 2]); i = (i - 1) / 2)
        s->heap[i] = s->heap[(i - 1) / 2];
    s->heap[i] = e;
}

/* Close the gap at the root with the last of the `count` entries. */
static void
pop_heap(struct weft_queue_items *s)
{
    const size_t count = s->count - 1;
    const struct weft_queue_entry e = s->heap[count];
    size_t i = 0;
    size_t child;

    while ((child = 2 * i + 1) < count) {
        if (child + 1 < count &&
            is_before(s, &s->heap[child + 1], &s->heap[child]))
            child++;
        if (!is_before(s, &s->heap[child], &e))
            break;
        s->heap[i] = s->heap[child];
        i = child;
    }
    s->heap[i] = e;
}

/* The caller's functions may have cancellation points, but a lock is held. */
static void *
call_heap(struct weft_queue_items *s, bool pushes, void *item)
{
    int state;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    if (pushes) {
        push_heap(s, item);
    } else {
        item = s->heap[0].item;
        pop_heap(s);
    }
    pthread_setcancelstate(state, NULL);
    return item;
}

/* --- all orders ---------------------------------------------------------- */

bool
weft_queue_items_push_(struct weft_queue_items *s, void *item)
{
    if (s->count == s->size && !resize(s, 2 * s->size))
        return false;
    if (s->options->order == WEFT_PRIORITY)
        call_heap(s, true, item);
    else
        s->cells[cell(s, s->count)] = item;
    s->count++;
    return true;
}

void *
weft_queue_items_pop_(struct weft_queue_items *s)
{
    void *item;

    if (s->options->order == WEFT_PRIORITY)
        item = call_heap(s, false, NULL);
    else if (s->options->order == WEFT_LIFO)
        item = s->cells[cell(s, s->count - 1)];
    else {
        item = s->cells[s->first];
        s->first = cell(s, 1);
    }
    s->count--;
    /* Where there is no memory for a smaller one, it keeps the big one. */
    if (s->options->capacity == 0 && s->size > SIZE_LEAST &&
        s->count <= s->size / 4)
        (void)resize(s, s->size / 2);
    return item;
}
