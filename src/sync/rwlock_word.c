/* SPDX-License-Identifier: MIT */
/*
 * rwlock_word.c - a word that counts readers or has a writer, and who waits
 * for it.
 *
 *     WRITER          a writer has it
 *     readers         how many readers have it; not those on their own lines
 *     READERS_SLEEP   readers sleep on read_turn, or did
 *     WRITERS_SLEEP   writers sleep on write_turn, or did
 *     WRITER_STARVES  a writer has waited for long: until a writer got it, only
 *                     writers that have slept go in
 *     READER_STARVES  a reader has waited for long: until a reader got it, no
 *                     writer goes in
 *
 * The SLEEP flags.  Legal to be set with no sleeper: who clears it and wakes
 * nobody looks at the other kind.  Illegal to be clear with a sleeper unless
 * one is awake and on its way: who has slept and takes the lock to write sets
 * the flag again, since it cannot know whether others still sleep; readers are
 * woken all at once.  Who lets go clears the flag of those that it will wake in
 * the same compare-and-swap.  A waiter loads the turn, then sees in the word
 * that it has to wait and that the flag is set, then sleeps on the turn it
 * loaded; who clears the flag adds to the turn afterwards.
 *
 * The STARVES flags.  Each is set by one who waits and then sleeps, in one step
 * with its SLEEP flag, while there is somebody whose letting go will wake it.
 * Legal to be clear though somebody starves: it sets it again when it has
 * been woken and failed.  Illegal to be set with nobody waiting: who gives up
 * clears it, and wakes those whom it kept out.  If both are set readers go.
 *
 * Ordering.
 *
 *     rwlock.hand_over  a thread lets go in the word  ->  the next takes it
 *     turn              a flag was cleared            ->  a waiter reads the turn
 */
#include "sync/rwlock_word.h"

#include "base/deadline.h"
#include "base/park.h"
#include "base/sched.h"
#include "deadlock/watch.h"

#define WRITERS_SLEEP  2u
#define READERS_SLEEP  4u
#define WRITER_STARVES 8u
#define READER_STARVES 16u
#define IN             (WEFT_WRITER_ | ~(WEFT_READER_ - 1))

#define PATIENCE_NS 1000000
#define LOOKS       8 /* changes of the word seen while spinning */

/* A call that waits. */
struct wait {
    weft_rwlock *lock;
    weft_deadline deadline;
    int64_t since_ns; /* when it first had to sleep, or 0 */
    bool writes;
    bool slept;   /* and may have been woken */
    bool starves; /* has waited for long */
};

/* --- letting go ----------------------------------------------------------- */

/* Whom to wake when the word is `w`: one of the SLEEP flags, or 0.  After a
 * writer readers come first, after readers a writer. */
static uint32_t
whom(uint32_t w, bool after_writer)
{
    const bool closed =
        (w & (WRITER_STARVES | READER_STARVES)) == WRITER_STARVES;
    const bool readers =
        (w & WEFT_WRITER_) == 0 && (w & READERS_SLEEP) != 0 && !closed;
    const bool writers =
        (w & IN) == 0 && (w & WRITERS_SLEEP) != 0 && (w & READER_STARVES) == 0;

    if (readers && (after_writer || !writers))
        return READERS_SLEEP;
    return writers ? WRITERS_SLEEP : 0;
}

void
weft_rwlock_let_go_(weft_rwlock *l, uint32_t less)
{
    const bool after_writer = less == WEFT_WRITER_;
    uint32_t w = atomic_load_explicit(&l->word, memory_order_relaxed);

    for (;;) {
        const uint32_t wake = whom(w - less, after_writer);
        /* release: rwlock.hand_over */
        if (!atomic_compare_exchange_weak_explicit(
                &l->word, &w, (w - less) & ~wake, memory_order_release,
                memory_order_relaxed))
            continue;
        if (wake == 0)
            return;
        WEFT_SCHED_POINT_("rwlock.let_go");
        _Atomic uint32_t *turn =
            wake == READERS_SLEEP ? &l->read_turn : &l->write_turn;
        /* release: turn */
        atomic_fetch_add_explicit(turn, 1, memory_order_release);
        const unsigned n = wake == READERS_SLEEP ? weft_park_wake_all_(turn)
                                                 : weft_park_wake_(turn, 1);
        if (n > 0)
            return;
        /* Nobody slept: others may. */
        less = 0;
        w = atomic_load_explicit(&l->word, memory_order_relaxed);
    }
}

/* --- waiting -------------------------------------------------------------- */

static bool
is_free_for(const struct wait *t, uint32_t w)
{
    return (w & (t->writes ? IN : WEFT_WRITER_)) == 0;
}

/* Whether it is free and no other goes first. */
static bool
may_take(const struct wait *t, uint32_t w)
{
    if (!is_free_for(t, w))
        return false;
    if ((w & READER_STARVES) != 0)
        return !t->writes;
    return (w & WRITER_STARVES) == 0 || (t->writes ? t->slept : t->starves);
}

static bool
take(const struct wait *t, uint32_t *w)
{
    uint32_t to = (*w + WEFT_READER_) & ~READER_STARVES;

    if (t->writes)
        to = (*w & ~WRITER_STARVES) | WEFT_WRITER_ |
             (t->slept ? WRITERS_SLEEP : 0);
    /* acquire: rwlock.hand_over */
    return atomic_compare_exchange_weak_explicit(
        &t->lock->word, w, to, memory_order_acquire, memory_order_relaxed);
}

/* Watch the word for a while; true if that got the lock. */
static bool
spin(const struct wait *t)
{
    for (int i = 0; i < LOOKS; i++) {
        uint32_t w = atomic_load_explicit(&t->lock->word, memory_order_relaxed);
        while (may_take(t, w))
            if (take(t, &w))
                return true;
        if (!weft_park_spin_(&t->lock->word, w))
            return false;
    }
    return false;
}

/* Set the flags of one who sleeps; false if the word is another by now. */
static bool
mark(struct wait *t, uint32_t w)
{
    uint32_t to = w | (t->writes ? WRITERS_SLEEP : READERS_SLEEP);

    if (t->starves)
        to |= t->writes ? WRITER_STARVES : READER_STARVES;
    return to == w || atomic_compare_exchange_strong_explicit(
                          &t->lock->word, &w, to, memory_order_relaxed,
                          memory_order_relaxed);
}

/* Sleep once, or take the lock: then `*done`. */
static enum weft_status
sleep_or_take(struct wait *t, bool *done)
{
    _Atomic uint32_t *turn =
        t->writes ? &t->lock->write_turn : &t->lock->read_turn;
    /* acquire: turn */
    const uint32_t seen = atomic_load_explicit(turn, memory_order_acquire);
    uint32_t w = atomic_load_explicit(&t->lock->word, memory_order_relaxed);
    weft_deadline until = t->deadline;

    if (may_take(t, w)) {
        *done = take(t, &w);
        return WEFT_OK;
    }
    const int64_t now_ns = weft_clock_ns_();
    if (t->since_ns == 0)
        t->since_ns = now_ns;
    t->starves = now_ns - t->since_ns >= PATIENCE_NS;
    if (may_take(t, w) || !mark(t, w))
        return WEFT_OK;
    /* Readers that come and go need not let a sleeping writer know. */
    if (t->writes && !t->starves && until > t->since_ns + PATIENCE_NS)
        until = t->since_ns + PATIENCE_NS;
    WEFT_SCHED_POINT_("rwlock.sleep");
    const enum weft_status s = weft_park_wait_(turn, seen, until);
    t->slept = true;
    return s == WEFT_TIMEOUT && until != t->deadline ? WEFT_OK : s;
}

/* End without the lock, unless it is free after all: false. */
static bool
give_up(const struct wait *t)
{
    const uint32_t mine = t->writes ? WRITER_STARVES : READER_STARVES;
    uint32_t w = atomic_load_explicit(&t->lock->word, memory_order_relaxed);

    while (is_free_for(t, w))
        if (take(t, &w))
            return false;
    if (t->starves) {
        while ((w & mine) != 0 &&
               !atomic_compare_exchange_weak_explicit(
                   &t->lock->word, &w, w & ~mine, memory_order_relaxed,
                   memory_order_relaxed))
            ;
        weft_rwlock_let_go_(t->lock, 0); /* whom it kept out */
    }
    return true;
}

static enum weft_status
wait_for(struct wait *t)
{
    const enum weft_kind kind = t->writes ? WEFT_KIND_WRITE : WEFT_KIND_READ;
    bool done = spin(t);

    if (done)
        return WEFT_OK;
    enum weft_status s = weft_watch_block_(t->lock, kind, t->deadline);
    if (s != WEFT_OK)
        return s;
    while (s == WEFT_OK && !done)
        s = sleep_or_take(t, &done);
    if (s != WEFT_OK && !give_up(t))
        s = WEFT_OK;
    weft_watch_unblock_();
    return s;
}

enum weft_status
weft_rwlock_acquire_(weft_rwlock *l, bool writes, weft_deadline deadline)
{
    struct wait t = {.lock = l, .deadline = deadline, .writes = writes};
    uint32_t w = atomic_load_explicit(&l->word, memory_order_relaxed);

    if (deadline <= WEFT_NOW)
        return give_up(&t) ? WEFT_TIMEOUT : WEFT_OK;
    while (may_take(&t, w))
        if (take(&t, &w))
            return WEFT_OK;
    return wait_for(&t);
}

bool
weft_rwlock_is_shut_(uint32_t word)
{
    if ((word & READERS_SLEEP) == 0)
        return false;
    return (word & WEFT_WRITER_) != 0 ||
           (word & (WRITER_STARVES | READER_STARVES)) == WRITER_STARVES;
}
