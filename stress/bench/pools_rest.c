/* SPDX-License-Identifier: MIT */
/*
 * pools_rest.c - a pool that rests: what that costs, how long it takes to get
 * up, and what room those take that wait meanwhile.
 */
#include <weft/event.h>
#include <weft/pool.h>

#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
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

static bool
pool_trip(struct pool_place *at)
{
    weft_future *f;

    if (weft_pool_submit(at->pool, return_arg, at, &f) != WEFT_OK)
        return false;
    const enum weft_status s = weft_future_wait(f, WEFT_FOREVER);
    weft_future_release(f);
    return s == WEFT_OK;
}

/* --- two threads that wake each other, and nothing else --------------------- */

struct bare {
    sem_t there;
    sem_t back;
    bool over; /* handed over with `there` */
    pthread_t other;
};

static void *
answer(void *arg)
{
    struct bare *b = arg;

    while (sem_wait(&b->there) == 0 && !b->over)
        sem_post(&b->back);
    return NULL;
}

static bool
begin_bare(struct bare *b)
{
    b->over = false;
    return sem_init(&b->there, 0, 0) == 0 && sem_init(&b->back, 0, 0) == 0 &&
           pthread_create(&b->other, NULL, answer, b) == 0;
}

static void
end_bare(struct bare *b)
{
    b->over = true;
    sem_post(&b->there);
    pthread_join(b->other, NULL);
    sem_destroy(&b->there);
    sem_destroy(&b->back);
}

static bool
bare_trip(struct bare *b)
{
    sem_post(&b->there);
    return sem_wait(&b->back) == 0;
}

uint64_t
pool_bare_trips(struct pool_place *at)
{
    struct bare b;
    unsigned done = 0;

    (void)at;
    if (!begin_bare(&b))
        return 0;
    while (done < POOL_TRIPS && bare_trip(&b))
        done++;
    end_bare(&b);
    return done == POOL_TRIPS ? done : 0;
}

/* The time of a trip after a rest; without a pool the bare one's. */
double
pool_cold(struct pool_place *at)
{
    const int64_t end = clock_ns() + (int64_t)(at->seconds * 1e9);
    const bool bare = at->pool == NULL;
    struct bare b;
    int64_t took = 0;
    unsigned n = 0;
    bool done = !bare || begin_bare(&b);

    while (done && (n == 0 || clock_ns() < end)) {
        sleep_s(COLD_S);
        const int64_t begin = clock_ns();
        done = bare ? bare_trip(&b) : pool_trip(at);
        took += clock_ns() - begin;
        n++;
    }
    if (bare && n > 0)
        end_bare(&b);
    return done ? (double)took / n / 1e3 : -1;
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
