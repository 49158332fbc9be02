/* SPDX-License-Identifier: MIT */
/*
 * 31_matrix_product.c - a loop whose rows the workers share, and a sum.
 *
 * The function gets a range of rows, not one row: what it needs once it sets up
 * once.  With a grain of 0 the call finds out how large a range is worth while.
 * Each row is written by one worker, so nothing is locked; the sum has an
 * accumulator for each worker that took a part.
 */
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft.h>

enum { N = 120 };

static long a[N][N], b[N][N], product[N][N];

static void
multiply(size_t begin, size_t end, void *unused)
{
    (void)unused;
    for (size_t i = begin; i < end; i++)
        for (size_t k = 0; k < N; k++)
            for (size_t j = 0; j < N; j++)
                product[i][j] += a[i][k] * b[k][j];
}

static void
add_rows(void *into, size_t begin, size_t end, void *unused)
{
    (void)unused;
    for (size_t i = begin; i < end; i++)
        for (size_t j = 0; j < N; j++)
            *(long *)into += product[i][j];
}

static void
add(void *into, const void *from, void *unused)
{
    (void)unused;
    *(long *)into += *(const long *)from;
}

int
main(void)
{
    weft_pool *const pool = weft_pool_default();
    long sum = 0;

    for (long i = 0; i < N; i++)
        for (long j = 0; j < N; j++) {
            a[i][j] = i + j;
            b[i][j] = i == j; /* the identity: the product is a */
        }
    if (weft_parallel_for(pool, 0, N, 0, multiply, NULL) != WEFT_OK ||
        weft_parallel_reduce(pool, 0, N, 0, sizeof(sum), &sum, add_rows, add,
                             NULL) != WEFT_OK)
        abort();
    printf("the sum of the product: %ld\n", sum);
}
