/* SPDX-License-Identifier: MIT */
/*
 * stall_deque.c - the owner of a deque or a thief is stopped inside its call.
 *
 * With the owner stopped the others are thieves, and must get each item but the
 * one that the owner is about to pop.  With a thief stopped the first of the
 * others is the owner, which pushes and pops, and the rest steal.  Beside it,
 * a deque that is an array under a mutex.
 */
#include <weft/deque.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "memory.h"
#include "progress.h"
#include "stall/account.h"
#include "stall/stall.h"

#define ROOM 4096u /* far more than a trial ever has at once */

enum { PUSH, POP, STEAL };

static const char *const operations[] = {"push", "pop", "steal", NULL};
static const char *const states[] = {"empty", "1 item", "2 items", "9 items",
                                     NULL};
static const size_t fills[] = {0, 1, 2, 9};

static const struct variant variants[] = {
    {"deque", 0, GOES_ON},
    {"mutex", 1, MUST_BE_HELD},
    {NULL, 0, GOES_ON},
};

struct object {
    weft_deque *deque; /* NULL: the array */
    pthread_mutex_t lock;
    size_t top;
    size_t bottom;
    void *items[ROOM];

    unsigned operation;
    void *item; /* of the victim's call */
    bool moved;

    /* What the others have to do, and did since aim(): only counted. */
    size_t rounds_due;
    size_t out_due;
    _Atomic size_t rounds;
    _Atomic size_t out;

    struct account accounts[ACCOUNTS];
};

static bool
push(struct object *o, void *item)
{
    if (o->deque != NULL)
        return weft_deque_push(o->deque, item) == WEFT_OK;
    pthread_mutex_lock(&o->lock);
    o->items[o->bottom++ % ROOM] = item;
    pthread_mutex_unlock(&o->lock);
    return true;
}

static bool
pop(struct object *o, void **item)
{
    if (o->deque != NULL)
        return weft_deque_pop(o->deque, item) == WEFT_OK;
    pthread_mutex_lock(&o->lock);
    const bool some = o->bottom != o->top;
    if (some)
        *item = o->items[--o->bottom % ROOM];
    pthread_mutex_unlock(&o->lock);
    return some;
}

static bool
steal(struct object *o, void **item)
{
    if (o->deque != NULL)
        return weft_deque_steal(o->deque, item) == WEFT_OK;
    pthread_mutex_lock(&o->lock);
    const bool some = o->bottom != o->top;
    if (some)
        *item = o->items[o->top++ % ROOM];
    pthread_mutex_unlock(&o->lock);
    return some;
}

static bool
give(struct object *o, struct account *a)
{
    const bool done = push(o, account_item(a, 0));

    account_pushed(a, done);
    return done;
}

/* Enter into the victim's account what its call did, which has returned. */
static void
settle(struct object *o)
{
    struct account *a = &o->accounts[ACCOUNT_VICTIM];

    if (o->operation == PUSH)
        account_pushed(a, o->moved);
    else
        account_popped(a, &o->item, o->moved);
    o->moved = false;
}

/* Nothing but the operation and its result: each instruction is stepped. */
static void
call(void *object)
{
    struct object *o = object;

    switch (o->operation) {
    case PUSH:
        o->moved = push(o, o->item);
        break;
    case POP:
        o->moved = pop(o, &o->item);
        break;
    default:
        o->moved = steal(o, &o->item);
    }
}

static void
prepare(struct object *o)
{
    o->item = account_item(&o->accounts[ACCOUNT_VICTIM], 0);
}

static void
undo(void *object)
{
    struct object *o = object;
    struct account *a = &o->accounts[ACCOUNT_VICTIM];
    const bool moved = o->moved;
    void *item;

    settle(o);
    if (moved && o->operation == PUSH)
        account_popped(a, &item, pop(o, &item));
    else if (moved)
        give(o, a);
    prepare(o);
}

static void *
create(const struct subject *s, int variant, unsigned operation, unsigned state)
{
    struct object *o = must_have(1, sizeof(*o));

    (void)s;
    accounts_init(o->accounts);
    pthread_mutex_init(&o->lock, NULL);
    o->operation = operation;
    if (variant == 0 && weft_deque_create(&o->deque) != WEFT_OK) {
        complain("out of memory");
        exit(EXIT_FAILURE);
    }
    for (size_t i = 0; i < fills[state]; i++)
        give(o, &o->accounts[0]);
    if (operation == PUSH)
        o->out_due = fills[state];
    else if (operation == POP && fills[state] > 0)
        o->out_due = fills[state] - 1;
    prepare(o);
    return o;
}

static void
aim(void *object, unsigned share)
{
    struct object *o = object;

    o->rounds_due = 4 * (size_t)share;
    atomic_store_explicit(&o->rounds, 0, memory_order_relaxed);
}

static bool
is_done(void *object)
{
    struct object *o = object;

    return atomic_load_explicit(&o->rounds, memory_order_relaxed) >=
               o->rounds_due &&
           atomic_load_explicit(&o->out, memory_order_relaxed) >= o->out_due;
}

static bool
make_round(void *object, unsigned who)
{
    struct object *o = object;
    struct account *a = &o->accounts[who];
    bool moved = false;
    void *item;

    if (o->operation == STEAL && who == 0) {
        moved = give(o, a) && give(o, a);
        const bool some = pop(o, &item);
        account_popped(a, &item, some);
        moved = moved || some;
    } else {
        moved = steal(o, &item);
        account_popped(a, &item, moved);
    }
    atomic_fetch_add_explicit(&o->out, moved, memory_order_relaxed);
    atomic_fetch_add_explicit(&o->rounds, 1, memory_order_relaxed);
    return moved;
}

static const char *
finish(void *object)
{
    struct object *o = object;
    void *item;

    settle(o);
    while (pop(o, &item))
        account_popped(&o->accounts[0], &item, 1);
    /* Two ends: what one thread pushed comes out in either order. */
    for (size_t i = 0; i < ACCOUNTS; i++)
        o->accounts[i].disordered = false;
    const char *wrong = accounts_check(o->accounts);
    weft_deque_destroy(o->deque);
    pthread_mutex_destroy(&o->lock);
    free(o);
    return wrong;
}

static enum outcome
run(const struct options *o, struct report *r)
{
    const struct subject subject = {
        .variants = variants,
        .operations = operations,
        .states = states,
        .others = "48 calls, and each item that is there",
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

const struct scenario stall_deque = {
    .command = "stall",
    .name = "deque",
    .summary = "stop the owner or a thief inside a call: who is held up?",
    .run = run,
    .extras = stall_extras,
};
