/* SPDX-License-Identifier: MIT */
/*
 * The contract of weft_stack among threads; _i is the form.
 *
 * Every producer pushes its own objects; together the consumers must see each
 * exactly once, with what the producer wrote into it before the push.
 */
#include <weft/stack.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "testing.h"

#define FORMS (WEFT_MUTEX + 1)
#define MOST  8 /* threads of a kind */
#define BLOCK 5

struct object {
    unsigned number; /* plain: the stack orders it */
};

struct run {
    weft_stack *stack;
    unsigned producers;
    unsigned consumers;
    unsigned per_producer; /* a multiple of BLOCK */
    bool in_blocks;
    struct object *objects; /* producers * per_producer */
    _Atomic unsigned popped;
    atomic_uchar *seen; /* of each object, how often */
};

struct worker {
    struct run *run;
    unsigned number;
    unsigned bad; /* what it saw that must not be */
    pthread_t thread;
};

static void *
produce(void *arg)
{
    struct worker *w = arg;
    struct run *run = w->run;
    unsigned first = w->number * run->per_producer;
    void *block[BLOCK];

    for (unsigned i = 0; i < run->per_producer; i += BLOCK) {
        for (unsigned k = 0; k < BLOCK; k++) {
            run->objects[first + i + k].number = first + i + k;
            block[k] = &run->objects[first + i + k];
        }
        if (run->in_blocks) {
            w->bad += weft_stack_push_n(run->stack, block, BLOCK) != BLOCK;
            continue;
        }
        for (unsigned k = 0; k < BLOCK; k++)
            w->bad += weft_stack_push(run->stack, block[k]) != WEFT_OK;
    }
    return NULL;
}

/* A block was pushed in one step: it is neither mixed nor turned round. */
static bool
is_whole(void *const *block)
{
    for (unsigned k = 1; k < BLOCK; k++)
        if ((const struct object *)block[k] + k != block[0])
            return false;
    return true;
}

static void *
consume(void *arg)
{
    struct worker *w = arg;
    struct run *run = w->run;
    unsigned total = run->producers * run->per_producer;
    void *block[BLOCK];

    while (atomic_load_explicit(&run->popped, memory_order_relaxed) < total) {
        size_t n = run->in_blocks
                       ? weft_stack_pop_n(run->stack, block, BLOCK)
                       : weft_stack_pop(run->stack, block) == WEFT_OK;
        if (n == 0)
            sched_yield();
        else if (run->in_blocks)
            w->bad += n != BLOCK || !is_whole(block);
        w->bad += weft_stack_size(run->stack) > total + 2 * MOST * 64;
        for (size_t k = 0; k < n; k++) {
            const struct object *o = block[k];
            const size_t index = (size_t)(o - run->objects);
            w->bad += o->number != index;
            atomic_fetch_add_explicit(&run->seen[index], 1,
                                      memory_order_relaxed);
        }
        atomic_fetch_add_explicit(&run->popped, (unsigned)n,
                                  memory_order_relaxed);
    }
    return NULL;
}

static void
run_threads(int form, struct run *run)
{
    struct worker workers[2 * MOST];
    unsigned total = run->producers * run->per_producer;
    unsigned threads = run->producers + run->consumers;
    unsigned bad = 0;

    ck_assert_int_eq(weft_stack_create(&run->stack, (enum weft_impl)form),
                     WEFT_OK);
    run->objects = calloc(total, sizeof(*run->objects));
    run->seen = calloc(total, sizeof(*run->seen));
    atomic_init(&run->popped, 0);
    for (unsigned i = 0; i < threads; i++) {
        workers[i] = (struct worker){.run = run, .number = i};
        ck_assert_int_eq(pthread_create(&workers[i].thread, NULL,
                                        i < run->producers ? produce : consume,
                                        &workers[i]),
                         0);
    }
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(workers[i].thread, NULL);
        bad += workers[i].bad;
    }
    ck_assert_uint_eq(bad, 0);
    ck_assert_uint_eq(run->popped, total);
    for (unsigned i = 0; i < total; i++)
        ck_assert_uint_eq(run->seen[i], 1);
    ck_assert_uint_eq(weft_stack_size(run->stack), 0);
    void *none;
    ck_assert_int_eq(weft_stack_pop(run->stack, &none), WEFT_EMPTY);
    free(run->objects);
    free(run->seen);
    weft_stack_destroy(run->stack);
}

static void
run_mixes(int form, unsigned items, bool in_blocks)
{
    static const unsigned counts[] = {1, 2, 4};

    for (unsigned p = 0; p < 3; p++) {
        for (unsigned c = 0; c < 3; c++) {
            struct run run = {.producers = counts[p],
                              .consumers = counts[c],
                              .per_producer = items / counts[p],
                              .in_blocks = in_blocks};
            run_threads(form, &run);
        }
    }
}

START_TEST(test_every_item_is_popped_once)
{
    run_mixes(_i, 40000, false);
}
END_TEST

START_TEST(test_blocks_are_pushed_and_popped_in_one_step)
{
    run_mixes(_i, 40000, true);
}
END_TEST

/* Few items among many threads: nodes come back at once, which is where the
 * stamp matters. */
static void *
juggle(void *arg)
{
    struct worker *w = arg;
    weft_stack *s = w->run->stack;
    void *hands[2];

    for (unsigned i = 0; i < w->run->per_producer; i++) {
        size_t n = 0;
        while (n < 1 + (i + w->number) % 2)
            n += weft_stack_pop(s, &hands[n]) == WEFT_OK;
        for (size_t k = 0; k < n; k++)
            *(unsigned *)hands[k] += 1; /* plain: it is ours alone */
        while (n > 0)
            w->bad += weft_stack_push(s, hands[--n]) != WEFT_OK;
        if (i % 64 == 0)
            sched_yield();
    }
    return NULL;
}

START_TEST(test_what_a_thread_has_popped_is_its_alone)
{
    enum { THREADS = 4, BALLS = 2 * THREADS, TURNS = 40000 };
    struct run run = {.per_producer = TURNS};
    struct worker workers[THREADS];
    unsigned balls[BALLS] = {0};
    unsigned sum = 0;

    ck_assert_int_eq(weft_stack_create(&run.stack, (enum weft_impl)_i),
                     WEFT_OK);
    for (unsigned i = 0; i < BALLS; i++)
        ck_assert_int_eq(weft_stack_push(run.stack, &balls[i]), WEFT_OK);
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.run = &run, .number = i};
        ck_assert_int_eq(
            pthread_create(&workers[i].thread, NULL, juggle, &workers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        ck_assert_uint_eq(workers[i].bad, 0);
    }
    ck_assert_uint_eq(weft_stack_size(run.stack), BALLS);
    for (unsigned i = 0; i < BALLS; i++)
        sum += balls[i];
    ck_assert_uint_eq(sum, THREADS * TURNS * 3 / 2);
    weft_stack_destroy(run.stack);
}
END_TEST

static _Atomic bool go;

static void *
put_for_ever(void *arg)
{
    struct worker *w = arg;

    atomic_store_explicit(&go, true, memory_order_relaxed);
    for (;;) {
        if (weft_stack_push(w->run->stack, &w->run->objects[0]) != WEFT_OK)
            w->bad++;
        void *got;
        if (weft_stack_pop(w->run->stack, &got) != WEFT_OK)
            w->bad++;
        pthread_testcancel();
    }
    return NULL;
}

START_TEST(test_a_cancelled_thread_loses_nothing_of_others)
{
    struct object some[1];
    struct run run = {.objects = some};
    struct worker w = {.run = &run};

    ck_assert_int_eq(weft_stack_create(&run.stack, (enum weft_impl)_i),
                     WEFT_OK);
    for (unsigned round = 0; round < 40; round++) {
        atomic_store_explicit(&go, false, memory_order_relaxed);
        ck_assert_int_eq(pthread_create(&w.thread, NULL, put_for_ever, &w), 0);
        while (!atomic_load_explicit(&go, memory_order_relaxed))
            sched_yield();
        ck_assert_int_eq(weft_stack_push(run.stack, some), WEFT_OK);
        pthread_cancel(w.thread);
        pthread_join(w.thread, NULL);
        ck_assert_uint_eq(weft_stack_size(run.stack), round + 1);
    }
    ck_assert_uint_eq(w.bad, 0);
    weft_stack_destroy(run.stack);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_every_item_is_popped_once, FORMS},
        {&test_blocks_are_pushed_and_popped_in_one_step, FORMS},
        {&test_what_a_thread_has_popped_is_its_alone, FORMS},
        {&test_a_cancelled_thread_loses_nothing_of_others, FORMS},
    };

    return run_tests("stack_threads", tests, sizeof(tests) / sizeof(tests[0]),
                     60);
}
