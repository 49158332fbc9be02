/* SPDX-License-Identifier: MIT */
/*
 * Is every short history of a fifo linearizable, EMPTY included?
 *
 * Three threads make four calls each; a shared clock stamps the beginning and
 * end of each.  Brute force then looks for an order of the calls that keeps to
 * the clock (a call that ended before another began comes first) and is right
 * for a queue.  _i is the form.  Segments have one to three cells, so that
 * appending and retiring them are among what is raced.
 *
 * WEFT_LOCKLESS may answer EMPTY while a push is in progress, so there such an
 * answer must be right only if no push overlaps it.
 */
#include <weft/fifo.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "container/fifo_impl.h"
#include "testing.h"

#define FORMS (WEFT_MUTEX + 1)

enum { THREADS = 3, CALLS = 4, ALL = THREADS * CALLS, ROUNDS = 3000 };

struct call {
    bool push;
    enum weft_status status;
    uintptr_t item;
    unsigned begin;
    unsigned end;
    bool excused; /* may have failed because of an overlap */
};

struct history {
    struct call calls[ALL];
    uintptr_t queue[ALL]; /* of the order tried: all ever pushed */
    unsigned pushed;
    unsigned popped;
    unsigned taken; /* a bit for each call that has its place */
};

struct worker {
    unsigned number;
    weft_fifo *const *fifo; /* one for each round */
    struct call (*calls)[ALL];
    _Atomic unsigned *arrived; /* one for each round */
    _Atomic unsigned *clock;
};

static unsigned
now(_Atomic unsigned *clock)
{
    return atomic_fetch_add_explicit(clock, 1, memory_order_relaxed);
}

static void *
make_calls(void *arg)
{
    const struct worker *w = arg;
    uint32_t draw = w->number * 7919 + 1;

    for (unsigned round = 0; round < ROUNDS; round++) {
        atomic_fetch_add_explicit(&w->arrived[round], 1, memory_order_relaxed);
        while (atomic_load_explicit(&w->arrived[round], memory_order_relaxed) <
               THREADS)
            sched_yield();
        for (unsigned k = 0; k < CALLS; k++) {
            unsigned id = w->number * CALLS + k;
            struct call *c = &w->calls[round][id];
            draw = draw * 1664525 + 1013904223;
            void *item = (void *)(uintptr_t)(id + 1);
            c->push = (draw >> 20 & 1) == 0;
            c->begin = now(w->clock);
            c->status = c->push ? weft_fifo_push(w->fifo[round], item)
                                : weft_fifo_pop(w->fifo[round], &item);
            c->end = now(w->clock);
            c->item = (uintptr_t)item;
        }
    }
    return NULL;
}

/* Let call `c` happen now, if a queue would answer as it did. */
static bool
happens(struct history *h, const struct call *c)
{
    unsigned held = h->pushed - h->popped;

    if (c->excused)
        return true;
    if (c->push) {
        h->queue[h->pushed++] = c->item;
        return true;
    }
    if (c->status == WEFT_EMPTY)
        return held == 0;
    if (held == 0 || h->queue[h->popped] != c->item)
        return false;
    h->popped++;
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
        unsigned pushed = h->pushed;
        unsigned popped = h->popped;
        uintptr_t overwritten = h->queue[pushed % ALL];
        if (happens(h, &h->calls[i])) {
            h->taken |= 1u << i;
            if (has_an_order(h))
                return true;
            h->taken &= ~(1u << i);
        }
        h->pushed = pushed;
        h->popped = popped;
        h->queue[pushed % ALL] = overwritten;
    }
    return false;
}

static void
excuse_overlaps(struct history *h)
{
    for (unsigned i = 0; i < ALL; i++) {
        struct call *c = &h->calls[i];
        if (c->status == WEFT_OK)
            continue;
        for (unsigned k = 0; k < ALL; k++)
            if (h->calls[k].push && h->calls[k].begin < c->end &&
                c->begin < h->calls[k].end)
                c->excused = true;
    }
}

static void
print(const struct history *h)
{
    for (unsigned i = 0; i < ALL; i++) {
        const struct call *c = &h->calls[i];
        printf("thread %u  %4u..%-4u  %s %2u  %s\n", i / CALLS,
               c->begin - h->calls[0].begin, c->end - h->calls[0].begin,
               c->push ? "push" : "pop ", (unsigned)c->item,
               weft_status_name(c->status));
    }
}

static struct call histories[ROUNDS][ALL];
static weft_fifo *fifos[ROUNDS];
static _Atomic unsigned arrived[ROUNDS];

static void
record(enum weft_impl form)
{
    _Atomic unsigned clock = 0;
    struct worker workers[THREADS];
    pthread_t threads[THREADS];

    memset(histories, 0, sizeof(histories));
    for (unsigned i = 0; i < ROUNDS; i++) {
        atomic_init(&arrived[i], 0);
        ck_assert_int_eq(weft_fifo_create(&fifos[i], form), WEFT_OK);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){i, fifos, histories, arrived, &clock};
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, make_calls, &workers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < ROUNDS; i++)
        weft_fifo_destroy(fifos[i]);
}

START_TEST(test_every_history_is_that_of_a_queue)
{
    for (uint64_t cells = 1; cells <= 3; cells++) {
        weft_fifo_start_.cells = cells;
        record((enum weft_impl)_i);
        for (unsigned i = 0; i < ROUNDS; i++) {
            struct history h = {.taken = 0};
            memcpy(h.calls, histories[i], sizeof(h.calls));
            if (_i == WEFT_LOCKLESS)
                excuse_overlaps(&h);
            bool linearizable = has_an_order(&h);
            if (!linearizable) {
                print(&h);
                ck_abort_msg("no order of these calls is right");
            }
        }
    }
}
END_TEST

/* The check itself: histories of one or two calls with a known answer. */
START_TEST(test_a_wrong_answer_is_found)
{
    struct history h = {.taken = 0};

    /* Call 0 pushes, call 1 pops it, the rest find an empty fifo, in turn. */
    for (unsigned i = 0; i < ALL; i++)
        h.calls[i] = (struct call){
            .status = WEFT_EMPTY, .begin = 2 * i, .end = 2 * i + 1};
    h.calls[0].push = true;
    h.calls[0].status = WEFT_OK;
    h.calls[0].item = 1;
    h.calls[1].status = WEFT_OK;
    h.calls[1].item = 1;
    struct history good = h;
    ck_assert(has_an_order(&good));

    struct history wrong_item = h;
    wrong_item.calls[1].item = 2;
    ck_assert(!has_an_order(&wrong_item));

    struct history falsely_empty = h;
    falsely_empty.calls[1].status = WEFT_EMPTY;
    ck_assert(!has_an_order(&falsely_empty));

    /* Only a push that overlaps is an excuse. */
    struct history excused = falsely_empty;
    excuse_overlaps(&excused);
    ck_assert(!excused.calls[1].excused);
    excused.calls[1].begin = 0;
    excuse_overlaps(&excused);
    ck_assert(excused.calls[1].excused);

    struct history twice = h;
    twice.calls[2] = twice.calls[1];
    twice.calls[2].begin = 4;
    twice.calls[2].end = 5;
    ck_assert(!has_an_order(&twice));
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_every_history_is_that_of_a_queue, FORMS},
        {&test_a_wrong_answer_is_found, 1},
    };

    return run_tests("fifo_history", tests, sizeof(tests) / sizeof(tests[0]),
                     60);
}
