/* SPDX-License-Identifier: MIT */
/*
 * measure_order.c - what the prediction of deadlocks costs, for
 * doc/design/deadlock_order.md: nanoseconds for a lock and its unlock, of what
 * order.h adds to them, the least of some rounds; and memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/deadline.h"
#include "deadlock/order.h"

#define ROUNDS 7
#define MANY   100000

static struct weft_order *graph;
static struct weft_order_thread first;
static struct weft_order_thread second;
static uint64_t ids = 10;
static char objects[16 * MANY];
static struct weft_dl_held held[128];
static uint32_t held_count;

#define OBJECT(i) (&objects[16 * (i)])

static void *
map(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return p != MAP_FAILED ? p : NULL;
}

static void
begin(void)
{
    const struct weft_order_options options = {.map = map};

    graph = weft_order_create_(&options);
    if (graph == NULL)
        abort();
    memset(&first, 0, sizeof(first));
    memset(&second, 0, sizeof(second));
    weft_order_begins_(graph, &first, ids++);
    weft_order_begins_(graph, &second, ids++);
}

static inline void
lock(struct weft_order_thread *t, int i)
{
    if (!weft_order_knows_(t, OBJECT(i), WEFT_KIND_MUTEX)) {
        const struct weft_dl_held wanted = {
            OBJECT(i), WEFT_KIND_MUTEX, {{0x1000}}};
        weft_order_wants_(t, &wanted, held, held_count);
    }
    weft_order_holds_(t, OBJECT(i), WEFT_KIND_MUTEX);
    held[held_count++] =
        (struct weft_dl_held){OBJECT(i), WEFT_KIND_MUTEX, {{0x1000}}};
}

static inline void
unlock(struct weft_order_thread *t, int i)
{
    weft_order_drops_(t, OBJECT(i), WEFT_KIND_MUTEX);
    held_count--;
}

/* One round of each returns how many locks it took. */

static int
nested(void)
{
    for (int i = 0; i < 500000; i++) {
        lock(&first, 0);
        lock(&first, 1);
        unlock(&first, 1);
        unlock(&first, 0);
    }
    return 1000000;
}

static int
one_of(int n, int times)
{
    for (int k = 0; k < times; k++)
        for (int i = 1; i <= n; i++) {
            lock(&first, 0);
            lock(&first, i);
            unlock(&first, i);
            unlock(&first, 0);
        }
    return 2 * n * times;
}

static int
one_of_64(void)
{
    return one_of(64, 10000);
}

static int
one_of_1000(void)
{
    return one_of(1000, 500);
}

static int
one_of_many(void)
{
    return one_of(MANY - 1, 2);
}

static int
all_64(void)
{
    for (int k = 0; k < 5000; k++) {
        for (int i = 0; i < 64; i++)
            lock(&first, i);
        for (int i = 64; i-- > 0;)
            unlock(&first, i);
    }
    return 5000 * 64;
}

static int
all_64_backwards(void)
{
    for (int k = 0; k < 5000; k++) {
        for (int i = 0; i < 64; i++)
            lock(&first, i);
        for (int i = 0; i < 64; i++)
            unlock(&first, i);
    }
    return 5000 * 64;
}

/* Others go on behind each round: all is told again. */
static int
told_each_time(void)
{
    for (int i = 0; i < 100000; i++) {
        lock(&first, 0);
        lock(&first, 1);
        unlock(&first, 1);
        unlock(&first, 0);
        weft_order_tells_(&first, OBJECT(9), NULL);
        weft_order_told_(&second, OBJECT(9));
        weft_order_tells_(&second, OBJECT(10), NULL);
        weft_order_told_(&first, OBJECT(10));
    }
    return 200000;
}

/* Locks that live once. */
static int
short_lives(void)
{
    for (int i = 0; i < 200000; i++) {
        const int l = 1 + i % 1000;
        lock(&first, 0);
        lock(&first, l);
        unlock(&first, l);
        unlock(&first, 0);
        weft_order_forgets_(graph, OBJECT(l), 16);
    }
    return 400000;
}

/* Threads that live for two pairs of locks. */
static int
short_threads(void)
{
    struct weft_order_thread t;

    memset(&t, 0, sizeof(t));
    for (int i = 0; i < 100000; i++) {
        weft_order_creates_(&first, ids);
        weft_order_begins_(graph, &t, ids);
        lock(&t, 0);
        lock(&t, 1 + i % 2);
        unlock(&t, 1 + i % 2);
        unlock(&t, 0);
        weft_order_ends_(&t);
        weft_order_joins_(&first, ids++);
    }
    return 200000;
}

static void
measure(const char *name, int (*run)(void), int rounds)
{
    double least = 0;

    begin();
    for (int round = 0; round < rounds; round++) {
        const int64_t from = weft_clock_ns_();
        const int n = run();
        const double ns = (double)(weft_clock_ns_() - from) / n;
        if (round == 0 || ns < least)
            least = ns;
        if (round == 0)
            printf("%-34s %9.1f", name, ns);
    }
    printf(" %9.1f %9zu%s\n", least, weft_order_bytes_(graph) >> 10,
           weft_order_is_full_(graph) ? "  full" : "");
}

int
main(void)
{
    printf("%-34s %9s %9s %9s\n", "", "first", "least", "KiB");
    measure("two, one in the other", nested, ROUNDS);
    measure("one of 64 in another", one_of_64, ROUNDS);
    measure("one of 1000 in another", one_of_1000, ROUNDS);
    measure("one of 100000 in another", one_of_many, ROUNDS);
    measure("64 in each other", all_64, ROUNDS);
    measure("64 in each other, oldest up first", all_64_backwards, ROUNDS);
    measure("two, others go on behind", told_each_time, ROUNDS);
    measure("two, one of them lives once", short_lives, ROUNDS);
    measure("two, in a thread of their own", short_threads, ROUNDS);
    return 0;
}
