/* SPDX-License-Identifier: MIT */
/*
 * test_contract_blocking_load.c - many threads at a blocking queue: nothing is
 * lost, comes twice or out of order.
 */
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "blocking.h"
#include "sleepers.h"
#include "testing.h"

#define PRODUCERS 3
#define CONSUMERS 3
#define ITEMS     800 /* of each producer */
#define BATCH     5

struct run {
    weft_queue *q;
    enum kind kind;
    bool is_cancelled; /* producers are */
    _Atomic unsigned char seen[PRODUCERS][ITEMS];
};

struct producer {
    struct run *run;
    size_t id;
    uint64_t random;
    _Atomic size_t put; /* so many of its items are in */
    pthread_t thread;
};

struct consumer {
    struct run *run;
    uint64_t random;
    size_t got;
    size_t next[PRODUCERS]; /* the least number that may come from there */
    pthread_t thread;
};

static uint64_t
next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static weft_deadline
some_deadline(uint64_t *random)
{
    switch (next_random(random) % 4) {
    case 0:
        return WEFT_NOW;
    case 1:
        return weft_in_ns((int64_t)(next_random(random) % 50000));
    default:
        return WEFT_FOREVER;
    }
}

/* Whether a try or a wait came to nothing, as it may. */
static bool
is_nothing(enum weft_status s, enum weft_status try, weft_deadline deadline)
{
    must(deadline != WEFT_FOREVER);
    must(s == try || (s == WEFT_TIMEOUT && deadline != WEFT_NOW));
    return true;
}

static void *
produce(void *arg)
{
    struct producer *p = arg;
    void *in[BATCH];
    size_t put = 0;

    while (put < ITEMS) {
        const size_t n = 1 + next_random(&p->random) % BATCH;
        const weft_deadline d = some_deadline(&p->random);
        size_t done = 1;
        for (size_t i = 0; i < n; i++)
            in[i] = item(p->id * ITEMS + put + i + 1);
        enum weft_status s;
        if (n == 1 || put + n > ITEMS)
            s = weft_queue_put(p->run->q, in[0], d);
        else
            s = weft_queue_put_n(p->run->q, in, n, d, &done);
        if (s != WEFT_OK && is_nothing(s, WEFT_FULL, d))
            done = 0;
        put += done;
        atomic_store_explicit(&p->put, put, memory_order_relaxed);
        if (next_random(&p->random) % 64 == 0)
            sched_yield();
    }
    return NULL;
}

static void
note(struct consumer *c, size_t n)
{
    const size_t id = (n - 1) / ITEMS;
    const size_t k = (n - 1) % ITEMS;

    must(n >= 1 && id < PRODUCERS);
    must(atomic_fetch_add_explicit(&c->run->seen[id][k], 1,
                                   memory_order_relaxed) == 0);
    if (c->run->kind != FIRST_OUT)
        return;
    must(k >= c->next[id]);
    c->next[id] = k + 1;
}

static void *
consume(void *arg)
{
    struct consumer *c = arg;
    void *out[BATCH];

    for (;;) {
        const size_t n = 1 + next_random(&c->random) % BATCH;
        const weft_deadline d = some_deadline(&c->random);
        size_t done = 1;
        const enum weft_status s =
            n == 1 ? weft_queue_get(c->run->q, out, d)
                   : weft_queue_get_n(c->run->q, out, n, d, &done);
        if (s == WEFT_CLOSED)
            return NULL;
        if (s != WEFT_OK && is_nothing(s, WEFT_EMPTY, d))
            continue;
        must(done >= 1 && done <= n);
        for (size_t i = 0; i < done; i++) {
            note(c, number(out[i]));
            must(weft_queue_task_done(c->run->q) == WEFT_OK);
        }
        c->got += done;
    }
}

/* Cancel producer `p` at some moment and go on with its items in a new one. */
static void
replace(struct producer *p, uint64_t *random)
{
    for (uint64_t k = next_random(random) % 30; k > 0; k--)
        sched_yield();
    must(pthread_cancel(p->thread) == 0);
    must(pthread_join(p->thread, NULL) == 0);
}

static size_t
sum_of_seen(const struct run *run, const struct producer *p)
{
    size_t sum = 0;

    for (size_t k = 0; k < PRODUCERS; k++)
        for (size_t i = 0; i < ITEMS; i++) {
            const bool seen = atomic_load_explicit(&run->seen[k][i],
                                                   memory_order_relaxed) != 0;
            must(seen == (i < p[k].put));
            sum += seen;
        }
    return sum;
}

static void
run_load(int form, size_t capacity, bool cancels)
{
    struct producer p[PRODUCERS];
    struct consumer c[CONSUMERS];
    uint64_t random = 88172645463325252;
    struct run *run = calloc(1, sizeof(*run));

    run->kind = kind_of(form);
    run->q = open_queue(form, capacity);
    if (run->q == NULL)
        return;
    for (size_t k = 0; k < CONSUMERS; k++) {
        c[k] = (struct consumer){.run = run, .random = 99 * k + 7};
        must(pthread_create(&c[k].thread, NULL, consume, &c[k]) == 0);
    }
    for (size_t k = 0; k < PRODUCERS; k++) {
        p[k] = (struct producer){.run = run, .id = k, .random = 77 * k + 3};
        must(pthread_create(&p[k].thread, NULL, produce, &p[k]) == 0);
    }
    if (cancels)
        replace(&p[0], &random);
    else
        must(pthread_join(p[0].thread, NULL) == 0);
    for (size_t k = 1; k < PRODUCERS; k++)
        must(pthread_join(p[k].thread, NULL) == 0);
    must(weft_queue_join(run->q, WEFT_FOREVER) == WEFT_OK);
    must(weft_queue_close(run->q, WEFT_DRAIN) == WEFT_OK);
    size_t got = 0;
    for (size_t k = 0; k < CONSUMERS; k++) {
        must(pthread_join(c[k].thread, NULL) == 0);
        got += c[k].got;
    }
    ck_assert_uint_eq(got, sum_of_seen(run, p));
    ck_assert(weft_queue_is_empty(run->q));
    ck_assert_uint_eq(weft_queue_unfinished(run->q), 0);
    weft_queue_destroy(run->q);
    free(run);
}

START_TEST(test_all_that_is_put_is_got_once_and_in_order)
{
    run_load(_i, 1, false);
    run_load(_i, 8, false);
}
END_TEST

START_TEST(test_the_same_on_one_cpu)
{
    have_one_cpu(true);
    run_load(_i, 8, false);
}
END_TEST

START_TEST(test_a_cancelled_producer_loses_nothing_of_others)
{
    for (int k = 0; k < 3; k++)
        run_load(_i, 2, true);
}
END_TEST

/* A close while all are busy: each item was refused, got or dropped. */
static _Atomic size_t dropped;

static void
count_drop(void *i, void *ctx)
{
    (void)i;
    (void)ctx;
    atomic_fetch_add_explicit(&dropped, 1, memory_order_relaxed);
}

static void *
put_until_closed(void *q)
{
    size_t put = 0;

    while (weft_queue_put(q, item(put), WEFT_FOREVER) == WEFT_OK)
        put++;
    return item(put);
}

static void *
get_until_closed(void *q)
{
    size_t got = 0;
    void *i;

    while (weft_queue_get(q, &i, WEFT_FOREVER) == WEFT_OK) {
        must(weft_queue_task_done(q) == WEFT_OK);
        got++;
    }
    return item(got);
}

static void
close_while_busy(int form, enum weft_close how, int yields)
{
    weft_queue_options o = options_of(form, 4);
    pthread_t thread[4];
    void *n[4];

    o.drop = count_drop;
    dropped = 0;
    weft_queue *q = open_options(&o);
    if (q == NULL)
        return;
    for (int k = 0; k < 4; k++)
        must(pthread_create(&thread[k], NULL,
                            k < 2 ? put_until_closed : get_until_closed,
                            q) == 0);
    for (int k = 0; k < yields; k++)
        sched_yield();
    must(weft_queue_close(q, how) == WEFT_OK);
    for (int k = 0; k < 4; k++)
        must(pthread_join(thread[k], &n[k]) == 0);
    ck_assert_uint_eq(number(n[0]) + number(n[1]),
                      number(n[2]) + number(n[3]) + dropped);
    if (how == WEFT_DRAIN)
        ck_assert_uint_eq(dropped, 0);
    ck_assert_int_eq(weft_queue_join(q, WEFT_NOW), WEFT_OK);
    weft_queue_destroy(q);
}

START_TEST(test_a_close_among_many_loses_nothing)
{
    for (int yields = 0; yields < 16; yields = 4 * yields + 1) {
        close_while_busy(_i, WEFT_DRAIN, yields);
        close_while_busy(_i, WEFT_DISCARD, yields);
    }
}
END_TEST

int
main(void)
{
    static const struct test tests[] = {
        {&test_all_that_is_put_is_got_once_and_in_order, FORMS},
        {&test_the_same_on_one_cpu, FORMS},
        {&test_a_cancelled_producer_loses_nothing_of_others, FORMS},
        {&test_a_close_among_many_loses_nothing, FORMS},
    };

    return run_tests("blocking queue load", tests,
                     sizeof(tests) / sizeof(tests[0]), 30);
}
