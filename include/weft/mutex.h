/* SPDX-License-Identifier: MIT */
/*
 * mutex.h - one thread at a time, and it is known which.
 *
 *   shape      4 bytes in the caller's memory; zero bytes are a free one, and
 *              it needs no destroy
 *   source     three states in one word: Ulrich Drepper, "Futexes Are Tricky",
 *              2011; keeping it for who has waited long: Mike Burrows, nsync
 *   sibling    rmutex.h: its owner may lock it again
 *
 *       static weft_mutex m = WEFT_MUTEX_INIT;
 *
 *       weft_mutex_lock(&m);
 *       total += n;
 *       weft_mutex_unlock(&m);
 *
 *       WEFT_WITH(&m) {                                           // guard.h
 *           total += n;
 *       }
 *
 * A thread that has found the mutex held and waited for a millisecond gets it
 * next; until then whoever comes while it is free takes it.
 */
#ifndef WEFT_MUTEX_H
#define WEFT_MUTEX_H

#include <stdbool.h>
#include <stdint.h>

#include <weft/base.h>
#include <weft/deadline.h>
#include <weft/guard.h>
#include <weft/inline.h>
#include <weft/status.h>

WEFT_BEGIN_DECLS

/* Private: who holds it, and three flags. */
typedef struct weft_mutex {
    WEFT_ATOMIC(uint32_t) word;
} weft_mutex;

#define WEFT_MUTEX_INIT \
    {                   \
        0               \
    }

/* Make `m` a free mutex; for memory that may hold anything. */
WEFT_API void weft_mutex_init(weft_mutex *m);

/*
 * Lock `m`, waiting until it is free.
 *
 *   returns    WEFT_OK, holding it; WEFT_DEADLOCK, nothing changed: this thread
 *              holds it already, or the detector is on, its policy is to fail,
 *              and this wait would close a cycle
 *   blocking   spins briefly where there is more than one CPU, then sleeps
 *   progress   starvation-free: after 1 ms a waiter goes before newcomers
 *   ordering   everything before the unlock that made it free happens-before
 *              the return
 *   cost       uncontended: one atomic read-modify-write, no system call
 *   caveat     not async-signal-safe; not a cancellation point.  A thread that
 *              ends leaves what it holds locked for good
 */
WEFT_API enum weft_status weft_mutex_lock(weft_mutex *m);

/*
 * Lock `m` if it is free.
 *
 *   returns    WEFT_OK, holding it; WEFT_BUSY if anybody holds it, this thread
 *              included
 *   blocking   never
 *   ordering   WEFT_OK: as weft_mutex_lock
 *   caveat     goes before those who wait, however long they have
 */
WEFT_API WEFT_MUST_USE enum weft_status weft_mutex_trylock(weft_mutex *m);

/*
 * Lock `m`, waiting until it is free or `deadline` has passed.
 *
 *   deadline   WEFT_NOW, or any that has passed: do not wait
 *   returns    as weft_mutex_lock, or WEFT_TIMEOUT, not holding it.  For one's
 *              own mutex WEFT_DEADLOCK at once, since waiting cannot help;
 *              WEFT_TIMEOUT if the deadline has passed already
 *   others     as weft_mutex_lock; a free mutex is taken however late it is
 */
WEFT_API WEFT_MUST_USE enum weft_status
weft_mutex_lock_until(weft_mutex *m, weft_deadline deadline);

/*
 * Unlock `m`.
 *
 *   returns    WEFT_OK; WEFT_NOT_OWNER if this thread does not hold it, nothing
 *              changed
 *   blocking   never
 *   ordering   everything before the call happens-before the return of the lock
 *              that takes it next
 *   threads    once it has let go of `m` it does not touch it again: the next
 *              owner may free the memory
 *   cost       uncontended: one atomic read-modify-write, no system call
 */
WEFT_API enum weft_status weft_mutex_unlock(weft_mutex *m);

/* Whether anybody holds `m`; true for sure only if this thread does. */
WEFT_API bool weft_mutex_is_locked(const weft_mutex *m);

/*
 * Return the id of the thread that holds `m`, or that held it when it ended; 0
 * if nobody does.
 *
 *   progress   lock-free
 *   cost       looks through the list of threads
 *   caveat     may be past by the time it returns, unless it is this thread's.
 *              Tags of threads come back after 2^29 thread starts
 */
WEFT_API uint64_t weft_mutex_owner(const weft_mutex *m);

/* What the inline parts call when they cannot go on. */
WEFT_API enum weft_status weft_mutex_lock_slow_(weft_mutex *m);
WEFT_API enum weft_status weft_mutex_unlock_slow_(weft_mutex *m);

#if !defined(WEFT_NO_INLINE)
WEFT_INLINE enum weft_status
weft_mutex_lock(weft_mutex *m)
{
    const uint32_t me = WEFT_LOAD_(&weft_self_, relaxed);
    uint32_t free_word = 0;

    return me != 0 && WEFT_CAS_(&m->word, &free_word, me, acquire)
               ? WEFT_OK
               : weft_mutex_lock_slow_(m);
}

WEFT_INLINE enum weft_status
weft_mutex_unlock(weft_mutex *m)
{
    const uint32_t me = WEFT_LOAD_(&weft_self_, relaxed);
    uint32_t mine = me;

    return me != 0 && WEFT_CAS_(&m->word, &mine, 0, release)
               ? WEFT_OK
               : weft_mutex_unlock_slow_(m);
}
#endif

WEFT_END_DECLS

#endif /* WEFT_MUTEX_H */
