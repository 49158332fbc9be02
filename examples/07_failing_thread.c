/* SPDX-License-Identifier: MIT */
/*
 * 07_failing_thread.c - a thread that fails, and who hears of it.
 *
 * A thread fails by returning weft_fail(code, format, ...).  Who joins it gets
 * WEFT_FAILED and can ask for the error.  A failure that nobody asks for would
 * go unnoticed, so it reaches the hook; without one of your own that prints a
 * line to stderr.  The mistake is to let a thread print "error" and return
 * NULL: then nobody can tell it from one that did its work.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/weft.h>

static void *
count_lines(void *name)
{
    FILE *f = fopen(name, "r");
    size_t lines = 0;

    if (f == NULL)
        return weft_fail(errno, "%s: %s", (char *)name, strerror(errno));
    for (int c; (c = getc(f)) != EOF;)
        lines += c == '\n';
    fclose(f);
    printf("%s: %zu lines\n", (char *)name, lines);
    return NULL;
}

static void
complain(weft_thread *t, const weft_error *e, void *unused)
{
    (void)unused;
    printf("hook: %s failed: %s\n", weft_thread_name(t), e->message);
}

int
main(void)
{
    const weft_thread_options options = {.name = "unasked"};
    weft_thread *t;

    weft_thread_set_failure_hook(complain, NULL);
    if (weft_thread_start(&t, count_lines, "/no/such/file", NULL) != WEFT_OK)
        return EXIT_FAILURE;
    if (weft_thread_join(t, WEFT_FOREVER, NULL) == WEFT_FAILED)
        printf("join: failed: %s (ENOENT: %s)\n", weft_thread_error(t)->message,
               weft_thread_error(t)->code == ENOENT ? "yes" : "no");
    weft_thread_release(t);

    if (weft_thread_start(&t, count_lines, "/nor/this", &options) != WEFT_OK)
        return EXIT_FAILURE;
    weft_thread_release(t); /* no join: nobody asks */
}
