/* SPDX-License-Identifier: MIT */
/*
 * 12_event.c - threads that wait for something to happen, and what makes it.
 *
 * An event is a flag that threads can sleep on.  The mistake it replaces is a
 * loop over a global flag, which burns a CPU and, without atomics, may never
 * see the change.  Once set it stays set: the late visitor walks straight in.
 * A deadline is a point in time, so that waiting again after a false alarm does
 * not start over.  The first line shows one that passes before the event comes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft.h>

enum { VISITORS = 3 };

static weft_event doors_open = WEFT_EVENT_INIT;

static void *
visitor(void *unused)
{
    if (weft_event_wait(&doors_open, WEFT_FOREVER) == WEFT_OK)
        puts("a visitor walks in");
    return unused;
}

int
main(void)
{
    weft_thread *visitors[VISITORS + 1];

    for (int i = 0; i < VISITORS; i++)
        if (weft_thread_start(&visitors[i], visitor, NULL, NULL) != WEFT_OK)
            abort(); /* return would wait for those that wait */
    printf("not yet: %s\n",
           weft_status_name(weft_event_wait(&doors_open, weft_in_ms(20))));
    puts("the doors open");
    weft_event_set(&doors_open); /* all at once, now and later */
    if (weft_thread_start(&visitors[VISITORS], visitor, NULL, NULL) != WEFT_OK)
        abort();
    for (int i = 0; i <= VISITORS; i++) {
        if (weft_thread_join(visitors[i], WEFT_FOREVER, NULL) != WEFT_OK)
            abort();
        weft_thread_release(visitors[i]);
    }
    puts("all are in");
}
