/* SPDX-License-Identifier: MIT */
/*
 * random.h - random numbers that a seed repeats.
 *
 *   source     xoshiro256**: Blackman and Vigna, "Scrambled Linear Pseudorandom
 *              Number Generators", ACM TOMS 2021; seeded by SplitMix64: Steele,
 *              Lea and Flood, "Fast Splittable Pseudorandom Number Generators",
 *              OOPSLA 2014; the range by Lemire, "Fast Random Integer
 *              Generation in an Interval", ACM TOMACS 2019
 */
#ifndef STRESS_RANDOM_H
#define STRESS_RANDOM_H

#include <stdint.h>

struct prng {
    uint64_t state[4];
};

static inline uint64_t
prng_mix(uint64_t *seed)
{
    uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Each stream of a seed is a sequence of its own. */
static inline void
prng_seed(struct prng *p, uint64_t seed, uint64_t stream)
{
    uint64_t from = seed;

    from = prng_mix(&from) ^ prng_mix(&stream);
    for (int i = 0; i < 4; i++)
        p->state[i] = prng_mix(&from);
}

static inline uint64_t
prng_rotate(uint64_t x, int by)
{
    return (x << by) | (x >> (64 - by));
}

static inline uint64_t
prng_next(struct prng *p)
{
    uint64_t *s = p->state;
    const uint64_t result = prng_rotate(s[1] * 5, 7) * 9;
    const uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = prng_rotate(s[3], 45);
    return result;
}

/* From 0 to n - 1; the bias is below n / 2^32. */
static inline uint32_t
prng_below(struct prng *p, uint32_t n)
{
    return (uint32_t)(((prng_next(p) >> 32) * n) >> 32);
}

#endif /* STRESS_RANDOM_H */
