/* SPDX-License-Identifier: MIT */
/*
 * The contract of weft_deque among threads: one owner, _i + 1 thieves.
 *
 * Each item is an object that comes out exactly once, whole; and what a thief
 * steals gets ever newer.
 */
#include <weft/deque.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "testing.h"

#define THIEVES_MOST 4

struct object {
    unsigned number; /* plain: the deque orders it */
};

struct run {
    weft_deque *deque;
    unsigned total;
    unsigned thieves;
    unsigned keep; /* the owner pops while it has more than so many */
    struct object *objects;
    atomic_uchar *seen;
    _Atomic unsigned out;
};

struct thief {
    struct run *run;
    unsigned bad;
    pthread_t thread;
};

static unsigned
take(struct run *run, const struct object *o)
{
    const size_t index = (size_t)(o - run->objects);

    atomic_fetch_add_explicit(&run->seen[index], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&run->out, 1, memory_order_relaxed);
    return o->number != index;
}

static void *
steal(void *arg)
{
    struct thief *t = arg;
    struct run *run = t->run;
    const struct object *last = NULL;

    while (atomic_load_explicit(&run->out, memory_order_relaxed) < run->total) {
        void *got = t;
        switch (weft_deque_steal(run->deque, &got)) {
        case WEFT_OK:
            t->bad += take(run, got);
            t->bad += last != NULL && (const struct object *)got <= last;
            last = got;
            break;
        case WEFT_EMPTY:
            sched_yield();
            t->bad += got != t;
            break;
        case WEFT_BUSY:
            t->bad += got != t;
            break;
        default:
            t->bad++;
        }
        t->bad += weft_deque_size(run->deque) > run->total;
    }
    return NULL;
}

/* Push all; pop now and then, down to nothing every so often. */
static unsigned
own(struct run *run)
{
    unsigned bad = 0;
    void *got;

    for (unsigned i = 0; i < run->total; i++) {
        run->objects[i].number = i;
        bad += weft_deque_push(run->deque, &run->objects[i]) != WEFT_OK;
        const unsigned keep = i % 64 == 0 ? 0 : run->keep;
        while (weft_deque_size(run->deque) > keep &&
               weft_deque_pop(run->deque, &got) == WEFT_OK)
            bad += take(run, got);
        if (i % 1024 == 0)
            sched_yield();
    }
    return bad;
}

static void
run_all(unsigned total, unsigned thieves, unsigned keep)
{
    struct run run = {.total = total, .thieves = thieves, .keep = keep};
    struct thief workers[THIEVES_MOST];

    ck_assert_int_eq(weft_deque_create(&run.deque), WEFT_OK);
    run.objects = calloc(total, sizeof(*run.objects));
    run.seen = calloc(total, sizeof(*run.seen));
    for (unsigned i = 0; i < thieves; i++) {
        workers[i] = (struct thief){.run = &run};
        ck_assert_int_eq(
            pthread_create(&workers[i].thread, NULL, steal, &workers[i]), 0);
    }
    unsigned bad = own(&run);
    void *got;
    /* EMPTY to the owner may mean that a thief has the last one in hand. */
    while (weft_deque_pop(run.deque, &got) == WEFT_OK)
        bad += take(&run, got);
    for (unsigned i = 0; i < thieves; i++) {
        pthread_join(workers[i].thread, NULL);
        bad += workers[i].bad;
    }
    ck_assert_uint_eq(bad, 0);
    for (unsigned i = 0; i < total; i++)
        ck_assert_uint_eq(run.seen[i], 1);
    ck_assert_uint_eq(weft_deque_size(run.deque), 0);
    free(run.objects);
    free(run.seen);
    weft_deque_destroy(run.deque);
}

START_TEST(test_every_item_comes_out_once)
{
    run_all(100000, (unsigned)_i + 1, 100);
}
END_TEST

/* One item at a time: each is fought for. */
START_TEST(test_the_last_item_goes_to_one_of_them)
{
    run_all(60000, (unsigned)_i + 1, 0);
}
END_TEST

START_TEST(test_it_grows_while_it_is_robbed)
{
    for (unsigned round = 0; round < 20; round++)
        run_all(5000, (unsigned)_i + 1, UINT32_MAX);
}
END_TEST

static void *
push_some(void *arg)
{
    struct run *run = arg;

    for (unsigned i = 0; i < 100; i++) {
        run->objects[i].number = i;
        if (weft_deque_push(run->deque, &run->objects[i]) != WEFT_OK)
            return run;
    }
    return NULL;
}

START_TEST(test_another_thread_may_take_over_as_owner)
{
    struct object objects[100];
    struct run run = {.objects = objects};
    pthread_t thread;
    void *wrong;
    void *got;

    ck_assert_int_eq(weft_deque_create(&run.deque), WEFT_OK);
    ck_assert_int_eq(pthread_create(&thread, NULL, push_some, &run), 0);
    pthread_join(thread, &wrong);
    ck_assert_ptr_null(wrong);
    for (unsigned i = 100; i > 0; i--) {
        ck_assert_int_eq(weft_deque_pop(run.deque, &got), WEFT_OK);
        ck_assert_uint_eq(((struct object *)got)->number, i - 1);
    }
    weft_deque_destroy(run.deque);
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_every_item_comes_out_once, THIEVES_MOST},
        {&test_the_last_item_goes_to_one_of_them, THIEVES_MOST},
        {&test_it_grows_while_it_is_robbed, THIEVES_MOST},
        {&test_another_thread_may_take_over_as_owner, 1},
    };

    return run_tests("deque_threads", tests, sizeof(tests) / sizeof(tests[0]),
                     60);
}
