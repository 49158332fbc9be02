/* SPDX-License-Identifier: MIT */
/*
 * waits.c - circles of other waits than for locks, and waits that nobody ends.
 */
#include "hangs.h"

/* --- join ----------------------------------------------------------------- */

static weft_thread *joined[2];
static weft_barrier both_are_there;

/* The second one to try is told at once. */
static void *
join_first(void *unused)
{
    deadlock_meet(&both_are_there);
    (void)!weft_thread_join(joined[0], WEFT_FOREVER, NULL);
    return unused;
}

static void *
join_second(void *unused)
{
    deadlock_meet(&both_are_there);
    (void)!weft_thread_join(joined[1], WEFT_FOREVER, NULL);
    return unused;
}

static void *
join_nobody(void *unused)
{
    deadlock_meet(&both_are_there);
    return unused;
}

static void
join_each_other(weft_fn *first)
{
    deadlock_meet_init(&both_are_there, 3);
    joined[0] = deadlock_start(first, NULL, "first");
    joined[1] = deadlock_start(join_first, NULL, "second");
    deadlock_meet(&both_are_there);
    deadlock_join(joined[0]);
    deadlock_join(joined[1]);
}

static void
join_broken(unsigned threads)
{
    (void)threads;
    join_each_other(join_second);
}

static void
join_mended(unsigned threads)
{
    (void)threads;
    join_each_other(join_nobody);
}

static const struct deadlock_case join_cycle = {
    .says = {"Two threads join each other; mended, one joins the other."},
    .found = "2 threads join each other",
    .recovers = true,
    .broken = join_broken,
    .mended = join_mended,
};
DEADLOCK_SCENARIO(deadlock_join_cycle, join_cycle, "join-cycle",
                  "threads that join each other");

/* --- lost signal ---------------------------------------------------------- */

static weft_mutex lock;
static weft_cond cond = WEFT_COND_INIT(&lock);
static bool ready;

static void *
notify(void *unused)
{
    weft_mutex_lock(&lock);
    ready = true;
    (void)weft_cond_notify_all(&cond);
    weft_mutex_unlock(&lock);
    return unused;
}

/* It was said before anybody listened. */
static void
signal_broken(unsigned threads)
{
    (void)threads;
    weft_deadlock_name(&cond, "ready");
    deadlock_join(deadlock_start(notify, NULL, "notifier"));
    weft_mutex_lock(&lock);
    (void)!weft_cond_wait(&cond, WEFT_FOREVER);
    weft_mutex_unlock(&lock);
}

static bool
is_ready(void *unused)
{
    (void)unused;
    return ready;
}

static void
signal_mended(unsigned threads)
{
    (void)threads;
    deadlock_join(deadlock_start(notify, NULL, "notifier"));
    weft_mutex_lock(&lock);
    (void)!weft_cond_wait_for(&cond, is_ready, NULL, WEFT_FOREVER);
    weft_mutex_unlock(&lock);
}

static const struct deadlock_case lost_signal = {
    .says =
        {"A thread waits for a condition that was signalled before it came;",
         "mended, it looks first whether there is anything to wait for."},
    .found = "possible deadlock: everyone",
    .broken = signal_broken,
    .mended = signal_mended,
};
DEADLOCK_SCENARIO(deadlock_lost_signal, lost_signal, "lost-signal",
                  "a condition that was signalled before anybody waited");

/* --- a party that is missing ---------------------------------------------- */

static void *
arrive(void *barrier)
{
    deadlock_meet(barrier);
    return NULL;
}

static void
meet(unsigned parties)
{
    static weft_barrier barrier;

    deadlock_meet_init(&barrier, parties);
    weft_thread *t = deadlock_start(arrive, &barrier, "party");
    deadlock_meet(&barrier);
    deadlock_join(t);
}

static void
barrier_broken(unsigned threads)
{
    (void)threads;
    meet(3);
}

static void
barrier_mended(unsigned threads)
{
    (void)threads;
    meet(2);
}

static const struct deadlock_case missing_party = {
    .says = {"Two threads wait at a barrier for three; mended, for two."},
    .found = "possible deadlock: everyone",
    .broken = barrier_broken,
    .mended = barrier_mended,
};
DEADLOCK_SCENARIO(deadlock_missing_party, missing_party, "missing-party",
                  "a barrier whose last party never comes");

/* --- semaphores ----------------------------------------------------------- */

static weft_semaphore units[2];
static weft_barrier both_took;
static bool crossed;

static void
take_units(weft_semaphore *first, weft_semaphore *second)
{
    (void)!weft_semaphore_acquire(first, WEFT_FOREVER);
    if (crossed)
        deadlock_meet(&both_took);
    (void)!weft_semaphore_acquire(second, WEFT_FOREVER);
    (void)!weft_semaphore_release(second, 1);
    (void)!weft_semaphore_release(first, 1);
}

static void *
take_backwards(void *unused)
{
    take_units(&units[crossed ? 1 : 0], &units[crossed ? 0 : 1]);
    return unused;
}

static void
take_both(bool is_crossed)
{
    crossed = is_crossed;
    deadlock_meet_init(&both_took, 2);
    for (int i = 0; i < 2; i++)
        if (weft_semaphore_init(&units[i], 1, 1) != WEFT_OK)
            return;
    weft_thread *t = deadlock_start(take_backwards, NULL, "backwards");
    take_units(&units[0], &units[1]);
    deadlock_join(t);
}

static void
semaphores_broken(unsigned threads)
{
    (void)threads;
    take_both(true);
}

static void
semaphores_mended(unsigned threads)
{
    (void)threads;
    take_both(false);
}

static const struct deadlock_case semaphores = {
    .says =
        {"Two threads take a unit of two semaphores, each in its own order;",
         "mended, both in the same order."},
    .found = "possible deadlock: everyone",
    .broken = semaphores_broken,
    .mended = semaphores_mended,
};
DEADLOCK_SCENARIO(deadlock_semaphores, semaphores, "semaphores",
                  "two semaphores in opposite order");
