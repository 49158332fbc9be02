/* SPDX-License-Identifier: MIT */
/*
 * pools_loops.h - what the loops of `bench pool` do for a number, and a product
 * of matrices for a block, the same for Weft and its rivals.
 *
 * All of them add to what is there, so that it shows in the end whether each
 * run has done each number once.
 */
#ifndef STRESS_BENCH_POOLS_LOOPS_H
#define STRESS_BENCH_POOLS_LOOPS_H

#include "bench/pools.h"

#define POOL_BLOCK 16 /* rows and columns that are not divided */

extern uint8_t pool_numbers[POOL_FOR];
extern uint64_t pool_steps[POOL_SKEWED];

/* Odd, so that no number of additions but 256 comes to nothing. */
static inline uint8_t
pool_addend(size_t i)
{
    uint64_t h = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);

    h = (h ^ h >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
    return (uint8_t)(h >> 56 | 1);
}

static inline void
pool_add(size_t i)
{
    pool_numbers[i] = (uint8_t)(pool_numbers[i] + pool_addend(i));
}

/* The last tenth of the numbers has nine tenths of the work. */
static inline uint64_t
pool_steps_of(size_t i)
{
    return i < POOL_SKEWED / 10 * 9 ? POOL_STEPS : 81 * POOL_STEPS;
}

static inline void
pool_step(size_t i)
{
    uint64_t done = 0;

    for (uint64_t n = pool_steps_of(i); n > 0; n--) {
        done++;
        __asm__ volatile("" : "+r"(done)); /* one after the other */
    }
    pool_steps[i] += done;
}

/* Add one block of the product, at that row and column. */
void pool_add_block(unsigned row, unsigned column);

/* Set all to nothing; whether each run has added all. */
void pool_loops_begin(struct pool_place *at);
void pool_matrix_begin(struct pool_place *at);
bool pool_for_is_right(struct pool_place *at);
bool pool_skewed_is_right(struct pool_place *at);
bool pool_small_is_right(struct pool_place *at);
bool pool_matrix_is_right(struct pool_place *at);

#endif /* STRESS_BENCH_POOLS_LOOPS_H */
