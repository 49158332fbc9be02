/* SPDX-License-Identifier: MIT */
/*
 * 06_daemon.c - which threads a program waits for when it ends.
 *
 * main returns while two threads are still busy.  The ordinary one is waited
 * for and writes its file to the end.  The daemon is abandoned where it stands:
 * its last line never comes.  So a daemon is for work that may stop anywhere,
 * never for work that must be completed.  What threads use after main has
 * returned must not be main's own variables: `closing` is static.
 */
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft.h>

static weft_event closing = WEFT_EVENT_INIT;
static weft_event watching = WEFT_EVENT_INIT;
static weft_event never = WEFT_EVENT_INIT;

static void *
save(void *unused)
{
    if (weft_event_wait(&closing, WEFT_FOREVER) == WEFT_OK)
        puts("ordinary thread: saved, although main has returned");
    return unused;
}

static void *
watch(void *unused)
{
    puts("daemon: watching");
    weft_event_set(&watching);
    if (weft_event_wait(&never, WEFT_FOREVER) == WEFT_OK)
        puts("daemon: done"); /* nobody will read this */
    return unused;
}

int
main(void)
{
    const weft_thread_options daemon = {.daemon = WEFT_DAEMON_YES};
    weft_thread *ordinary;
    weft_thread *watcher;

    if (weft_thread_start(&watcher, watch, NULL, &daemon) != WEFT_OK ||
        weft_event_wait(&watching, WEFT_FOREVER) != WEFT_OK ||
        weft_thread_start(&ordinary, save, NULL, NULL) != WEFT_OK)
        return EXIT_FAILURE;
    weft_thread_release(watcher);
    weft_thread_release(ordinary);
    puts("main: returns");
    weft_event_set(&closing);
}
