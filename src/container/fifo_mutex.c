/* SPDX-License-Identifier: MIT */
/*
 * container/fifo_mutex.c - the form with one lock: what the others must do.
 *
 * Chunks in a list from the oldest to the youngest; items are taken at `first`
 * of the oldest and put at `end` of the youngest.  There is always at least one
 * chunk.  One that has drained becomes the spare, and the spare the youngest
 * when that is full; with more than one to spare, the chunk is freed.
 *
 * Ordering.  The lock carries everything; the counts are atomic only because
 * weft_fifo_size reads them without.
 */
#include "container/fifo_impl.h"

#include <stdlib.h>

static struct weft_fifo_chunk *
new_chunk(weft_fifo *f)
{
    struct weft_fifo_chunk *c = f->spare;

    if (c == NULL)
        c = malloc(sizeof(*c));
    if (c == NULL)
        return NULL;
    f->spare = NULL;
    c->next = NULL;
    return c;
}

bool
weft_fifo_init_mutex_(weft_fifo *f)
{
    if (pthread_mutex_init(&f->lock, NULL) != 0)
        return false;
    f->oldest = f->youngest = new_chunk(f);
    if (f->oldest != NULL)
        return true;
    pthread_mutex_destroy(&f->lock);
    return false;
}

void
weft_fifo_fini_mutex_(weft_fifo *f)
{
    while (f->oldest != NULL) {
        struct weft_fifo_chunk *next = f->oldest->next;
        free(f->oldest);
        f->oldest = next;
    }
    free(f->spare);
    pthread_mutex_destroy(&f->lock);
}

static void
add(_Atomic uint64_t *count, size_t n)
{
    uint64_t now = atomic_load_explicit(count, memory_order_relaxed);

    atomic_store_explicit(count, now + n, memory_order_relaxed);
}

/* Make room for one more item behind the youngest. */
static bool
grow(weft_fifo *f)
{
    if (f->end < WEFT_FIFO_CHUNK_ITEMS)
        return true;
    struct weft_fifo_chunk *c = new_chunk(f);
    if (c == NULL)
        return false;
    f->youngest->next = c;
    f->youngest = c;
    f->end = 0;
    return true;
}

/* The oldest chunk has drained: go on to the next, or begin it anew. */
static void
shrink(weft_fifo *f)
{
    struct weft_fifo_chunk *c = f->oldest;

    f->first = 0;
    if (c->next == NULL) {
        f->end = 0;
        return;
    }
    f->oldest = c->next;
    if (f->spare == NULL)
        f->spare = c;
    else
        free(c);
}

size_t
weft_fifo_push_n_mutex_(weft_fifo *f, void *const *items, size_t n)
{
    size_t done = 0;

    pthread_mutex_lock(&f->lock);
    while (done < n && grow(f))
        f->youngest->items[f->end++] = items[done++];
    add(&f->pushed, done);
    pthread_mutex_unlock(&f->lock);
    return done;
}

size_t
weft_fifo_pop_n_mutex_(weft_fifo *f, void **items, size_t n)
{
    pthread_mutex_lock(&f->lock);
    size_t count =
        (size_t)(weft_fifo_pushed_mutex_(f) - weft_fifo_popped_mutex_(f));
    size_t some = n < count ? n : count;
    for (size_t i = 0; i < some; i++) {
        items[i] = f->oldest->items[f->first++];
        if (f->first == WEFT_FIFO_CHUNK_ITEMS)
            shrink(f);
    }
    add(&f->popped, some);
    pthread_mutex_unlock(&f->lock);
    return some;
}

enum weft_status
weft_fifo_push_mutex_(weft_fifo *f, void *item)
{
    return weft_fifo_push_n_mutex_(f, &item, 1) == 1 ? WEFT_OK : WEFT_NO_MEMORY;
}

enum weft_status
weft_fifo_pop_mutex_(weft_fifo *f, void **item)
{
    return weft_fifo_pop_n_mutex_(f, item, 1) == 1 ? WEFT_OK : WEFT_EMPTY;
}

uint64_t
weft_fifo_pushed_mutex_(const weft_fifo *f)
{
    return atomic_load_explicit(&f->pushed, memory_order_relaxed);
}

uint64_t
weft_fifo_popped_mutex_(const weft_fifo *f)
{
    return atomic_load_explicit(&f->popped, memory_order_relaxed);
}
