/* SPDX-License-Identifier: MIT */
/*
 * base/reclaim.h - giving memory back that other threads may still be reading.
 *
 *   idea       a reader enters before it loads a shared pointer and leaves when
 *              it has done with what the pointer led to.  Who has unlinked an
 *              object defers giving it back until every reader that might have
 *              seen it has left.
 *   shape      one list and one helper thread for the whole process; what is
 *              deferred carries two words of its own, so nothing is allocated
 *   source     liburcu, the bulletproof flavour, which asks nothing of the
 *              caller's threads (Desnoyers, McKenney, Stern, Dagenais, Walpole:
 *              User-Level Implementations of Read-Copy Update, IEEE TPDS 2012)
 *
 *       weft_reclaim_enter_();
 *       struct node *n = atomic_load_explicit(&head, memory_order_acquire);
 *       ... use n ...
 *       weft_reclaim_leave_();
 *
 *       struct node *old = unlink_it();
 *       weft_reclaim_defer_(&old->retired, free_node);
 *
 * The helper thread.  The first defer starts it, named "weft-reclaim", with all
 * signals blocked.  It gathers for a millisecond, waits until the readers have
 * left, gives back and sleeps; after WEFT_RECLAIM_LINGER_MS without work it
 * ends, and a later defer starts another.  An idle process therefore has no
 * thread it did not start, and ends when its own threads have ended.  One defer
 * costs it 0.2 ms of CPU time with the start and the end of the helper, then
 * nothing.  Where no thread can be started, a defer outside any reader gives
 * back by itself, and then waits for the readers.
 *
 * fork().  The child has what was deferred and no helper; its next defer starts
 * one.  fork() waits until a running batch is given back, so it must not be
 * called between enter and leave.
 *
 * exit().  What is deferred then is never given back; nothing waits for it.
 */
#ifndef WEFT_BASE_RECLAIM_H
#define WEFT_BASE_RECLAIM_H

#include "base/tsan.h"

/*
 * liburcu's small functions, inline: 2.4 ns for enter and leave in the place of
 * 13 (Cascade Lake, 2.5 GHz).  Under the sanitizers they are called: liburcu
 * 0.13 aligns its readers to 32 bytes and declares them aligned to 128, which
 * UndefinedBehaviorSanitizer would report in our code.  (gcc does not let us
 * see that it runs alone; its reports are then liburcu's.)
 */
#if defined(__SANITIZE_ADDRESS__) || defined(WEFT_TSAN)
#define WEFT_RECLAIM_CALLS_ 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || \
    __has_feature(undefined_behavior_sanitizer)
#define WEFT_RECLAIM_CALLS_ 1
#endif
#endif
#ifndef WEFT_RECLAIM_CALLS_
#define _LGPL_SOURCE
#endif
#include <urcu/urcu-bp.h>

/* How long the helper thread stays without work [ms]. */
#define WEFT_RECLAIM_LINGER_MS 200

/* Part of an object that is given back this way; private until deferred. */
struct weft_retired {
    struct weft_retired *next;
    void (*give_back)(struct weft_retired *r);
};

/* Stands for the grace periods where ThreadSanitizer looks. */
extern char weft_reclaim_grace_;

/*
 * From here to weft_reclaim_leave_, no object that this thread can reach is
 * given back.  May be nested.
 *
 *   blocking   a thread's first call takes liburcu's registry lock, and aborts
 *              if there is no memory for an entry; later ones never
 *   progress   wait-free but for the first call
 *   cost       a few plain instructions: the grace period pays for the fence
 *              (membarrier)
 *   caveat     a thread that stays inside delays all giving back, and fork()
 */
static inline void
weft_reclaim_enter_(void)
{
    urcu_bp_read_lock();
}

/*
 * Leave what weft_reclaim_enter_ began.
 *
 *   ordering   everything before the leave happens-before the `give_back` of
 *              what was deferred after the enter
 *   progress   wait-free
 */
static inline void
weft_reclaim_leave_(void)
{
    weft_tsan_release_(&weft_reclaim_grace_);
    urcu_bp_read_unlock();
}

/*
 * Call `give_back(r)` once every reader that is inside now has left.
 *
 *   r          part of an object that no new reader can reach; the library's
 *              until the call
 *   give_back  runs in the helper thread or in a caller of
 *              weft_reclaim_barrier_; may defer, may not wait for readers; it
 *              should be short, as all others wait for it
 *   ordering   everything before the defer happens-before `give_back`
 *   blocking   never, unless no helper thread can be started
 *   progress   lock-free
 *   cost       one compare-and-swap; a system call for the first of a batch
 *   threads    any, also between enter and leave; not in a signal handler
 *   caveat     one helper gives back for all: what is deferred for long faster
 *              than one thread frees grows without bound
 */
void weft_reclaim_defer_(struct weft_retired *r,
                         void (*give_back)(struct weft_retired *r));

/*
 * Wait until everything that was deferred before the call is given back.
 *
 *   requires   not between enter and leave, not in a `give_back`
 *   blocking   until the readers that are inside have left, and on one mutex
 *   ordering   those `give_back` happen-before the return
 */
void weft_reclaim_barrier_(void);

/*
 * Wait until every reader that is inside now has left.
 *
 *   requires   not between enter and leave
 *   blocking   until they have; polls every 10 ms if it takes long
 *   ordering   what they did inside happens-before the return
 */
void weft_reclaim_synchronize_(void);

#endif /* WEFT_BASE_RECLAIM_H */
