/* SPDX-License-Identifier: MIT */
/*
 * measure_watch.c - what it costs that each thread notes what it holds, and in
 * which order it took it, for doc/design/deadlock.md.
 *
 * In a thread of Weft's, since others tell no orders; nanoseconds without
 * contention, for a lock and an unlock, or for both pairs.  Slices of some 0.05
 * ms with the detector off and on follow each other, so whatever the machine
 * does for longer is in both: shown are the least and the median of all slices,
 * and the median of the ratios of neighbours, with its quartiles.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <weft/deadlock.h>
#include <weft/mutex.h>
#include <weft/rmutex.h>
#include <weft/rwlock.h>
#include <weft/thread.h>

#define TURNS  2520 /* a multiple of the pairs of many */
#define ROUNDS 400
#define MANY   64

static struct {
    _Alignas(128) weft_mutex mutex;
    weft_mutex inner;
    weft_rmutex again;
    weft_rwlock shared;
    weft_mutex many[MANY];
} locks;

#define LOOP(name, ...)                 \
    static void name(void)              \
    {                                   \
        for (int i = 0; i < TURNS; i++) \
            __VA_ARGS__                 \
    }

LOOP(mutex, {
    weft_mutex_lock(&locks.mutex);
    weft_mutex_unlock(&locks.mutex);
})

static inline void
both(weft_mutex *outer, weft_mutex *inner)
{
    weft_mutex_lock(outer);
    weft_mutex_lock(inner);
    weft_mutex_unlock(inner);
    weft_mutex_unlock(outer);
}

LOOP(nested, { both(&locks.mutex, &locks.inner); })

static void
many(void)
{
    for (int i = 0, k = 0; i < TURNS; i++) {
        both(&locks.many[k], &locks.many[k + 1]);
        k = k == MANY - 2 ? 0 : k + 1;
    }
}

LOOP(again, {
    weft_rmutex_lock(&locks.again);
    weft_rmutex_unlock(&locks.again);
})

LOOP(shared, {
    (void)!weft_rwlock_read_lock(&locks.shared);
    (void)!weft_rwlock_read_unlock(&locks.shared);
})

static double
now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* What is known when it was off is void, so the first turns are not counted. */
static double
slice(void (*work)(void), bool on)
{
    (void)weft_deadlock_enable(on ? WEFT_DEADLOCK_REPORT : WEFT_DEADLOCK_OFF);
    work();
    const double begin = now_ns();
    work();
    return (now_ns() - begin) / TURNS;
}

static int
compare(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;

    return (x > y) - (x < y);
}

static void
measure(const char *name, void (*work)(void))
{
    static double ns[2][ROUNDS];
    static double ratio[ROUNDS];

    for (int i = 0; i < ROUNDS; i++) {
        for (int on = 0; on < 2; on++)
            ns[on][i] = slice(work, on != 0);
        ratio[i] = ns[1][i] / ns[0][i];
    }
    for (int on = 0; on < 2; on++)
        qsort(ns[on], ROUNDS, sizeof(ns[on][0]), compare);
    qsort(ratio, ROUNDS, sizeof(ratio[0]), compare);
    printf("%-20s %6.1f %6.1f %8.1f %6.1f %8.2f [%.2f %.2f]\n", name, ns[0][0],
           ns[1][0], ns[0][ROUNDS / 2], ns[1][ROUNDS / 2], ratio[ROUNDS / 2],
           ratio[ROUNDS / 4], ratio[3 * ROUNDS / 4]);
}

static void *
measure_all(void *unused)
{
    printf("%-20s %13s %15s\n%-20s %6s %6s %8s %6s %8s\n", "", "least",
           "median", "", "off", "on", "off", "on", "ratio");
    measure("mutex", mutex);
    measure("mutex in a mutex", nested);
    measure("two of 64", many);
    measure("rmutex", again);
    measure("rwlock, to read", shared);
    return unused;
}

int
main(void)
{
    weft_thread *t;

    if (weft_thread_start(&t, measure_all, NULL, NULL) != WEFT_OK)
        return 1;
    (void)!weft_thread_join(t, WEFT_FOREVER, NULL);
    weft_thread_release(t);
    return 0;
}
