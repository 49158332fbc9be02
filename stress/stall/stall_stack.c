/* SPDX-License-Identifier: MIT */
/*
 * stall_stack.c - a thread is stopped inside push or pop of a stack.
 *
 * The stack has had more items before than the trials put on it, so that no
 * call allocates: in malloc a thread that is stopped may stop others.
 */
#include <weft/stack.h>

#include "stall/queue.h"

#define ITEMS 2048

static const struct variant variants[] = {
    {"lockfree", WEFT_LOCKFREE, GOES_ON},
    {"lockless", WEFT_LOCKLESS, GOES_ON},
    {"mutex", WEFT_MUTEX, MUST_BE_HELD},
    {NULL, 0, GOES_ON},
};

static enum weft_status
create(void **out, size_t capacity, enum weft_impl impl)
{
    void *items[ITEMS] = {NULL};
    weft_stack *s;

    (void)capacity;
    if (weft_stack_create(&s, impl) != WEFT_OK)
        return WEFT_NO_MEMORY;
    if (weft_stack_push_n(s, items, ITEMS) != ITEMS) {
        weft_stack_destroy(s);
        return WEFT_NO_MEMORY;
    }
    (void)!weft_stack_pop_n(s, items, ITEMS);
    *out = s;
    return WEFT_OK;
}

static void
destroy(void *s)
{
    weft_stack_destroy(s);
}

static enum weft_status
push(void *s, void *item)
{
    return weft_stack_push(s, item);
}

static enum weft_status
pop(void *s, void **item)
{
    return weft_stack_pop(s, item);
}

static size_t
push_n(void *s, void *const *items, size_t n)
{
    return weft_stack_push_n(s, items, n);
}

static size_t
pop_n(void *s, void **items, size_t n)
{
    return weft_stack_pop_n(s, items, n);
}

static enum outcome
run(const struct options *o, struct report *r)
{
    static const struct queue queue = {create, destroy, push, pop,
                                       push_n, pop_n,   false};

    return queue_run_unordered(&queue, variants, o, r);
}

const struct scenario stall_stack = {
    .command = "stall",
    .name = "stack",
    .summary = "stop a thread inside push or pop: who else is held up?",
    .run = run,
    .extras = stall_extras,
};
