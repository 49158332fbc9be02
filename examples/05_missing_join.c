/* SPDX-License-Identifier: MIT */
/*
 * 05_missing_join.c - what happens without a join, and the cure.
 *
 * Without a join the result is there some day, just not when main looks: the
 * answer is 0.  (An event makes sure of that here; left to the scheduler it
 * happens on a bad day only, to a customer.)  The work itself is not lost: a
 * thread that nobody joins is waited for when the program ends, as the last
 * line shows.  The cure for the first is to join before using the result.
 */
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft.h>

static weft_event go = WEFT_EVENT_INIT;      /* set: the thread may begin */
static weft_event goodbye = WEFT_EVENT_INIT; /* set: main is about to return */

static void *
compute(void *answer)
{
    if (weft_event_wait(&go, WEFT_FOREVER) == WEFT_OK)
        *(int *)answer = 6 * 7;
    return NULL;
}

static void *
tidy_up(void *unused)
{
    if (weft_event_wait(&goodbye, WEFT_FOREVER) == WEFT_OK)
        puts("not joined, and yet it finishes: tidied up");
    return unused;
}

int
main(void)
{
    int answer = 0;
    weft_thread *computing;
    weft_thread *tidying;

    if (weft_thread_start(&computing, compute, &answer, NULL) != WEFT_OK)
        return EXIT_FAILURE;
    printf("without a join the answer is %d\n", answer);
    weft_event_set(&go);
    if (weft_thread_join(computing, WEFT_FOREVER, NULL) != WEFT_OK)
        return EXIT_FAILURE;
    printf("after the join it is %d\n", answer);
    weft_thread_release(computing);

    if (weft_thread_start(&tidying, tidy_up, NULL, NULL) != WEFT_OK)
        return EXIT_FAILURE;
    weft_thread_release(tidying); /* nobody will ask how it went */
    puts("main returns");
    weft_event_set(&goodbye);
}
