/* SPDX-License-Identifier: MIT */
/*
 * counter_variants.c - Weft's counters and what else there is to count with.
 *
 * Ordering.  Counters count: everything is relaxed.
 */
#include <weft/counter.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "bench/counter_loops.h"
#include "memory.h"

/* --- weft ---------------------------------------------------------------- */

static void *
create_weft(unsigned threads, int kind)
{
    weft_counter *c;

    (void)threads;
    return weft_counter_create(&c, (enum weft_counter_kind)kind) == WEFT_OK
               ? c
               : NULL;
}

static void
destroy_weft(void *counter)
{
    weft_counter_destroy(counter);
}

static inline void
add_weft(struct counter_hand *h, void *counter)
{
    (void)h;
    weft_counter_add(counter, 1);
}

static inline int64_t
sum_weft(void *counter)
{
    return weft_counter_sum(counter);
}

static void
work_weft(struct counter_hand *h)
{
    static const struct counter_ops ops = {add_weft, sum_weft};

    counter_work(h, &ops);
}

/* --- one word under a mutex ---------------------------------------------- */

struct locked {
    alignas(64) pthread_mutex_t lock;
    int64_t sum;
};

static void *
create_locked(unsigned threads, int kind)
{
    struct locked *c = must_have(1, sizeof(*c));

    (void)threads;
    (void)kind;
    pthread_mutex_init(&c->lock, NULL);
    return c;
}

static void
destroy_locked(void *counter)
{
    struct locked *c = counter;

    pthread_mutex_destroy(&c->lock);
    free(c);
}

static inline void
add_locked(struct counter_hand *h, void *counter)
{
    struct locked *c = counter;

    (void)h;
    pthread_mutex_lock(&c->lock);
    c->sum++;
    pthread_mutex_unlock(&c->lock);
}

static inline int64_t
sum_locked(void *counter)
{
    struct locked *c = counter;

    pthread_mutex_lock(&c->lock);
    const int64_t sum = c->sum;
    pthread_mutex_unlock(&c->lock);
    return sum;
}

static void
work_locked(struct counter_hand *h)
{
    static const struct counter_ops ops = {add_locked, sum_locked};

    counter_work(h, &ops);
}

/* --- one atomic word ----------------------------------------------------- */

struct word {
    alignas(64) _Atomic int64_t sum;
};

static void *
create_word(unsigned threads, int kind)
{
    (void)threads;
    (void)kind;
    return must_have(1, sizeof(struct word));
}

static inline void
add_word(struct counter_hand *h, void *counter)
{
    struct word *c = counter;

    (void)h;
    atomic_fetch_add_explicit(&c->sum, 1, memory_order_relaxed);
}

static inline int64_t
sum_word(void *counter)
{
    struct word *c = counter;

    return atomic_load_explicit(&c->sum, memory_order_relaxed);
}

static void
work_word(struct counter_hand *h)
{
    static const struct counter_ops ops = {add_word, sum_word};

    counter_work(h, &ops);
}

/* --- a word for each thread ---------------------------------------------- */

struct words {
    alignas(64) size_t count;
    struct word of[];
};

static void *
create_words(unsigned threads, int kind)
{
    struct words *c = must_have(1, sizeof(*c) + threads * sizeof(struct word));

    (void)kind;
    c->count = threads;
    return c;
}

/* Nobody else writes the word: no read-modify-write is needed. */
static inline void
add_words(struct counter_hand *h, void *counter)
{
    struct words *c = counter;
    _Atomic int64_t *mine = &c->of[h->index].sum;

    atomic_store_explicit(mine,
                          atomic_load_explicit(mine, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

static inline int64_t
sum_words(void *counter)
{
    struct words *c = counter;
    int64_t sum = 0;

    for (size_t i = 0; i < c->count; i++)
        sum += atomic_load_explicit(&c->of[i].sum, memory_order_relaxed);
    return sum;
}

static void
work_words(struct counter_hand *h)
{
    static const struct counter_ops ops = {add_words, sum_words};

    counter_work(h, &ops);
}

const struct counter_variant counter_weft[] = {
    {"weft percpu", NULL, false, false, WEFT_COUNTER_PERCPU, create_weft,
     destroy_weft, work_weft, sum_weft},
    {"weft atomic", NULL, false, false, WEFT_COUNTER_ATOMIC, create_weft,
     destroy_weft, work_weft, sum_weft},
    {"weft mutex", NULL, false, false, WEFT_COUNTER_MUTEX, create_weft,
     destroy_weft, work_weft, sum_weft},
    {.name = NULL},
};

const struct counter_variant counter_rivals[] = {
    {"pthread mutex", NULL, true, true, 0, create_locked, destroy_locked,
     work_locked, sum_locked},
    {"fetch_add, one word", NULL, true, false, 0, create_word, free, work_word,
     sum_word},
    {"a word per thread", "memory and sums grow with threads", true, false, 0,
     create_words, free, work_words, sum_words},
    {.name = NULL},
};
