/* SPDX-License-Identifier: MIT */
/*
 * 04_name_and_id.c - who am I?  A thread's name, its id, the system's id.
 *
 * weft_thread_current() works in every thread, main included, and is lent: it
 * is not released.  A name is for people: logs, debuggers and `ps -L` show it
 * (the system cuts it at 15 bytes).  The id is small and never used again by
 * another thread of this process; the native id is what the system calls the
 * thread, and comes back for another once this one is gone.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft.h>

static void *
introduce(void *unused)
{
    const weft_thread *me = weft_thread_current();

    printf("I am %s, thread %" PRIu64 ", native id %" PRId64 "\n",
           weft_thread_name(me), weft_thread_id(me), weft_thread_native_id(me));
    return unused;
}

static void
run(const char *name)
{
    const weft_thread_options options = {.name = name};
    weft_thread *t;

    if (weft_thread_start(&t, introduce, NULL, &options) != WEFT_OK ||
        weft_thread_join(t, WEFT_FOREVER, NULL) != WEFT_OK)
        exit(EXIT_FAILURE);
    weft_thread_release(t);
}

int
main(void)
{
    introduce(NULL);
    run("disk checker");
    run(NULL); /* Weft thinks of one */
    weft_thread_set_name(weft_thread_current(), "captain");
    introduce(NULL);
}
