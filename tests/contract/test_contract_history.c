/* SPDX-License-Identifier: MIT */
/*
 * test_contract_history.c - is every short history of a ring and of a fifo
 * linearizable, FULL and EMPTY included?
 *
 * Three threads make four calls each; a shared clock stamps the beginning and
 * end of each.  Brute force then looks for an order of the calls that keeps to
 * the clock (a call that ended before another began comes first) and is right
 * for a queue of that capacity.  A ring has one to three cells, and so has a
 * segment of a fifo: appending and retiring are among what is raced.
 *
 * WEFT_LOCKLESS may answer FULL or EMPTY while another call is in progress, a
 * fifo EMPTY while a push is, so there such an answer must be right only if no
 * such call overlaps it.
 */
#include <weft/fifo.h>
#include <weft/ring.h>

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
#define KINDS 2

enum { THREADS = 3, CALLS = 4, ALL = THREADS * CALLS, ROUNDS = 3000 };

/* The calls of a container as void *. */
struct kind {
    enum weft_status (*create)(void **out, size_t cells, enum weft_impl impl);
    enum weft_status (*push)(void *q, void *item);
    enum weft_status (*pop)(void *q, void **item);
    void (*destroy)(void *q);
    bool is_bounded;
};

static enum weft_status
create_ring(void **out, size_t cells, enum weft_impl impl)
{
    weft_ring *r = NULL;
    const enum weft_status s = weft_ring_create(&r, cells, impl);

    *out = r;
    return s;
}

static enum weft_status
push_ring(void *r, void *item)
{
    return weft_ring_push(r, item);
}

static enum weft_status
pop_ring(void *r, void **item)
{
    return weft_ring_pop(r, item);
}

static void
destroy_ring(void *r)
{
    weft_ring_destroy(r);
}

static enum weft_status
create_fifo(void **out, size_t cells, enum weft_impl impl)
{
    weft_fifo *f = NULL;

    weft_fifo_start_.cells = cells;
    const enum weft_status s = weft_fifo_create(&f, impl);
    *out = f;
    return s;
}

static enum weft_status
push_fifo(void *f, void *item)
{
    return weft_fifo_push(f, item);
}

static enum weft_status
pop_fifo(void *f, void **item)
{
    return weft_fifo_pop(f, item);
}

static void
destroy_fifo(void *f)
{
    weft_fifo_destroy(f);
}

static const struct kind kinds[KINDS] = {
    {create_ring, push_ring, pop_ring, destroy_ring, true},
    {create_fifo, push_fifo, pop_fifo, destroy_fifo, false},
};

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
    size_t capacity;      /* ALL if there is none */
    uintptr_t queue[ALL]; /* of the order tried: all ever pushed */
    unsigned pushed;
    unsigned popped;
    unsigned taken; /* a bit for each call that has its place */
};

struct worker {
    unsigned number;
    const struct kind *kind;
    void *const *queues; /* one for each round */
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
            c->status = c->push ? w->kind->push(w->queues[round], item)
                                : w->kind->pop(w->queues[round], &item);
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
        if (c->status == WEFT_FULL)
            return held == h->capacity;
        if (held == h->capacity)
            return false;
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

/* Excuse what failed while another call was in progress, or only a push. */
static void
excuse_overlaps(struct history *h, bool by_push_only)
{
    for (unsigned i = 0; i < ALL; i++) {
        struct call *c = &h->calls[i];
        if (c->status == WEFT_OK)
            continue;
        for (unsigned k = 0; k < ALL; k++)
            if (k != i && (h->calls[k].push || !by_push_only) &&
                h->calls[k].begin < c->end && c->begin < h->calls[k].end)
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
static void *queues[ROUNDS];
static _Atomic unsigned arrived[ROUNDS];

static void
record(const struct kind *kind, size_t cells, enum weft_impl impl)
{
    _Atomic unsigned clock = 0;
    struct worker workers[THREADS];
    pthread_t threads[THREADS];

    memset(histories, 0, sizeof(histories));
    for (unsigned i = 0; i < ROUNDS; i++) {
        atomic_init(&arrived[i], 0);
        ck_assert_int_eq(kind->create(&queues[i], cells, impl), WEFT_OK);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] =
            (struct worker){i, kind, queues, histories, arrived, &clock};
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, make_calls, &workers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < ROUNDS; i++)
        kind->destroy(queues[i]);
}

/* _i: a kind, and its form. */
START_TEST(test_every_history_is_that_of_a_queue)
{
    const struct kind *kind = &kinds[_i / FORMS];
    const enum weft_impl impl = (enum weft_impl)(_i % FORMS);

    for (size_t cells = 1; cells <= 3; cells++) {
        record(kind, cells, impl);
        for (unsigned i = 0; i < ROUNDS; i++) {
            struct history h = {.capacity = kind->is_bounded ? cells : ALL};
            memcpy(h.calls, histories[i], sizeof(h.calls));
            if (impl == WEFT_LOCKLESS)
                excuse_overlaps(&h, !kind->is_bounded);
            bool linearizable = has_an_order(&h);
            if (!linearizable)
                print(&h);
            ck_assert(linearizable);
        }
    }
}
END_TEST

/* The check itself: histories of one or two calls with a known answer. */
START_TEST(test_a_wrong_answer_is_found)
{
    struct history h = {.capacity = 1};

    /* Call 0 pushes, call 1 pops it, the rest find it empty, in turn. */
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

    struct history falsely_full = h;
    falsely_full.calls[5].push = true;
    falsely_full.calls[5].status = WEFT_FULL;
    ck_assert(!has_an_order(&falsely_full));
    excuse_overlaps(&falsely_full, false);
    ck_assert(!has_an_order(&falsely_full));

    /* Only a push that overlaps is an excuse where that is said. */
    struct history excused = falsely_empty;
    excused.calls[1].end = excused.calls[2].begin + 1;
    excuse_overlaps(&excused, true);
    ck_assert(!excused.calls[1].excused);
    excuse_overlaps(&excused, false);
    ck_assert(excused.calls[1].excused);
    excused = falsely_empty;
    excused.calls[1].begin = 0;
    excuse_overlaps(&excused, true);
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
        {&test_every_history_is_that_of_a_queue, KINDS * FORMS},
        {&test_a_wrong_answer_is_found, 1},
    };

    return run_tests("contract_history", tests,
                     sizeof(tests) / sizeof(tests[0]), 60);
}
