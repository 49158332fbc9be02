/* SPDX-License-Identifier: MIT */
/*
 * The contract of weft_heap among threads, for every form, with a key and with
 * a compare function.
 *
 * Producers push things that they allocate; consumers check and free them at
 * once, while others push: with AddressSanitizer this shows whether compare or
 * key ever sees an item that a consumer has been given, and without it a thing
 * is scratched out before it is freed, and compare looks for that.
 */
#include <weft/heap.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "heaps.h"

#define MOST 8 /* threads of a kind */
#define GONE INT64_C(0x5ca1ab1e5ca1ab1e)

struct run {
    weft_heap *heap;
    unsigned producers;
    unsigned consumers;
    unsigned per_producer;
    int64_t keys; /* that they have; 1: all are equal */
    bool in_blocks;
    _Atomic unsigned popped;
    atomic_uchar *seen; /* of each thing, how often */
};

struct worker {
    struct run *run;
    unsigned number;
    unsigned bad; /* what it saw that must not be */
    pthread_t thread;
};

static _Atomic unsigned saw_gone;

static int64_t
check_key(const void *item, void *ctx)
{
    const int64_t key = thing_key(item, ctx);

    if (key == GONE)
        atomic_fetch_add_explicit(&saw_gone, 1, memory_order_relaxed);
    return key;
}

/* Gives others time to pop and free what it looks at. */
static int
slow_compare(const void *a, const void *b, void *ctx)
{
    const int64_t before = check_key(a, ctx);

    if (((uintptr_t)a >> 4) % 61 == 0)
        sched_yield();
    const int64_t x = check_key(a, ctx);
    const int64_t y = check_key(b, ctx);
    if (x != before)
        atomic_fetch_add_explicit(&saw_gone, 1, memory_order_relaxed);
    return x < y ? -1 : x > y;
}

static void
scratch_out(struct thing *t)
{
    *(volatile int64_t *)&t->key = GONE;
    free(t);
}

static void *
produce(void *arg)
{
    struct worker *w = arg;
    struct run *run = w->run;
    uint32_t state = w->number * 7919 + 1;
    void *block[5];
    unsigned next = 0;

    while (next < run->per_producer) {
        const unsigned left = run->per_producer - next;
        const unsigned n = !run->in_blocks ? 1 : left < 5 ? left : 5;
        for (unsigned k = 0; k < n; k++) {
            struct thing *t = malloc(sizeof(*t));
            state = state * 1664525 + 1013904223;
            *t = (struct thing){(state >> 8) % run->keys, w->number, next + k};
            block[k] = t;
        }
        if (weft_heap_push_n(run->heap, block, n) != n)
            w->bad++;
        next += n;
    }
    return NULL;
}

/* Things of one producer and one key come in order to each consumer. */
static void
check(struct worker *w, const struct thing *t, unsigned (*next)[MOST])
{
    struct run *run = w->run;

    if (run->keys <= 4) {
        if (t->number < next[t->key][t->owner])
            w->bad++;
        next[t->key][t->owner] = t->number + 1;
    }
    atomic_fetch_add_explicit(
        &run->seen[t->owner * run->per_producer + t->number], 1,
        memory_order_relaxed);
}

static void *
consume(void *arg)
{
    struct worker *w = arg;
    struct run *run = w->run;
    const unsigned total = run->producers * run->per_producer;
    unsigned next[4][MOST] = {{0}};
    void *block[5];

    while (atomic_load_explicit(&run->popped, memory_order_relaxed) < total) {
        const size_t n = run->in_blocks
                             ? weft_heap_pop_n(run->heap, block, 5)
                             : weft_heap_pop(run->heap, block) == WEFT_OK;
        if (n == 0)
            sched_yield();
        for (size_t k = 0; k < n; k++) {
            check(w, block[k], next);
            scratch_out(block[k]);
        }
        atomic_fetch_add_explicit(&run->popped, (unsigned)n,
                                  memory_order_relaxed);
    }
    return NULL;
}

static weft_heap *
checked_heap(int i)
{
    weft_heap *h = NULL;

    ck_assert_int_eq(
        is_keyed(i) ? weft_heap_create_keyed(&h, check_key, NULL, form_of(i))
                    : weft_heap_create(&h, slow_compare, NULL, form_of(i)),
        WEFT_OK);
    return h;
}

static void
run_threads(int i, struct run *run)
{
    struct worker workers[2 * MOST];
    const unsigned total = run->producers * run->per_producer;
    const unsigned threads = run->producers + run->consumers;
    unsigned bad = 0;

    run->heap = checked_heap(i);
    run->seen = calloc(total, sizeof(*run->seen));
    atomic_init(&run->popped, 0);
    for (unsigned k = 0; k < threads; k++) {
        workers[k] = (struct worker){.run = run, .number = k};
        ck_assert_int_eq(pthread_create(&workers[k].thread, NULL,
                                        k < run->producers ? produce : consume,
                                        &workers[k]),
                         0);
    }
    for (unsigned k = 0; k < threads; k++) {
        pthread_join(workers[k].thread, NULL);
        bad += workers[k].bad;
    }
    ck_assert_uint_eq(bad, 0);
    ck_assert_uint_eq(saw_gone, 0);
    for (unsigned k = 0; k < total; k++)
        ck_assert_uint_eq(run->seen[k], 1);
    ck_assert_uint_eq(weft_heap_size(run->heap), 0);
    free(run->seen);
    weft_heap_destroy(run->heap);
}

static void
run_mixes(int i, int64_t keys, bool in_blocks)
{
    static const unsigned counts[] = {1, 2, 4};

    for (unsigned p = 0; p < 3; p++) {
        for (unsigned c = 0; c < 3; c++) {
            struct run run = {.producers = counts[p],
                              .consumers = counts[c],
                              .per_producer = 2000 / counts[p],
                              .keys = keys,
                              .in_blocks = in_blocks};
            run_threads(i, &run);
        }
    }
}

START_TEST(test_every_item_is_popped_once_and_equal_ones_in_order)
{
    run_mixes(_i, 1, false);
    run_mixes(_i, 4, false);
}
END_TEST

START_TEST(test_compare_never_sees_an_item_that_a_consumer_has)
{
    run_mixes(_i, 1 << 20, false);
}
END_TEST

START_TEST(test_the_same_in_blocks)
{
    run_mixes(_i, 4, true);
    run_mixes(_i, 1 << 20, true);
}
END_TEST

START_TEST(test_many_more_threads_than_cpus)
{
    struct run run = {.producers = MOST,
                      .consumers = MOST,
                      .per_producer = 1000,
                      .keys = 100};
    run_threads(_i, &run);
}
END_TEST

static void *
push_and_pop(void *arg)
{
    struct worker *w = arg;
    struct run *run = w->run;
    uint32_t state = w->number + 1;
    int64_t base = 0;

    for (unsigned k = 0; k < run->per_producer; k++) {
        struct thing *t = malloc(sizeof(*t));
        state = state * 1664525 + 1013904223;
        *t = (struct thing){base + (state >> 8) % 1000, w->number, k};
        void *got;
        if (weft_heap_push(run->heap, t) != WEFT_OK ||
            weft_heap_pop(run->heap, &got) != WEFT_OK) {
            w->bad++; /* it holds at least what this thread has pushed */
            break;
        }
        base = ((struct thing *)got)->key;
        scratch_out(got);
    }
    return NULL;
}

START_TEST(test_who_pushes_first_never_finds_it_empty)
{
    enum { THREADS = 4 };
    struct run run = {.per_producer = 5000};
    struct worker workers[THREADS];

    run.heap = checked_heap(_i);
    for (unsigned k = 0; k < THREADS; k++) {
        workers[k] = (struct worker){.run = &run, .number = k};
        ck_assert_int_eq(
            pthread_create(&workers[k].thread, NULL, push_and_pop, &workers[k]),
            0);
    }
    for (unsigned k = 0; k < THREADS; k++) {
        pthread_join(workers[k].thread, NULL);
        ck_assert_uint_eq(workers[k].bad, 0);
    }
    ck_assert_uint_eq(saw_gone, 0);
    ck_assert_uint_eq(weft_heap_size(run.heap), 0);
    weft_heap_destroy(run.heap);
}
END_TEST

/* One pops all the time what many threads put in: what it gets after they are
 * done is sorted. */
START_TEST(test_what_many_threads_pushed_comes_out_sorted)
{
    struct run run = {.producers = 4, .per_producer = 3000, .keys = 50};
    struct worker workers[4];
    unsigned next[50][4] = {{0}};
    int64_t last = 0;

    run.heap = checked_heap(_i);
    for (unsigned k = 0; k < 4; k++) {
        workers[k] = (struct worker){.run = &run, .number = k};
        ck_assert_int_eq(
            pthread_create(&workers[k].thread, NULL, produce, &workers[k]), 0);
    }
    for (unsigned k = 0; k < 4; k++)
        pthread_join(workers[k].thread, NULL);
    for (unsigned k = 0; k < 12000; k++) {
        struct thing *t = pop_thing(run.heap);
        ck_assert_int_ge(t->key, last);
        last = t->key;
        ck_assert_uint_ge(t->number, next[t->key][t->owner]);
        next[t->key][t->owner] = t->number + 1;
        free(t);
    }
    ck_assert_uint_eq(weft_heap_size(run.heap), 0);
    weft_heap_destroy(run.heap);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_every_item_is_popped_once_and_equal_ones_in_order, HEAPS},
        {&test_compare_never_sees_an_item_that_a_consumer_has, HEAPS},
        {&test_the_same_in_blocks, HEAPS},
        {&test_many_more_threads_than_cpus, HEAPS},
        {&test_who_pushes_first_never_finds_it_empty, HEAPS},
        {&test_what_many_threads_pushed_comes_out_sorted, HEAPS},
    };

    return run_tests("heap_threads", tests, sizeof(tests) / sizeof(tests[0]),
                     60);
}
