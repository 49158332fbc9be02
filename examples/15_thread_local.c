/* SPDX-License-Identifier: MIT */
/*
 * 15_thread_local.c - a buffer for each thread, made and freed by itself.
 *
 * text_of() returns a text in a buffer.  In one buffer for all, threads would
 * overwrite each other's; a weft_local gives each thread its own at its first
 * call and frees it when the thread ends, which _Thread_local cannot.
 */
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft.h>

enum { BYTES = 16 };

static weft_local *buffer;

static void *
make(void *what)
{
    printf("a new %s\n", (char *)what);
    return malloc(BYTES);
}

static void
drop(void *text)
{
    puts("one is freed");
    free(text);
}

static const char *
text_of(int n)
{
    char *text = weft_local_get(buffer);

    return text != NULL && snprintf(text, BYTES, "%d", n) > 0 ? text : "?";
}

static void *
work(void *unused)
{
    printf("the thread's text: %s\n", text_of(2));
    return unused;
}

int
main(void)
{
    weft_thread *t;

    if (weft_local_create(&buffer, make, drop, "buffer") != WEFT_OK)
        return EXIT_FAILURE;
    const char *mine = text_of(1);
    if (weft_thread_start(&t, work, NULL, NULL) != WEFT_OK ||
        weft_thread_join(t, WEFT_FOREVER, NULL) != WEFT_OK)
        return EXIT_FAILURE;
    weft_thread_release(t);
    printf("main's is still:   %s\n", mine);
    weft_local_destroy(buffer); /* frees main's, too */
}
