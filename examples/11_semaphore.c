/* SPDX-License-Identifier: MIT */
/*
 * 11_semaphore.c - ten clients share three connections.
 *
 * A semaphore is a number of permits: who takes one and finds none waits.  A
 * mutex lets in one, this one three.  Each client puts its permit back, on
 * every way out, or the pool runs dry; one release too many, the opposite
 * mistake, is refused because the semaphore was given a maximum: last line.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft.h>

enum { CLIENTS = 10, CONNECTIONS = 3, QUERIES = 1000 };

static weft_semaphore pool = WEFT_SEMAPHORE_INIT(CONNECTIONS, CONNECTIONS);
static atomic_int in_use;
static atomic_int answered;
static atomic_int crowded; /* how often a fourth was in */

static void *
client(void *unused)
{
    for (int i = 0; i < QUERIES; i++) {
        if (weft_semaphore_acquire(&pool, WEFT_FOREVER) != WEFT_OK)
            return weft_fail(1, "no connection");
        if (atomic_fetch_add(&in_use, 1) >= CONNECTIONS)
            atomic_fetch_add(&crowded, 1);
        atomic_fetch_add(&answered, 1); /* the query itself */
        atomic_fetch_sub(&in_use, 1);
        if (weft_semaphore_release(&pool, 1) != WEFT_OK)
            return weft_fail(2, "released more than was taken");
    }
    return unused;
}

int
main(void)
{
    weft_thread *clients[CLIENTS];

    for (int i = 0; i < CLIENTS; i++)
        if (weft_thread_start(&clients[i], client, NULL, NULL) != WEFT_OK)
            return EXIT_FAILURE;
    for (int i = 0; i < CLIENTS; i++) {
        if (weft_thread_join(clients[i], WEFT_FOREVER, NULL) != WEFT_OK)
            return EXIT_FAILURE;
        weft_thread_release(clients[i]);
    }
    printf("%d queries, more than %d at once: %d times\n",
           atomic_load(&answered), CONNECTIONS, atomic_load(&crowded));
    printf("free again: %u\n", (unsigned)weft_semaphore_value(&pool));
    printf("one release too many: %s\n",
           weft_status_name(weft_semaphore_release(&pool, 1)));
}
