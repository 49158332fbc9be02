/* SPDX-License-Identifier: MIT */
/*
 * rwlock.h - many readers at a time, or one writer.
 *
 *   shape      24 bytes in the caller's memory; zero bytes are a free one, and
 *              it needs no destroy.  A thread that reads has 128 bytes more,
 *              for all its locks together
 *   source     readers that write no shared line: after Dave Dice and Alex
 *              Kogan, BRAVO, USENIX ATC 2019
 *   sibling    mutex.h: as fast where most sections write
 *
 *       static weft_rwlock l = WEFT_RWLOCK_INIT;
 *
 *       weft_rwlock_read_lock(&l);
 *       price = table[i];
 *       weft_rwlock_read_unlock(&l);
 *
 *       weft_rwlock_write_lock(&l);
 *       table[i] = price;
 *       weft_rwlock_write_unlock(&l);
 *
 * A lock that has seen a few reads since the last write lets its readers write
 * into lines of their own from then on, so that no two share a line; the next
 * writer looks at the line of every thread.  After WEFT_RWLOCK_READS_ more a
 * read is without a locked instruction, and the next writer pays for that with
 * a system call that interrupts the other CPUs.
 *
 * Who goes first.  Whoever comes while nothing is in the way goes in.  A writer
 * that has waited for a millisecond keeps newcomers of both kinds out until it
 * had its turn; a reader that has waited for a millisecond goes before the next
 * writer.
 */
#ifndef WEFT_RWLOCK_H
#define WEFT_RWLOCK_H

#include <stdint.h>

#include <weft/base.h>
#include <weft/deadline.h>
#include <weft/inline.h>
#include <weft/status.h>

WEFT_BEGIN_DECLS

/* The fields are private. */
typedef struct weft_rwlock {
    WEFT_ATOMIC(uint32_t) word;
    WEFT_ATOMIC(uint32_t) owner;
    WEFT_ATOMIC(uint32_t) biased;
    WEFT_ATOMIC(uint32_t) reads;
    WEFT_ATOMIC(uint32_t) read_turn;
    WEFT_ATOMIC(uint32_t) write_turn;
} weft_rwlock;

#define WEFT_RWLOCK_INIT \
    {                    \
        0, 0, 0, 0, 0, 0 \
    }

/* Make `l` a free lock; for memory that may hold anything. */
WEFT_API void weft_rwlock_init(weft_rwlock *l);

/*
 * Lock `l` to read, waiting until no writer has it.
 *
 *   returns    WEFT_OK, holding it; WEFT_DEADLOCK, nothing changed: this thread
 *              holds it to write, or the detector is on, its policy is to fail,
 *              and this wait would close a cycle
 *   nesting    a thread may lock to read what it holds to read, to any depth,
 *              and does not wait for a writer then; up to 8 locks at a time
 *              (what comes beyond is not remembered, and may wait for a writer
 *              that waits for this thread)
 *   blocking   spins briefly where there is more than one CPU, then sleeps
 *   progress   starvation-free, as above
 *   ordering   everything before the unlock by each earlier writer
 *              happens-before the return
 *   cost       with readers' own lines: one atomic exchange on one of them, or
 *              only plain stores, inline; else one read-modify-write of the lock
 *   caveat     not async-signal-safe; not a cancellation point.  A thread that
 *              ends leaves what it holds locked for good, to read or to write.
 *              In a forked child, what other threads had locked to read on
 *              their own lines is unlocked; the rest stays locked
 */
WEFT_API enum weft_status weft_rwlock_read_lock(weft_rwlock *l);

/*
 * The same, but not longer than until `deadline`.
 *
 *   deadline   WEFT_NOW, or any that has passed: do not wait
 *   returns    as weft_rwlock_read_lock, or WEFT_TIMEOUT, not holding it; so if
 *              this thread has it to write and the deadline has passed
 *   others     as weft_rwlock_read_lock; what is free is taken however late it
 *              is
 */
WEFT_API WEFT_MUST_USE enum weft_status
weft_rwlock_read_lock_until(weft_rwlock *l, weft_deadline deadline);

/*
 * Give up one read lock of this thread.
 *
 *   returns    WEFT_OK; WEFT_NOT_OWNER if this thread does not hold it to read,
 *              nothing changed.  This is exact while the thread has held no
 *              more than 8 locks to read at a time; beyond, a lock that only
 *              others hold may be unlocked in the place of the forgotten one
 *   blocking   never
 *   ordering   everything before happens-before the return of the write lock
 *              that comes next
 *   threads    that of the lock.  The lock must not be freed before the call
 *              has returned
 *   cost       as the lock; a system call if it lets a waiting thread in
 */
WEFT_API enum weft_status weft_rwlock_read_unlock(weft_rwlock *l);

/*
 * Lock `l` to write, waiting until nobody has it.
 *
 *   returns    WEFT_OK, holding it; WEFT_DEADLOCK, nothing changed: this thread
 *              holds it already, to write or (as far as remembered, 8 locks) to
 *              read, or the detector says so
 *   blocking   as weft_rwlock_read_lock, and until the readers that are inside
 *              have left
 *   ordering   everything before the unlock by each earlier reader and writer
 *              happens-before the return
 *   cost       one read-modify-write, and after reads what is said above
 *   others     as weft_rwlock_read_lock
 */
WEFT_API enum weft_status weft_rwlock_write_lock(weft_rwlock *l);

/*
 * The same, but not longer than until `deadline`.
 *
 *   returns    as weft_rwlock_write_lock, or WEFT_TIMEOUT, not holding it; so
 *              if this thread holds it already and the deadline has passed
 *   others     as weft_rwlock_read_lock_until
 */
WEFT_API WEFT_MUST_USE enum weft_status
weft_rwlock_write_lock_until(weft_rwlock *l, weft_deadline deadline);

/*
 * Give up the write lock.
 *
 *   returns    WEFT_OK; WEFT_NOT_OWNER if this thread does not hold it to
 *              write, nothing changed
 *   ordering   everything before happens-before the return of the next lock of
 *              either kind
 *   others     as weft_rwlock_read_unlock; exact
 */
WEFT_API enum weft_status weft_rwlock_write_unlock(weft_rwlock *l);

/* What follows is for the inline parts. */

#define WEFT_READ_SLOTS_   8
#define WEFT_RWLOCK_READS_ 1000

/* What `biased` says: readers may enter their lines; without a fence. */
#define WEFT_RWLOCK_FENCED_ 1u
#define WEFT_RWLOCK_FREE_   2u

/* What a thread holds to read.  Only the first two are anybody else's to
 * look at, and only `wanted` to write. */
struct weft_read_slots_ {
    WEFT_ATOMIC(uintptr_t) lock[WEFT_READ_SLOTS_];
    WEFT_ATOMIC(uint32_t) wanted;
};

WEFT_API extern __thread struct weft_read_slots_ *weft_read_slots_
    __attribute__((tls_model("initial-exec")));

WEFT_API enum weft_status weft_rwlock_read_lock_slow_(weft_rwlock *l);
WEFT_API enum weft_status weft_rwlock_read_retry_(weft_rwlock *l);
WEFT_API enum weft_status weft_rwlock_read_unlock_slow_(weft_rwlock *l);
WEFT_API enum weft_status weft_rwlock_read_left_(void);

/* Where a thread looks first for a lock among its own. */
#define WEFT_READ_SLOT_(l) \
    (((uintptr_t)(l) >> 4 ^ (uintptr_t)(l) >> 7) % WEFT_READ_SLOTS_)

#if !defined(WEFT_NO_INLINE)
WEFT_INLINE enum weft_status
weft_rwlock_read_lock(weft_rwlock *l)
{
    WEFT_ATOMIC(uintptr_t) *slot = &weft_read_slots_->lock[WEFT_READ_SLOT_(l)];

    if (WEFT_LOAD_(&weft_self_, relaxed) == 0 ||
        WEFT_LOAD_(&l->biased, relaxed) != WEFT_RWLOCK_FREE_ ||
        WEFT_LOAD_(slot, relaxed) != 0)
        return weft_rwlock_read_lock_slow_(l);
    WEFT_STORE_(slot, (uintptr_t)l, relaxed);
    __asm__ volatile("" ::: "memory"); /* the light fence of base/fence.h */
    return WEFT_LOAD_(&l->biased, acquire) == WEFT_RWLOCK_FREE_
               ? WEFT_OK
               : weft_rwlock_read_retry_(l);
}

WEFT_INLINE enum weft_status
weft_rwlock_read_unlock(weft_rwlock *l)
{
    struct weft_read_slots_ *s = weft_read_slots_;
    WEFT_ATOMIC(uintptr_t) *slot = &s->lock[WEFT_READ_SLOT_(l)];

    if (WEFT_LOAD_(&weft_self_, relaxed) == 0 ||
        WEFT_LOAD_(slot, relaxed) != (uintptr_t)l)
        return weft_rwlock_read_unlock_slow_(l);
    WEFT_STORE_(slot, 0, release);
    __asm__ volatile("" ::: "memory");
    return WEFT_LOAD_(&s->wanted, relaxed) == 0 ? WEFT_OK
                                                : weft_rwlock_read_left_();
}
#endif

WEFT_END_DECLS

#endif /* WEFT_RWLOCK_H */
