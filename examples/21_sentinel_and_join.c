/* SPDX-License-Identifier: MIT */
/*
 * 21_sentinel_and_join.c - a queue of three places, and knowing when all the
 * work is done, not merely taken.
 *
 * An empty queue does not mean that the work is done, as a worker may still be
 * at it; so each task_done marks one item, and join waits until all are marked.
 * A sentinel is an item that means "go home", here NULL, one for each worker:
 * closing the queue (20_queue.c) needs no such count.
 */
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft.h>

enum { JOBS = 12, WORKERS = 3 };

static weft_queue *queue;
static int squares[JOBS];

static void *
work(void *unused)
{
    void *job;

    while (weft_queue_get(queue, &job, WEFT_FOREVER) == WEFT_OK && job) {
        int *n = job;
        *n *= *n;
        weft_queue_task_done(queue); /* only now */
    }
    return unused;
}

int
main(void)
{
    const weft_queue_options options = {.capacity = 3};
    weft_thread *t[WORKERS];

    if (weft_queue_create(&queue, &options) != WEFT_OK)
        abort();
    for (int i = 0; i < WORKERS; i++)
        if (weft_thread_start(&t[i], work, NULL, NULL) != WEFT_OK)
            abort();
    for (int i = 0; i < JOBS; i++) {
        squares[i] = i;
        if (weft_queue_put(queue, &squares[i], WEFT_FOREVER) != WEFT_OK)
            abort();
    }
    if (weft_queue_join(queue, WEFT_FOREVER) != WEFT_OK)
        abort();
    for (int i = 0; i < JOBS; i++)
        printf("%d%c", squares[i], i < JOBS - 1 ? ' ' : '\n');
    for (int i = 0; i < WORKERS; i++)
        if (weft_queue_put(queue, NULL, WEFT_FOREVER) != WEFT_OK)
            abort();
    for (int i = 0; i < WORKERS; weft_thread_release(t[i++]))
        if (weft_thread_join(t[i], WEFT_FOREVER, NULL) != WEFT_OK)
            abort();
    weft_queue_destroy(queue);
}
