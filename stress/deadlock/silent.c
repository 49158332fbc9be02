/* SPDX-License-Identifier: MIT */
/*
 * silent.c - what looks like a deadlock to who only looks at orders, and cannot
 * be one: nothing may be said.  Beside it the same without what keeps the threads
 * apart, in a run that goes well: it could be one, and that is to be said.
 */
#include "hangs.h"

#define ROUNDS 2000

static weft_mutex gate;
static weft_mutex a;
static weft_mutex b;

static void
take(weft_mutex *first, weft_mutex *second)
{
    weft_mutex_lock(first);
    weft_mutex_lock(second);
    weft_mutex_unlock(second);
    weft_mutex_unlock(first);
}

/* --- a gate --------------------------------------------------------------- */

static void *
through_gate(void *backwards)
{
    for (int i = 0; i < ROUNDS; i++) {
        weft_mutex_lock(&gate);
        take(backwards != NULL ? &b : &a, backwards != NULL ? &a : &b);
        weft_mutex_unlock(&gate);
    }
    return NULL;
}

static void
gate_body(unsigned threads)
{
    (void)threads;
    weft_thread *one = deadlock_start(through_gate, NULL, "forwards");
    weft_thread *other = deadlock_start(through_gate, &gate, "backwards");
    deadlock_join(one);
    deadlock_join(other);
}

/* The thread's own, in the place of the gate. */
static void *
through_nothing(void *backwards)
{
    take(backwards != NULL ? &b : &a, backwards != NULL ? &a : &b);
    return NULL;
}

static void
no_gate_body(unsigned threads)
{
    weft_fn *const bodies[] = {through_nothing, through_nothing};
    void *const args[] = {NULL, &gate};

    (void)threads;
    deadlock_take_turns(bodies, args, 2);
}

static const struct deadlock_case gate_lock = {
    .says = {"Two locks in opposite order; mended, only behind a third one."},
    .found = "deadlock that could happen: 2 threads",
    .goes_well = true,
    .broken = no_gate_body,
    .mended = gate_body,
};
DEADLOCK_SCENARIO(deadlock_gate_lock, gate_lock, "gate-lock",
                  "both orders, and then behind one lock: nothing to report");

/* --- an order ------------------------------------------------------------- */

#define MANY 16

static weft_mutex chain[MANY];

static void *
climb(void *unused)
{
    for (int round = 0; round < ROUNDS / 10; round++) {
        for (int i = 0; i < MANY; i++)
            weft_mutex_lock(&chain[i]);
        for (int i = MANY; i > 0; i--)
            weft_mutex_unlock(&chain[i - 1]);
    }
    return unused;
}

static void
ordered_body(unsigned threads)
{
    weft_thread *t[64];
    const unsigned n = threads > 64 ? 64 : threads;

    for (unsigned i = 0; i < n; i++)
        t[i] = deadlock_start(climb, NULL, "climber");
    for (unsigned i = 0; i < n; i++)
        deadlock_join(t[i]);
}

/* From the last to the first. */
static void *
climb_down(void *unused)
{
    for (int i = MANY; i > 0; i--)
        weft_mutex_lock(&chain[i - 1]);
    for (int i = 0; i < MANY; i++)
        weft_mutex_unlock(&chain[i]);
    return unused;
}

static void
unordered_body(unsigned threads)
{
    weft_fn *const bodies[] = {climb, climb_down};
    void *const args[] = {NULL, NULL};

    (void)threads;
    deadlock_take_turns(bodies, args, 2);
}

static const struct deadlock_case ordered = {
    .says =
        {"16 locks, by one thread in one order and by another in the other; "
         "mended, by as",
         "many threads as --threads says (4) in one."},
    .found = "deadlock that could happen: 2 threads",
    .goes_well = true,
    .threads = 4,
    .broken = unordered_body,
    .mended = ordered_body,
};
DEADLOCK_SCENARIO(deadlock_ordered, ordered, "ordered",
                  "many locks in one order: nothing to report");

/* --- an end --------------------------------------------------------------- */

static void *
forwards(void *unused)
{
    take(&a, &b);
    return unused;
}

static void *
backwards(void *unused)
{
    take(&b, &a);
    return unused;
}

static void
fork_join_body(unsigned threads)
{
    (void)threads;
    for (int i = 0; i < 100; i++) {
        deadlock_join(deadlock_start(forwards, NULL, "before"));
        deadlock_join(deadlock_start(backwards, NULL, "after"));
    }
}

static void
side_by_side_body(unsigned threads)
{
    weft_fn *const bodies[] = {forwards, backwards};
    void *const args[] = {NULL, NULL};

    (void)threads;
    deadlock_take_turns(bodies, args, 2);
}

static const struct deadlock_case fork_join = {
    .says = {"Two locks in opposite order, by two threads; mended, the one is "
             "joined before the",
             "other is started."},
    .found = "deadlock that could happen: 2 threads",
    .goes_well = true,
    .broken = side_by_side_body,
    .mended = fork_join_body,
};
DEADLOCK_SCENARIO(deadlock_fork_join, fork_join, "fork-join",
                  "both orders, one after the other: nothing to report");

/* --- a long wait ---------------------------------------------------------- */

static weft_event go;

static void *
wait_and_set(void *other)
{
    (void)!weft_event_wait(&go, WEFT_FOREVER);
    return other;
}

/* All wait long, for one who waits with a deadline. */
static void
patience_body(unsigned threads)
{
    static weft_event never;

    (void)threads;
    weft_mutex_lock(&a);
    weft_thread *one = deadlock_start(forwards, NULL, "waits for a lock");
    weft_thread *other = deadlock_start(wait_and_set, NULL, "waits for a word");
    (void)!weft_event_wait(&never, weft_in_ms(400));
    weft_event_set(&go);
    weft_mutex_unlock(&a);
    deadlock_join(one);
    deadlock_join(other);
}

static const struct deadlock_case patience = {
    .says = {"Everyone sleeps, but one of them with a deadline."},
    .mended = patience_body,
};
DEADLOCK_SCENARIO(deadlock_patience, patience, "patience",
                  "a long wait for one with a deadline: nothing to report");
