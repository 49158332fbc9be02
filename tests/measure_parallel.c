/* SPDX-License-Identifier: MIT */
/*
 * measure_parallel.c - not a test: what loops, reductions and maps cost beside
 * the plain loop, for doc/design/parallel.md.
 *
 *   usage: measure_parallel [WORKERS]
 */
#include <stdio.h>
#include <stdlib.h>

#include <weft/parallel.h>

#include "base/deadline.h"

#define N      ((size_t)10000000)
#define SKEWED ((size_t)8000)
#define ITEMS  ((size_t)1000000)
#define ROUNDS 9

static double *x;
static void **items;
static weft_pool *pool;

static void
add_one(size_t begin, size_t end, void *ctx)
{
    (void)ctx;
    for (size_t i = begin; i < end; i++)
        x[i] += 1;
}

/* The last number is as dear as all before the 127th together. */
static void
count_up(size_t begin, size_t end, void *ctx)
{
    (void)ctx;
    for (size_t i = begin; i < end; i++) {
        volatile double sum = 0;
        for (size_t k = 0; k < i / 4; k++)
            sum += (double)k;
        x[i] = sum;
    }
}

static void
add_up(void *into, size_t begin, size_t end, void *ctx)
{
    double sum = 0;

    (void)ctx;
    for (size_t i = begin; i < end; i++)
        sum += x[i];
    *(double *)into += sum;
}

static void
combine(void *into, const void *from, void *ctx)
{
    (void)ctx;
    *(double *)into += *(const double *)from;
}

static void *
same(void *item)
{
    return item;
}

static weft_fn *volatile fn_of_map = same;

static void
check(enum weft_status s)
{
    if (s != WEFT_OK)
        abort();
}

static void
loop(size_t n, size_t grain, weft_range_fn *fn)
{
    if (pool == NULL)
        fn(0, n, NULL);
    else
        check(weft_parallel_for(pool, 0, n, grain, fn, NULL));
}

static void
millions_small(void)
{
    loop(N, 0, add_one);
}

static void
thousand_small(void)
{
    loop(1000, 0, add_one);
}

static void
skewed(void)
{
    loop(SKEWED, 0, count_up);
}

static void
parts_of_one(void)
{
    loop(ITEMS, pool == NULL ? 0 : 1, add_one);
}

static void
sum(void)
{
    double result = 0;

    if (pool == NULL)
        add_up(&result, 0, N, NULL);
    else
        check(weft_parallel_reduce(pool, 0, N, 0, sizeof(result), &result,
                                   add_up, combine, NULL));
    x[0] = result;
}

static void
map(void)
{
    for (size_t i = 0; pool == NULL && i < ITEMS; i++)
        items[i] = fn_of_map(items[i]);
    if (pool != NULL)
        check(weft_parallel_map(pool, fn_of_map, items, items, ITEMS,
                                WEFT_FOREVER, NULL));
}

static int
by_time(const void *a, const void *b)
{
    const int64_t p = *(const int64_t *)a;
    const int64_t q = *(const int64_t *)b;

    return (p > q) - (p < q);
}

static void
measure(const char *what, void (*fn)(void), double unit)
{
    int64_t times[ROUNDS];

    for (int i = 0; i < ROUNDS; i++) {
        const int64_t start = weft_clock_ns_();
        fn();
        times[i] = weft_clock_ns_() - start;
    }
    qsort(times, ROUNDS, sizeof(times[0]), by_time);
    printf("%-40s %9.2f (%.2f-%.2f)\n", what, (double)times[ROUNDS / 2] / unit,
           (double)times[0] / unit, (double)times[ROUNDS - 1] / unit);
}

static void
measure_all(void)
{
    measure("10 million additions [ms]", millions_small, 1e6);
    measure("1000 additions [us]", thousand_small, 1e3);
    measure("8000 numbers, each dearer [ms]", skewed, 1e6);
    measure("sum of 10 million [ms]", sum, 1e6);
    measure("map over a million [ns each]", map, (double)ITEMS);
    measure("a million parts of one [ns each]", parts_of_one, (double)ITEMS);
}

int
main(int argc, char **argv)
{
    weft_pool_options options = {.workers = 2};

    if (argc > 1)
        options.workers = (unsigned)strtoul(argv[1], NULL, 10);
    x = calloc(N, sizeof(*x));
    items = calloc(ITEMS, sizeof(*items));
    if (x == NULL || items == NULL)
        return 1;
    puts("plain loops");
    measure_all();
    for (int impl = WEFT_LOCKFREE; impl <= WEFT_MUTEX; impl += 2) {
        options.impl = (enum weft_impl)impl;
        check(weft_pool_create(&pool, &options));
        printf("%s, %u workers\n", impl == WEFT_MUTEX ? "mutex" : "lock-free",
               weft_pool_workers(pool));
        measure_all();
        weft_pool_destroy(pool);
    }
    free(items);
    free(x);
}
