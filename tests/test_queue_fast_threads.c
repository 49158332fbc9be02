/* SPDX-License-Identifier: MIT */
/*
 * The forms of the blocking queue without a lock, and the ring under them, with
 * many threads and a close in the middle.
 */
#include <string.h>

#include "blocking.h"
#include "queue/queue_fast.h"
#include "sleepers.h"
#include "testing.h"

#define THREADS 3 /* of each side */
#define ROUNDS  100
#define MOST    2000 /* items of one producer */

static const int forms[] = {2 * WEFT_LOCKFREE + 1, 2 * WEFT_LOCKLESS + 1};
#define BOTH 2

/* A queue, or a ring of its own, and what went through it. */
struct load {
    weft_queue *q;
    weft_ring *ring; /* NULL: the queue */
    atomic_bool closed;
    atomic_uint put;
    atomic_uint got;
    atomic_uint next; /* producer */
};

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

static void
run_load(int form, size_t capacity, bool fenced, unsigned round)
{
    struct load l = {.q = open_queue(form, capacity)};
    pthread_t threads[2 * THREADS];

    if (!fenced)
        have_no_fence(l.q);
    for (int k = 0; k < 2 * THREADS; k++)
        must(pthread_create(&threads[k], NULL, k % 2 ? produce : consume, &l) ==
             0);
    while (read_of(&l.got) < round % 7 * 40)
        sched_yield();
    must(weft_queue_close(l.q, WEFT_DRAIN) == WEFT_OK);
    for (int k = 0; k < 2 * THREADS; k++)
        must(pthread_join(threads[k], NULL) == 0);
    must(read_of(&l.put) == read_of(&l.got));
    must(weft_queue_join(l.q, WEFT_NOW) == WEFT_OK);
    must(weft_queue_size(l.q) == 0);
    weft_queue_destroy(l.q);
}

/* _i: BOTH */
START_TEST(test_what_was_put_before_the_close_is_got_and_nothing_else)
{
    for (unsigned round = 0; round < ROUNDS; round++)
        run_load(forms[_i], 1 + round % 5, true, round);
}
END_TEST

/* _i: BOTH */
START_TEST(test_it_works_without_asymmetric_fences)
{
    for (unsigned round = 0; round < ROUNDS; round++)
        run_load(forms[_i], 1 + round % 5, false, round);
}
END_TEST

/* _i: BOTH */
START_TEST(test_it_works_on_one_cpu)
{
    have_one_cpu(true);
    for (unsigned round = 0; round < ROUNDS / 4; round++)
        run_load(forms[_i], 1 + round % 5, true, round);
    have_one_cpu(false);
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

/* _i: BOTH.  One item, several who wait: a wake-up that is lost ends it. */
START_TEST(test_no_wake_up_is_lost)
{
    weft_queue *q[2] = {open_queue(forms[_i], 1), open_queue(forms[_i], 1)};
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

/* --- the ring under it --------------------------------------------------- */

static void *
push_until_closed(void *arg)
{
    struct load *l = arg;
    unsigned n = 0;

    for (;;) {
        const bool was = atomic_load_explicit(&l->closed, memory_order_acquire);
        if (weft_ring_push(l->ring, l) == WEFT_OK) {
            must(!was);
            n++;
        } else if (was) {
            break;
        }
    }
    atomic_fetch_add_explicit(&l->put, n, memory_order_relaxed);
    return NULL;
}

static void *
pop_until_drained(void *arg)
{
    struct load *l = arg;
    unsigned n = 0;
    void *got;

    for (;;) {
        const bool was = weft_ring_is_drained_(l->ring);
        if (weft_ring_pop(l->ring, &got) == WEFT_OK) {
            must(!was);
            n++;
        } else if (was) {
            break;
        }
    }
    must(weft_ring_is_closed_(l->ring));
    atomic_fetch_add_explicit(&l->got, n, memory_order_relaxed);
    return NULL;
}

/* _i: BOTH */
START_TEST(test_no_push_into_a_closed_ring_and_none_lost)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct load l = {0};
        pthread_t threads[4];
        must(weft_ring_create(&l.ring, 1 + round % 5, (enum weft_impl)_i) ==
             WEFT_OK);
        for (int k = 0; k < 4; k++)
            must(pthread_create(&threads[k], NULL,
                                k % 2 ? push_until_closed : pop_until_drained,
                                &l) == 0);
        for (unsigned k = 0; k < round % 9; k++)
            sched_yield();
        weft_ring_close_(l.ring);
        atomic_store_explicit(&l.closed, true, memory_order_release);
        for (int k = 0; k < 4; k++)
            must(pthread_join(threads[k], NULL) == 0);
        must(read_of(&l.put) == read_of(&l.got));
        weft_ring_destroy(l.ring);
    }
}
END_TEST

/* _i: BOTH.  With any number of items, and hints that were set back. */
START_TEST(test_a_closed_ring_drains_in_order)
{
    for (size_t capacity = 1; capacity < 9; capacity++)
        for (size_t n = 0; n <= capacity; n++)
            for (size_t before = 0; before < 2 * capacity; before++) {
                weft_ring *r = NULL;
                void *got;
                must(weft_ring_create(&r, capacity, (enum weft_impl)_i) ==
                     WEFT_OK);
                for (size_t k = 0; k < before; k++)
                    must(weft_ring_push(r, NULL) == WEFT_OK &&
                         weft_ring_pop(r, &got) == WEFT_OK);
                for (size_t k = 0; k < n; k++)
                    must(weft_ring_push(r, item(k)) == WEFT_OK);
                must(!weft_ring_is_closed_(r));
                if (_i == WEFT_LOCKFREE) {
                    atomic_store_explicit(&r->tail, 0, memory_order_relaxed);
                    atomic_store_explicit(&r->head, 0, memory_order_relaxed);
                }
                weft_ring_close_(r);
                weft_ring_close_(r);
                for (size_t k = 0; k < n; k++) {
                    must(weft_ring_is_closed_(r) && !weft_ring_is_drained_(r));
                    must(weft_ring_size(r) == n - k);
                    must(weft_ring_is_ready_(r, POP));
                    must(weft_ring_push(r, NULL) == WEFT_FULL);
                    must(weft_ring_pop(r, &got) == WEFT_OK);
                    must(got == item(k));
                }
                must(weft_ring_is_drained_(r) && !weft_ring_is_ready_(r, POP));
                must(!weft_ring_is_ready_(r, PUSH));
                must(weft_ring_pop(r, &got) == WEFT_EMPTY);
                must(weft_ring_push(r, NULL) == WEFT_FULL);
                must(weft_ring_pushed_(r, true) == before + n);
                weft_ring_destroy(r);
            }
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_what_was_put_before_the_close_is_got_and_nothing_else, BOTH},
        {&test_it_works_without_asymmetric_fences, BOTH},
        {&test_it_works_on_one_cpu, BOTH},
        {&test_no_wake_up_is_lost, BOTH},
        {&test_no_push_into_a_closed_ring_and_none_lost, BOTH},
        {&test_a_closed_ring_drains_in_order, BOTH},
    };

    return run_tests("queue_fast_threads", tests,
                     sizeof(tests) / sizeof(tests[0]), 60);
}
