/* SPDX-License-Identifier: MIT */
/*
 * common.h - what the programs of this folder share, so that each shows little
 * more than its locks.
 */
#ifndef TESTS_DEADLOCK_COMMON_H
#define TESTS_DEADLOCK_COMMON_H

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#define MUTEX PTHREAD_MUTEX_INITIALIZER

/* Long enough for a checker to look several times. */
#define A_WHILE_MS 300

static inline void
must(int result)
{
    if (result != 0) {
        fprintf(stderr, "a call failed: %s\n", strerror(result));
        _exit(1);
    }
}

static inline pthread_t
start(void *(*routine)(void *), void *arg)
{
    pthread_t t;

    must(pthread_create(&t, NULL, routine, arg));
    return t;
}

static inline void
join(pthread_t t)
{
    must(pthread_join(t, NULL));
}

static inline void
run_both(void *(*a)(void *), void *(*b)(void *))
{
    const pthread_t ta = start(a, NULL);
    const pthread_t tb = start(b, NULL);

    join(ta);
    join(tb);
}

static inline void
sleep_ms(long ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};

    while (nanosleep(&t, &t) != 0)
        continue;
}

/* Long enough for what another thread does to be over, mostly: nothing forces
 * that. */
static inline void
apart(void)
{
    sleep_ms(40);
}

/* The same for a thread that nobody joins and that says when it is: by a word
 * that is polled, of which the tool knows nothing. */
static int is_over_;

static inline void
over(void)
{
    __atomic_store_n(&is_over_, 1, __ATOMIC_RELEASE);
}

static inline void
until_over(void)
{
    while (__atomic_load_n(&is_over_, __ATOMIC_ACQUIRE) == 0)
        sleep_ms(1);
}

static inline void
run_apart(void *(*a)(void *), void *(*b)(void *))
{
    const pthread_t ta = start(a, NULL);
    apart();
    const pthread_t tb = start(b, NULL);

    join(ta);
    join(tb);
}

static inline struct timespec
in_ms(long ms)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_nsec += ms * 1000000;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

/* Two threads have both come here. */
static pthread_barrier_t both_;

__attribute__((constructor, unused)) static void
make_both(void)
{
    must(pthread_barrier_init(&both_, NULL, 2));
}

static inline void
meet(void)
{
    pthread_barrier_wait(&both_);
}

/* No functions: a report has the lines of the program. */
#define lock(m)   must(pthread_mutex_lock(m))
#define unlock(m) must(pthread_mutex_unlock(m))

static inline void
init_kind(pthread_mutex_t *m, int kind)
{
    pthread_mutexattr_t a;

    must(pthread_mutexattr_init(&a));
    must(pthread_mutexattr_settype(&a, kind));
    must(pthread_mutex_init(m, &a));
    must(pthread_mutexattr_destroy(&a));
}

#endif /* TESTS_DEADLOCK_COMMON_H */
