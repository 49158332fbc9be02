/* SPDX-License-Identifier: MIT */
/*
 * locks.c - locks in an order that makes a circle.
 */
#include <sched.h>
#include <stdint.h>

#include "hangs.h"

/* --- two locks ------------------------------------------------------------ */

static weft_mutex left_lock;
static weft_mutex right_lock;
static weft_barrier both_have_one;

/* Take the first and, once both threads have one, the second; back out when
 * that is a deadlock. */
static void
take_two(weft_mutex *first, weft_mutex *second)
{
    weft_mutex_lock(first);
    deadlock_meet(&both_have_one);
    while (weft_mutex_lock(second) == WEFT_DEADLOCK) {
        weft_mutex_unlock(first);
        sched_yield();
        weft_mutex_lock(first);
    }
    weft_mutex_unlock(second);
    weft_mutex_unlock(first);
}

static void *
left_first(void *unused)
{
    take_two(&left_lock, &right_lock);
    return unused;
}

static void *
right_first(void *unused)
{
    take_two(&right_lock, &left_lock);
    return unused;
}

static void
name_two(void)
{
    deadlock_meet_init(&both_have_one, 2);
    weft_deadlock_name(&left_lock, "left");
    weft_deadlock_name(&right_lock, "right");
}

static void
two_broken(unsigned threads)
{
    (void)threads;
    name_two();
    weft_thread *a = deadlock_start(left_first, NULL, "left first");
    weft_thread *b = deadlock_start(right_first, NULL, "right first");
    deadlock_join(a);
    deadlock_join(b);
}

static void *
in_order(void *unused)
{
    for (int i = 0; i < 1000; i++) {
        weft_mutex_lock(&left_lock);
        weft_mutex_lock(&right_lock);
        weft_mutex_unlock(&right_lock);
        weft_mutex_unlock(&left_lock);
    }
    return unused;
}

static void
two_mended(unsigned threads)
{
    (void)threads;
    weft_thread *a = deadlock_start(in_order, NULL, "one");
    weft_thread *b = deadlock_start(in_order, NULL, "other");
    deadlock_join(a);
    deadlock_join(b);
}

static const struct deadlock_case two_locks = {
    .says = {"Two threads take two locks, each in its own order;",
             "mended, both in the same order."},
    .found = "2 threads wait for each other",
    .recovers = true,
    .broken = two_broken,
    .mended = two_mended,
};
DEADLOCK_SCENARIO(deadlock_two_locks, two_locks, "two-locks",
                  "two locks in opposite order");

/* --- philosophers --------------------------------------------------------- */

#define SEATS 64

static weft_mutex forks[SEATS];
static weft_barrier table;
static unsigned seats;

/* Eat with the forks at both hands; the first time all take one before anyone
 * takes the other. */
static void
eat(unsigned first, unsigned second)
{
    weft_mutex_lock(&forks[first]);
    deadlock_meet(&table);
    while (weft_mutex_lock(&forks[second]) == WEFT_DEADLOCK) {
        weft_mutex_unlock(&forks[first]);
        sched_yield();
        weft_mutex_lock(&forks[first]);
    }
    weft_mutex_unlock(&forks[second]);
    weft_mutex_unlock(&forks[first]);
}

static void *
dine(void *seat)
{
    const unsigned i = (unsigned)(uintptr_t)seat;

    eat(i, (i + 1) % seats);
    return NULL;
}

/* The last one takes his forks the other way round. */
static void *
dine_in_order(void *seat)
{
    const unsigned i = (unsigned)(uintptr_t)seat;
    const unsigned next = (i + 1) % seats;
    const unsigned first = i < next ? i : next;
    const unsigned second = i < next ? next : i;

    for (int round = 0; round < 1000; round++) {
        weft_mutex_lock(&forks[first]);
        weft_mutex_lock(&forks[second]);
        weft_mutex_unlock(&forks[second]);
        weft_mutex_unlock(&forks[first]);
    }
    return NULL;
}

static void
sit_down(unsigned threads, weft_fn *fn)
{
    weft_thread *t[SEATS];

    seats = threads < 2 ? 2 : threads > SEATS ? SEATS : threads;
    deadlock_meet_init(&table, seats);
    for (unsigned i = 0; i < seats; i++)
        t[i] = deadlock_start(fn, (void *)(uintptr_t)i, "philosopher");
    for (unsigned i = 0; i < seats; i++)
        deadlock_join(t[i]);
}

static void
philosophers_broken(unsigned threads)
{
    sit_down(threads, dine);
}

static void
philosophers_mended(unsigned threads)
{
    sit_down(threads, dine_in_order);
}

static const struct deadlock_case philosophers = {
    .says = {"As many philosophers as --threads says (5) and as many forks; "
             "each takes the",
             "left one, then the right one.  Mended, the last one begins with "
             "the right one."},
    .found = "threads wait for each other",
    .recovers = true,
    .threads = 5,
    .broken = philosophers_broken,
    .mended = philosophers_mended,
};
DEADLOCK_SCENARIO(deadlock_philosophers, philosophers, "philosophers",
                  "dining philosophers, as many as --threads says");

/* --- one thread ----------------------------------------------------------- */

static void
again_broken(unsigned threads)
{
    (void)threads;
    weft_deadlock_name(&left_lock, "lock");
    weft_mutex_lock(&left_lock);
    if (weft_mutex_lock(&left_lock) == WEFT_DEADLOCK)
        weft_mutex_unlock(&left_lock);
}

static void
again_mended(unsigned threads)
{
    static weft_rmutex lock;

    (void)threads;
    weft_rmutex_lock(&lock);
    weft_rmutex_lock(&lock);
    weft_rmutex_unlock(&lock);
    weft_rmutex_unlock(&lock);
}

static const struct deadlock_case self_lock = {
    .says = {"A thread locks what it has locked; mended, it is a lock that may "
             "be locked again."},
    .found = "a thread waits for itself",
    .recovers = true,
    .broken = again_broken,
    .mended = again_mended,
};
DEADLOCK_SCENARIO(deadlock_self_lock, self_lock, "self-lock",
                  "a thread that locks what it has locked");

static weft_rwlock shared;

static void
upgrade_broken(unsigned threads)
{
    (void)threads;
    weft_rwlock_read_lock(&shared);
    if (weft_rwlock_write_lock(&shared) == WEFT_DEADLOCK)
        weft_rwlock_read_unlock(&shared);
}

static void
upgrade_mended(unsigned threads)
{
    (void)threads;
    weft_rwlock_read_lock(&shared);
    weft_rwlock_read_unlock(&shared);
    weft_rwlock_write_lock(&shared);
    weft_rwlock_write_unlock(&shared);
}

static const struct deadlock_case upgrade = {
    .says = {"A reader wants to write, and still reads; mended, it gives up "
             "reading first."},
    .found = "a reader wants to write",
    .recovers = true,
    .broken = upgrade_broken,
    .mended = upgrade_mended,
};
DEADLOCK_SCENARIO(deadlock_upgrade, upgrade, "upgrade",
                  "a reader that wants to write");

static void *
end_with_lock(void *unused)
{
    weft_mutex_lock(&left_lock);
    return unused;
}

static void *
end_without_lock(void *unused)
{
    weft_mutex_lock(&left_lock);
    weft_mutex_unlock(&left_lock);
    return unused;
}

static void
lock_after(weft_fn *fn)
{
    weft_deadlock_name(&left_lock, "lock");
    deadlock_join(deadlock_start(fn, NULL, "forgetful"));
    if (weft_mutex_lock(&left_lock) == WEFT_OK)
        weft_mutex_unlock(&left_lock);
}

static void
orphaned_broken(unsigned threads)
{
    (void)threads;
    lock_after(end_with_lock);
}

static void
orphaned_mended(unsigned threads)
{
    (void)threads;
    lock_after(end_without_lock);
}

static const struct deadlock_case orphaned = {
    .says = {"A thread ends and has not unlocked; mended, it has."},
    .found = "who holds the lock has ended",
    .recovers = true,
    .broken = orphaned_broken,
    .mended = orphaned_mended,
};
DEADLOCK_SCENARIO(deadlock_orphaned, orphaned, "orphaned",
                  "a lock whose owner has ended");
