/* SPDX-License-Identifier: MIT */
/*
 * 17_list_threads.c - all threads of the program, as they are at one moment.
 *
 * The list has main, daemons and also threads that Weft did not start, if they
 * have called it; never one that has ended.  It may be out of date as soon as
 * it is printed: it is for people and logs, not for decisions.  The visitor
 * gets each thread lent, for the length of its call; to keep one, retain it.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft.h>

static weft_event stop = WEFT_EVENT_INIT;

static void *
sleep_on(void *unused)
{
    return weft_event_wait(&stop, WEFT_FOREVER) == WEFT_OK ? unused : NULL;
}

static weft_thread *
start(const char *name, enum weft_daemon daemon)
{
    const weft_thread_options options = {.name = name, .daemon = daemon};
    weft_thread *t;

    if (weft_thread_start(&t, sleep_on, NULL, &options) != WEFT_OK)
        abort();
    return t;
}

static void
show(weft_thread *t, void *unused)
{
    (void)unused;
    printf("  %s%s\n", weft_thread_name(t),
           weft_thread_is_daemon(t) ? ", daemon" : "");
}

int
main(void)
{
    weft_thread *t[] = {start("reader", WEFT_DAEMON_NO),
                        start("writer", WEFT_DAEMON_NO),
                        start("monitor", WEFT_DAEMON_YES)};

    printf("%zu threads:\n", weft_thread_count());
    weft_thread_enumerate(show, NULL);
    weft_event_set(&stop);
    for (int i = 0; i < 3; weft_thread_release(t[i++]))
        if (weft_thread_join(t[i], WEFT_FOREVER, NULL) != WEFT_OK)
            return EXIT_FAILURE;
    printf("%zu thread:\n", weft_thread_count());
    weft_thread_enumerate(show, NULL);
}
