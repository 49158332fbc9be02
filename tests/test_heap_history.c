/* SPDX-License-Identifier: MIT */
/*
 * Is every short history of a heap linearizable, EMPTY and the order of equal
 * ones included?
 *
 * Three threads make four calls each; a shared clock stamps the beginning and
 * end of each.  Brute force then looks for an order of the calls that keeps to
 * the clock (a call that ended before another began comes first) and is right
 * for a priority queue: each pop takes the lowest, of equal ones the one that
 * this order pushed first.
 */
#include <weft/heap.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "heaps.h"

enum { THREADS = 3, CALLS = 4, ALL = THREADS * CALLS, ROUNDS = 3000 };

struct call {
    bool push;
    enum weft_status status;
    unsigned thing; /* its number; the call's own if it is a push */
    unsigned begin;
    unsigned end;
};

struct history {
    struct call calls[ALL];
    const struct thing *things;
    unsigned held[ALL]; /* in the order tried: the things, oldest first */
    unsigned count;
    unsigned taken; /* a bit for each call that has its place */
};

struct worker {
    unsigned number;
};

static struct call histories[ROUNDS][ALL];
static struct thing things[ROUNDS][ALL];
static weft_heap *heaps[ROUNDS];
static _Atomic unsigned arrived[ROUNDS];
static _Atomic unsigned clock_now;
static unsigned keys;

static unsigned
now(void)
{
    return atomic_fetch_add_explicit(&clock_now, 1, memory_order_relaxed);
}

static void *
make_calls(void *arg)
{
    const struct worker *w = arg;
    uint32_t draw = w->number * 7919 + keys;

    for (unsigned round = 0; round < ROUNDS; round++) {
        atomic_fetch_add_explicit(&arrived[round], 1, memory_order_relaxed);
        while (atomic_load_explicit(&arrived[round], memory_order_relaxed) <
               THREADS)
            sched_yield();
        for (unsigned k = 0; k < CALLS; k++) {
            const unsigned id = w->number * CALLS + k;
            struct call *c = &histories[round][id];
            void *item = &things[round][id];
            draw = draw * 1664525 + 1013904223;
            things[round][id] =
                (struct thing){.key = (draw >> 8) % keys, .number = id};
            c->push = (draw >> 20 & 1) == 0;
            c->begin = now();
            c->status = c->push ? weft_heap_push(heaps[round], item)
                                : weft_heap_pop(heaps[round], &item);
            c->end = now();
            c->thing = ((struct thing *)item)->number;
        }
    }
    return NULL;
}

/* Let call `c` happen now, if a priority queue would answer as it did. */
static bool
happens(struct history *h, const struct call *c)
{
    if (c->push) {
        h->held[h->count++] = c->thing;
        return c->status == WEFT_OK;
    }
    if (c->status == WEFT_EMPTY)
        return h->count == 0;
    if (h->count == 0)
        return false;
    unsigned least = 0;
    for (unsigned k = 1; k < h->count; k++)
        if (h->things[h->held[k]].key < h->things[h->held[least]].key)
            least = k;
    if (h->held[least] != c->thing)
        return false;
    h->count--;
    memmove(&h->held[least], &h->held[least + 1],
            (h->count - least) * sizeof(h->held[0]));
    return true;
}

/* May call `i` come next: did no call without a place end before it began? */
static bool
may_be_next(const struct history *h, unsigned i)
{
    if ((h->taken >> i & 1) != 0)
        return false;
    for (unsigned k = 0; k < ALL; k++)
        if ((h->taken >> k & 1) == 0 && h->calls[k].end < h->calls[i].begin)
            return false;
    return true;
}

static bool
has_an_order(struct history *h)
{
    if (h->taken == (1u << ALL) - 1)
        return true;
    for (unsigned i = 0; i < ALL; i++) {
        if (!may_be_next(h, i))
            continue;
        struct history next = *h;
        next.taken |= 1u << i;
        if (happens(&next, &h->calls[i]) && has_an_order(&next))
            return true;
    }
    return false;
}

static void
print(const struct history *h)
{
    for (unsigned i = 0; i < ALL; i++) {
        const struct call *c = &h->calls[i];
        printf("thread %u  %4u..%-4u  %s %2u key %lld  %s\n", i / CALLS,
               c->begin - h->calls[0].begin, c->end - h->calls[0].begin,
               c->push ? "push" : "pop ", c->thing,
               (long long)h->things[c->thing].key, weft_status_name(c->status));
    }
}

static void
record(int form)
{
    struct worker workers[THREADS];
    pthread_t threads[THREADS];

    memset(histories, 0, sizeof(histories));
    for (unsigned i = 0; i < ROUNDS; i++) {
        atomic_init(&arrived[i], 0);
        heaps[i] = new_heap(form);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){i};
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, make_calls, &workers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < ROUNDS; i++)
        weft_heap_destroy(heaps[i]);
}

START_TEST(test_every_history_is_that_of_a_priority_queue)
{
    for (keys = 1; keys <= 3; keys++) {
        record(_i);
        for (unsigned i = 0; i < ROUNDS; i++) {
            struct history h = {.things = things[i]};
            memcpy(h.calls, histories[i], sizeof(h.calls));
            const bool linearizable = has_an_order(&h);
            if (!linearizable)
                print(&h);
            ck_assert(linearizable);
        }
    }
}
END_TEST

/* The check itself: histories with a known answer. */
START_TEST(test_a_wrong_answer_is_found)
{
    static struct thing t[ALL];
    struct history h = {.things = t};

    /* Calls 0 to 2 push keys 1, 1, 0; 3 to 5 pop 2, 0, 1; the rest find it
     * empty; all in turn. */
    for (unsigned i = 0; i < ALL; i++)
        h.calls[i] = (struct call){
            .status = WEFT_EMPTY, .begin = 2 * i, .end = 2 * i + 1};
    t[0].key = t[1].key = 1;
    for (unsigned i = 0; i < 6; i++)
        h.calls[i].status = WEFT_OK;
    for (unsigned i = 0; i < 3; i++) {
        h.calls[i].push = true;
        h.calls[i].thing = i;
        h.calls[3 + i].thing = (i + 2) % 3;
    }
    struct history good = h;
    ck_assert(has_an_order(&good));

    struct history overtaken = h; /* an equal one */
    overtaken.calls[4].thing = 1;
    overtaken.calls[5].thing = 0;
    ck_assert(!has_an_order(&overtaken));

    /* Unless their pushes overlap. */
    overtaken.calls[0].end = overtaken.calls[1].end;
    ck_assert(has_an_order(&overtaken));

    struct history not_the_lowest = h;
    not_the_lowest.calls[3].thing = 0;
    not_the_lowest.calls[4].thing = 2;
    ck_assert(!has_an_order(&not_the_lowest));

    struct history falsely_empty = h;
    falsely_empty.calls[5].status = WEFT_EMPTY;
    ck_assert(!has_an_order(&falsely_empty));

    struct history twice = h;
    twice.calls[5].thing = 0;
    ck_assert(!has_an_order(&twice));
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_every_history_is_that_of_a_priority_queue, HEAPS},
        {&test_a_wrong_answer_is_found, 1},
    };

    return run_tests("heap_history", tests, sizeof(tests) / sizeof(tests[0]),
                     60);
}
