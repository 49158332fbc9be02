/* SPDX-License-Identifier: MIT */
/*
 * 13_producer_consumer.c - a buffer of limited size, two conditions, one lock.
 *
 * A condition is where a thread waits, lock in hand, for others to change what
 * the lock protects.  Waiting lets go of the lock and has it back afterwards.
 * Being woken proves nothing, another may have been faster: so `while`, never
 * `if`.  Whoever changes the state notifies, before it lets go of the lock.
 * Every number from 1 to LAST is taken once, or the sum would not be right.
 */
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft.h>

enum { ROOM = 4, LAST = 10000, CONSUMERS = 2 };

static weft_mutex lock = WEFT_MUTEX_INIT; /* protects all of the following */
static weft_cond not_full = WEFT_COND_INIT(&lock);
static weft_cond not_empty = WEFT_COND_INIT(&lock);
static int box[ROOM], put, taken; /* so many were put, and taken */
static long sum;

static void *
consume(void *unused)
{
    for (;;) {
        WEFT_GUARD(&lock);
        while (put == taken && put < LAST)
            if (weft_cond_wait(&not_empty, WEFT_FOREVER) != WEFT_OK)
                return weft_fail(1, "cannot wait");
        if (taken == LAST)
            return unused; /* and there will be no more */
        sum += box[taken++ % ROOM];
        weft_cond_notify(&not_full, 1);
    }
}

int
main(void)
{
    weft_thread *t[CONSUMERS];

    for (int i = 0; i < CONSUMERS; i++)
        if (weft_thread_start(&t[i], consume, NULL, NULL) != WEFT_OK)
            abort();
    for (int n = 1; n <= LAST; n++) {
        WEFT_GUARD(&lock);
        while (put - taken == ROOM)
            if (weft_cond_wait(&not_full, WEFT_FOREVER) != WEFT_OK)
                abort();
        box[put++ % ROOM] = n;
        weft_cond_notify(&not_empty, n < LAST ? 1 : CONSUMERS);
    }
    for (int i = 0; i < CONSUMERS; weft_thread_release(t[i++]))
        if (weft_thread_join(t[i], WEFT_FOREVER, NULL) != WEFT_OK)
            abort();
    printf("%d numbers, sum %ld\n", taken, sum);
}
