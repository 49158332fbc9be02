/* SPDX-License-Identifier: MIT */
/*
 * pools_loops.c - loops and a product of matrices: plain, and in a pool of Weft.
 */
#include <weft/parallel.h>

#include <string.h>

#include "bench/pools_loops.h"

uint8_t pool_numbers[POOL_FOR];
uint64_t pool_steps[POOL_SKEWED];

static double factor_a[POOL_MATRIX][POOL_MATRIX];
static double factor_b[POOL_MATRIX][POOL_MATRIX];
static double product[POOL_MATRIX][POOL_MATRIX];

/* --- before and after ------------------------------------------------------- */

void
pool_loops_begin(struct pool_place *at)
{
    at->runs = 0;
    memset(pool_numbers, 0, sizeof(pool_numbers));
    memset(pool_steps, 0, sizeof(pool_steps));
}

static bool
are_right(uint64_t runs, size_t n)
{
    bool right = true;

    for (size_t i = 0; i < n; i++)
        right &= pool_numbers[i] == (uint8_t)(runs * pool_addend(i));
    return right;
}

bool
pool_for_is_right(struct pool_place *at)
{
    return are_right(at->runs, POOL_FOR);
}

bool
pool_small_is_right(struct pool_place *at)
{
    return are_right(at->runs, POOL_SMALL);
}

bool
pool_skewed_is_right(struct pool_place *at)
{
    bool right = true;

    for (size_t i = 0; i < POOL_SKEWED; i++)
        right &= pool_steps[i] == at->runs * pool_steps_of(i);
    return right;
}

/* Small whole numbers, so that nothing is rounded. */
void
pool_matrix_begin(struct pool_place *at)
{
    at->runs = 0;
    memset(product, 0, sizeof(product));
    for (size_t i = 0; i < POOL_MATRIX; i++)
        for (size_t k = 0; k < POOL_MATRIX; k++) {
            factor_a[i][k] = (double)(pool_addend(i * POOL_MATRIX + k) % 16);
            factor_b[i][k] = (double)(pool_addend(k * POOL_MATRIX + i) % 16);
        }
}

static void
times(double (*m)[POOL_MATRIX], const double *v, double *out)
{
    for (size_t i = 0; i < POOL_MATRIX; i++) {
        out[i] = 0;
        for (size_t k = 0; k < POOL_MATRIX; k++)
            out[i] += m[i][k] * v[k];
    }
}

/* By what it does to a vector: Freivalds, Probabilistic machines can use less
 * running time, IFIP 1977. */
bool
pool_matrix_is_right(struct pool_place *at)
{
    double v[POOL_MATRIX];
    double by_one[POOL_MATRIX];
    double by_two[POOL_MATRIX];
    double by_product[POOL_MATRIX];
    bool is_right = true;

    for (size_t k = 0; k < POOL_MATRIX; k++)
        v[k] = (double)pool_addend(k + at->runs);
    times(factor_b, v, by_one);
    times(factor_a, by_one, by_two);
    times(product, v, by_product);
    for (size_t k = 0; k < POOL_MATRIX; k++)
        is_right &= by_product[k] == (double)at->runs * by_two[k];
    return is_right;
}

/* --- plain ------------------------------------------------------------------ */

void
pool_add_block(unsigned row, unsigned column)
{
    for (size_t i = row; i < row + POOL_BLOCK; i++)
        for (size_t k = 0; k < POOL_MATRIX; k++)
            for (size_t j = column; j < column + POOL_BLOCK; j++)
                product[i][j] += factor_a[i][k] * factor_b[k][j];
}

uint64_t
pool_serial_matrix(struct pool_place *at)
{
    at->runs++;
    for (unsigned row = 0; row < POOL_MATRIX; row += POOL_BLOCK)
        for (unsigned column = 0; column < POOL_MATRIX; column += POOL_BLOCK)
            pool_add_block(row, column);
    return 1;
}

static void
add(size_t begin, size_t end, void *ctx)
{
    (void)ctx;
    for (size_t i = begin; i < end; i++)
        pool_add(i);
}

static void
step(size_t begin, size_t end, void *ctx)
{
    (void)ctx;
    for (size_t i = begin; i < end; i++)
        pool_step(i);
}

uint64_t
pool_serial_for(struct pool_place *at)
{
    at->runs++;
    add(0, POOL_FOR, NULL);
    return 1;
}

uint64_t
pool_serial_skewed(struct pool_place *at)
{
    at->runs++;
    step(0, POOL_SKEWED, NULL);
    return 1;
}

/* A volatile pointer, or the compiler makes one loop of them. */
static weft_range_fn *volatile add_small = add;

uint64_t
pool_serial_small(struct pool_place *at)
{
    at->runs += POOL_SMALLS;
    for (unsigned n = 0; n < POOL_SMALLS; n++)
        add_small(0, POOL_SMALL, NULL);
    return POOL_SMALLS;
}

/* --- Weft ------------------------------------------------------------------- */

struct square {
    weft_task task;
    unsigned row;
    unsigned column;
    unsigned size;
};

static void run_square(weft_strand s, weft_task *t);

static void
add_square(weft_strand s, unsigned row, unsigned column, unsigned size)
{
    struct square parts[3];
    const unsigned half = size / 2;

    if (size == POOL_BLOCK) {
        pool_add_block(row, column);
        return;
    }
    for (unsigned i = 0; i < 3; i++) {
        parts[i].row = row + i % 2 * half;
        parts[i].column = column + i / 2 * half;
        parts[i].size = half;
        weft_fork(&s, &parts[i].task, run_square);
    }
    add_square(s, row + half, column + half, half);
    for (unsigned i = 3; i-- > 0;)
        weft_join(&s, &parts[i].task);
}

static void
run_square(weft_strand s, weft_task *t)
{
    const struct square *q = (const struct square *)t;

    add_square(s, q->row, q->column, q->size);
}

uint64_t
pool_weft_matrix(struct pool_place *at)
{
    struct square all = {.size = POOL_MATRIX};

    at->runs++;
    return weft_pool_run(at->pool, &all.task, run_square) == WEFT_OK;
}

static uint64_t
loop(struct pool_place *at, size_t n, weft_range_fn *fn)
{
    at->runs++;
    return weft_parallel_for(at->pool, 0, n, 0, fn, NULL) == WEFT_OK;
}

uint64_t
pool_weft_for(struct pool_place *at)
{
    return loop(at, POOL_FOR, add);
}

uint64_t
pool_weft_skewed(struct pool_place *at)
{
    return loop(at, POOL_SKEWED, step);
}

uint64_t
pool_weft_small(struct pool_place *at)
{
    uint64_t done = 0;

    for (unsigned n = 0; n < POOL_SMALLS; n++)
        done += loop(at, POOL_SMALL, add);
    return done == POOL_SMALLS ? done : 0;
}
