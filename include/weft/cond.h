/* SPDX-License-Identifier: MIT */
/*
 * cond.h - threads that hold a lock wait for something that others, who hold
 * it too, will tell them.
 *
 *   shape      40 bytes in the caller's memory, bound for life to one
 *              weft_mutex or weft_rmutex; needs no destroy
 *   source     original; waiting and telling with a lock: Hoare, "Monitors: An
 *              Operating System Structuring Concept", CACM 1974, in the form
 *              of Lampson and Redell, "Experience with Processes and Monitors
 *              in Mesa", CACM 1980; waking nobody into a lock that is held:
 *              Burrows, nsync
 *   sibling    event.h, where a flag is enough
 *
 *       static weft_mutex m = WEFT_MUTEX_INIT;
 *       static weft_cond changed = WEFT_COND_INIT(&m);
 *
 *       WEFT_WITH(&m) {                                 // who waits
 *           while (count == 0)
 *               weft_cond_wait(&changed, WEFT_FOREVER);
 *           count--;
 *       }
 *       WEFT_WITH(&m) {                                 // who tells
 *           count++;
 *           weft_cond_notify(&changed, 1);
 *       }
 *
 * There are no wake-ups without a reason, but another thread may have made the
 * condition false again before the one that was told has the lock: wait in a
 * loop, or with weft_cond_wait_for.
 */
#ifndef WEFT_COND_H
#define WEFT_COND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/base.h>
#include <weft/deadline.h>
#include <weft/inline.h>
#include <weft/mutex.h>
#include <weft/rmutex.h>
#include <weft/status.h>

WEFT_BEGIN_DECLS

struct weft_cond_waiter_;

/* The fields are private; all but the first belong to who holds the lock. */
typedef struct weft_cond {
    weft_mutex *mutex;                 /* the lock, or what is inside it */
    struct weft_cond_waiter_ *first;   /* all who wait, longest first */
    struct weft_cond_waiter_ *last;    /* valid if there is a first */
    struct weft_cond_waiter_ *waiting; /* the first that was not told */
    bool reentrant;                    /* the lock is a weft_rmutex */
    bool coming;     /* one was told and woken, and has not the lock yet */
    uint32_t teller; /* the CPU of who last told somebody */
} weft_cond;

/* A condition of the weft_mutex (weft_rmutex) at `m`. */
#define WEFT_COND_INIT(m)                      \
    {                                          \
        (m), NULL, NULL, NULL, false, false, 0 \
    }
#define WEFT_COND_INIT_R(m)                           \
    {                                                 \
        &(m)->mutex, NULL, NULL, NULL, true, false, 0 \
    }

/* Make `c` a condition of `m`, for good; nobody uses it meanwhile. */
WEFT_API void weft_cond_init(weft_cond *c, weft_mutex *m);
WEFT_API void weft_cond_init_r(weft_cond *c, weft_rmutex *m);

/*
 * Let go of the lock, wait to be told or for `deadline`, and take it again.
 *
 *   deadline   WEFT_NOW: nothing is let go of
 *   returns    WEFT_OK, told; WEFT_TIMEOUT, not told.  Both holding the lock,
 *              as deep as before, and for that it may wait beyond the deadline.
 *              WEFT_NOT_OWNER, nothing changed: this thread does not hold it
 *   blocking   spins briefly, then sleeps in the kernel; then it is a
 *              cancellation point, and the lock is held again when the caller's
 *              cleanup handlers run
 *   ordering   that of the lock
 *   cost       an unlock and a lock; no allocation
 */
WEFT_API enum weft_status weft_cond_wait(weft_cond *c, weft_deadline deadline);

/*
 * Wait until `holds(ctx)`, which is called with the lock held: once at first,
 * each time the thread is told, and once more after the deadline.
 *
 *   returns    WEFT_OK if it was true the last time; else WEFT_TIMEOUT;
 *              WEFT_NOT_OWNER as weft_cond_wait, and it was not called
 *   others     as weft_cond_wait
 */
WEFT_API enum weft_status weft_cond_wait_for(weft_cond *c,
                                             bool (*holds)(void *ctx),
                                             void *ctx, weft_deadline deadline);

/*
 * Tell up to `n` waiting threads, who have waited longest first.
 *
 *   returns    WEFT_OK, also if nobody waits; WEFT_NOT_OWNER, nothing changed:
 *              this thread does not hold the lock
 *   blocking   never
 *   progress   they wake once the lock is free, each when the one before it has
 *              had the lock: a thread that is stopped on its way to the lock
 *              holds up those told after it
 *   cost       if nobody waits: three loads; else a system call for the first,
 *              when the lock is unlocked
 */
WEFT_API enum weft_status weft_cond_notify(weft_cond *c, size_t n);

/* Tell all waiting threads; otherwise as weft_cond_notify. */
WEFT_API enum weft_status weft_cond_notify_all(weft_cond *c);

/* What the inline part calls when it cannot go on. */
WEFT_API enum weft_status weft_cond_notify_slow_(weft_cond *c, size_t n);

#if !defined(WEFT_NO_INLINE)
/* The tag of the mutex's owner stands above three flags. */
WEFT_INLINE enum weft_status
weft_cond_notify(weft_cond *c, size_t n)
{
    const uint32_t me = WEFT_LOAD_(&weft_self_, relaxed);

    return me != 0 && (WEFT_LOAD_(&c->mutex->word, relaxed) & ~7u) == me &&
                   c->waiting == NULL
               ? WEFT_OK
               : weft_cond_notify_slow_(c, n);
}
#endif

WEFT_END_DECLS

#endif /* WEFT_COND_H */
