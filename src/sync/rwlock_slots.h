/* SPDX-License-Identifier: MIT */
/*
 * sync/rwlock_slots.h - what each thread holds to read: two lines of its own,
 * in a list that a writer walks.
 *
 *   entry      the address of a lock, and two bits: COUNTED, the lock's own
 *              word counts this reader; NESTED, the thread holds it more than
 *              once.  0: free
 *   shape      the list only grows; what a thread that ended leaves is used by
 *              the next, so there are as many as there were readers at a time.
 *              They are never freed: a thread that leaves a lock touches its
 *              own lines last, not the lock
 */
#ifndef WEFT_SYNC_RWLOCK_SLOTS_H
#define WEFT_SYNC_RWLOCK_SLOTS_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/deadline.h>
#include <weft/rwlock.h>
#include <weft/status.h>

#include "base/cacheline.h"

#define COUNTED ((uintptr_t)1)
#define NESTED  ((uintptr_t)2)

struct weft_readers {
    /* First: the same address. */
    alignas(WEFT_CACHE_PAIR) struct weft_read_slots_ slots;
    _Atomic uint32_t left; /* how often the thread left when wanted */
    _Atomic bool taken;    /* has a thread */
    struct weft_readers *next;
    uint32_t fenced;  /* reads with a fence; the thread's, as what follows */
    uint32_t strayed; /* entries that are not where the inline path looks */
    uint32_t depth[WEFT_READ_SLOTS_]; /* above one, if NESTED; the thread's */
};

/* What threads have before they have any: no free entry. */
extern struct weft_readers weft_readers_none_;

/* The calling thread's; NULL if it has none and can get none. */
struct weft_readers *weft_readers_mine_(void);

/* The same, but NULL if it has none yet. */
static inline struct weft_readers *
weft_readers_known_(void)
{
    struct weft_readers *r = (struct weft_readers *)(void *)weft_read_slots_;

    return r != &weft_readers_none_ ? r : NULL;
}

/* The entry where the inline path looks, if it is free and the thread cannot
 * have `l` in another; else NULL. */
static inline _Atomic(uintptr_t) *
weft_readers_home_(const weft_rwlock *l)
{
    struct weft_readers *r = (struct weft_readers *)(void *)weft_read_slots_;
    _Atomic(uintptr_t) *home = &r->slots.lock[WEFT_READ_SLOT_(l)];

    return r->strayed == 0 &&
                   atomic_load_explicit(home, memory_order_relaxed) == 0
               ? home
               : NULL;
}

/* Its entry for `l`, or NULL; `r` may be NULL. */
_Atomic(uintptr_t) *weft_readers_find_(struct weft_readers *r,
                                       const weft_rwlock *l);

/* A free entry, the one that the inline path uses if it is free; or NULL.  If
 * it is another, `r->strayed` counts it until it is cleared. */
_Atomic(uintptr_t) *weft_readers_free_(struct weft_readers *r,
                                       const weft_rwlock *l);

/* Clear an entry that was counted, or was never seen. */
void weft_readers_clear_(struct weft_readers *r, const weft_rwlock *l,
                         _Atomic(uintptr_t) *entry);

/*
 * Clear an entry of this thread that was not counted.
 *
 *   ordering   everything before happens-before the return of the
 *              weft_readers_drain_ that sees it cleared
 */
void weft_readers_leave_(struct weft_readers *r, const weft_rwlock *l,
                         _Atomic(uintptr_t) *entry);

/*
 * Wait until no thread has `l` in an entry that is not counted.
 *
 *   requires   no thread can enter one: after the exchange that forbids it
 *              and, where readers have no fence, a heavy one
 *   returns    WEFT_OK, or WEFT_TIMEOUT
 */
enum weft_status weft_readers_drain_(const weft_rwlock *l,
                                     weft_deadline deadline);

#endif /* WEFT_SYNC_RWLOCK_SLOTS_H */
