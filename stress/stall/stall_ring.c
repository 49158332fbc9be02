/* SPDX-License-Identifier: MIT */
/*
 * stall_ring.c - a thread is stopped inside push or pop of a ring.
 */
#include <weft/ring.h>

#include "stall/queue.h"

static const struct variant variants[] = {
    {"lockfree", WEFT_LOCKFREE, GOES_ON},
    {"lockless", WEFT_LOCKLESS, MAY_BE_HELD},
    {"mutex", WEFT_MUTEX, MUST_BE_HELD},
    {NULL, 0, GOES_ON},
};

static enum weft_status
create(void **out, size_t capacity, enum weft_impl impl)
{
    weft_ring *r;
    const enum weft_status s = weft_ring_create(&r, capacity, impl);

    if (s == WEFT_OK)
        *out = r;
    return s;
}

static void
destroy(void *q)
{
    weft_ring_destroy(q);
}

static enum weft_status
push(void *q, void *item)
{
    return weft_ring_push(q, item);
}

static enum weft_status
pop(void *q, void **item)
{
    return weft_ring_pop(q, item);
}

static size_t
push_n(void *q, void *const *items, size_t n)
{
    return weft_ring_push_n(q, items, n);
}

static size_t
pop_n(void *q, void **items, size_t n)
{
    return weft_ring_pop_n(q, items, n);
}

static enum outcome
run(const struct options *o, struct report *r)
{
    static const struct queue queue = {create, destroy, push, pop,
                                       push_n, pop_n,   false};

    return queue_run(&queue, variants, o, r);
}

const struct scenario stall_ring = {
    .command = "stall",
    .name = "ring",
    .summary = "stop a thread inside push or pop: who else is held up?",
    .run = run,
    .extras = stall_extras,
};
