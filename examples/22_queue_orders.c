/* SPDX-License-Identifier: MIT */
/*
 * 22_queue_orders.c - the same items through three queues: which leaves first
 * is an option, everything else about a queue stays the same.
 *
 * WEFT_FIFO is the oldest first, WEFT_LIFO the newest, WEFT_PRIORITY the lowest:
 * its `key` gives each item a number.  Patients who are equally ill are seen in
 * the order in which they came.  (Python compares further, and fails if it
 * cannot.)
 */
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft.h>

struct patient {
    const char *name;
    int rank; /* 1 cannot wait */
};

static struct patient patients[] = {
    {"Ada", 3}, {"Ben", 2}, {"Cleo", 1}, {"Dan", 2}, {"Eve", 1},
};

enum { PATIENTS = sizeof(patients) / sizeof(patients[0]) };

static int64_t
rank(const void *item, void *unused)
{
    (void)unused;
    return ((const struct patient *)item)->rank;
}

static void
show(const char *title, weft_queue_options options)
{
    weft_queue *queue;
    void *next;

    options.capacity = PATIENTS;
    if (weft_queue_create(&queue, &options) != WEFT_OK)
        abort();
    for (int i = 0; i < PATIENTS; i++)
        if (weft_queue_put(queue, &patients[i], WEFT_FOREVER) != WEFT_OK)
            abort();
    printf("%-14s", title);
    while (weft_queue_get(queue, &next, WEFT_NOW) == WEFT_OK)
        printf(" %s", ((struct patient *)next)->name);
    printf("\n");
    weft_queue_destroy(queue);
}

int
main(void)
{
    show("oldest first:", (weft_queue_options){.order = WEFT_FIFO});
    show("newest first:", (weft_queue_options){.order = WEFT_LIFO});
    show("lowest first:",
         (weft_queue_options){.order = WEFT_PRIORITY, .key = rank});
}
