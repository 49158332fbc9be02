/* SPDX-License-Identifier: MIT */
/*
 * 25_wait_any.c - one thread serves several queues, asleep while all are empty.
 *
 * weft_queue_wait_any names the first of the array that has something, so what
 * is urgent goes ahead.  It takes nothing: another thread may be faster, and so
 * the get that follows is a try.  A queue that is closed and empty is named when
 * nothing else is; NULL in its place passes it over from then on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft.h>

enum { URGENT, NORMAL, QUEUES };

static weft_queue *queues[QUEUES];

static void
fill(weft_queue *queue, char *first, char *second)
{
    if (weft_queue_put(queue, first, WEFT_FOREVER) != WEFT_OK ||
        weft_queue_put(queue, second, WEFT_FOREVER) != WEFT_OK)
        abort();
    weft_queue_close(queue, WEFT_DRAIN);
}

static void *
send(void *unused)
{
    fill(queues[NORMAL], "a letter", "a parcel");
    fill(queues[URGENT], "a telegram", "a fire");
    return unused;
}

int
main(void)
{
    const char *names[] = {"urgent", "normal"};
    const weft_queue_options options = {.capacity = 2};
    weft_thread *sender;
    size_t i;
    void *item;

    if (weft_queue_create(&queues[URGENT], &options) != WEFT_OK ||
        weft_queue_create(&queues[NORMAL], &options) != WEFT_OK ||
        weft_thread_start(&sender, send, NULL, NULL) != WEFT_OK ||
        weft_thread_join(sender, WEFT_FOREVER, NULL) != WEFT_OK)
        abort();
    weft_thread_release(sender); /* to have the same lines each time */
    while (weft_queue_wait_any(queues, QUEUES, WEFT_FOREVER, &i) == WEFT_OK) {
        const enum weft_status s = weft_queue_get(queues[i], &item, WEFT_NOW);
        if (s == WEFT_OK) {
            printf("%s: %s\n", names[i], (char *)item);
        } else if (s == WEFT_CLOSED) {
            printf("%s: no more\n", names[i]);
            weft_queue_destroy(queues[i]);
            queues[i] = NULL;
        }
    }
}
