/* SPDX-License-Identifier: MIT */
/*
 * 36_backing_out.c - a deadlock that is found, and a thread that backs out.
 * Two transfers go in opposite directions, and each has locked the account it
 * takes from.  Where no order can be kept (09 keeps one), the detector says so,
 * and the lock that was tried last returns WEFT_DEADLOCK: undo, and try again.
 */
#include <stdio.h>
#include <threads.h>
#include <weft/weft.h>

static struct account {
    weft_mutex lock;
    int money;
} accounts[2] = {{.money = 500}, {.money = 500}};

struct transfer {
    struct account *from, *to;
    int money;
};

static weft_barrier both_have_one; /* so that it happens in each run */

static void *
run(void *arg)
{
    struct transfer *t = arg;

    weft_mutex_lock(&t->from->lock);
    (void)!weft_barrier_wait(&both_have_one, WEFT_FOREVER, NULL);
    while (weft_mutex_lock(&t->to->lock) == WEFT_DEADLOCK) {
        weft_mutex_unlock(&t->from->lock); /* nothing was moved yet */
        thrd_yield();
        weft_mutex_lock(&t->from->lock);
    }
    t->from->money -= t->money;
    t->to->money += t->money;
    weft_mutex_unlock(&t->to->lock);
    weft_mutex_unlock(&t->from->lock);
    return NULL;
}

int
main(void)
{
    struct transfer there = {&accounts[0], &accounts[1], 100};
    struct transfer back = {&accounts[1], &accounts[0], 30};
    weft_thread *t;

    weft_deadlock_enable(WEFT_DEADLOCK_FAIL);
    weft_deadlock_name(&accounts[0].lock, "account 0");
    weft_deadlock_name(&accounts[1].lock, "account 1");
    if (weft_barrier_init(&both_have_one, 2, NULL, NULL) != WEFT_OK ||
        weft_thread_start(&t, run, &there, NULL) != WEFT_OK ||
        run(&back) != NULL ||
        weft_thread_join(t, WEFT_FOREVER, NULL) != WEFT_OK)
        return 1;
    printf("%d and %d\n", accounts[0].money, accounts[1].money);
    weft_thread_release(t);
}
