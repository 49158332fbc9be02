/* SPDX-License-Identifier: MIT */
/*
 * stall_spsc.c - a thread is stopped inside push or pop of a spsc.
 */
#include <weft/spsc.h>

#include "stall/queue.h"

/* Nothing is faster than the strict form: LOCKLESS is the same. */
static const struct variant variants[] = {
    {"lockfree", WEFT_LOCKFREE, GOES_ON},
    {"lockless", WEFT_LOCKLESS, GOES_ON},
    {"mutex", WEFT_MUTEX, MUST_BE_HELD},
    {NULL, 0, GOES_ON},
};

static enum weft_status
create(void **out, size_t capacity, enum weft_impl impl)
{
    weft_spsc *r;
    const enum weft_status s = weft_spsc_create(&r, capacity, impl);

    if (s == WEFT_OK)
        *out = r;
    return s;
}

static void
destroy(void *q)
{
    weft_spsc_destroy(q);
}

static enum weft_status
push(void *q, void *item)
{
    return weft_spsc_push(q, item);
}

static enum weft_status
pop(void *q, void **item)
{
    return weft_spsc_pop(q, item);
}

static size_t
push_n(void *q, void *const *items, size_t n)
{
    return weft_spsc_push_n(q, items, n);
}

static size_t
pop_n(void *q, void **items, size_t n)
{
    return weft_spsc_pop_n(q, items, n);
}

static enum outcome
run(const struct options *o, struct report *r)
{
    static const struct queue queue = {create, destroy, push, pop,
                                       push_n, pop_n,   true};

    return queue_run(&queue, variants, o, r);
}

const struct scenario stall_spsc = {
    .command = "stall",
    .name = "spsc",
    .summary = "stop one end inside its call: is the other held up?",
    .run = run,
    .extras = stall_extras,
};
