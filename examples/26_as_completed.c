/* SPDX-License-Identifier: MIT */
/*
 * 26_as_completed.c - results in the order in which they come; one task fails.
 *
 * A task fails by returning what weft_fail returns.  That is no end of the
 * world for the others: whoever asks for its result gets WEFT_FAILED and reads
 * the code and the message that the task wrote.  Each future is released once;
 * the iterator only lends them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/weft.h>

enum { FILES = 3 };

static void *
measure(void *name)
{
    if (strcmp(name, "missing") == 0)
        return weft_fail(ENOENT, "there is no %s", (char *)name);
    return name; /* as if it had been read */
}

int
main(void)
{
    char *names[FILES] = {"letters", "missing", "invoices"};
    weft_future *futures[FILES];
    weft_future *f;
    weft_as_completed *it;
    weft_pool *pool;
    int good = 0;
    int bad = 0;

    if (weft_pool_create(&pool, NULL) != WEFT_OK)
        abort();
    for (int i = 0; i < FILES; i++)
        if (weft_pool_submit(pool, measure, names[i], &futures[i]) != WEFT_OK)
            abort();
    if (weft_as_completed_create(&it, futures, FILES) != WEFT_OK)
        abort();
    while (weft_as_completed_next(it, WEFT_FOREVER, &f) == WEFT_OK) {
        const weft_error *error;
        void *name;
        if (weft_future_result(f, WEFT_NOW, &name) == WEFT_OK) {
            printf("read %s\n", (char *)name);
            good++;
        } else if (weft_future_error(f, WEFT_NOW, &error) == WEFT_FAILED) {
            printf("error %d: %s\n", error->code, error->message);
            bad++;
        }
    }
    weft_as_completed_destroy(it);
    for (int i = 0; i < FILES; i++)
        weft_future_release(futures[i]);
    weft_pool_destroy(pool);
    printf("%d read, %d failed\n", good, bad);
}
