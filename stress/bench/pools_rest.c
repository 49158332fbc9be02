/* SPDX-License-Identifier: MIT */
/*
 * pools_rest.c - a pool that rests: what that costs, how long it takes to get
 * up, and what room those take that wait meanwhile.
 */
#include <weft/event.h>
#include <weft/pool.h>

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/pools.h"
#include "memory.h"
#include "progress.h"

#define IDLE_S   3.0 /* or as much as the row has */
#define SETTLE_S 0.02
#define LEAST_US 0.01 /* of 0 no number is shown */
#define COLD_S   0.001
#define MANY     1000000
#define FEW      20000
#define SHORT_S  0.02 /* a row that has less does less */

static void
sleep_s(double s)
{
    nanosleep(
        &(struct timespec){.tv_sec = (time_t)s,
                           .tv_nsec = (long)((s - (double)(time_t)s) * 1e9)},
        NULL);
}

static double
cpu_us(clockid_t whose)
{
    struct timespec t;

    clock_gettime(whose, &t);
    return 1e6 * (double)t.tv_sec + (double)t.tv_nsec / 1e3;
}

/* Of all threads but this one. */
static double
others_us(void)
{
    return cpu_us(CLOCK_PROCESS_CPUTIME_ID) - cpu_us(CLOCK_THREAD_CPUTIME_ID);
}

double
pool_idle(struct pool_place *at)
{
    const double s = at->seconds < IDLE_S ? at->seconds : IDLE_S;

    sleep_s(SETTLE_S);
    const double before_us = others_us();
    const int64_t begin = clock_ns();
    sleep_s(s);
    const double took_s = (double)(clock_ns() - begin) / 1e9;
    const double us = (others_us() - before_us) / took_s * IDLE_S;
    return us > LEAST_US ? us : LEAST_US;
}

static void *
return_arg(void *arg)
{
    return arg;
}

double
pool_weft_cold(struct pool_place *at)
{
    const int64_t end = clock_ns() + (int64_t)(at->seconds * 1e9);
    int64_t took = 0;
    unsigned n = 0;

    do {
        weft_future *f;
        sleep_s(COLD_S);
        const int64_t begin = clock_ns();
        if (weft_pool_submit(at->pool, return_arg, at, &f) != WEFT_OK)
            return -1;
        const enum weft_status s = weft_future_wait(f, WEFT_FOREVER);
        took += clock_ns() - begin;
        n++;
        weft_future_release(f);
        if (s != WEFT_OK)
            return -1;
    } while (clock_ns() < end);
    return (double)took / n / 1e3;
}

/* --- room ------------------------------------------------------------------ */

static void *
wait_for(void *event)
{
    (void)weft_event_wait(event, WEFT_FOREVER);
    return event;
}

/* Of the process, what it could give back given back; queues map memory too. */
static double
resident_bytes(bool trim)
{
    unsigned long long all;
    unsigned long long resident = 0;

#ifdef __GLIBC__
    if (trim)
        (void)malloc_trim(0);
#endif
    FILE *f = fopen("/proc/self/statm", "r");
    if (f == NULL)
        return 0;
    if (fscanf(f, "%llu %llu", &all, &resident) != 2)
        resident = 0;
    fclose(f);
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

/* Its one worker waits meanwhile; the others would run them. */
static double
room_of(struct pool_place *at, bool with_future)
{
    const unsigned n = at->seconds < SHORT_S ? FEW : MANY;
    weft_future **futures = must_have(n, sizeof(weft_future *));
    weft_event gate;
    weft_future *first;
    double room = -1;

    weft_event_init(&gate);
    if (weft_pool_submit(at->pool, wait_for, &gate, &first) == WEFT_OK) {
        memset(futures, 0xff, n * sizeof(weft_future *)); /* resident */
        const double before = resident_bytes(true);
        unsigned done = 0;
        while (done < n &&
               weft_pool_submit(at->pool, return_arg, at,
                                with_future ? &futures[done] : NULL) == WEFT_OK)
            done++;
        room = done < n ? -1 : (resident_bytes(false) - before) / n;
        weft_event_set(&gate);
        (void)weft_future_wait(first, WEFT_FOREVER);
        weft_future_release(first);
        for (unsigned i = 0; with_future && i < done; i++)
            weft_future_release(futures[i]);
    }
    free(futures);
    return room;
}

double
pool_weft_room(struct pool_place *at)
{
    return room_of(at, false);
}

double
pool_weft_future_room(struct pool_place *at)
{
    return room_of(at, true);
}
