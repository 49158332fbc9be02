/* SPDX-License-Identifier: MIT */
/*
 * stall_heap.c - a thread is stopped inside push or pop of a heap.
 *
 * Each round of another thread pushes and pops, or pops and pushes, or does so
 * with several at once; one that moves nothing was refused.
 *
 * With a compare function a pop waits for a push that compares with its item:
 * that row may be held, and says how often.  malloc has locks of its own, which
 * the row of the key shows if it is held.
 */
#include <weft/heap.h>

#include <stdatomic.h>
#include <stdlib.h>

#include "memory.h"
#include "progress.h"
#include "stall/account.h"
#include "stall/stall.h"

#define BATCH 3u

enum { PUSH, POP, PUSH_N, POP_N };

static const char *const operations[] = {"push", "pop", "push_n", "pop_n",
                                         NULL};

/* A variant is a form, and whether it has a key. */
#define KEYED    0
#define COMPARED 8

static const struct variant variants[] = {
    {"lockfree key", WEFT_LOCKFREE | KEYED, GOES_ON},
    {"lockfree compare", WEFT_LOCKFREE | COMPARED, MAY_BE_HELD},
    {"mutex key", WEFT_MUTEX | KEYED, MUST_BE_HELD},
    {"mutex compare", WEFT_MUTEX | COMPARED, MUST_BE_HELD},
    {NULL, 0, GOES_ON},
};

static const char *const states[] = {
    "empty",     "1 item", "8 items", "8 items, before the front moves",
    "100 items", NULL,
};

static const struct {
    size_t gone; /* items that have passed through */
    size_t fill;
} starts[] = {{0, 0}, {0, 1}, {3, 8}, {31, 8}, {40, 100}};

struct object {
    weft_heap *heap;
    unsigned operation;

    /* What the others have to do, and did since aim(): only counted, the
     * counts order nothing. */
    size_t due;
    _Atomic size_t in;
    _Atomic size_t out;

    /* The victim's call. */
    void *items[BATCH];
    size_t moved;

    struct account accounts[ACCOUNTS];
};

/* Four items of a thread are equal; it never goes down, so that each thread's
 * items leave in the order of its pushes, which the accounts check. */
static int64_t
key_of(const void *item, void *ctx)
{
    const uint64_t value = (uintptr_t)item;

    (void)ctx;
    return (int64_t)((value & UINT32_MAX) / 4 + (value >> 40) % 3 * 2);
}

static int
compare(const void *a, const void *b, void *ctx)
{
    const int64_t x = key_of(a, ctx);
    const int64_t y = key_of(b, ctx);

    return x < y ? -1 : x > y;
}

static bool
is_push(const struct object *o)
{
    return o->operation == PUSH || o->operation == PUSH_N;
}

static size_t
push(struct object *o, struct account *a, size_t n)
{
    void *items[BATCH];

    for (size_t i = 0; i < n; i++)
        items[i] = account_item(a, i);
    const size_t done = n == 1 ? weft_heap_push(o->heap, items[0]) == WEFT_OK
                               : weft_heap_push_n(o->heap, items, n);
    account_pushed(a, done);
    return done;
}

static size_t
pop(struct object *o, struct account *a, size_t n)
{
    void *items[BATCH];
    const size_t done = n == 1 ? weft_heap_pop(o->heap, items) == WEFT_OK
                               : weft_heap_pop_n(o->heap, items, n);

    account_popped(a, items, done);
    return done;
}

/* Enter into the victim's account what its call did, which has returned. */
static void
settle(struct object *o)
{
    struct account *a = &o->accounts[ACCOUNT_VICTIM];

    if (is_push(o))
        account_pushed(a, o->moved);
    else
        account_popped(a, o->items, o->moved);
    o->moved = 0;
}

/* Nothing but the operation and its result: each instruction is stepped. */
static void
call(void *object)
{
    struct object *o = object;

    switch (o->operation) {
    case PUSH:
        o->moved = weft_heap_push(o->heap, o->items[0]) == WEFT_OK;
        break;
    case POP:
        o->moved = weft_heap_pop(o->heap, o->items) == WEFT_OK;
        break;
    case PUSH_N:
        o->moved = weft_heap_push_n(o->heap, o->items, BATCH);
        break;
    default:
        o->moved = weft_heap_pop_n(o->heap, o->items, BATCH);
    }
}

static void
prepare(struct object *o)
{
    for (size_t i = 0; i < BATCH; i++)
        o->items[i] = account_item(&o->accounts[ACCOUNT_VICTIM], i);
}

static void
undo(void *object)
{
    struct object *o = object;
    struct account *a = &o->accounts[ACCOUNT_VICTIM];
    const size_t n = o->moved;

    settle(o);
    for (size_t i = 0; i < n; i++)
        (void)(is_push(o) ? pop(o, a, 1) : push(o, a, 1));
    prepare(o);
}

static void *
create(const struct subject *s, int variant, unsigned operation, unsigned state)
{
    struct object *o = must_have(1, sizeof(*o));
    struct account *a = &o->accounts[0];
    const enum weft_impl form = (enum weft_impl)(variant % COMPARED);

    (void)s;
    o->operation = operation;
    accounts_init(o->accounts);
    if ((variant >= COMPARED ? weft_heap_create(&o->heap, compare, NULL, form)
                             : weft_heap_create_keyed(&o->heap, key_of, NULL,
                                                      form)) != WEFT_OK) {
        complain("out of memory");
        exit(EXIT_FAILURE);
    }
    for (size_t i = 0; i < starts[state].gone; i++) {
        push(o, a, 1);
        pop(o, a, 1);
    }
    for (size_t i = 0; i < starts[state].fill; i++)
        push(o, a, 1);
    prepare(o);
    return o;
}

static void
aim(void *object, unsigned share)
{
    struct object *o = object;

    o->due = 10 * share;
    atomic_store_explicit(&o->in, 0, memory_order_relaxed);
    atomic_store_explicit(&o->out, 0, memory_order_relaxed);
}

static bool
is_done(void *object)
{
    struct object *o = object;

    return atomic_load_explicit(&o->in, memory_order_relaxed) >= o->due &&
           atomic_load_explicit(&o->out, memory_order_relaxed) >= o->due;
}

static bool
make_round(void *object, unsigned who)
{
    struct object *o = object;
    struct account *a = &o->accounts[who];
    const size_t n = who % 3 == 1 ? BATCH : 1;
    size_t in = 0;
    size_t out = 0;

    if (who % 3 == 2)
        out += pop(o, a, n);
    in += push(o, a, n);
    if (who % 3 != 2)
        out += pop(o, a, n);
    atomic_fetch_add_explicit(&o->in, in, memory_order_relaxed);
    atomic_fetch_add_explicit(&o->out, out, memory_order_relaxed);
    return in + out > 0;
}

static const char *
finish(void *object)
{
    struct object *o = object;

    settle(o);
    while (pop(o, &o->accounts[0], BATCH) > 0)
        ;
    const char *wrong = accounts_check(o->accounts);
    weft_heap_destroy(o->heap);
    free(o);
    return wrong;
}

static enum outcome
run(const struct options *o, struct report *r)
{
    static const struct subject subject = {
        .variants = variants,
        .operations = operations,
        .states = states,
        .others = "120 items in and 120 out",
        .create = create,
        .call = call,
        .undo = undo,
        .aim = aim,
        .round = make_round,
        .is_done = is_done,
        .finish = finish,
    };

    return stall_run(&subject, o, r);
}

const struct scenario stall_heap = {
    .command = "stall",
    .name = "heap",
    .summary = "the same for a heap, with a key and with a compare function",
    .run = run,
    .extras = stall_extras,
};
