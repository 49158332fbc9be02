/* SPDX-License-Identifier: MIT */
/*
 * pools_serial.c - what the tasks of `bench pool` compute, as plain calls; and
 * a thread for each task.
 */
#include <pthread.h>

#include "bench/pools.h"

uint64_t
pool_fib(uint64_t n)
{
    uint64_t a = 0;
    uint64_t b = 1;

    for (; n > 0; n--) {
        const uint64_t sum = a + b;
        a = b;
        b = sum;
    }
    return a;
}

uint64_t
pool_hash(uint64_t seed)
{
    seed = (seed ^ seed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    seed = (seed ^ seed >> 27) * UINT64_C(0x94d049bb133111eb);
    return seed ^ seed >> 31;
}

unsigned
pool_queens_fit(const char *rows, unsigned n, char row)
{
    for (unsigned i = 0; i < n; i++) {
        const int apart = (int)(n - i);
        if (rows[i] == row || rows[i] - row == apart || row - rows[i] == apart)
            return 0;
    }
    return 1;
}

/* Kept out of line, or the compiler unrolls the recursion. */
__attribute__((noinline)) static uint64_t
fib(uint64_t n)
{
    if (n < 2)
        return n;
    const uint64_t y = fib(n - 2);
    __asm__ volatile("" ::: "memory");
    return y + fib(n - 1);
}

uint64_t
pool_serial_fib(struct pool_place *at)
{
    (void)at;
    return fib(POOL_FIB) == pool_fib(POOL_FIB) ? pool_fib(POOL_FIB + 1) : 0;
}

static uint64_t
queens(char *rows, unsigned n, uint64_t *tasks)
{
    uint64_t found = 0;

    if (n == POOL_QUEENS)
        return 1;
    for (char row = 0; row < POOL_QUEENS; row++)
        if (pool_queens_fit(rows, n, row)) {
            ++*tasks;
            rows[n] = row;
            found += queens(rows, n + 1, tasks);
        }
    return found;
}

uint64_t
pool_serial_queens(struct pool_place *at)
{
    char rows[POOL_QUEENS];
    uint64_t tasks = 0;

    (void)at;
    return queens(rows, 0, &tasks) == 352 ? tasks : 0;
}

static uint64_t
tree(uint64_t leaves, uint64_t seed)
{
    if (leaves == 1)
        return seed != 0;
    const uint64_t h = pool_hash(seed + leaves);
    const uint64_t left = 1 + h % (leaves - 1);
    return tree(left, h) + tree(leaves - left, h + 1);
}

uint64_t
pool_serial_tree(struct pool_place *at)
{
    (void)at;
    return tree(POOL_TREE, 1) == POOL_TREE ? POOL_TREE - 1 : 0;
}

static uint64_t
skynet(uint64_t first, uint64_t leaves)
{
    uint64_t sum = 0;

    if (leaves == 1)
        return first;
    for (uint64_t i = 0; i < 10; i++)
        sum += skynet(first + i * (leaves / 10), leaves / 10);
    return sum;
}

uint64_t
pool_serial_skynet(struct pool_place *at)
{
    const uint64_t n = POOL_SKYNET;

    (void)at;
    return skynet(0, n) == n * (n - 1) / 2 ? n + n / 9 : 0;
}

static void *
count_one(void *counter)
{
    ++*(uint64_t *)counter;
    return counter;
}

uint64_t
pool_thread_submits(struct pool_place *at)
{
    static pthread_t threads[POOL_THREADS];
    uint64_t counts[POOL_THREADS] = {0};
    unsigned n = 0;
    uint64_t ended = 0;

    (void)at;
    while (n < POOL_THREADS &&
           pthread_create(&threads[n], NULL, count_one, &counts[n]) == 0)
        n++;
    for (unsigned i = 0; i < n; i++) {
        pthread_join(threads[i], NULL);
        ended += counts[i];
    }
    return ended == POOL_THREADS ? ended : 0;
}

uint64_t
pool_thread_trips(struct pool_place *at)
{
    uint64_t count = 0;

    (void)at;
    for (unsigned i = 0; i < POOL_TRIPS; i++) {
        pthread_t t;
        if (pthread_create(&t, NULL, count_one, &count) != 0)
            return 0;
        pthread_join(t, NULL);
    }
    return count == POOL_TRIPS ? count : 0;
}
