/* SPDX-License-Identifier: MIT */
/*
 * 03_threads_in_a_loop.c - several threads, each with a part of the work.
 *
 * Two loops: start them all, then join them all.  A join inside the first loop
 * would run them one after another.  Each thread gets an element of an array,
 * never the address of the loop's own variable, which has changed by the time
 * the thread reads it.  They finish in any order; joined in the order of the
 * array, they are printed in it too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft.h>

enum { THREADS = 4, NUMBERS = 1000000 };

struct part {
    int first;
    int last;
    long long sum;
    weft_thread *thread;
};

static void *
add_up(void *arg)
{
    struct part *p = arg;
    long long sum = 0;

    for (int i = p->first; i <= p->last; i++)
        sum += i;
    p->sum = sum;
    return NULL;
}

int
main(void)
{
    struct part parts[THREADS];
    long long total = 0;

    for (int i = 0; i < THREADS; i++) {
        parts[i].first = i * (NUMBERS / THREADS) + 1;
        parts[i].last = (i + 1) * (NUMBERS / THREADS);
        if (weft_thread_start(&parts[i].thread, add_up, &parts[i], NULL) !=
            WEFT_OK)
            abort(); /* not return: the others still use parts */
    }
    for (int i = 0; i < THREADS; i++) {
        if (weft_thread_join(parts[i].thread, WEFT_FOREVER, NULL) != WEFT_OK)
            abort();
        weft_thread_release(parts[i].thread);
        printf("%6d to %7d: %12lld\n", parts[i].first, parts[i].last,
               parts[i].sum);
        total += parts[i].sum;
    }
    printf("total             %12lld\n", total);
}
