/* SPDX-License-Identifier: MIT */
/*
 * queue_forms.c - the forms without a lock: for each store, a put and a get with
 * its operations compiled in.
 *
 * Where there is room and nobody sleeps, that is all: the push of the store and
 * one load.
 *
 * Ordering.  That of queue_fast.c.
 */
#include <stdlib.h>

#include "base/sched.h"
#include "deadlock/watch.h"
#include "queue/queue_store.h"

typedef struct weft_queue_fast queue;

#define INLINE static inline __attribute__((always_inline))

WEFT_QUEUE_INLINE_ enum weft_status
put(queue *q, enum weft_queue_store store, void *item, weft_deadline deadline)
{
    if (weft_store_push_(q, store, item) != WEFT_OK) {
        WEFT_WATCH_CALL_();
        return weft_queue_put_slowly_(q, item, deadline);
    }
    WEFT_SCHED_POINT_("queue.put.pushed");
    return weft_bell_is_heard_(&q->items) ? weft_queue_told_put_(q, 1)
                                          : WEFT_OK;
}

WEFT_QUEUE_INLINE_ enum weft_status
get(queue *q, enum weft_queue_store store, void **item, weft_deadline deadline)
{
    void *got;

    if (weft_store_pop_(q, store, &got) != WEFT_OK) {
        WEFT_WATCH_CALL_();
        return weft_queue_get_slowly_(q, item, deadline);
    }
    WEFT_SCHED_POINT_("queue.get.popped");
    if (weft_bell_is_heard_(&q->room)) {
        const enum weft_status s = weft_queue_told_get_(q, &got, 1);
        if (s != WEFT_OK)
            return s;
    }
    *item = got;
    return WEFT_OK;
}

static enum weft_status
put_lockfree(weft_queue *q, void *item, weft_deadline deadline)
{
    return put(weft_queue_fast_(q), WEFT_QUEUE_RING_LOCKFREE, item, deadline);
}

static enum weft_status
get_lockfree(weft_queue *q, void **item, weft_deadline deadline)
{
    return get(weft_queue_fast_(q), WEFT_QUEUE_RING_LOCKFREE, item, deadline);
}

static enum weft_status
put_lockless(weft_queue *q, void *item, weft_deadline deadline)
{
    return put(weft_queue_fast_(q), WEFT_QUEUE_RING_LOCKLESS, item, deadline);
}

static enum weft_status
get_lockless(weft_queue *q, void **item, weft_deadline deadline)
{
    return get(weft_queue_fast_(q), WEFT_QUEUE_RING_LOCKLESS, item, deadline);
}

static enum weft_status
put_fifo_lockfree(weft_queue *q, void *item, weft_deadline deadline)
{
    return put(weft_queue_fast_(q), WEFT_QUEUE_FIFO_LOCKFREE, item, deadline);
}

static enum weft_status
get_fifo_lockfree(weft_queue *q, void **item, weft_deadline deadline)
{
    return get(weft_queue_fast_(q), WEFT_QUEUE_FIFO_LOCKFREE, item, deadline);
}

static enum weft_status
put_fifo_lockless(weft_queue *q, void *item, weft_deadline deadline)
{
    return put(weft_queue_fast_(q), WEFT_QUEUE_FIFO_LOCKLESS, item, deadline);
}

static enum weft_status
get_fifo_lockless(weft_queue *q, void **item, weft_deadline deadline)
{
    return get(weft_queue_fast_(q), WEFT_QUEUE_FIFO_LOCKLESS, item, deadline);
}

static enum weft_status
put_counted(weft_queue *q, void *item, weft_deadline deadline)
{
    return put(weft_queue_fast_(q), WEFT_QUEUE_COUNTED, item, deadline);
}

static enum weft_status
get_counted(weft_queue *q, void **item, weft_deadline deadline)
{
    return get(weft_queue_fast_(q), WEFT_QUEUE_COUNTED, item, deadline);
}

static enum weft_queue_look
look(weft_queue *base)
{
    queue *q = weft_queue_fast_(base);

    if (weft_queue_is_closed_fast_(base)) {
        weft_store_close_(q);
        if (weft_store_is_drained_(q))
            return WEFT_QUEUE_CLOSED;
    }
    return weft_store_is_ready_(q, POP) ? WEFT_QUEUE_ITEMS : WEFT_QUEUE_EMPTY;
}

static size_t
size(const weft_queue *base)
{
    return weft_store_size_(weft_queue_fast_const_(base));
}

static void
destroy(weft_queue *base)
{
    queue *q = weft_queue_fast_(base);

    weft_queue_discard_(q);
    weft_ring_destroy(q->ring);
    weft_fifo_destroy(q->fifo);
    if (q->store == WEFT_QUEUE_COUNTED)
        weft_queue_counted_destroy_(&q->counted);
    free(q);
}

/* Make a queue of `store`, which is not there yet. */
static queue *
create_around(enum weft_queue_store store, const struct weft_queue_form *form,
              const weft_queue_options *options)
{
    queue *q = aligned_alloc(alignof(queue), sizeof(*q));

    if (q == NULL)
        return NULL;
    *q = (queue){.store = store};
    weft_queue_begin_(&q->base, form, &q->items, options);
    weft_bell_init_(&q->room);
    return q;
}

static enum weft_status
create_ring(weft_queue **out, const weft_queue_options *options)
{
    const bool strict = options->impl == WEFT_LOCKFREE;
    queue *q = strict ? create_around(WEFT_QUEUE_RING_LOCKFREE,
                                      &weft_queue_ring_lockfree_, options)
                      : create_around(WEFT_QUEUE_RING_LOCKLESS,
                                      &weft_queue_ring_lockless_, options);

    if (q == NULL)
        return WEFT_NO_MEMORY;
    if (weft_ring_create(&q->ring, options->capacity, options->impl) !=
        WEFT_OK) {
        free(q);
        return WEFT_NO_MEMORY;
    }
    *out = &q->base;
    return WEFT_OK;
}

static enum weft_status
create_fifo(weft_queue **out, const weft_queue_options *options)
{
    const bool strict = options->impl == WEFT_LOCKFREE;
    queue *q = strict ? create_around(WEFT_QUEUE_FIFO_LOCKFREE,
                                      &weft_queue_fifo_lockfree_, options)
                      : create_around(WEFT_QUEUE_FIFO_LOCKLESS,
                                      &weft_queue_fifo_lockless_, options);

    if (q == NULL)
        return WEFT_NO_MEMORY;
    if (weft_fifo_create(&q->fifo, options->impl) != WEFT_OK) {
        free(q);
        return WEFT_NO_MEMORY;
    }
    *out = &q->base;
    return WEFT_OK;
}

static enum weft_status
create_counted(weft_queue **out, const weft_queue_options *options)
{
    queue *q = create_around(WEFT_QUEUE_COUNTED, &weft_queue_lifo_or_priority_,
                             options);

    if (q == NULL)
        return WEFT_NO_MEMORY;
    if (!weft_queue_counted_create_(&q->counted, options)) {
        free(q);
        return WEFT_NO_MEMORY;
    }
    *out = &q->base;
    return WEFT_OK;
}

#define FORM(create_, put_, get_)                                              \
    {                                                                          \
        .create = (create_), .put = (put_), .get = (get_),                     \
        .put_n = weft_queue_put_n_fast_, .get_n = weft_queue_get_n_fast_,      \
        .task_done = weft_queue_task_done_fast_,                               \
        .join = weft_queue_join_fast_, .close = weft_queue_close_fast_,        \
        .look = look, .size = size, .unfinished = weft_queue_unfinished_fast_, \
        .is_closed = weft_queue_is_closed_fast_, .destroy = destroy            \
    }

const struct weft_queue_form weft_queue_ring_lockfree_ =
    FORM(create_ring, put_lockfree, get_lockfree);
const struct weft_queue_form weft_queue_ring_lockless_ =
    FORM(create_ring, put_lockless, get_lockless);
const struct weft_queue_form weft_queue_fifo_lockfree_ =
    FORM(create_fifo, put_fifo_lockfree, get_fifo_lockfree);
const struct weft_queue_form weft_queue_fifo_lockless_ =
    FORM(create_fifo, put_fifo_lockless, get_fifo_lockless);
const struct weft_queue_form weft_queue_lifo_or_priority_ =
    FORM(create_counted, put_counted, get_counted);
