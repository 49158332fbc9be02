/* SPDX-License-Identifier: MIT */
/*
 * stall_queue.c - a thread is stopped inside put or get of a blocking queue
 * that does not wait.
 *
 * Others do not wait either: who is held up is so by the thread that is
 * stopped.  The rows of a queue without a capacity are as those of a fifo
 * (stall_fifo.c): at the end of a segment, and refused when MOST items are
 * under way.
 *
 * Last in first out, a put that is stopped keeps a place from others, and a get
 * an item; with a capacity that shows, without one it does not.
 */
#include <weft/queue.h>

#include "stall/queue.h"

#define SEGMENT 4092 /* items of one */
#define MOST    500
#define NODES   2048 /* of LIFO: so many that no call allocates any */

/* A variant is a form, */
#define UNBOUNDED 8
#define LIFO      16
#define FORM      8 /* the rest of the division */

static const struct variant variants[] = {
    {"lockfree", WEFT_LOCKFREE, GOES_ON},
    {"lockfree unbounded", WEFT_LOCKFREE | UNBOUNDED, GOES_ON},
    {"lockless", WEFT_LOCKLESS, MAY_BE_HELD},
    {"lockless unbounded", WEFT_LOCKLESS | UNBOUNDED, MAY_BE_HELD},
    {"mutex", WEFT_MUTEX, MUST_BE_HELD},
    {NULL, 0, GOES_ON},
};

static const struct variant unordered_variants[] = {
    {"lockfree lifo", WEFT_LOCKFREE | LIFO, MAY_BE_HELD},
    {"lockfree lifo unbounded", WEFT_LOCKFREE | LIFO | UNBOUNDED, GOES_ON},
    {NULL, 0, GOES_ON},
};

/* Put `n` items at a time and take them out again, `times`. */
static bool
pass(weft_queue *q, size_t n, size_t times)
{
    void *items[NODES] = {NULL};
    size_t in = n;
    size_t out = n;

    for (size_t i = 0; i < times && in == n && out == n; i++)
        if (weft_queue_put_n(q, items, n, WEFT_NOW, &in) != WEFT_OK ||
            weft_queue_get_n(q, items, n, WEFT_NOW, &out) != WEFT_OK)
            return false;
    return in == n && out == n;
}

static enum weft_status
create(void **out, size_t capacity, enum weft_impl variant)
{
    const bool unbounded = ((unsigned)variant & UNBOUNDED) != 0;
    const bool lifo = ((unsigned)variant & LIFO) != 0;
    const weft_queue_options options = {
        .order = lifo ? WEFT_LIFO : WEFT_FIFO,
        .impl = (enum weft_impl)((unsigned)variant % FORM),
        .capacity = unbounded ? 0 : capacity,
    };
    weft_queue *q;

    if (weft_queue_create(&q, &options) != WEFT_OK)
        return WEFT_NO_MEMORY;
    if (unbounded &&
        !(lifo ? pass(q, NODES, 1) : pass(q, 1, SEGMENT - capacity))) {
        weft_queue_destroy(q);
        return WEFT_NO_MEMORY;
    }
    *out = q;
    return WEFT_OK;
}

static void
destroy(void *q)
{
    weft_queue_destroy(q);
}

static enum weft_status
put(void *q, void *item)
{
    return weft_queue_size(q) < MOST ? weft_queue_put(q, item, WEFT_NOW)
                                     : WEFT_FULL;
}

static enum weft_status
get(void *q, void **item)
{
    return weft_queue_get(q, item, WEFT_NOW);
}

static size_t
put_n(void *q, void *const *items, size_t n)
{
    size_t done = 0;

    if (weft_queue_size(q) >= MOST ||
        weft_queue_put_n(q, items, n, WEFT_NOW, &done) != WEFT_OK)
        return 0;
    return done;
}

static size_t
get_n(void *q, void **items, size_t n)
{
    size_t done = 0;

    return weft_queue_get_n(q, items, n, WEFT_NOW, &done) == WEFT_OK ? done : 0;
}

static enum outcome
run(const struct options *o, struct report *r)
{
    static const struct queue queue = {create, destroy, put,  get,
                                       put_n,  get_n,   false};
    const enum outcome ordered = queue_run(&queue, variants, o, r);

    return ordered != OUTCOME_OK
               ? ordered
               : queue_run_unordered(&queue, unordered_variants, o, r);
}

const struct scenario stall_queue = {
    .command = "stall",
    .name = "queue",
    .summary = "the same for a blocking queue, in calls that do not wait",
    .run = run,
    .extras = stall_extras,
};
