/* SPDX-License-Identifier: MIT */
/*
 * rwlock.c - the word of rwlock_word.c, and a way around it for readers.
 *
 * Readers on their own lines (rwlock_slots.h).  While `biased` is set a reader
 * enters itself there and leaves the word alone.
 *
 *     0        readers are counted in the word; after COUNTED_READS of them
 *              without a write one of them, still counted, makes it FENCED
 *     FENCED   a reader enters by an exchange, a writer looks at the lines;
 *              a reader that has done so WEFT_RWLOCK_READS_ times makes it FREE
 *     FREE     a reader enters by a plain store, a writer asks for the fence
 *
 * A writer that already has the word makes it 0: so it does not change while
 * the writer waits for those on their lines, and new readers find WRITER.  A
 * reader that stored plainly must find FREE again: under FENCED the next writer
 * would not fence for it.
 *
 * Dice and Kogan (BRAVO, USENIX ATC 2019) have one table for all locks and
 * threads, in which readers may meet, a fence in the reader, and give the bias
 * back after a multiple of the time that taking it cost.  Here each thread has
 * lines of its own, the writer's system call makes the fence of both where
 * that pays, and the bias comes back by a count, which needs no clock.
 *
 * Ordering.
 *
 *     rwlock.hand_over  a thread lets go in the word  ->  the next takes it
 *     rwlock.agree      a reader enters, a writer forbids  ->  the other sees
 *     allow             a reader sets `biased`  ->  a reader enters its line
 *
 *     rwlock.drain      a reader leaves its line  ->  a writer sees it gone
 */
#define WEFT_NO_INLINE
#include <weft/rwlock.h>

#include <stddef.h>

#include "base/deadline.h"
#include "base/fence.h"
#include "deadlock/watch_short.h"
#include "sync/rwlock_slots.h"
#include "sync/rwlock_word.h"

#define FENCED WEFT_RWLOCK_FENCED_
#define FREE   WEFT_RWLOCK_FREE_

#define COUNTED_READS 4 /* without a write, before readers get their lines */

/* Readers that this thread's entries had no room for. */
static __thread uint32_t unlisted __attribute__((tls_model("initial-exec")));

void
weft_rwlock_init(weft_rwlock *l)
{
    if (weft_watching_())
        weft_watch_forgets_(l, sizeof(*l));
    *l = (weft_rwlock)WEFT_RWLOCK_INIT;
}

/* What a thread gets that waits for itself. */
static enum weft_status
own(const weft_rwlock *l, enum weft_kind kind, weft_deadline deadline)
{
    const bool late = deadline <= WEFT_NOW || (deadline != WEFT_FOREVER &&
                                               deadline <= weft_clock_ns_());

    if (!late && weft_watching_())
        weft_watch_own_(l, kind);
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

static bool
enter_fenced(weft_rwlock *l, struct weft_readers *r, _Atomic(uintptr_t) *entry)
{
    /* seq_cst: rwlock.agree.  We store the entry, then load `biased`; a writer
     * stores `biased`, then loads the entry.  Without a total order both could
     * miss the other's store: we read while it writes. */
    atomic_exchange_explicit(entry, (uintptr_t)l, memory_order_seq_cst);
    /* seq_cst: rwlock.agree, allow */
    uint32_t b = atomic_load_explicit(&l->biased, memory_order_seq_cst);
    if (b == 0)
        return false;
    if (++r->fenced % WEFT_RWLOCK_READS_ == 0 && b == FENCED)
        /* release: allow */
        atomic_compare_exchange_strong_explicit(
            &l->biased, &b, FREE, memory_order_release, memory_order_relaxed);
    return true;
}

/* Enter the entry if the lock allows it. */
static bool
enter(weft_rwlock *l, struct weft_readers *r, _Atomic(uintptr_t) *entry)
{
    const uint32_t b = atomic_load_explicit(&l->biased, memory_order_relaxed);

    if (b == FENCED)
        return enter_fenced(l, r, entry);
    if (b != FREE)
        return false;
    atomic_store_explicit(entry, (uintptr_t)l, memory_order_relaxed);
    weft_fence_light_();
    /* acquire: allow */
    return atomic_load_explicit(&l->biased, memory_order_acquire) == FREE;
}

/* Counted in the word: one more read without a write. */
static void
count_read(weft_rwlock *l)
{
    const uint32_t n =
        atomic_load_explicit(&l->reads, memory_order_relaxed) + 1;

    if (n < COUNTED_READS)
        atomic_store_explicit(&l->reads, n, memory_order_relaxed);
    else if (weft_fence_is_there_())
        /* release: allow */
        atomic_store_explicit(&l->biased, FENCED, memory_order_release);
}

static enum weft_status
read_lock(weft_rwlock *l, weft_deadline deadline)
{
    struct weft_readers *r = weft_readers_mine_();
    _Atomic(uintptr_t) *entry = weft_readers_home_(l);

    if (entry != NULL && /* the commonest case, and the shortest */
        atomic_load_explicit(&l->biased, memory_order_relaxed) == FENCED) {
        if (enter_fenced(l, r, entry))
            return WEFT_OK;
        weft_readers_leave_(r, l, entry);
    }
    entry = weft_readers_find_(r, l);

    if (entry != NULL)
        return nest(r, entry);
    if (is_writer(l))
        return own(l, WEFT_KIND_READ, deadline);
    entry = weft_readers_free_(r, l);
    if (entry != NULL) {
        if (enter(l, r, entry))
            return WEFT_OK;
        weft_readers_leave_(r, l, entry);
    }
    const enum weft_status s = weft_rwlock_acquire_(l, false, deadline);
    if (s != WEFT_OK)
        return s;
    entry = weft_readers_free_(r, l);
    if (entry != NULL)
        atomic_store_explicit(entry, (uintptr_t)l | COUNTED,
                              memory_order_relaxed);
    else
        unlisted++;
    count_read(l);
    return WEFT_OK;
}

static enum weft_status
read_lock_until(weft_rwlock *l, weft_deadline deadline)
{
    if (weft_watching_() && deadline > WEFT_NOW)
        weft_watch_wanted_(l, WEFT_KIND_READ, deadline);
    const enum weft_status s = read_lock(l, deadline);

    if (s == WEFT_OK && weft_watching_())
        weft_watch_acquired_(l, WEFT_KIND_READ);
    return s;
}

enum weft_status
weft_rwlock_read_lock_until(weft_rwlock *l, weft_deadline deadline)
{
    WEFT_WATCH_CALL_();
    return read_lock_until(l, deadline);
}

/* What is long is elsewhere, so that the short ways need no frame. */
static __attribute__((noinline)) enum weft_status
read_lock_from(weft_rwlock *l, const void *from)
{
    weft_watch_call_(from);
    return read_lock_until(l, WEFT_FOREVER);
}

/* A line was entered, and the lock does not allow it. */
static __attribute__((noinline)) enum weft_status
read_retry_from(weft_rwlock *l, const void *from)
{
    struct weft_readers *r = weft_readers_known_();

    weft_watch_call_(from);
    weft_readers_leave_(r, l, &r->slots.lock[WEFT_READ_SLOT_(l)]);
    return read_lock_until(l, WEFT_FOREVER);
}

enum weft_status
weft_rwlock_read_retry_(weft_rwlock *l)
{
    return read_retry_from(l, __builtin_return_address(0));
}

/* The short way while somebody watches: as the inline one, and noted. */
enum weft_status
weft_rwlock_read_lock_slow_(weft_rwlock *l)
{
    _Atomic(uintptr_t) *home = &weft_read_slots_->lock[WEFT_READ_SLOT_(l)];
    const void *from = __builtin_return_address(0);
    struct weft_watch_step step;

    if (!weft_watch_may_push_(&step, l, WEFT_KIND_READ) ||
        atomic_load_explicit(&l->biased, memory_order_relaxed) != FREE ||
        atomic_load_explicit(home, memory_order_relaxed) != 0)
        return read_lock_from(l, from);
    atomic_store_explicit(home, (uintptr_t)l, memory_order_relaxed);
    weft_fence_light_();
    /* acquire: allow */
    if (atomic_load_explicit(&l->biased, memory_order_acquire) != FREE)
        return read_retry_from(l, from);
    weft_watch_push_(&step, l, WEFT_KIND_READ, (uintptr_t)from - 1);
    return WEFT_OK;
}

enum weft_status
weft_rwlock_read_lock(weft_rwlock *l)
{
    return read_lock_from(l, __builtin_return_address(0));
}

/* Without an entry: whether the word can count this thread. */
static bool
is_unlisted(const weft_rwlock *l)
{
    return unlisted > 0 &&
           atomic_load_explicit(&l->word, memory_order_relaxed) >= WEFT_READER_;
}

static __attribute__((noinline)) enum weft_status
read_unlock(weft_rwlock *l)
{
    struct weft_readers *r = weft_readers_known_();
    _Atomic(uintptr_t) *entry = weft_readers_find_(r, l);

    if (entry == NULL && !is_unlisted(l))
        return WEFT_NOT_OWNER;
    if (weft_watching_())
        weft_watch_released_(l, WEFT_KIND_READ);
    if (entry == NULL) {
        unlisted--;
        weft_rwlock_let_go_(l, WEFT_READER_);
        return WEFT_OK;
    }
    const uintptr_t e = atomic_load_explicit(entry, memory_order_relaxed);
    if ((e & NESTED) != 0) {
        if (--r->depth[entry - r->slots.lock] == 0)
            atomic_store_explicit(entry, e & ~NESTED, memory_order_relaxed);
    } else if ((e & COUNTED) != 0) {
        weft_readers_clear_(r, l, entry);
        weft_rwlock_let_go_(l, WEFT_READER_);
    } else {
        weft_readers_leave_(r, l, entry);
    }
    return WEFT_OK;
}

/* The short way: of what is held once, on its line. */
enum weft_status
weft_rwlock_read_unlock_slow_(weft_rwlock *l)
{
    struct weft_read_slots_ *s = weft_read_slots_;
    _Atomic(uintptr_t) *home = &s->lock[WEFT_READ_SLOT_(l)];
    struct weft_watch_step step;

    if (!weft_watch_may_pop_(&step, l) ||
        atomic_load_explicit(home, memory_order_relaxed) != (uintptr_t)l)
        return read_unlock(l);
    weft_watch_pop_(&step);
    /* release: rwlock.drain */
    atomic_store_explicit(home, 0, memory_order_release);
    weft_fence_light_();
    if (atomic_load_explicit(&s->wanted, memory_order_relaxed) != 0)
        (void)weft_rwlock_read_left_();
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
    /* seq_cst: rwlock.agree */
    const uint32_t was =
        atomic_exchange_explicit(&l->biased, 0, memory_order_seq_cst);
    if (was == FREE)
        weft_fence_heavy_();
    enum weft_status s = weft_watch_block_(l, WEFT_KIND_WRITE, deadline);
    if (s == WEFT_OK) {
        s = weft_readers_drain_(l, deadline);
        weft_watch_unblock_();
    }
    if (s != WEFT_OK)
        /* release: allow */
        atomic_store_explicit(&l->biased, was, memory_order_release);
    return s;
}

static enum weft_status
write_lock_until(weft_rwlock *l, weft_deadline deadline)
{
    const uint32_t me = weft_self_tag_();
    enum weft_status s;
    uint32_t w = 0;

    if (weft_watching_() && deadline > WEFT_NOW)
        weft_watch_wanted_(l, WEFT_KIND_WRITE, deadline);
    /* Whoever has it himself finds the word or `biased` other than free. */
    /* acquire: rwlock.hand_over */
    if (atomic_load_explicit(&l->biased, memory_order_relaxed) != 0 ||
        !atomic_compare_exchange_strong_explicit(&l->word, &w, WEFT_WRITER_,
                                                 memory_order_acquire,
                                                 memory_order_relaxed)) {
        if (is_writer(l) ||
            weft_readers_find_(weft_readers_known_(), l) != NULL)
            return own(l, WEFT_KIND_WRITE, deadline);
        s = weft_rwlock_acquire_(l, true, deadline);
        if (s != WEFT_OK)
            return s;
    }
    if (atomic_load_explicit(&l->biased, memory_order_relaxed) != 0) {
        s = drain(l, deadline);
        if (s != WEFT_OK) {
            weft_rwlock_let_go_(l, WEFT_WRITER_);
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
weft_rwlock_write_lock_until(weft_rwlock *l, weft_deadline deadline)
{
    WEFT_WATCH_CALL_();
    return write_lock_until(l, deadline);
}

enum weft_status
weft_rwlock_write_lock(weft_rwlock *l)
{
    WEFT_WATCH_CALL_();
    return write_lock_until(l, WEFT_FOREVER);
}

enum weft_status
weft_rwlock_write_unlock(weft_rwlock *l)
{
    if (!is_writer(l))
        return WEFT_NOT_OWNER;
    if (weft_watching_())
        weft_watch_released_(l, WEFT_KIND_WRITE);
    atomic_store_explicit(&l->owner, 0, memory_order_relaxed);
    weft_rwlock_let_go_(l, WEFT_WRITER_);
    return WEFT_OK;
}
