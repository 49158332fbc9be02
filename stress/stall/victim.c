/* SPDX-License-Identifier: MIT */
/*
 * victim.c - a thread that stops in its signal handler until it is let go.
 *
 * The handler posts one semaphore and waits for another.  POSIX does not list
 * sem_wait among what a handler may call; with glibc it is a futex and touches
 * nothing of the interrupted code.
 *
 * Ordering.  `go` hands a job over.  What the thread did comes back with its
 * event, on one edge; the semaphore `news` only says that there is one:
 *
 *     tell   the thread stores what happened to it  ->  the main one reads it
 *
 * victim_surprise sends the signal after a random pause.  One that finds the
 * thread between two calls is answered by "missed" and sent again, but not for
 * ever: ThreadSanitizer delivers signals at atomic operations and system calls
 * only, and there are calls without any.
 */
#include "stall/victim.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include "stall/step.h"

#define PATIENCE_S    10
#define SURPRISE      SIGURG /* ignored unless it is caught */
#define PAUSE_NS_MOST 50000
#define MISSES_MOST   200

enum event { HALTED, RETURNED, MISSED };
enum task { STEP, SURPRISE_ME, QUIT };

struct victim {
    pthread_t thread;
    sem_t go;   /* to the thread: there is a job, or go on */
    sem_t news; /* from it: `event` is set */
    _Atomic enum event event;

    /* Of whoever is not waiting. */
    enum task task;
    struct job job;
    struct step step;
    uintptr_t place;
    _Atomic bool enough; /* SURPRISE_ME: this was the last call */

    volatile sig_atomic_t inside; /* between thread and its own handler */
    struct sigaction before;
};

static struct victim *current; /* for the handler */

static void
wait_for(sem_t *s)
{
    while (sem_wait(s) != 0 && errno == EINTR)
        ;
}

static void
tell(struct victim *v, enum event e)
{
    /* release: tell */
    atomic_store_explicit(&v->event, e, memory_order_release);
    sem_post(&v->news);
}

static enum event
hear(const struct victim *v)
{
    /* acquire: tell */
    return atomic_load_explicit(&v->event, memory_order_acquire);
}

static void
halt(void *context, uintptr_t place)
{
    struct victim *v = context;

    v->place = place;
    tell(v, HALTED);
    wait_for(&v->go);
}

static void
surprised(int number, siginfo_t *info, void *ucontext)
{
    struct victim *v = current;
    const int error = errno;

    (void)number;
    (void)info;
    if (v->inside) {
        atomic_store_explicit(&v->enough, true, memory_order_relaxed);
        halt(v, step_place(ucontext));
    } else {
        tell(v, MISSED);
        wait_for(&v->go);
    }
    errno = error;
}

static void
be_surprised(struct victim *v)
{
    for (;;) {
        v->inside = 1;
        v->job.call(v->job.state);
        v->inside = 0;
        /* Relaxed: seen late, it costs one more call. */
        if (atomic_load_explicit(&v->enough, memory_order_relaxed))
            return;
        v->job.undo(v->job.state);
    }
}

static void *
live(void *arg)
{
    struct victim *v = arg;

    for (;;) {
        wait_for(&v->go);
        if (v->task == QUIT)
            return NULL;
        if (v->task == STEP)
            step_call(&v->step, v->job.call, v->job.state);
        else
            be_surprised(v);
        tell(v, RETURNED);
    }
}

struct victim *
victim_start(void)
{
    struct victim *v = calloc(1, sizeof(*v));
    struct sigaction action = {.sa_sigaction = surprised,
                               .sa_flags = SA_SIGINFO};

    if (v == NULL)
        return NULL;
    sem_init(&v->go, 0, 0);
    sem_init(&v->news, 0, 0);
    current = v;
    if (pthread_create(&v->thread, NULL, live, v) != 0) {
        sem_destroy(&v->go);
        sem_destroy(&v->news);
        free(v);
        return NULL;
    }
    sigemptyset(&action.sa_mask);
    sigaction(SURPRISE, &action, &v->before);
    step_begin();
    return v;
}

void
victim_join(struct victim *v)
{
    v->task = QUIT;
    sem_post(&v->go);
    pthread_join(v->thread, NULL);
    step_end();
    sigaction(SURPRISE, &v->before, NULL);
    sem_destroy(&v->go);
    sem_destroy(&v->news);
    free(v);
}

void
victim_step(struct victim *v, const struct job *j, unsigned long first,
            unsigned long second)
{
    v->task = STEP;
    v->job = *j;
    v->step =
        (struct step){.stops = {first, second}, .stopped = halt, .context = v};
    sem_post(&v->go);
}

void
victim_surprise(struct victim *v, const struct job *j, struct prng *random)
{
    v->task = SURPRISE_ME;
    v->job = *j;
    atomic_store_explicit(&v->enough, false, memory_order_relaxed);
    sem_post(&v->go);
    for (unsigned misses = 0; misses < MISSES_MOST; misses++) {
        const struct timespec pause = {
            .tv_nsec = (long)prng_below(random, PAUSE_NS_MOST)};

        nanosleep(&pause, NULL);
        pthread_kill(v->thread, SURPRISE);
        wait_for(&v->news);
        if (hear(v) == HALTED) {
            sem_post(&v->news); /* for victim_wait */
            return;
        }
        sem_post(&v->go);
    }
    atomic_store_explicit(&v->enough, true, memory_order_relaxed);
}

enum victim_event
victim_wait(struct victim *v)
{
    struct timespec until;
    int failed;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += PATIENCE_S;
    do
        failed = sem_clockwait(&v->news, CLOCK_MONOTONIC, &until);
    while (failed != 0 && errno == EINTR);
    if (failed != 0)
        return VICTIM_STUCK;
    return hear(v) == HALTED ? VICTIM_STOPPED : VICTIM_ENDED;
}

uintptr_t
victim_place(const struct victim *v)
{
    return v->place;
}

void
victim_go_on(struct victim *v)
{
    sem_post(&v->go);
}
