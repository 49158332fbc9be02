/* SPDX-License-Identifier: MIT */
/*
 * 18_thread_stacks.c - where is everybody?  The stacks of all threads.
 *
 * The first question to a program that hangs: what does each thread hold, what
 * does it wait for, how did it get there?  Here the clerk holds the till and
 * waits for a bell.  weft_thread_dump_on_signal lets you ask from outside, by
 * Ctrl-\ or `kill -QUIT`; call it early, for only what is locked from then on
 * is noted.  What to look at: who waits for what, and "holds".
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft.h>

static weft_mutex till = WEFT_MUTEX_INIT;
static weft_event behind = WEFT_EVENT_INIT; /* the counter */
static weft_event bell = WEFT_EVENT_INIT;

static void *
clerk(void *unused)
{
    WEFT_GUARD(&till);
    weft_event_set(&behind);
    if (weft_event_wait(&bell, WEFT_FOREVER) != WEFT_OK)
        return weft_fail(1, "the bell is out of order");
    return unused;
}

int
main(void)
{
    const weft_thread_options options = {.name = "clerk"};
    weft_thread *t;

    if (weft_thread_dump_on_signal(SIGQUIT, 2) != WEFT_OK ||
        weft_thread_start(&t, clerk, NULL, &options) != WEFT_OK ||
        weft_event_wait(&behind, WEFT_FOREVER) != WEFT_OK)
        return EXIT_FAILURE;
    weft_event_wait(&bell, weft_in_ms(50)); /* let it come to wait */
    weft_thread_dump_stacks(1);
    weft_event_set(&bell);
    if (weft_thread_join(t, WEFT_FOREVER, NULL) != WEFT_OK)
        return EXIT_FAILURE;
    weft_thread_release(t);
    puts("and on we go");
}
