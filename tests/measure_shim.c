/* SPDX-License-Identifier: MIT */
/*
 * measure_shim.c - what weft-deadlock costs a program.
 *
 *   usage: make tests/measure_shim && tests/measure_shim
 *          ./weft-deadlock tests/measure_shim
 *          ./weft-deadlock --no-predict tests/measure_shim
 *
 * Each row is the best of ten, in nanoseconds: a pair of locks, one in the other,
 * taken and given up; the same under 100 other locks; pairs in turn out of 64
 * locks, always in one order; two threads at once, each with a pair of its own;
 * a mutex that is made, used and destroyed; a read lock; a block of memory.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS 200000
#define TIMES  10

static pthread_mutex_t locks[64];
static pthread_mutex_t held[100];
static pthread_mutex_t own[2]
                          [16]; /* a pair of a thread is far from the other */
static pthread_rwlock_t shared = PTHREAD_RWLOCK_INITIALIZER;
static void *volatile block;

static int64_t
now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void
nest(pthread_mutex_t *a, pthread_mutex_t *b)
{
    pthread_mutex_lock(a);
    pthread_mutex_lock(b);
    pthread_mutex_unlock(b);
    pthread_mutex_unlock(a);
}

static void
one_pair(void)
{
    for (int i = 0; i < ROUNDS; i++)
        nest(&locks[0], &locks[1]);
}

static void
many_pairs(void)
{
    for (int i = 0; i < ROUNDS; i++)
        nest(&locks[i % 63], &locks[i % 63 + 1]);
}

static void
below_others(void)
{
    for (int i = 0; i < 100; i++)
        pthread_mutex_lock(&held[i]);
    one_pair();
    for (int i = 100; i-- > 0;)
        pthread_mutex_unlock(&held[i]);
}

static void *
own_pair(void *arg)
{
    pthread_mutex_t *m = arg;

    for (int i = 0; i < 10 * ROUNDS; i++)
        nest(&m[0], &m[1]);
    return NULL;
}

static void
two_threads(void)
{
    pthread_t t;

    pthread_create(&t, NULL, own_pair, own[0]);
    own_pair(own[1]);
    pthread_join(t, NULL);
}

static void
short_lives(void)
{
    for (int i = 0; i < ROUNDS / 10; i++) {
        pthread_mutex_t m;
        pthread_mutex_init(&m, NULL);
        pthread_mutex_lock(&m);
        pthread_mutex_unlock(&m);
        pthread_mutex_destroy(&m);
    }
}

static void
reads(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        pthread_rwlock_rdlock(&shared);
        pthread_rwlock_unlock(&shared);
    }
}

static void
blocks(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        block = malloc(40);
        free(block);
    }
}

static void
measure(const char *what, void (*how)(void), int64_t n)
{
    int64_t best = INT64_MAX;

    for (int i = 0; i < TIMES; i++) {
        const int64_t begin = now_ns();
        how();
        const int64_t took = now_ns() - begin;
        if (took < best)
            best = took;
    }
    printf("%-34s %8.1f\n", what, (double)best / (double)n);
}

int
main(void)
{
    for (int i = 0; i < 64; i++)
        pthread_mutex_init(&locks[i], NULL);
    for (int i = 0; i < 100; i++)
        pthread_mutex_init(&held[i], NULL);
    for (int i = 0; i < 16; i++) {
        pthread_mutex_init(&own[0][i], NULL);
        pthread_mutex_init(&own[1][i], NULL);
    }
    measure("a pair", one_pair, ROUNDS);
    measure("a pair while 100 others are held", below_others, ROUNDS);
    measure("pairs out of 64", many_pairs, ROUNDS);
    measure("a pair in each of two threads", two_threads, 10 * ROUNDS);
    measure("init, lock, unlock, destroy", short_lives, ROUNDS / 10);
    measure("a read lock", reads, ROUNDS);
    measure("malloc and free", blocks, ROUNDS);
    return 0;
}
