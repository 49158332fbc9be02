/* SPDX-License-Identifier: MIT */
/*
 * rmutex.h - a mutex that its owner may lock again.
 *
 *   shape      8 bytes in the caller's memory; zero bytes are a free one, and
 *              it needs no destroy
 *   source     as mutex.h, and a depth that belongs to the owner
 *   sibling    mutex.h: refuses its owner, and finds the mistake if it was one
 *
 *       static weft_rmutex m = WEFT_RMUTEX_INIT;
 *
 *       WEFT_WITH(&m) {                                           // guard.h
 *           add(1);                      // which locks it too
 *       }
 */
#ifndef WEFT_RMUTEX_H
#define WEFT_RMUTEX_H

#include <stdbool.h>
#include <stdint.h>

#include <weft/base.h>
#include <weft/deadline.h>
#include <weft/guard.h>
#include <weft/inline.h>
#include <weft/mutex.h>
#include <weft/status.h>

WEFT_BEGIN_DECLS

/* Private. */
typedef struct weft_rmutex {
    weft_mutex mutex;
    WEFT_ATOMIC(uint32_t)
    again; /* how often its owner locked it beyond the first time */
} weft_rmutex;

#define WEFT_RMUTEX_INIT   \
    {                      \
        WEFT_MUTEX_INIT, 0 \
    }

/* Make `m` a free one; for memory that may hold anything. */
WEFT_API void weft_rmutex_init(weft_rmutex *m);

/*
 * Lock `m`: once more if this thread holds it, else waiting until it is free.
 *
 *   returns    WEFT_OK; WEFT_OVERFLOW, nothing changed, if this thread has
 *              locked it 2^32 - 1 times; WEFT_DEADLOCK, nothing changed, if the
 *              detector is on, its policy is to fail, and this wait would close
 *              a cycle
 *   cost       uncontended: one atomic read-modify-write; again: none
 *   others     as weft_mutex_lock
 */
WEFT_API enum weft_status weft_rmutex_lock(weft_rmutex *m);

/*
 * Lock `m` if it is free or this thread's.
 *
 *   returns    WEFT_OK; WEFT_BUSY if another thread holds it; WEFT_OVERFLOW as
 *              weft_rmutex_lock
 *   others     as weft_mutex_trylock
 */
WEFT_API WEFT_MUST_USE enum weft_status weft_rmutex_trylock(weft_rmutex *m);

/*
 * Lock `m`, waiting until it is free or `deadline` has passed.
 *
 *   deadline   WEFT_NOW, or any that has passed: do not wait
 *   returns    as weft_rmutex_lock, or WEFT_TIMEOUT, not holding it
 *   others     as weft_rmutex_lock; what is free or this thread's is taken
 *              however late it is
 */
WEFT_API WEFT_MUST_USE enum weft_status
weft_rmutex_lock_until(weft_rmutex *m, weft_deadline deadline);

/*
 * Undo one lock of `m`; the first one's undoing makes it free.
 *
 *   returns    WEFT_OK; WEFT_NOT_OWNER if this thread does not hold it, nothing
 *              changed
 *   others     as weft_mutex_unlock
 */
WEFT_API enum weft_status weft_rmutex_unlock(weft_rmutex *m);

/* Whether anybody holds `m`; true for sure only if this thread does. */
WEFT_API bool weft_rmutex_is_locked(const weft_rmutex *m);

/* Return the id of the thread that holds `m`, as weft_mutex_owner. */
WEFT_API uint64_t weft_rmutex_owner(const weft_rmutex *m);

/* Return how many times this thread has to unlock `m`; 0: it is not its. */
WEFT_API uint32_t weft_rmutex_depth(const weft_rmutex *m);

/* What the inline parts call when they cannot go on. */
WEFT_API enum weft_status weft_rmutex_lock_slow_(weft_rmutex *m);
WEFT_API enum weft_status weft_rmutex_unlock_slow_(weft_rmutex *m);

/* The common cases only: with flags in the word it is a slow one. */
#if !defined(WEFT_NO_INLINE)
WEFT_INLINE enum weft_status
weft_rmutex_lock(weft_rmutex *m)
{
    uint32_t word = WEFT_LOAD_(&m->mutex.word, relaxed);
    const uint32_t me = WEFT_LOAD_(&weft_self_, relaxed);

    if (__builtin_expect(word == 0, 0)) {
        if (me != 0 && WEFT_CAS_(&m->mutex.word, &word, me, acquire))
            return WEFT_OK;
    } else if (__builtin_expect(word == me, 1)) {
        const uint32_t again = WEFT_LOAD_(&m->again, relaxed) + 1;
        if (__builtin_expect(again != UINT32_MAX, 1)) {
            WEFT_STORE_(&m->again, again, relaxed);
            return WEFT_OK;
        }
    }
    return weft_rmutex_lock_slow_(m);
}

WEFT_INLINE enum weft_status
weft_rmutex_unlock(weft_rmutex *m)
{
    const uint32_t again = WEFT_LOAD_(&m->again, relaxed);
    uint32_t me = WEFT_LOAD_(&weft_self_, relaxed);

    if (__builtin_expect(again == 0, 0)) {
        if (me != 0 && WEFT_CAS_(&m->mutex.word, &me, 0, release))
            return WEFT_OK;
    } else if (__builtin_expect(
                   me != 0 && WEFT_LOAD_(&m->mutex.word, relaxed) == me, 1)) {
        WEFT_STORE_(&m->again, again - 1, relaxed);
        return WEFT_OK;
    }
    return weft_rmutex_unlock_slow_(m);
}
#endif

WEFT_END_DECLS

#endif /* WEFT_RMUTEX_H */
