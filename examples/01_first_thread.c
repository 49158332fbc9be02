/* SPDX-License-Identifier: MIT */
/*
 * 01_first_thread.c - start a thread, go on meanwhile, wait for its end.
 *
 * A thread is a function that runs beside its caller.  When weft_thread_start
 * returns, hello() may be about to begin or over already: the first two lines
 * come in either order, and a program that counts on one of them is wrong.
 * Only the join makes an order: the last line is always the last.
 */
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft.h>

static void *
hello(void *unused)
{
    puts("hello from the thread");
    return unused;
}

int
main(void)
{
    weft_thread *t;
    const enum weft_status s = weft_thread_start(&t, hello, NULL, NULL);

    if (s != WEFT_OK) {
        fprintf(stderr, "no thread: %s\n", weft_status_text(s));
        return EXIT_FAILURE;
    }
    puts("hello from main");
    if (weft_thread_join(t, WEFT_FOREVER, NULL) != WEFT_OK)
        return EXIT_FAILURE;
    weft_thread_release(t); /* what start gave, release takes back */
    puts("the thread has ended");
}
