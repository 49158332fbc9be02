/* SPDX-License-Identifier: MIT */
/*
 * 20_queue.c - producers put, consumers get, and the queue does the waiting.
 *
 * Compare 13_producer_consumer.c: here is no lock, no condition and no count,
 * and a consumer is one loop.  An item is a pointer; the number it leads to is
 * whole when get returns, without any further precaution.  Who puts the last
 * item closes the queue: WEFT_DRAIN lets the consumers take what is left, and
 * then their get says WEFT_CLOSED.  The usual mistake is to forget the close;
 * then the consumers wait for ever.
 */
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft.h>

enum { LAST = 10000, CONSUMERS = 2 };

static int numbers[LAST];

static void *
consume(void *queue)
{
    long sum = 0;
    void *item;

    while (weft_queue_get(queue, &item, WEFT_FOREVER) == WEFT_OK)
        sum += *(int *)item;
    return (void *)sum;
}

int
main(void)
{
    const weft_queue_options options = {.capacity = 16};
    weft_thread *t[CONSUMERS];
    weft_queue *queue;
    long sum = 0;
    void *part;

    if (weft_queue_create(&queue, &options) != WEFT_OK)
        abort();
    for (int i = 0; i < CONSUMERS; i++)
        if (weft_thread_start(&t[i], consume, queue, NULL) != WEFT_OK)
            abort();
    for (int i = 0; i < LAST; i++) {
        numbers[i] = i + 1;
        if (weft_queue_put(queue, &numbers[i], WEFT_FOREVER) != WEFT_OK)
            abort();
    }
    weft_queue_close(queue, WEFT_DRAIN);
    for (int i = 0; i < CONSUMERS; weft_thread_release(t[i++])) {
        if (weft_thread_join(t[i], WEFT_FOREVER, &part) != WEFT_OK)
            abort();
        sum += (long)part;
    }
    printf("%d numbers, sum %ld\n", LAST, sum);
    weft_queue_destroy(queue);
}
