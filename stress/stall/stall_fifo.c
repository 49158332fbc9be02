/* SPDX-License-Identifier: MIT */
/*
 * stall_fifo.c - a thread is stopped inside push or pop of a fifo.
 *
 * It has no capacity; that of a state says how much is under way.  What a call
 * does at the end of a segment is the most that it ever does: before a state
 * is entered so many items have gone by that it lies there.
 *
 * A lockless push that is stopped makes all pops say EMPTY, while pushes go on:
 * here they are refused when MOST items are under way, so that being held up
 * shows.
 */
#include <weft/fifo.h>

#include "stall/queue.h"

#define SEGMENT 4092 /* items of one */
#define MOST    500

static const struct variant variants[] = {
    {"lockfree", WEFT_LOCKFREE, GOES_ON},
    {"lockless", WEFT_LOCKLESS, MAY_BE_HELD},
    {"mutex", WEFT_MUTEX, MUST_BE_HELD},
    {NULL, 0, GOES_ON},
};

static enum weft_status
create(void **out, size_t capacity, enum weft_impl impl)
{
    weft_fifo *f;
    void *item;

    if (weft_fifo_create(&f, impl) != WEFT_OK)
        return WEFT_NO_MEMORY;
    for (size_t i = capacity; i < SEGMENT; i++)
        if (weft_fifo_push(f, f) != WEFT_OK ||
            weft_fifo_pop(f, &item) != WEFT_OK) {
            weft_fifo_destroy(f);
            return WEFT_NO_MEMORY;
        }
    *out = f;
    return WEFT_OK;
}

static void
destroy(void *q)
{
    weft_fifo_destroy(q);
}

static enum weft_status
push(void *q, void *item)
{
    return weft_fifo_size(q) < MOST ? weft_fifo_push(q, item) : WEFT_FULL;
}

static enum weft_status
pop(void *q, void **item)
{
    return weft_fifo_pop(q, item);
}

static size_t
push_n(void *q, void *const *items, size_t n)
{
    return weft_fifo_size(q) < MOST ? weft_fifo_push_n(q, items, n) : 0;
}

static size_t
pop_n(void *q, void **items, size_t n)
{
    return weft_fifo_pop_n(q, items, n);
}

static enum outcome
run(const struct options *o, struct report *r)
{
    static const struct queue queue = {create, destroy, push, pop,
                                       push_n, pop_n,   false};

    return queue_run(&queue, variants, o, r);
}

const struct scenario stall_fifo = {
    .command = "stall",
    .name = "fifo",
    .summary = "the same for a fifo, at the end of a segment",
    .run = run,
    .extras = stall_extras,
};
