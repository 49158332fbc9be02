/* SPDX-License-Identifier: MIT */
/*
 * could.c - runs that go well, and might not have: nobody ever waits for
 * anybody, and the detector says what could have happened.
 */
#include <sched.h>
#include <stdint.h>

#include "hangs.h"

/* --- two locks ------------------------------------------------------------ */

static weft_mutex locks[2];

static void
take(weft_mutex *first, weft_mutex *second)
{
    weft_mutex_lock(first);
    weft_mutex_lock(second);
    weft_mutex_unlock(second);
    weft_mutex_unlock(first);
}

static void *
left_first(void *unused)
{
    take(&locks[0], &locks[1]);
    return unused;
}

static void *
right_first(void *unused)
{
    take(&locks[1], &locks[0]);
    return unused;
}

static void
take_in_turn(weft_fn *first, weft_fn *second)
{
    weft_fn *const bodies[] = {first, second};
    void *const args[] = {NULL, NULL};

    weft_deadlock_name(&locks[0], "left");
    weft_deadlock_name(&locks[1], "right");
    deadlock_take_turns(bodies, args, 2);
}

static void
two_broken(unsigned threads)
{
    (void)threads;
    take_in_turn(left_first, right_first);
}

static void
two_mended(unsigned threads)
{
    (void)threads;
    take_in_turn(left_first, left_first);
}

static const struct deadlock_case two_locks = {
    .says =
        {"Two threads take two locks, each in its own order, and never meet; "
         "mended, both in",
         "the same order."},
    .found = "deadlock that could happen: 2 threads",
    .goes_well = true,
    .broken = two_broken,
    .mended = two_mended,
};
DEADLOCK_SCENARIO(deadlock_could_two_locks, two_locks, "could-two-locks",
                  "two locks in opposite order, in a run that goes well");

/* --- philosophers --------------------------------------------------------- */

#define SEATS 6 /* no longer circles are looked for */

static weft_mutex forks[SEATS];
static unsigned seats;

static void *
dine(void *seat)
{
    const unsigned i = (unsigned)(uintptr_t)seat;

    take(&forks[i], &forks[(i + 1) % seats]);
    return NULL;
}

static void *
dine_in_order(void *seat)
{
    const unsigned i = (unsigned)(uintptr_t)seat;
    const unsigned next = (i + 1) % seats;

    take(&forks[i < next ? i : next], &forks[i < next ? next : i]);
    return NULL;
}

static void
dine_in_turn(unsigned threads, weft_fn *fn)
{
    weft_fn *bodies[SEATS];
    void *args[SEATS];

    seats = threads < 2 ? 2 : threads > SEATS ? SEATS : threads;
    for (unsigned i = 0; i < seats; i++) {
        bodies[i] = fn;
        args[i] = (void *)(uintptr_t)i;
    }
    deadlock_take_turns(bodies, args, seats);
}

static void
philosophers_broken(unsigned threads)
{
    dine_in_turn(threads, dine);
}

static void
philosophers_mended(unsigned threads)
{
    dine_in_turn(threads, dine_in_order);
}

static const struct deadlock_case philosophers = {
    .says =
        {"Philosophers, as many as --threads says (5, at most 6), who dine one "
         "after the",
         "other; mended, the last one begins with the right fork."},
    .found = "threads would wait for each other",
    .goes_well = true,
    .threads = 5,
    .broken = philosophers_broken,
    .mended = philosophers_mended,
};
DEADLOCK_SCENARIO(deadlock_could_philosophers, philosophers,
                  "could-philosophers", "dining philosophers who never meet");

/* --- read and write ------------------------------------------------------- */

static weft_rwlock shared;

static void *
read_inside(void *unused)
{
    weft_mutex_lock(&locks[0]);
    weft_rwlock_read_lock(&shared);
    weft_rwlock_read_unlock(&shared);
    weft_mutex_unlock(&locks[0]);
    return unused;
}

static void *
write_outside(void *unused)
{
    weft_rwlock_write_lock(&shared);
    weft_mutex_lock(&locks[0]);
    weft_mutex_unlock(&locks[0]);
    weft_rwlock_write_unlock(&shared);
    return unused;
}

static void *
read_outside(void *unused)
{
    weft_rwlock_read_lock(&shared);
    weft_mutex_lock(&locks[0]);
    weft_mutex_unlock(&locks[0]);
    weft_rwlock_read_unlock(&shared);
    return unused;
}

static void
rwlock_broken(unsigned threads)
{
    (void)threads;
    take_in_turn(read_inside, write_outside);
}

static void
rwlock_mended(unsigned threads)
{
    (void)threads;
    take_in_turn(read_inside, read_outside);
}

static const struct deadlock_case read_write = {
    .says = {"A thread reads with a lock in hand, another takes that lock and "
             "writes; mended, both",
             "read, which keeps nobody out."},
    .found = "deadlock that could happen: 2 threads",
    .goes_well = true,
    .broken = rwlock_broken,
    .mended = rwlock_mended,
};
DEADLOCK_SCENARIO(deadlock_could_read_write, read_write, "could-read-write",
                  "a lock and a read-write lock in opposite order");

/* --- a join --------------------------------------------------------------- */

static void *
lock_for_a_moment(void *done)
{
    weft_mutex_lock(&locks[0]);
    weft_mutex_unlock(&locks[0]);
    weft_event_set(done);
    return NULL;
}

static void
join_after(bool with_lock)
{
    static weft_event done;

    weft_deadlock_name(&locks[0], "lock");
    weft_thread *t = deadlock_start(lock_for_a_moment, &done, "short");
    while (!weft_event_is_set(&done)) /* which orders nothing */
        sched_yield();
    if (with_lock)
        weft_mutex_lock(&locks[0]);
    deadlock_join(t);
    if (with_lock)
        weft_mutex_unlock(&locks[0]);
}

static void
join_broken(unsigned threads)
{
    (void)threads;
    join_after(true);
}

static void
join_mended(unsigned threads)
{
    (void)threads;
    join_after(false);
}

static const struct deadlock_case join_with_lock = {
    .says = {"A thread is joined by one who holds a lock that it needed "
             "before, and "
             "has by then;",
             "mended, without the lock."},
    .found = "deadlock that could happen: 2 threads",
    .goes_well = true,
    .broken = join_broken,
    .mended = join_mended,
};
DEADLOCK_SCENARIO(deadlock_could_join, join_with_lock, "could-join",
                  "a join with a lock in hand that the other one needs");
