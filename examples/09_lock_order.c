/* SPDX-License-Identifier: MIT */
/*
 * 09_lock_order.c - two locks, taken in opposite order, and the cure.
 * Two threads pay each other, and each locks the payer's purse first: each may
 * hold one and wait for the other, with plain locks for ever.  The broken way
 * gives up in time and tries again.  The cure is one order for all, by address.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <threads.h>
#include <weft/weft.h>

static struct purse {
    weft_mutex lock;
    int money;
} purses[2] = {{.money = 500}, {.money = 500}};
static int cured; /* 0: broken */
static atomic_int gave_up;

static void *
pay(void *payer)
{
    struct purse *from = payer;
    struct purse *to = from == purses ? purses + 1 : purses;
    const int swap = cured && from > to; /* the lower address first */
    weft_mutex *first = swap ? &to->lock : &from->lock;
    weft_mutex *second = swap ? &from->lock : &to->lock;

    for (int i = 0; i < 300; i++) {
        weft_mutex_lock(first);
        thrd_yield(); /* a bad moment for the other to run */
        while (weft_mutex_lock_until(second, weft_in_us(200)) != WEFT_OK) {
            weft_mutex_unlock(first); /* let the other one through */
            gave_up++;
            weft_mutex_lock(first);
        }
        from->money--;
        to->money++;
        weft_mutex_unlock(second);
        weft_mutex_unlock(first);
    }
    return NULL;
}

int
main(void)
{
    weft_thread *t;

    for (cured = 0; cured <= 1; cured++) {
        if (weft_thread_start(&t, pay, &purses[1], NULL) != WEFT_OK)
            return 1;
        pay(&purses[0]);
        if (weft_thread_join(t, WEFT_FOREVER, NULL) != WEFT_OK)
            return 1;
        weft_thread_release(t);
        printf("%s: gave up %d times\n", cured ? "cured" : "broken",
               atomic_exchange(&gave_up, 0));
    }
}
