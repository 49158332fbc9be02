/* SPDX-License-Identifier: MIT */
/*
 * The forms of the blocking queue without a lock, first in first out, and the
 * containers under them, with many threads and a close in the middle.
 */
#include <string.h>

#include "base/tsan.h"
#include "blocking.h"
#include "queue/queue_store.h"
#include "sleepers.h"
#include "testing.h"

#define THREADS 3 /* of each side */
#ifdef WEFT_TSAN
#define ROUNDS 12
#else
#define ROUNDS 40
#endif
#define MOST 2000 /* items of one producer */

/* Over a ring, and over a fifo, whose segments are short here. */
static const int forms[] = {2 * WEFT_LOCKFREE + 1, 2 * WEFT_LOCKLESS + 1,
                            2 * WEFT_LOCKFREE, 2 * WEFT_LOCKLESS};
#define ALL 4

/* A queue, and what went through it. */
struct load {
    weft_queue *q;
    void (*take)(const void *item); /* NULL, or for each that is got */
    atomic_bool closed;
    atomic_uint put;
    atomic_uint got;
    atomic_uint next; /* producer */
};

/* Where the items lie in rows of `room`: all there is, or segments. */
static weft_queue_options
roomy(int i, size_t room)
{
    weft_fifo_start_.cells = room;
    return options_of(forms[i], room);
}

static weft_queue *
open_roomy(int i, size_t room)
{
    const weft_queue_options o = roomy(i, room);

    return open_options(&o);
}

/* Put numbers in order until the end. */
static void *
produce(void *arg)
{
    struct load *l = arg;
    const size_t me =
        atomic_fetch_add_explicit(&l->next, 1, memory_order_relaxed);
    unsigned n = 0;

    while (n < MOST && weft_queue_put(l->q, item((me << 32) | (n + 1)),
                                      WEFT_FOREVER) == WEFT_OK)
        n++;
    if (n < MOST)
        must(weft_queue_put(l->q, NULL, WEFT_FOREVER) == WEFT_CLOSED);
    atomic_fetch_add_explicit(&l->put, n, memory_order_relaxed);
    return NULL;
}

static void *
consume(void *arg)
{
    struct load *l = arg;
    size_t last[THREADS] = {0};
    enum weft_status s;
    void *got;

    while ((s = weft_queue_get(l->q, &got, WEFT_FOREVER)) == WEFT_OK) {
        const size_t n = number(got) & UINT32_MAX;
        must(n > last[number(got) >> 32]);
        last[number(got) >> 32] = n;
        if (l->take != NULL)
            l->take(got);
        atomic_fetch_add_explicit(&l->got, 1, memory_order_relaxed);
        must(weft_queue_task_done(l->q) == WEFT_OK);
    }
    must(s == WEFT_CLOSED);
    must(weft_queue_get(l->q, &got, WEFT_FOREVER) == WEFT_CLOSED);
    return NULL;
}

static unsigned
read_of(atomic_uint *n)
{
    return atomic_load_explicit(n, memory_order_relaxed);
}

/* The bells of `q` as in a system without asymmetric fences. */
static void
have_no_fence(weft_queue *q)
{
    struct weft_queue_fast *f = weft_queue_fast_(q);

    atomic_fetch_or_explicit(&f->items.alert, WEFT_BELL_ALWAYS_,
                             memory_order_relaxed);
    atomic_fetch_or_explicit(&f->room.alert, WEFT_BELL_ALWAYS_,
                             memory_order_relaxed);
}

/* Let it be used, until `close` while that goes on. */
static void
run_load(struct load *l, enum weft_close how, unsigned round)
{
    pthread_t threads[2 * THREADS];

    for (int k = 0; k < 2 * THREADS; k++)
        must(pthread_create(&threads[k], NULL, k % 2 ? produce : consume, l) ==
             0);
    while (read_of(&l->got) < round % 7 * 40)
        sched_yield();
    must(weft_queue_close(l->q, how) == WEFT_OK);
    for (int k = 0; k < 2 * THREADS; k++)
        must(pthread_join(threads[k], NULL) == 0);
    must(weft_queue_join(l->q, WEFT_NOW) == WEFT_OK);
    must(weft_queue_size(l->q) == 0);
    weft_queue_destroy(l->q);
}

static void
run_to_the_last(int i, bool fenced, unsigned round)
{
    struct load l = {.q = open_roomy(i, 1 + round % 5)};

    if (!fenced)
        have_no_fence(l.q);
    run_load(&l, WEFT_DRAIN, round);
    must(read_of(&l.put) == read_of(&l.got));
}

/* _i: ALL */
START_TEST(test_what_was_put_before_the_close_is_got_and_nothing_else)
{
    for (unsigned round = 0; round < ROUNDS; round++)
        run_to_the_last(_i, true, round);
}
END_TEST

/* _i: ALL */
START_TEST(test_it_works_without_asymmetric_fences)
{
    for (unsigned round = 0; round < ROUNDS; round++)
        run_to_the_last(_i, false, round);
}
END_TEST

/* _i: ALL */
START_TEST(test_it_works_on_one_cpu)
{
    have_one_cpu(true);
    for (unsigned round = 0; round < ROUNDS / 4; round++)
        run_to_the_last(_i, true, round);
    have_one_cpu(false);
}
END_TEST

/* Which of the items that a producer may put were got, or dropped. */
static atomic_uchar fates[THREADS][MOST + 1];
static atomic_uint dropped;

static void
meet_its_fate(const void *i)
{
    const size_t n = number(i);

    must(atomic_fetch_add_explicit(&fates[n >> 32][n & UINT32_MAX], 1,
                                   memory_order_relaxed) == 0);
}

static void
drop_once(void *i, void *ctx)
{
    (void)ctx;
    meet_its_fate(i);
    atomic_fetch_add_explicit(&dropped, 1, memory_order_relaxed);
}

/* _i: ALL, and without asymmetric fences */
START_TEST(test_a_discard_drops_once_whatever_nobody_got)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        weft_queue_options o = roomy(_i % ALL, 1 + round % 5);
        struct load l = {.take = meet_its_fate};
        o.drop = drop_once;
        l.q = open_options(&o);
        if (_i >= ALL)
            have_no_fence(l.q);
        memset(fates, 0, sizeof(fates));
        atomic_store_explicit(&dropped, 0, memory_order_relaxed);
        run_load(&l, WEFT_DISCARD, round);
        must(read_of(&l.put) == read_of(&l.got) + read_of(&dropped));
    }
}
END_TEST

/* --- each put wakes somebody, if need be --------------------------------- */

#define HANDED 1000

static void *
answer(void *arg)
{
    weft_queue *const *q = arg;
    void *got;

    while (weft_queue_get(q[0], &got, WEFT_FOREVER) == WEFT_OK)
        must(weft_queue_put(q[1], got, WEFT_FOREVER) == WEFT_OK);
    return NULL;
}

/* _i: ALL.  One item, several who wait: a wake-up that is lost ends it. */
START_TEST(test_no_wake_up_is_lost)
{
    weft_queue *q[2] = {open_roomy(_i, 1), open_roomy(_i, 1)};
    pthread_t threads[THREADS];
    void *got;

    for (int k = 0; k < THREADS; k++)
        must(pthread_create(&threads[k], NULL, answer, q) == 0);
    for (size_t n = 0; n < HANDED; n++) {
        must(weft_queue_put(q[0], item(n), WEFT_FOREVER) == WEFT_OK);
        if (n % 8 == 0) /* he who took it sleeps again */
            await_sleepers(&weft_queue_fast_(q[0])->items.wakes, THREADS);
        must(weft_queue_get(q[1], &got, WEFT_FOREVER) == WEFT_OK);
        must(number(got) == n);
    }
    must(weft_queue_close(q[0], WEFT_DRAIN) == WEFT_OK);
    for (int k = 0; k < THREADS; k++)
        must(pthread_join(threads[k], NULL) == 0);
    weft_queue_destroy(q[0]);
    weft_queue_destroy(q[1]);
}
END_TEST

/* --- the container under it ---------------------------------------------- */

static enum weft_status
push(struct weft_queue_fast *q, void *i)
{
    return weft_store_push_(q, q->store, i);
}

static enum weft_status
pop(struct weft_queue_fast *q, void **i)
{
    return weft_store_pop_(q, q->store, i);
}

static void *
push_until_closed(void *arg)
{
    struct load *l = arg;
    struct weft_queue_fast *q = weft_queue_fast_(l->q);
    unsigned n = 0;

    for (;;) {
        const bool was = atomic_load_explicit(&l->closed, memory_order_acquire);
        const enum weft_status s = push(q, l);
        if (s == WEFT_OK) {
            must(!was);
            n++;
        } else {
            must(s == WEFT_FULL);
            if (was)
                break;
            sched_yield();
        }
    }
    must(weft_store_is_closed_(q));
    atomic_fetch_add_explicit(&l->put, n, memory_order_relaxed);
    return NULL;
}

static void *
pop_until_drained(void *arg)
{
    struct load *l = arg;
    struct weft_queue_fast *q = weft_queue_fast_(l->q);
    unsigned n = 0;
    void *got;

    for (;;) {
        const bool was = weft_store_is_drained_(q);
        if (pop(q, &got) == WEFT_OK) {
            must(!was);
            n++;
        } else if (was) {
            break;
        } else {
            sched_yield();
        }
    }
    must(weft_store_is_closed_(q));
    atomic_fetch_add_explicit(&l->got, n, memory_order_relaxed);
    return NULL;
}

/* _i: ALL */
START_TEST(test_no_push_into_a_closed_container_and_none_lost)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct load l = {.q = open_roomy(_i, 1 + round % 5)};
        pthread_t threads[4];
        for (int k = 0; k < 4; k++)
            must(pthread_create(&threads[k], NULL,
                                k % 2 ? push_until_closed : pop_until_drained,
                                &l) == 0);
        for (unsigned k = 0; k < round % 9; k++)
            sched_yield();
        weft_store_close_(weft_queue_fast_(l.q));
        atomic_store_explicit(&l.closed, true, memory_order_release);
        for (int k = 0; k < 4; k++)
            must(pthread_join(threads[k], NULL) == 0);
        must(read_of(&l.put) == read_of(&l.got));
        weft_queue_destroy(l.q);
    }
}
END_TEST

/* As if calls had stopped, and tell now where they stood long ago. */
static void
set_hints_back(struct weft_queue_fast *q)
{
    const uint64_t first =
        q->fifo != NULL ? weft_segments_position_(q->fifo->first_life, 0) : 0;

    if (q->store != WEFT_QUEUE_RING_LOCKFREE &&
        q->store != WEFT_QUEUE_FIFO_LOCKFREE)
        return;
    atomic_store_explicit(q->ring != NULL ? &q->ring->tail
                                          : &q->fifo->list.tail.position,
                          first, memory_order_relaxed);
    atomic_store_explicit(q->ring != NULL ? &q->ring->head
                                          : &q->fifo->list.head.position,
                          first, memory_order_relaxed);
}

static void
drain_closed(int i, size_t room, size_t n, size_t before)
{
    weft_queue *base = open_roomy(i, room);
    struct weft_queue_fast *q = weft_queue_fast_(base);
    void *got;

    for (size_t k = 0; k < before; k++)
        must(push(q, NULL) == WEFT_OK && pop(q, &got) == WEFT_OK);
    for (size_t k = 0; k < n; k++)
        must(push(q, item(k)) == WEFT_OK);
    must(!weft_store_is_closed_(q));
    set_hints_back(q);
    weft_store_close_(q);
    weft_store_close_(q);
    for (size_t k = 0; k < n; k++) {
        must(weft_store_is_closed_(q) && !weft_store_is_drained_(q));
        must(weft_store_size_(q) == n - k);
        must(weft_store_is_ready_(q, POP));
        must(push(q, NULL) == WEFT_FULL);
        must(pop(q, &got) == WEFT_OK);
        must(got == item(k));
    }
    must(weft_store_is_drained_(q) && !weft_store_is_ready_(q, POP));
    must(!weft_store_is_ready_(q, PUSH));
    must(pop(q, &got) == WEFT_EMPTY);
    must(push(q, NULL) == WEFT_FULL);
    must(weft_store_pushed_(q, true) == before + n);
    weft_queue_destroy(base);
}

/* _i: ALL.  With any number of items, and hints that were set back. */
START_TEST(test_a_closed_container_drains_in_order)
{
    for (size_t room = 1; room < 9; room++) {
        const size_t most = is_bounded(forms[_i]) ? room : 2 * room + 1;
        for (size_t n = 0; n <= most; n++)
            for (size_t before = 0; before < 2 * room; before++)
                drain_closed(_i, room, n, before);
    }
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_what_was_put_before_the_close_is_got_and_nothing_else, ALL},
        {&test_it_works_without_asymmetric_fences, ALL},
        {&test_it_works_on_one_cpu, ALL},
        {&test_a_discard_drops_once_whatever_nobody_got, 2 * ALL},
        {&test_no_wake_up_is_lost, ALL},
        {&test_no_push_into_a_closed_container_and_none_lost, ALL},
        {&test_a_closed_container_drains_in_order, ALL},
    };

    return run_tests("queue_fast_threads", tests,
                     sizeof(tests) / sizeof(tests[0]), 60);
}
