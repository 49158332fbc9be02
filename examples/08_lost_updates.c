/* SPDX-License-Identifier: MIT */
/*
 * 08_lost_updates.c - two threads add to one number: the race, and the cure.
 *
 * `n++` is a load, an addition and a store.  If both threads load the same
 * number, both store the same sum, and an addition is lost.  The broken half
 * has the steps one by one, as atomics: each is whole, the three are not.  (On
 * a plain int that is undefined.)  The yield is a scheduler with a bad moment.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <threads.h>
#include <weft/weft.h>

enum { TURNS = 1000000 };

static _Atomic int broken;
static int cured; /* for who holds the lock */
static weft_mutex lock = WEFT_MUTEX_INIT;

static void *
add_broken(void *unused)
{
    for (int i = 0; i < TURNS; i++) {
        int n = atomic_load_explicit(&broken, memory_order_relaxed);
        if (i % 1000 == 0)
            thrd_yield();
        atomic_store_explicit(&broken, n + 1, memory_order_relaxed);
    }
    return unused;
}

static void *
add_cured(void *unused)
{
    for (int i = 0; i < TURNS; i++) {
        WEFT_GUARD(&lock); /* until the end of this block */
        cured++;
    }
    return unused;
}

int
main(void)
{
    weft_fn *const ways[] = {add_broken, add_cured};
    weft_thread *other;

    for (int i = 0; i < 2; i++) {
        if (weft_thread_start(&other, ways[i], NULL, NULL) != WEFT_OK)
            return EXIT_FAILURE;
        ways[i](NULL);
        if (weft_thread_join(other, WEFT_FOREVER, NULL) != WEFT_OK)
            return EXIT_FAILURE;
        weft_thread_release(other);
    }
    printf("broken: %d of %d lost\n", 2 * TURNS - broken, 2 * TURNS);
    printf("cured:  %d of %d lost\n", 2 * TURNS - cured, 2 * TURNS);
}
