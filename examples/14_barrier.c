/* SPDX-License-Identifier: MIT */
/*
 * 14_barrier.c - three threads work in phases, none ahead of the others.
 *
 * In each phase a thread puts the sum of its neighbours in the old row into the
 * new one, so nobody may begin before all have ended the last phase: they wait
 * at the barrier.  The last to come runs the action, once, before anyone goes
 * on.  One that leaves early would keep the others waiting for ever, unless it
 * calls weft_barrier_abort: then they get WEFT_BROKEN.
 */
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft.h>

enum { THREADS = 3, PHASES = 4 };

static weft_barrier barrier;
static int rows[2][THREADS] = {{1, 2, 3}};
static int phase; /* only the action changes it, while all others wait */

static enum weft_status
next_phase(void *unused)
{
    (void)unused;
    const int *row = rows[++phase % 2];
    printf("phase %d: %2d %2d %2d\n", phase, row[0], row[1], row[2]);
    return WEFT_OK;
}

static void *
work(void *place)
{
    const int i = *(const int *)place;

    while (phase < PHASES) {
        const int *old = rows[phase % 2];
        rows[(phase + 1) % 2][i] = old[(i + 1) % 3] + old[(i + 2) % 3];
        if (weft_barrier_wait(&barrier, WEFT_FOREVER, NULL) != WEFT_OK)
            return weft_fail(1, "the barrier is broken");
    }
    return NULL;
}

int
main(void)
{
    int places[THREADS] = {0, 1, 2};
    weft_thread *t[THREADS];

    if (weft_barrier_init(&barrier, THREADS, next_phase, NULL) != WEFT_OK)
        return EXIT_FAILURE;
    for (int i = 0; i < THREADS; i++)
        if (weft_thread_start(&t[i], work, &places[i], NULL) != WEFT_OK)
            abort(); /* the barrier waits for three */
    for (int i = 0; i < THREADS; weft_thread_release(t[i++]))
        if (weft_thread_join(t[i], WEFT_FOREVER, NULL) != WEFT_OK)
            abort();
}
