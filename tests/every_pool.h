/* SPDX-License-Identifier: MIT */
/*
 * every_pool.h - a test in every pool: with 1, 2 and 8 workers, of both forms, from
 * outside and from a task.
 */
#ifndef TESTS_EVERY_POOL_H
#define TESTS_EVERY_POOL_H

#include <weft/pool.h>

#include <check.h>
#include <stdatomic.h>
#include <stddef.h>

#include "sleepers.h"

#define N        5000
#define VARIANTS 12 /* from 6 on, from a task */

static weft_pool *pool;
static unsigned workers;
static struct cell {
    _Atomic unsigned times;
} cells[N];

static inline void
open_pool(int variant)
{
    static const unsigned sizes[] = {1, 2, 8};

    workers = sizes[variant % 3];
    const weft_pool_options options = {
        .workers = workers,
        .impl = variant / 3 % 2 == 0 ? WEFT_LOCKFREE : WEFT_MUTEX,
    };
    ck_assert_int_eq(weft_pool_create(&pool, &options), WEFT_OK);
}

static inline void *
call_test(void *fn)
{
    (*(void (**)(void))fn)();
    return NULL;
}

/* Run `fn` here, or in a task of the pool. */
static inline void
run_where(int variant, void (*fn)(void))
{
    weft_future *f;

    open_pool(variant);
    if (variant < 6) {
        fn();
    } else {
        ck_assert_int_eq(weft_pool_submit(pool, call_test, &fn, &f), WEFT_OK);
        ck_assert_int_eq(weft_future_result(f, WEFT_FOREVER, NULL), WEFT_OK);
        weft_future_release(f);
    }
    weft_pool_destroy(pool);
}

static inline unsigned
relaxed(const _Atomic unsigned *x)
{
    return atomic_load_explicit(x, memory_order_relaxed);
}

static inline void
count_one(_Atomic unsigned *x)
{
    atomic_fetch_add_explicit(x, 1, memory_order_relaxed);
}

static inline void
expect_each(size_t begin, size_t end, unsigned n)
{
    for (size_t i = 0; i < N; i++) {
        must(relaxed(&cells[i].times) == (i >= begin && i < end ? n : 0));
        atomic_store_explicit(&cells[i].times, 0, memory_order_relaxed);
    }
}

#endif /* TESTS_EVERY_POOL_H */
