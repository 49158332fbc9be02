/* SPDX-License-Identifier: MIT */
/*
 * pools_openmp.c - OpenMP's tasks and loops, as the compiler brings them.  The
 * tasks are so much slower that they get less to do; what is shown is the time
 * of one.
 */
#include <string.h>

#include "bench/pools_loops.h"
#include "bench/sanitized.h"

#define FIB    20
#define TREE   10000
#define SKYNET 10000
#define TASKS  10000
#define CHUNK  16 /* numbers of a skewed loop that are taken together */

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

struct queens {
    unsigned n;
    char rows[POOL_QUEENS];
    uint64_t found;
    uint64_t tasks;
};

static void
queens(struct queens *q)
{
    struct queens next[POOL_QUEENS];
    unsigned forked = 0;

    q->found = q->n == POOL_QUEENS;
    q->tasks = 1;
    for (char row = 0; row < POOL_QUEENS && q->n < POOL_QUEENS; row++) {
        if (!pool_queens_fit(q->rows, q->n, row))
            continue;
        struct queens *p = &next[forked++];
        memcpy(p->rows, q->rows, q->n);
        p->rows[q->n] = row;
        p->n = q->n + 1;
#pragma omp task firstprivate(p) untied
        queens(p);
    }
#pragma omp taskwait
    while (forked-- > 0) {
        q->found += next[forked].found;
        q->tasks += next[forked].tasks;
    }
}

static uint64_t
run_queens(struct pool_place *at)
{
    struct queens root = {.n = 0};

#pragma omp parallel num_threads(at->workers)
#pragma omp single
    queens(&root);
    return root.found == 352 ? root.tasks - 1 : 0;
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
skynet(uint64_t first, uint64_t leaves)
{
    uint64_t sums[10];
    uint64_t sum = 0;

    if (leaves == 1)
        return first;
    for (unsigned i = 0; i < 10; i++) {
#pragma omp task shared(sums) untied
        sums[i] = skynet(first + i * (leaves / 10), leaves / 10);
    }
#pragma omp taskwait
    for (unsigned i = 0; i < 10; i++)
        sum += sums[i];
    return sum;
}

static uint64_t
run_skynet(struct pool_place *at)
{
    const uint64_t n = SKYNET;
    uint64_t sum = 0;

#pragma omp parallel num_threads(at->workers)
#pragma omp single
    sum = skynet(0, n);
    return sum == n * (n - 1) / 2 ? n + n / 9 : 0;
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

/* --- loops ------------------------------------------------------------------ */

static void
add_square(unsigned row, unsigned column, unsigned size)
{
    const unsigned half = size / 2;

    if (size == POOL_BLOCK) {
        pool_add_block(row, column);
        return;
    }
    for (unsigned i = 0; i < 3; i++) {
#pragma omp task untied
        add_square(row + i % 2 * half, column + i / 2 * half, half);
    }
    add_square(row + half, column + half, half);
#pragma omp taskwait
}

static uint64_t
run_matrix(struct pool_place *at)
{
    at->runs++;
#pragma omp parallel num_threads(at->workers)
#pragma omp single
    add_square(0, 0, POOL_MATRIX);
    return 1;
}

static void
add(unsigned workers, size_t n)
{
#pragma omp parallel for num_threads(workers)
    for (size_t i = 0; i < n; i++)
        pool_add(i);
}

static void
add_in_tasks(unsigned workers, size_t n)
{
#pragma omp parallel num_threads(workers)
#pragma omp single
#pragma omp taskloop
    for (size_t i = 0; i < n; i++)
        pool_add(i);
}

static uint64_t
run_for(struct pool_place *at)
{
    at->runs++;
    add(at->workers, POOL_FOR);
    return 1;
}

static uint64_t
run_for_in_tasks(struct pool_place *at)
{
    at->runs++;
    add_in_tasks(at->workers, POOL_FOR);
    return 1;
}

static uint64_t
run_small(struct pool_place *at)
{
    at->runs += POOL_SMALLS;
    for (unsigned n = 0; n < POOL_SMALLS; n++)
        add(at->workers, POOL_SMALL);
    return POOL_SMALLS;
}

static uint64_t
run_small_in_tasks(struct pool_place *at)
{
    at->runs += POOL_SMALLS;
    for (unsigned n = 0; n < POOL_SMALLS; n++)
        add_in_tasks(at->workers, POOL_SMALL);
    return POOL_SMALLS;
}

static uint64_t
run_skewed(struct pool_place *at)
{
    at->runs++;
#pragma omp parallel for num_threads(at->workers) schedule(dynamic, CHUNK)
    for (size_t i = 0; i < POOL_SKEWED; i++)
        pool_step(i);
    return 1;
}

static uint64_t
run_skewed_in_tasks(struct pool_place *at)
{
    at->runs++;
#pragma omp parallel num_threads(at->workers)
#pragma omp single
#pragma omp taskloop grainsize(CHUNK)
    for (size_t i = 0; i < POOL_SKEWED; i++)
        pool_step(i);
    return 1;
}

/* --- rows ------------------------------------------------------------------- */

/* ThreadSanitizer does not see libgomp's locks. */
#define OPENMP(title) .name = SANITIZED_THREADS ? NULL : (title), .rival = true
#define LOOP(title, job, check)                                  \
    {                                                            \
        OPENMP(title), .run = (job), .before = pool_loops_begin, \
                       .is_right = (check)                       \
    }
#define TASKS_OF(job)                        \
    {                                        \
        OPENMP("OpenMP tasks"), .run = (job) \
    }
#define END          \
    {                \
        .name = NULL \
    }

const struct pool_job pool_openmp_fibs[] = {TASKS_OF(run_fib), END};
const struct pool_job pool_openmp_queens[] = {TASKS_OF(run_queens), END};
const struct pool_job pool_openmp_trees[] = {TASKS_OF(run_tree), END};
const struct pool_job pool_openmp_skynets[] = {TASKS_OF(run_skynet), END};
const struct pool_job pool_openmp_flats[] = {TASKS_OF(run_flat), END};
const struct pool_job pool_openmp_matrices[] = {
    {OPENMP("OpenMP tasks"), .run = run_matrix, .before = pool_matrix_begin,
     .is_right = pool_matrix_is_right},
    END};
const struct pool_job pool_openmp_fors[] = {
    LOOP("OpenMP for", run_for, pool_for_is_right),
    LOOP("OpenMP taskloop", run_for_in_tasks, pool_for_is_right), END};
const struct pool_job pool_openmp_skewed[] = {
    LOOP("OpenMP for, dynamic", run_skewed, pool_skewed_is_right),
    LOOP("OpenMP taskloop", run_skewed_in_tasks, pool_skewed_is_right), END};
const struct pool_job pool_openmp_smalls[] = {
    LOOP("OpenMP for", run_small, pool_small_is_right),
    LOOP("OpenMP taskloop", run_small_in_tasks, pool_small_is_right), END};
