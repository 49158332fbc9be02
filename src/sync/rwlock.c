/* SPDX-License-Identifier: MIT */
/*
 * rwlock.c - a word that counts readers, and a way around it.
 *
 * The word.
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
 * Readers on their own lines (rwlock_slots.h).  While `biased` is set a reader
 * enters itself there and leaves the word alone.  It is set by a reader that is
 * counted in the word, after WEFT_RWLOCK_READS_ such reads without a write, and
 * cleared by a writer that already has the word: so it does not change while a
 * writer waits for those on their lines, and new readers find WRITER.
 * Dice and Kogan (BRAVO, USENIX ATC 2019) have one table for all locks and
 * threads, in which readers may meet, a fence in the reader, and give the bias
 * back after a multiple of the time that taking it cost.  Here each thread has
 * lines of its own, the writer's system call makes the fence of both, and the
 * bias comes back by a count, which needs no clock.
 *
 * Ordering.
 *
 *     hand_over  a thread lets go in the word   ->  the next takes it there
 *     allow      a reader sets `biased`         ->  a reader enters its line
 *     turn       a flag was cleared             ->  a waiter reads the turn
 *
 * What goes from readers on their lines to a writer is `drain` of
 * rwlock_slots.c.
 */
#define WEFT_NO_INLINE
#include <weft/rwlock.h>

#include <stddef.h>

#include "base/deadline.h"
#include "base/fence.h"
#include "base/park.h"
#include "base/sched.h"
#include "deadlock/watch.h"
#include "sync/rwlock_slots.h"

#define WRITER         1u
#define WRITERS_SLEEP  2u
#define READERS_SLEEP  4u
#define WRITER_STARVES 8u
#define READER_STARVES 16u
#define READER         32u /* one */
#define IN             (WRITER | ~(READER - 1))

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

/* Readers that this thread's entries had no room for. */
static __thread uint32_t unlisted __attribute__((tls_model("initial-exec")));

void
weft_rwlock_init(weft_rwlock *l)
{
    *l = (weft_rwlock)WEFT_RWLOCK_INIT;
}

/* --- letting go ----------------------------------------------------------- */

/* Whom to wake when the word is `w`: one of the SLEEP flags, or 0.  After a
 * writer readers come first, after readers a writer. */
static uint32_t
whom(uint32_t w, bool after_writer)
{
    const bool closed =
        (w & (WRITER_STARVES | READER_STARVES)) == WRITER_STARVES;
    const bool readers =
        (w & WRITER) == 0 && (w & READERS_SLEEP) != 0 && !closed;
    const bool writers =
        (w & IN) == 0 && (w & WRITERS_SLEEP) != 0 && (w & READER_STARVES) == 0;

    if (readers && (after_writer || !writers))
        return READERS_SLEEP;
    return writers ? WRITERS_SLEEP : 0;
}

/* Take `less` (of the count, or a flag) away, and wake who can go in then. */
static void
let_go(weft_rwlock *l, uint32_t less)
{
    const bool after_writer = less == WRITER;
    uint32_t w = atomic_load_explicit(&l->word, memory_order_relaxed);

    for (;;) {
        const uint32_t wake = whom(w - less, after_writer);
        /* release: hand_over */
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
    return (w & (t->writes ? IN : WRITER)) == 0;
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
    uint32_t to = (*w + READER) & ~READER_STARVES;

    if (t->writes)
        to = (*w & ~WRITER_STARVES) | WRITER | (t->slept ? WRITERS_SLEEP : 0);
    /* acquire: hand_over */
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
        let_go(t->lock, 0); /* whom it kept out */
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

/* Take the word, to read or to write. */
static enum weft_status
acquire(weft_rwlock *l, bool writes, weft_deadline deadline)
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

/* What a thread gets that waits for itself. */
static enum weft_status
own(weft_deadline deadline)
{
    const bool late = deadline <= WEFT_NOW || (deadline != WEFT_FOREVER &&
                                               deadline <= weft_clock_ns_());

    return late ? WEFT_TIMEOUT : WEFT_DEADLOCK;
}

static bool
is_writer(const weft_rwlock *l)
{
    return atomic_load_explicit(&l->owner, memory_order_relaxed) ==
           weft_self_tag_();
}

/* --- reading -------------------------------------------------------------- */

/* Another lock of what this thread has in the entry. */
static enum weft_status
nest(struct weft_readers *r, _Atomic(uintptr_t) *entry)
{
    uint32_t *depth = &r->depth[entry - r->slots.lock];
    const uintptr_t e = atomic_load_explicit(entry, memory_order_relaxed);

    if ((e & NESTED) == 0)
        *depth = 0;
    if (*depth == UINT32_MAX)
        return WEFT_OVERFLOW;
    ++*depth;
    atomic_store_explicit(entry, e | NESTED, memory_order_relaxed);
    return WEFT_OK;
}

/* Enter the entry if the lock allows it. */
static bool
enter(weft_rwlock *l, struct weft_readers *r, _Atomic(uintptr_t) *entry)
{
    if (atomic_load_explicit(&l->biased, memory_order_relaxed) == 0)
        return false;
    atomic_store_explicit(entry, (uintptr_t)l, memory_order_relaxed);
    weft_fence_light_();
    /* acquire: allow */
    if (atomic_load_explicit(&l->biased, memory_order_acquire) != 0)
        return true;
    weft_readers_leave_(r, entry);
    return false;
}

/* Counted in the word: one more read without a write. */
static void
count_read(weft_rwlock *l)
{
    const uint32_t n =
        atomic_load_explicit(&l->reads, memory_order_relaxed) + 1;

    if (n < WEFT_RWLOCK_READS_)
        atomic_store_explicit(&l->reads, n, memory_order_relaxed);
    else if (weft_fence_is_there_())
        /* release: allow */
        atomic_store_explicit(&l->biased, 1, memory_order_release);
}

static enum weft_status
read_lock(weft_rwlock *l, weft_deadline deadline)
{
    struct weft_readers *r = weft_readers_mine_();
    _Atomic(uintptr_t) *entry = weft_readers_find_(r, l);

    if (entry != NULL)
        return nest(r, entry);
    if (is_writer(l))
        return own(deadline);
    entry = weft_readers_free_(r, l);
    if (entry != NULL && enter(l, r, entry))
        return WEFT_OK;
    const enum weft_status s = acquire(l, false, deadline);
    if (s != WEFT_OK)
        return s;
    if (entry != NULL)
        atomic_store_explicit(entry, (uintptr_t)l | COUNTED,
                              memory_order_relaxed);
    else
        unlisted++;
    count_read(l);
    return WEFT_OK;
}

enum weft_status
weft_rwlock_read_lock_until(weft_rwlock *l, weft_deadline deadline)
{
    const enum weft_status s = read_lock(l, deadline);

    if (s == WEFT_OK && weft_watching_())
        weft_watch_acquired_(l, WEFT_KIND_READ);
    return s;
}

enum weft_status
weft_rwlock_read_lock_slow_(weft_rwlock *l)
{
    return weft_rwlock_read_lock_until(l, WEFT_FOREVER);
}

enum weft_status
weft_rwlock_read_lock(weft_rwlock *l)
{
    return weft_rwlock_read_lock_until(l, WEFT_FOREVER);
}

/* The inline part has entered a line, and the lock does not allow it. */
enum weft_status
weft_rwlock_read_retry_(weft_rwlock *l)
{
    struct weft_readers *r = weft_readers_known_();

    weft_readers_leave_(r, &r->slots.lock[WEFT_READ_SLOT_(l)]);
    return weft_rwlock_read_lock_until(l, WEFT_FOREVER);
}

/* Without an entry: whether the word can count this thread. */
static bool
is_unlisted(const weft_rwlock *l)
{
    return unlisted > 0 &&
           atomic_load_explicit(&l->word, memory_order_relaxed) >= READER;
}

enum weft_status
weft_rwlock_read_unlock_slow_(weft_rwlock *l)
{
    struct weft_readers *r = weft_readers_known_();
    _Atomic(uintptr_t) *entry = weft_readers_find_(r, l);

    if (entry == NULL && !is_unlisted(l))
        return WEFT_NOT_OWNER;
    if (weft_watching_())
        weft_watch_released_(l, WEFT_KIND_READ);
    if (entry == NULL) {
        unlisted--;
        let_go(l, READER);
        return WEFT_OK;
    }
    const uintptr_t e = atomic_load_explicit(entry, memory_order_relaxed);
    if ((e & NESTED) != 0) {
        if (--r->depth[entry - r->slots.lock] == 0)
            atomic_store_explicit(entry, e & ~NESTED, memory_order_relaxed);
    } else if ((e & COUNTED) != 0) {
        atomic_store_explicit(entry, 0, memory_order_relaxed);
        let_go(l, READER);
    } else {
        weft_readers_leave_(r, entry);
    }
    return WEFT_OK;
}

enum weft_status
weft_rwlock_read_unlock(weft_rwlock *l)
{
    return weft_rwlock_read_unlock_slow_(l);
}

/* --- writing -------------------------------------------------------------- */

/* With the word: wait for those who read on their own lines. */
static enum weft_status
drain(weft_rwlock *l, weft_deadline deadline)
{
    atomic_store_explicit(&l->biased, 0, memory_order_relaxed);
    weft_fence_heavy_();
    enum weft_status s = weft_watch_block_(l, WEFT_KIND_WRITE, deadline);
    if (s == WEFT_OK) {
        s = weft_readers_drain_(l, deadline);
        weft_watch_unblock_();
    }
    if (s != WEFT_OK)
        /* release: allow */
        atomic_store_explicit(&l->biased, 1, memory_order_release);
    return s;
}

enum weft_status
weft_rwlock_write_lock_until(weft_rwlock *l, weft_deadline deadline)
{
    const uint32_t me = weft_self_tag_();

    if (is_writer(l) || weft_readers_find_(weft_readers_known_(), l) != NULL)
        return own(deadline);
    enum weft_status s = acquire(l, true, deadline);
    if (s != WEFT_OK)
        return s;
    if (atomic_load_explicit(&l->biased, memory_order_relaxed) != 0) {
        s = drain(l, deadline);
        if (s != WEFT_OK) {
            let_go(l, WRITER);
            return s;
        }
    }
    atomic_store_explicit(&l->owner, me, memory_order_relaxed);
    atomic_store_explicit(&l->reads, 0, memory_order_relaxed);
    if (weft_watching_())
        weft_watch_acquired_(l, WEFT_KIND_WRITE);
    return WEFT_OK;
}

enum weft_status
weft_rwlock_write_lock(weft_rwlock *l)
{
    return weft_rwlock_write_lock_until(l, WEFT_FOREVER);
}

enum weft_status
weft_rwlock_write_unlock(weft_rwlock *l)
{
    if (!is_writer(l))
        return WEFT_NOT_OWNER;
    if (weft_watching_())
        weft_watch_released_(l, WEFT_KIND_WRITE);
    atomic_store_explicit(&l->owner, 0, memory_order_relaxed);
    let_go(l, WRITER);
    return WEFT_OK;
}
