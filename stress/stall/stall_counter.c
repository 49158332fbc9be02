/* SPDX-License-Identifier: MIT */
/*
 * stall_counter.c - a thread is stopped inside a call on a counter; can the
 * others still add?
 */
#include <weft/counter.h>

#include <stdatomic.h>
#include <stdlib.h>

#include "memory.h"
#include "progress.h"
#include "stall/stall.h"

#define AMOUNT 5 /* what the victim adds */

enum { ADD, SUM, RESET };

static const char *const operations[] = {"add", "sum", "reset", NULL};
static const char *const states[] = {"at 0", "at 1000", NULL};

static const struct variant variants[] = {
    {"percpu", WEFT_COUNTER_PERCPU, GOES_ON},
    {"atomic", WEFT_COUNTER_ATOMIC, GOES_ON},
    {"mutex", WEFT_COUNTER_MUTEX, MUST_BE_HELD},
    {NULL, 0, GOES_ON},
};

struct object {
    weft_counter *counter;
    unsigned operation;
    int64_t before; /* what it stood at */
    int64_t total;  /* of the victim's additions less what it took away */
    int64_t result; /* of its last call, not yet in `total` */
    size_t due;     /* rounds */
    _Atomic size_t rounds; /* since aim(); only counted, it orders nothing */
    _Atomic int64_t added; /* by the others */
};

static void
settle(struct object *o)
{
    o->total += o->operation == RESET ? -o->result : 0;
    o->total += o->operation == ADD ? o->result : 0;
    o->result = 0;
}

static void
call(void *object)
{
    struct object *o = object;

    switch (o->operation) {
    case ADD:
        weft_counter_add(o->counter, AMOUNT);
        o->result = AMOUNT;
        break;
    case SUM:
        o->result = weft_counter_sum(o->counter);
        break;
    default:
        o->result = weft_counter_reset(o->counter);
    }
}

static void
undo(void *object)
{
    struct object *o = object;

    settle(o);
    weft_counter_add(o->counter, -o->total);
    o->total = 0;
}

static void *
create(const struct subject *s, int variant, unsigned operation, unsigned state)
{
    struct object *o = must_have(1, sizeof(*o));

    (void)s;
    if (weft_counter_create(&o->counter, (enum weft_counter_kind)variant) !=
        WEFT_OK) {
        complain("out of memory");
        exit(EXIT_FAILURE);
    }
    o->operation = operation;
    o->before = state == 0 ? 0 : 1000;
    weft_counter_add(o->counter, o->before);
    return o;
}

static void
aim(void *object, unsigned share)
{
    struct object *o = object;

    o->due = 8 * share;
    atomic_store_explicit(&o->rounds, 0, memory_order_relaxed);
}

static bool
is_done(void *object)
{
    struct object *o = object;

    return atomic_load_explicit(&o->rounds, memory_order_relaxed) >= o->due;
}

static bool
make_round(void *object, unsigned who)
{
    struct object *o = object;
    int64_t added = 1 + (int64_t)who;

    weft_counter_add(o->counter, added);
    if (who % 3 == 1)
        (void)weft_counter_sum(o->counter);
    if (who % 3 == 2)
        added -= weft_counter_reset(o->counter);
    atomic_fetch_add_explicit(&o->added, added, memory_order_relaxed);
    atomic_fetch_add_explicit(&o->rounds, 1, memory_order_relaxed);
    return true;
}

static const char *
finish(void *object)
{
    struct object *o = object;

    settle(o);
    const int64_t expected =
        o->before + o->total +
        atomic_load_explicit(&o->added, memory_order_relaxed);
    const int64_t sum = weft_counter_sum(o->counter);
    weft_counter_destroy(o->counter);
    free(o);
    if (sum < expected)
        return "additions were lost";
    return sum > expected ? "additions were counted twice" : NULL;
}

static enum outcome
run(const struct options *o, struct report *r)
{
    static const struct subject subject = {
        .variants = variants,
        .operations = operations,
        .states = states,
        .others = "each adds, one sums, one resets",
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

const struct scenario stall_counter = {
    .command = "stall",
    .name = "counter",
    .summary = "stop a thread inside add, sum or reset: who else is held up?",
    .run = run,
    .extras = stall_extras,
};
