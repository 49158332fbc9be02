/* SPDX-License-Identifier: MIT */
/*
 * The contract of weft_fifo among threads; _i is the form.
 *
 * Every producer pushes its own numbered objects; together the consumers must
 * see each exactly once, each consumer those of one producer in order, and
 * what the producer wrote into the object before the push.
 */
#include <weft/fifo.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "container/fifo_impl.h"
#include "testing.h"

#define FORMS       (WEFT_MUTEX + 1)
#define MOST        8 /* threads of a kind */
#define BLOCK_ITEMS 5

struct object {
    unsigned producer;
    unsigned number; /* plain: the fifo orders it */
};

struct run {
    weft_fifo *fifo;
    unsigned producers;
    unsigned consumers;
    unsigned per_producer;
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

static size_t
push_some(const struct run *run, void *const *items, size_t n)
{
    if (run->in_blocks)
        return weft_fifo_push_n(run->fifo, items,
                                n < BLOCK_ITEMS ? n : BLOCK_ITEMS);
    return weft_fifo_push(run->fifo, items[0]) == WEFT_OK ? 1 : 0;
}

static size_t
pop_some(const struct run *run, void **items)
{
    if (run->in_blocks)
        return weft_fifo_pop_n(run->fifo, items, BLOCK_ITEMS);
    return weft_fifo_pop(run->fifo, &items[0]) == WEFT_OK ? 1 : 0;
}

static void *
produce(void *arg)
{
    struct worker *w = arg;
    struct run *run = w->run;
    struct object *mine = &run->objects[w->number * run->per_producer];
    void *block[BLOCK_ITEMS];

    for (unsigned next = 0; next < run->per_producer;) {
        unsigned n = run->per_producer - next;
        for (unsigned k = 0; k < n && k < BLOCK_ITEMS; k++) {
            mine[next + k] = (struct object){w->number, next + k};
            block[k] = &mine[next + k];
        }
        size_t done = push_some(run, block, n);
        next += (unsigned)done;
        if (done == 0)
            sched_yield();
    }
    return NULL;
}

static void *
consume(void *arg)
{
    struct worker *w = arg;
    struct run *run = w->run;
    unsigned total = run->producers * run->per_producer;
    unsigned next[MOST] = {0};
    void *block[BLOCK_ITEMS];

    while (atomic_load_explicit(&run->popped, memory_order_relaxed) < total) {
        size_t n = pop_some(run, block);
        if (weft_fifo_size(run->fifo) > total)
            w->bad++;
        if (n == 0)
            sched_yield();
        for (size_t k = 0; k < n; k++) {
            const struct object *o = block[k];
            if (o->number < next[o->producer])
                w->bad++;
            next[o->producer] = o->number + 1;
            atomic_fetch_add_explicit(&run->seen[o - run->objects], 1,
                                      memory_order_relaxed);
        }
        atomic_fetch_add_explicit(&run->popped, (unsigned)n,
                                  memory_order_relaxed);
    }
    return NULL;
}

static void
run_threads(uint64_t cells, int form, struct run *run)
{
    struct worker workers[2 * MOST];
    unsigned total = run->producers * run->per_producer;
    unsigned threads = run->producers + run->consumers;
    unsigned bad = 0;

    weft_fifo_start_.cells = cells;
    ck_assert_int_eq(weft_fifo_create(&run->fifo, (enum weft_impl)form),
                     WEFT_OK);
    run->objects = calloc(total, sizeof(*run->objects));
    run->seen = calloc(total, sizeof(*run->seen));
    atomic_init(&run->popped, 0);

    for (unsigned i = 0; i < threads; i++) {
        bool producer = i < run->producers;
        workers[i] = (struct worker){.run = run, .number = i};
        ck_assert_int_eq(pthread_create(&workers[i].thread, NULL,
                                        producer ? produce : consume,
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
        bad += run->seen[i] != 1;
    ck_assert_uint_eq(bad, 0);
    ck_assert_uint_eq(weft_fifo_size(run->fifo), 0);
    void *none;
    ck_assert_int_eq(weft_fifo_pop(run->fifo, &none), WEFT_EMPTY);
    free(run->objects);
    free(run->seen);
    weft_fifo_destroy(run->fifo);
}

static void
run_mixes(uint64_t cells, int form, unsigned items, bool in_blocks)
{
    static const unsigned counts[] = {1, 2, 4};

    for (unsigned p = 0; p < 3; p++) {
        for (unsigned c = 0; c < 3; c++) {
            struct run run = {.producers = counts[p],
                              .consumers = counts[c],
                              .per_producer = items / counts[p],
                              .in_blocks = in_blocks};
            run_threads(cells, form, &run);
        }
    }
}

START_TEST(test_every_item_is_popped_once_and_in_order)
{
    run_mixes(WEFT_SEGMENT_CELLS, _i, 24000, false);
}
END_TEST

START_TEST(test_the_same_with_segments_of_one_cell)
{
    run_mixes(1, _i, 4000, false);
}
END_TEST

START_TEST(test_the_same_with_segments_of_seven_cells)
{
    run_mixes(7, _i, 12000, false);
}
END_TEST

START_TEST(test_the_same_in_blocks)
{
    run_mixes(WEFT_SEGMENT_CELLS, _i, 24000, true);
    run_mixes(13, _i, 12000, true);
    run_mixes(3, _i, 6000, true);
}
END_TEST

START_TEST(test_the_same_with_many_threads)
{
    for (unsigned blocks = 0; blocks < 2; blocks++) {
        struct run run = {.producers = MOST,
                          .consumers = MOST,
                          .per_producer = 2000,
                          .in_blocks = blocks == 1};
        run_threads(40, _i, &run);
    }
}
END_TEST

static void *
push_and_pop(void *arg)
{
    struct worker *w = arg;
    weft_fifo *f = w->run->fifo;
    uintptr_t sum = 0;

    for (unsigned i = 0; i < w->run->per_producer; i++) {
        uintptr_t number = w->number * w->run->per_producer + i;
        while (weft_fifo_push(f, (void *)number) != WEFT_OK)
            sched_yield();
        void *got;
        while (weft_fifo_pop(f, &got) != WEFT_OK)
            sched_yield();
        sum += (uintptr_t)got - number;
    }
    return (void *)sum;
}

START_TEST(test_threads_that_push_and_pop_lose_nothing)
{
    enum { THREADS = 4 };
    struct run run = {.per_producer = 10000};
    struct worker workers[THREADS];
    uintptr_t sum = 0;

    weft_fifo_start_.cells = 3;
    ck_assert_int_eq(weft_fifo_create(&run.fifo, (enum weft_impl)_i), WEFT_OK);
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.run = &run, .number = i};
        ck_assert_int_eq(
            pthread_create(&workers[i].thread, NULL, push_and_pop, &workers[i]),
            0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        void *part;
        pthread_join(workers[i].thread, &part);
        sum += (uintptr_t)part;
    }
    ck_assert_uint_eq(sum, 0);
    ck_assert_uint_eq(weft_fifo_size(run.fifo), 0);
    weft_fifo_destroy(run.fifo);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_every_item_is_popped_once_and_in_order, FORMS},
        {&test_the_same_with_segments_of_one_cell, FORMS},
        {&test_the_same_with_segments_of_seven_cells, FORMS},
        {&test_the_same_in_blocks, FORMS},
        {&test_the_same_with_many_threads, FORMS},
        {&test_threads_that_push_and_pop_lose_nothing, FORMS},
    };

    return run_tests("fifo_threads", tests, sizeof(tests) / sizeof(tests[0]),
                     60);
}
