/* SPDX-License-Identifier: MIT */
/*
 * silent.c - what looks like a deadlock to who only looks at orders, and cannot
 * be one: nothing may be said.
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

static const struct deadlock_case gate_lock = {
    .says = {"Two locks in opposite order, but only behind a third one."},
    .mended = gate_body,
};
DEADLOCK_SCENARIO(deadlock_gate_lock, gate_lock, "gate-lock",
                  "both orders behind one lock: nothing to report");

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

static const struct deadlock_case ordered = {
    .says =
        {"As many threads as --threads says (4) and 16 locks, in one order."},
    .threads = 4,
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

static const struct deadlock_case fork_join = {
    .says = {"Two locks in opposite order, but the one thread ends before the "
             "other begins."},
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
