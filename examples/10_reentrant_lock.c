/* SPDX-License-Identifier: MIT */
/*
 * 10_reentrant_lock.c - a lock that its owner may take again.
 *
 * deposit() locks, transfer() locks and calls deposit(): with a plain mutex the
 * thread would wait for itself.  Weft says WEFT_DEADLOCK instead of hanging,
 * which is the first line.  A weft_rmutex counts: it is free for others after
 * as many unlocks as locks.  It is a convenience: functions that say "call me
 * with the lock held" and a plain mutex do the same, and show who holds what.
 */
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft.h>

static weft_mutex plain = WEFT_MUTEX_INIT;
static weft_rmutex lock = WEFT_RMUTEX_INIT; /* over the two numbers */
static int savings = 100;
static int wallet = 0;

static void
deposit(int *account, int amount)
{
    WEFT_GUARD(&lock);
    *account += amount;
    printf("deposit %d at depth %u\n", amount,
           (unsigned)weft_rmutex_depth(&lock));
}

static void
transfer(int *from, int *to, int amount)
{
    WEFT_GUARD(&lock); /* nobody sees the money gone and not yet arrived */
    deposit(from, -amount);
    deposit(to, amount);
}

int
main(void)
{
    WEFT_WITH(&plain)
    {
        printf("a plain mutex again: %s\n",
               weft_status_name(weft_mutex_lock(&plain)));
    }
    transfer(&savings, &wallet, 30);
    printf("savings %d, wallet %d, depth now %u\n", savings, wallet,
           (unsigned)weft_rmutex_depth(&lock));
}
