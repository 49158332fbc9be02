/* SPDX-License-Identifier: MIT */
/*
 * 28_worker_pool.c - workers that are kept, and results in the order of the
 * tasks.
 *
 * The tasks run in any order and on any worker.  Waiting for the futures one by
 * one, in the order in which they were submitted, costs nothing: the others go
 * on meanwhile, and those that are done are there at once.  A thread for each
 * task would do the same, but each costs ten microseconds to start, and a
 * thousand at once are none the faster.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft.h>

enum { TASKS = 8 };

/* The number of steps until it is 1. */
static void *
collatz(void *arg)
{
    const uintptr_t from = (uintptr_t)arg;
    uintptr_t steps = 0;

    for (uintptr_t n = from; n != 1; steps++)
        n = n % 2 == 0 ? n / 2 : 3 * n + 1;
    return (void *)steps;
}

int
main(void)
{
    const weft_pool_options options = {.workers = 3, .name_prefix = "counter"};
    weft_future *futures[TASKS];
    weft_pool *pool;

    if (weft_pool_create(&pool, &options) != WEFT_OK)
        abort();
    for (uintptr_t i = 0; i < TASKS; i++)
        if (weft_pool_submit(pool, collatz, (void *)(i + 20), &futures[i]) !=
            WEFT_OK)
            abort();
    for (int i = 0; i < TASKS; i++) {
        void *steps;
        if (weft_future_result(futures[i], WEFT_FOREVER, &steps) == WEFT_OK)
            printf("from %d: %d steps\n", i + 20, (int)(uintptr_t)steps);
        weft_future_release(futures[i]);
    }
    weft_pool_destroy(pool);
}
