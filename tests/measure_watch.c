/* SPDX-License-Identifier: MIT */
/*
 * measure_watch.c - what it costs that each thread notes what it holds, for
 * doc/design/dump.md and deadlock.md.  Times in nanoseconds a pair, the least of 15 rounds that
 * take turns.
 */
#include <stdio.h>

#include <weft/deadlock.h>
#include <weft/mutex.h>
#include <weft/rmutex.h>
#include <weft/rwlock.h>

#include "base/deadline.h"

#define PAIRS  1000000
#define ROUNDS 15
#define KINDS  4

static weft_mutex mutex;
static weft_mutex inner;
static weft_rmutex rmutex;
static weft_rwlock rwlock;

static double
measure(int kind)
{
    const int64_t begin = weft_clock_ns_();

    for (int i = 0; i < PAIRS; i++)
        switch (kind) {
        case 0:
            weft_mutex_lock(&mutex);
            weft_mutex_unlock(&mutex);
            break;
        case 1: /* two pairs */
            weft_mutex_lock(&mutex);
            weft_mutex_lock(&inner);
            weft_mutex_unlock(&inner);
            weft_mutex_unlock(&mutex);
            break;
        case 2:
            weft_rmutex_lock(&rmutex);
            weft_rmutex_unlock(&rmutex);
            break;
        case 3:
            (void)!weft_rwlock_read_lock(&rwlock);
            (void)!weft_rwlock_read_unlock(&rwlock);
            break;
        }
    return (double)(weft_clock_ns_() - begin) / PAIRS;
}

int
main(void)
{
    static const char *const names[KINDS] = {"mutex", "mutex in a mutex",
                                             "rmutex", "rwlock, to read"};
    double least[KINDS][2];

    for (int round = 0; round < ROUNDS; round++)
        for (int on = 0; on < 2; on++) {
            (void)weft_deadlock_enable(on == 1 ? WEFT_DEADLOCK_REPORT
                                               : WEFT_DEADLOCK_OFF);
            for (int k = 0; k < KINDS; k++) {
                const double ns = measure(k);
                if (round == 0 || ns < least[k][on])
                    least[k][on] = ns;
            }
        }
    printf("%-18s %8s %8s\n", "", "off", "on");
    for (int k = 0; k < KINDS; k++)
        printf("%-18s %8.1f %8.1f\n", names[k], least[k][0], least[k][1]);
    return 0;
}
