/* SPDX-License-Identifier: MIT */
/*
 * workers.c - a gate for threads, and the clock that stops them.
 *
 * Each worker reports at the gate and sleeps there until it opens or is called
 * off.  Those that fit on the CPUs then wait for each other once more, awake,
 * so that none has finished before the last one is running; with more threads
 * than CPUs that would only burn the time of those that still sleep.
 *
 * Ordering.  The gate is a mutex and a condition: they carry all data in and,
 * with the join, out.  `stop` and `awake` carry none and are relaxed.
 */
#include "workers.h"

#include <weft/base.h>

#include <pthread.h>
#include <sched.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "memory.h"
#include "progress.h"

#define NS_PER_S INT64_C(1000000000)
#define STEP_NS  (NS_PER_S / 10) /* between two looks at the user's wishes */

enum gate { GATE_CLOSED, GATE_OPEN, GATE_CALLED_OFF };

struct running {
    struct crew *crew;
    pthread_mutex_t lock;
    pthread_cond_t moved;   /* the gate */
    pthread_cond_t reached; /* one of the counts, the number of threads */
    enum gate gate;
    unsigned at_gate;
    unsigned finished;
    bool meet; /* constant: wait for each other, awake */
    atomic_uint awake;
    atomic_bool stop;
};

/* On lines of its own: its random numbers are written all the time. */
struct seat {
    alignas(64) struct worker worker;
    struct running *running;
    pthread_t thread;
};

static void *
work(void *argument)
{
    struct seat *s = argument;
    struct running *run = s->running;

    pthread_mutex_lock(&run->lock);
    run->at_gate++;
    if (run->at_gate == s->worker.count)
        pthread_cond_signal(&run->reached);
    while (run->gate == GATE_CLOSED)
        pthread_cond_wait(&run->moved, &run->lock);
    const bool go = run->gate == GATE_OPEN;
    pthread_mutex_unlock(&run->lock);
    if (!go)
        return NULL;

    if (run->meet) {
        atomic_fetch_add_explicit(&run->awake, 1, memory_order_relaxed);
        while (atomic_load_explicit(&run->awake, memory_order_relaxed) <
               s->worker.count)
            sched_yield();
    }
    run->crew->body(&s->worker);
    s->worker.end_ns = clock_ns();

    pthread_mutex_lock(&run->lock);
    run->finished++;
    if (run->finished == s->worker.count)
        pthread_cond_signal(&run->reached);
    pthread_mutex_unlock(&run->lock);
    return NULL;
}

/* Let worker `index` of the future thread run on one CPU of this process. */
static int
pin(pthread_attr_t *attributes, unsigned index)
{
    cpu_set_t mine;
    cpu_set_t one;

    if (sched_getaffinity(0, sizeof(mine), &mine) != 0)
        return -1;
    unsigned skip = index % (unsigned)CPU_COUNT(&mine);
    unsigned cpu = 0;
    while (!CPU_ISSET(cpu, &mine) || skip-- > 0)
        cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    return pthread_attr_setaffinity_np(attributes, sizeof(one), &one);
}

/* Start one worker; return 0 or the system's error number. */
static int
start(struct running *run, struct seat *s, unsigned index)
{
    struct crew *c = run->crew;

    s->running = run;
    s->worker = (struct worker){.index = index,
                                .count = c->threads,
                                .shared = c->shared,
                                .stop = &run->stop};
    prng_seed(&s->worker.random, c->seed, index);

    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error != 0)
        return error;
    if (c->pin)
        error = pin(&attributes, index);
    if (error == 0)
        error = pthread_create(&s->thread, &attributes, work, s);
    pthread_attr_destroy(&attributes);
    return error;
}

/* Wait for a change, but not beyond the next step; the lock is held. */
static void
wait_a_step(struct running *run, int64_t end_ns)
{
    int64_t until = clock_ns() + STEP_NS;

    if (end_ns < until)
        until = end_ns;
    const struct timespec t = {.tv_sec = (time_t)(until / NS_PER_S),
                               .tv_nsec = (long)(until % NS_PER_S)};
    pthread_cond_timedwait(&run->reached, &run->lock, &t);
}

/* Open the gate and wait until all have finished; return when it opened. */
static int64_t
watch(struct running *run)
{
    struct crew *c = run->crew;
    int64_t end_ns = INT64_MAX;

    pthread_mutex_lock(&run->lock);
    while (run->at_gate < c->threads)
        pthread_cond_wait(&run->reached, &run->lock);
    run->gate = GATE_OPEN;
    const int64_t begin_ns = clock_ns();
    if (c->seconds > 0)
        end_ns = begin_ns + (int64_t)(c->seconds * (double)NS_PER_S);
    pthread_cond_broadcast(&run->moved);
    while (run->finished < c->threads) {
        wait_a_step(run, end_ns);
        if (clock_ns() >= end_ns || interrupt_came()) {
            atomic_store_explicit(&run->stop, true, memory_order_relaxed);
            end_ns = INT64_MAX;
        }
        progress_step();
    }
    pthread_mutex_unlock(&run->lock);
    return begin_ns;
}

static void
prepare(struct running *run)
{
    pthread_condattr_t monotonic;

    pthread_mutex_init(&run->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&run->reached, &monotonic);
    pthread_cond_init(&run->moved, NULL);
    pthread_condattr_destroy(&monotonic);
    atomic_init(&run->awake, 0);
    atomic_init(&run->stop, false);
}

bool
crew_run(struct crew *c, struct report *r)
{
    struct running run = {.crew = c, .gate = GATE_CLOSED};
    struct seat *seats = must_have(c->threads, sizeof(struct seat));
    unsigned started = 0;
    int error = 0;
    int64_t begin_ns = 0;

    prepare(&run);
    run.meet = c->threads <= weft_cpu_count();
    /* Without a word of its own it is a step of something longer. */
    if (c->what != NULL)
        progress_begin(c->what, c->seconds);
    while (started < c->threads && error == 0) {
        error = start(&run, &seats[started], started);
        if (error == 0)
            started++;
    }
    if (error == 0) {
        begin_ns = watch(&run);
    } else {
        pthread_mutex_lock(&run.lock);
        run.gate = GATE_CALLED_OFF;
        pthread_cond_broadcast(&run.moved);
        pthread_mutex_unlock(&run.lock);
    }
    int64_t last_ns = begin_ns;
    for (unsigned i = 0; i < started; i++) {
        pthread_join(seats[i].thread, NULL);
        if (seats[i].worker.end_ns > last_ns)
            last_ns = seats[i].worker.end_ns;
    }
    if (c->what != NULL)
        progress_end();
    c->elapsed_s = (double)(last_ns - begin_ns) / (double)NS_PER_S;
    if (error != 0)
        report_abandon(r, "cannot start thread %u of %u: %s", started + 1,
                       c->threads, strerror(error));
    pthread_cond_destroy(&run.moved);
    pthread_cond_destroy(&run.reached);
    pthread_mutex_destroy(&run.lock);
    free(seats);
    return error == 0;
}
