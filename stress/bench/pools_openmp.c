/* SPDX-License-Identifier: MIT */
/*
 * pools_openmp.c - OpenMP's tasks, as the compiler brings them.  They are so
 * much slower that they get less to do; what is shown is the time of one.
 */
#include "bench/pools.h"
#include "bench/sanitized.h"

#define FIB   20
#define TREE  10000
#define TASKS 10000

static uint64_t
fib(uint64_t n)
{
    uint64_t x;

    if (n < 2)
        return n;
#pragma omp task shared(x) untied
    x = fib(n - 1);
    const uint64_t y = fib(n - 2);
#pragma omp taskwait
    return x + y;
}

static uint64_t
run_fib(struct pool_place *at)
{
    uint64_t sum = 0;

#pragma omp parallel num_threads(at->workers)
#pragma omp single
    sum = fib(FIB);
    return sum == pool_fib(FIB) ? pool_fib(FIB + 1) : 0;
}

static uint64_t
tree(uint64_t leaves, uint64_t seed)
{
    uint64_t x;

    if (leaves == 1)
        return seed != 0;
    const uint64_t h = pool_hash(seed + leaves);
    const uint64_t left = 1 + h % (leaves - 1);
#pragma omp task shared(x) untied
    x = tree(left, h);
    const uint64_t y = tree(leaves - left, h + 1);
#pragma omp taskwait
    return x + y;
}

static uint64_t
run_tree(struct pool_place *at)
{
    uint64_t sum = 0;

#pragma omp parallel num_threads(at->workers)
#pragma omp single
    sum = tree(TREE, 1);
    return sum == TREE ? TREE - 1 : 0;
}

static uint64_t
run_flat(struct pool_place *at)
{
    uint64_t sum = 0;

#pragma omp parallel num_threads(at->workers)
#pragma omp single
    for (unsigned i = 0; i < TASKS; i++) {
#pragma omp task shared(sum)
        {
#pragma omp atomic
            sum++;
        }
    }
    return sum == TASKS ? TASKS : 0;
}

#define OPENMP(what)                                                      \
    {                                                                     \
        .name = SANITIZED_THREADS ? NULL : "OpenMP tasks", .rival = true, \
        .run = (what)                                                     \
    }

/* ThreadSanitizer does not see libgomp's locks. */
const struct pool_job pool_openmp_fibs[] = {OPENMP(run_fib), {.name = NULL}};
const struct pool_job pool_openmp_trees[] = {OPENMP(run_tree), {.name = NULL}};
const struct pool_job pool_openmp_flats[] = {OPENMP(run_flat), {.name = NULL}};
