/* SPDX-License-Identifier: MIT */
/*
 * queue.c - a thread is stopped inside push or pop of a queue; do the others
 * still get items in and out?
 *
 * Each round of another thread pushes and pops, or pops and pushes, or does so
 * with several at once; one that moves nothing was refused.  The whole work is
 * three laps of the queue in, three laps out, and some more.  Where each end
 * belongs to one thread a round is one call at the other end.
 */
#include "stall/queue.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "memory.h"
#include "progress.h"
#include "stall/account.h"

#define BATCH 3u
#define CELLS 8u

enum { PUSH, POP, PUSH_N, POP_N };

static const char *const operations[] = {"push", "pop", "push_n", "pop_n",
                                         NULL};

static const char *const states[] = {
    "1 cell, empty",
    "1 cell, full, after laps",
    "2 cells, half, at the end",
    "8 cells, empty",
    "8 cells, half",
    "8 cells, full",
    "8 cells, at the end",
    "5 cells, half, at the end",
    "5 cells, full, after a lap",
    NULL,
};

static const struct {
    size_t capacity;
    size_t gone; /* items that have passed through */
    size_t fill;
} starts[] = {
    {1, 0, 0},
    {1, 3, 1},
    {2, 1, 1},
    {CELLS, 0, 0},
    {CELLS, 0, CELLS / 2},
    {CELLS, 0, CELLS},
    {CELLS, CELLS - 1, 1},
    {5, 4, 3},
    {5, 5, 5},
};

struct object {
    const struct queue *calls;
    void *queue;
    unsigned operation;
    bool unordered; /* items of one thread may overtake each other */
    size_t capacity;

    /* What the others have to do, and did since aim(): only counted, the
     * counts order nothing. */
    size_t in_due;
    size_t out_due;
    size_t rounds_due;
    _Atomic size_t in;
    _Atomic size_t out;
    _Atomic size_t rounds;

    /* The victim's call. */
    void *items[BATCH];
    size_t moved;

    struct account accounts[ACCOUNTS];
};

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
    const size_t done = n == 1 ? o->calls->push(o->queue, items[0]) == WEFT_OK
                               : o->calls->push_n(o->queue, items, n);
    account_pushed(a, done);
    return done;
}

static size_t
pop(struct object *o, struct account *a, size_t n)
{
    void *items[BATCH];
    const size_t done = n == 1 ? o->calls->pop(o->queue, items) == WEFT_OK
                               : o->calls->pop_n(o->queue, items, n);

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
        o->moved = o->calls->push(o->queue, o->items[0]) == WEFT_OK;
        break;
    case POP:
        o->moved = o->calls->pop(o->queue, o->items) == WEFT_OK;
        break;
    case PUSH_N:
        o->moved = o->calls->push_n(o->queue, o->items, BATCH);
        break;
    default:
        o->moved = o->calls->pop_n(o->queue, o->items, BATCH);
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

    o->calls = s->context;
    o->capacity = starts[state].capacity;
    o->operation = operation;
    accounts_init(o->accounts);
    if (o->calls->create(&o->queue, o->capacity, (enum weft_impl)variant) !=
        WEFT_OK) {
        complain("out of memory");
        exit(EXIT_FAILURE);
    }
    for (size_t i = 0; i < starts[state].gone; i++) {
        push(o, a, 1);
        pop(o, a, 1);
    }
    for (size_t i = 0; i < starts[state].fill; i++)
        push(o, a, 1);
    if (o->calls->is_spsc) {
        o->out_due = is_push(o) ? starts[state].fill : 0;
        o->in_due = is_push(o) ? 0 : o->capacity - starts[state].fill;
    }
    prepare(o);
    return o;
}

static void *
create_unordered(const struct subject *s, int variant, unsigned operation,
                 unsigned state)
{
    struct object *o = create(s, variant, operation, state);

    o->unordered = true;
    return o;
}

static void
aim(void *object, unsigned share)
{
    struct object *o = object;
    const size_t laps = o->capacity * share / 4 + share;

    if (o->calls->is_spsc) { /* what is due is due once */
        o->rounds_due = laps;
    } else {
        o->in_due = o->out_due = laps;
        atomic_store_explicit(&o->in, 0, memory_order_relaxed);
        atomic_store_explicit(&o->out, 0, memory_order_relaxed);
    }
    atomic_store_explicit(&o->rounds, 0, memory_order_relaxed);
}

static bool
is_done(void *object)
{
    struct object *o = object;

    return atomic_load_explicit(&o->in, memory_order_relaxed) >= o->in_due &&
           atomic_load_explicit(&o->out, memory_order_relaxed) >= o->out_due &&
           atomic_load_explicit(&o->rounds, memory_order_relaxed) >=
               o->rounds_due;
}

static bool
make_round(void *object, unsigned who)
{
    struct object *o = object;
    struct account *a = &o->accounts[who];
    const bool may_push = !o->calls->is_spsc || !is_push(o);
    const bool may_pop = !o->calls->is_spsc || is_push(o);
    const size_t n = who % 3 == 1 ? BATCH : 1;
    size_t in = 0;
    size_t out = 0;

    if (may_pop && who % 3 == 2)
        out += pop(o, a, n);
    if (may_push)
        in += push(o, a, n);
    if (may_pop && who % 3 != 2)
        out += pop(o, a, n);
    atomic_fetch_add_explicit(&o->in, in, memory_order_relaxed);
    atomic_fetch_add_explicit(&o->out, out, memory_order_relaxed);
    atomic_fetch_add_explicit(&o->rounds, 1, memory_order_relaxed);
    return in + out > 0;
}

static const char *
finish(void *object)
{
    struct object *o = object;

    settle(o);
    while (pop(o, &o->accounts[0], BATCH) > 0)
        ;
    for (size_t i = 0; o->unordered && i < ACCOUNTS; i++)
        o->accounts[i].disordered = false;
    const char *wrong = accounts_check(o->accounts);
    o->calls->destroy(o->queue);
    free(o);
    return wrong;
}

static struct subject
subject_of(const struct queue *q, const struct variant *variants)
{
    return (struct subject){
        .context = q,
        .variants = variants,
        .operations = operations,
        .states = states,
        .others = q->is_spsc ? "three laps of calls at the other end"
                             : "three laps in and three laps out",
        .others_most = q->is_spsc ? 1 : 0,
        .create = create,
        .call = call,
        .undo = undo,
        .aim = aim,
        .round = make_round,
        .is_done = is_done,
        .finish = finish,
    };
}

enum outcome
queue_run(const struct queue *q, const struct variant *variants,
          const struct options *o, struct report *r)
{
    const struct subject subject = subject_of(q, variants);

    return stall_run(&subject, o, r);
}

enum outcome
queue_run_unordered(const struct queue *q, const struct variant *variants,
                    const struct options *o, struct report *r)
{
    struct subject subject = subject_of(q, variants);

    subject.create = create_unordered;
    return stall_run(&subject, o, r);
}
