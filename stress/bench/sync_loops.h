/* SPDX-License-Identifier: MIT */
/*
 * sync_loops.h - the measured loops of locks and wake-ups, written once and
 * compiled for each variant with its operations as constants (queue_loops.h
 * says how and why).
 *
 * Beside an operation there is, in a pair or a call, an eighth of a loop; in a
 * section a counter on a line of its own, which shows whether two were in at
 * once; around it a look at the stop flag, a line that nobody writes.
 *
 * The counters are atomics that nobody changes by a read-modify-write: two
 * threads that are in together lose a count.  They are no plain words because
 * ThreadSanitizer does not see how a foreign lock guards them.
 *
 * Ordering.  What is measured carries all the data but for one edge of IDLE:
 *
 *     step   one thread is as far as it says  ->  the other goes on
 *
 * The stop flag and the last round carry none and are relaxed.
 */
#ifndef STRESS_BENCH_SYNC_LOOPS_H
#define STRESS_BENCH_SYNC_LOOPS_H

#include <time.h>

#include "bench/sync.h"
#include "progress.h"

#define SYNC_BATCH   64 /* pairs between two looks at the stop flag */
#define SYNC_CHECK   16 /* one read in so many compares the two counters */
#define SYNC_LOOK    64 /* one round in so many looks at the neighbour */
#define SYNC_IDLE_NS 100000000
#define SYNC_NAP_NS  200000
#define SYNC_INLINE  static inline __attribute__((always_inline))

/* Work that touches no memory: `loops` steps of a chain, four cycles each. */
SYNC_INLINE uint64_t
sync_busy(uint64_t x, unsigned loops)
{
    for (; loops > 0; loops--) {
        x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        __asm__ volatile("" : "+r"(x));
    }
    return x;
}

/* Without jitter `loops`; else up to half of it more or less, drawn from x. */
SYNC_INLINE unsigned
sync_jitter(uint64_t x, unsigned loops, unsigned jitter)
{
    if (jitter == 0)
        return loops;
    return loops - jitter / 2 + (unsigned)(((x >> 32) * (jitter + 1)) >> 32);
}

/* One more; returns what it was. */
SYNC_INLINE uint64_t
sync_count(_Atomic uint64_t *counter)
{
    const uint64_t was = atomic_load_explicit(counter, memory_order_relaxed);

    atomic_store_explicit(counter, was + 1, memory_order_relaxed);
    return was;
}

SYNC_INLINE void
sync_pairs(struct sync_hand *h, const struct sync_ops *ops)
{
    void *const object = h->object;
    uint64_t done = 0;

    do {
        for (int i = 0; i < SYNC_BATCH; i += 8) {
#pragma GCC unroll 8
            for (int k = 0; k < 8; k++) {
                ops->enter(h, object);
                ops->leave(h, object);
                __asm__ volatile("" ::: "memory");
            }
        }
        done += SYNC_BATCH;
    } while (!worker_is_stopped(h->worker));
    h->done = done;
}

SYNC_INLINE void
sync_calls(struct sync_hand *h, const struct sync_ops *ops)
{
    void *const object = h->object;
    uint64_t done = 0;

    /* A call may take a thread's life: then a batch is one. */
    const int batch = h->run->load->in_us ? 8 : SYNC_BATCH;
    do {
        for (int i = 0; i < batch; i += 8) {
#pragma GCC unroll 8
            for (int k = 0; k < 8; k++) {
                ops->call(h, object);
                __asm__ volatile("" ::: "memory");
            }
        }
        done += (uint64_t)batch;
    } while (!worker_is_stopped(h->worker));
    h->done = done;
}

SYNC_INLINE void
sync_sections(struct sync_hand *h, const struct sync_ops *ops)
{
    void *const object = h->object;
    struct sync_run *const run = h->run;
    const struct sync_load load = *run->load;
    uint64_t x = h->random;
    uint64_t done = 0;

    do {
        ops->enter(h, object);
        x = sync_busy(x, load.inside_loops);
        sync_count(&run->plain);
        ops->leave(h, object);
        x = sync_busy(x, sync_jitter(x, load.outside_loops, load.jitter_loops));
        done++;
    } while (!worker_is_stopped(h->worker));
    h->random = x;
    h->done = done;
}

SYNC_INLINE void
sync_write_turn(struct sync_hand *h, const struct sync_ops *ops, void *object)
{
    if (ops->write_enter != NULL)
        ops->write_enter(h, object);
    else
        ops->enter(h, object);
    sync_count(&h->run->plain);
    sync_count(&h->run->twin);
    if (ops->write_leave != NULL)
        ops->write_leave(h, object);
    else
        ops->leave(h, object);
}

/* Whether the two counters are as no writer leaves them. */
SYNC_INLINE bool
sync_is_torn(struct sync_run *run)
{
    return atomic_load_explicit(&run->plain, memory_order_relaxed) !=
           atomic_load_explicit(&run->twin, memory_order_relaxed);
}

SYNC_INLINE void
sync_readers(struct sync_hand *h, const struct sync_ops *ops)
{
    void *const object = h->object;
    const unsigned percent = h->run->load->write_percent;
    uint64_t x = h->random;
    uint64_t writes = 0;
    uint64_t done = 0;

    do {
        for (int i = 0; i < SYNC_CHECK; i++) {
            x = percent > 0 ? sync_busy(x, 1) : x;
            if (percent > 0 && (x >> 32) * 100 >> 32 < percent) {
                sync_write_turn(h, ops, object);
                writes++;
                continue;
            }
            ops->enter(h, object);
            if (i == SYNC_CHECK / 2)
                h->wrong += sync_is_torn(h->run);
            ops->leave(h, object);
        }
        done += SYNC_CHECK;
    } while (!worker_is_stopped(h->worker));
    h->done = done;
    h->writes = writes;
}

/* Side 0 serves until it is told to stop; then side 1 returns the last ball. */
SYNC_INLINE void
sync_ping(struct sync_hand *h, const struct sync_ops *ops)
{
    struct sync_run *const run = h->run;
    void *const object = h->object;
    const unsigned side = h->index;
    uint64_t round = 0;
    bool last = false;

    while (!last) {
        if (side == 1)
            ops->await(h, object, side);
        else if (worker_is_stopped(h->worker))
            atomic_store_explicit(&run->last_round, round,
                                  memory_order_relaxed);
        last = atomic_load_explicit(&run->last_round, memory_order_relaxed) <=
               round;
        h->wrong += sync_count(&run->plain) != 2 * round + side;
        ops->signal(h, object, 1 - side);
        if (side == 0)
            ops->await(h, object, side);
        round++;
    }
    h->done = round;
}

/* Whether the next thread is where it can be once all have met: in the round
 * that we have left or, since then, the one after it. */
SYNC_INLINE bool
sync_is_astray(struct sync_hand *h, uint64_t round)
{
    const unsigned next = (h->index + 1) % h->run->load->threads;
    const uint64_t its =
        atomic_load_explicit(&h->run->hands[next].round, memory_order_relaxed);

    return its < round || its > round + 1;
}

SYNC_INLINE void
sync_rounds(struct sync_hand *h, const struct sync_ops *ops)
{
    struct sync_run *const run = h->run;
    void *const object = h->object;
    uint64_t round = 0;

    do {
        round++;
        /* Whoever leaves this round has met thread 0 after this; whoever is
         * still leaving the one before it has another number. */
        if (h->index == 0 && worker_is_stopped(h->worker))
            atomic_store_explicit(&run->last_round, round,
                                  memory_order_relaxed);
        atomic_store_explicit(&h->round, round, memory_order_relaxed);
        ops->meet(h, object);
        if (round % SYNC_LOOK == 0)
            h->wrong += sync_is_astray(h, round);
    } while (atomic_load_explicit(&run->last_round, memory_order_relaxed) >
             round);
    h->done = round;
}

SYNC_INLINE void
sync_nap(int64_t ns)
{
    nanosleep(&(struct timespec){.tv_nsec = (long)ns}, NULL);
}

/* Sleep until the run has come to `step`. */
SYNC_INLINE void
sync_step_to(struct sync_run *run, uint32_t step)
{
    /* acquire: step */
    while (atomic_load_explicit(&run->step, memory_order_acquire) < step)
        sync_nap(SYNC_NAP_NS);
}

SYNC_INLINE void
sync_next_step(struct sync_run *run)
{
    /* release: step */
    atomic_fetch_add_explicit(&run->step, 1, memory_order_release);
}

SYNC_INLINE int64_t
sync_cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* The one that waits. */
SYNC_INLINE void
sync_idle_wait(struct sync_hand *h, const struct sync_ops *ops)
{
    sync_next_step(h->run);
    const int64_t begin = sync_cpu_ns();
    if (ops->await != NULL)
        ops->await(h, h->object, 0);
    else
        ops->enter(h, h->object);
    h->idle_ns += sync_cpu_ns() - begin;
    h->wrong += atomic_load_explicit(&h->run->plain, memory_order_relaxed) !=
                h->done + 1;
    if (ops->await == NULL)
        ops->leave(h, h->object);
}

/* The one that keeps it waiting. */
SYNC_INLINE void
sync_idle_keep(struct sync_hand *h, const struct sync_ops *ops, int64_t ns)
{
    if (ops->await == NULL)
        ops->enter(h, h->object);
    sync_next_step(h->run);
    sync_step_to(h->run, 3 * (uint32_t)h->done + 2);
    sync_nap(ns);
    sync_count(&h->run->plain);
    if (ops->await != NULL)
        ops->signal(h, h->object, 0);
    else
        ops->leave(h, h->object);
    sync_step_to(h->run, 3 * (uint32_t)h->done + 3);
}

/* Three steps a turn: it is closed; one waits; that one is through. */
SYNC_INLINE void
sync_idle(struct sync_hand *h, const struct sync_ops *ops)
{
    struct sync_run *const run = h->run;
    const double all_ns = run->seconds * 1e9;
    const int64_t ns =
        all_ns < SYNC_IDLE_NS ? (int64_t)all_ns : SYNC_IDLE_NS - 1;
    bool last = false;

    for (; !last; h->done++) {
        if (h->index == 1) {
            if (clock_ns() - h->begin_ns + ns >= (int64_t)all_ns)
                atomic_store_explicit(&run->last_round, h->done,
                                      memory_order_relaxed);
            sync_idle_keep(h, ops, ns);
        } else {
            sync_step_to(run, 3 * (uint32_t)h->done + 1);
            sync_idle_wait(h, ops);
        }
        last = atomic_load_explicit(&run->last_round, memory_order_relaxed) ==
               h->done;
        if (h->index == 0)
            sync_next_step(run);
    }
}

SYNC_INLINE void
sync_job(struct sync_hand *h, const struct sync_ops *ops)
{
    switch (h->run->load->job) {
    case SYNC_PAIR:
        if (ops->enter != NULL)
            sync_pairs(h, ops);
        break;
    case SYNC_CALL:
        if (ops->call != NULL)
            sync_calls(h, ops);
        break;
    case SYNC_SECTIONS:
        if (ops->enter != NULL)
            sync_sections(h, ops);
        break;
    case SYNC_READERS:
        if (ops->enter != NULL)
            sync_readers(h, ops);
        break;
    case SYNC_PING:
        if (ops->await != NULL)
            sync_ping(h, ops);
        break;
    case SYNC_ROUNDS:
        if (ops->meet != NULL)
            sync_rounds(h, ops);
        break;
    case SYNC_IDLE:
        if (ops->await != NULL || ops->enter != NULL)
            sync_idle(h, ops);
        break;
    }
}

/* Do the job of `h` with the constant operations `ops`. */
SYNC_INLINE void
sync_work(struct sync_hand *h, const struct sync_ops *ops)
{
    if (ops->begin != NULL)
        ops->begin(h, h->object);
    sync_job(h, ops);
    if (ops->end != NULL)
        ops->end(h, h->object);
}

#endif /* STRESS_BENCH_SYNC_LOOPS_H */
