/* SPDX-License-Identifier: MIT */
/*
 * event.h - a flag that threads wait for.
 *
 *   shape      16 bytes in the caller's memory; zero bytes are an event that is
 *              not set; needs no destroy
 *   source     original; after threading.Event of Python
 *   sibling    cond.h, for conditions that a flag cannot say
 *
 *       static weft_event stop = WEFT_EVENT_INIT;
 *
 *       while (weft_event_wait(&stop, weft_in_s(1)) == WEFT_TIMEOUT)
 *           look_again();                           // once a second
 *
 *       weft_event_set(&stop);                      // another thread
 *
 * It may be freed by a thread that a set has released, also while that set has
 * not returned yet.
 */
#ifndef WEFT_EVENT_H
#define WEFT_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include <weft/base.h>
#include <weft/deadline.h>
#include <weft/inline.h>
#include <weft/status.h>

WEFT_BEGIN_DECLS

/* The fields are private. */
typedef struct weft_event {
    WEFT_ATOMIC(uint64_t) word;   /* set or not, how often it was, who waits */
    WEFT_ATOMIC(uint32_t) setter; /* its CPU, if it found threads waiting */
} weft_event;

#define WEFT_EVENT_INIT \
    {                   \
        0, 0            \
    }

/* Set `e` up, not set; nobody uses it meanwhile. */
WEFT_API void weft_event_init(weft_event *e);

/*
 * Set the event and release every thread that waits for it.
 *
 *   blocking   never
 *   progress   lock-free: a retry means that another call went ahead
 *   ordering   everything before the set, also of an event that is set
 *              already, happens-before the return of a wait that it releases,
 *              or that comes later and finds the event set
 *   cost       one atomic read-modify-write; a system call if threads sleep
 */
WEFT_API void weft_event_set(weft_event *e);

/*
 * Clear the event.  Threads that waited when it was set return all the same.
 *
 *   blocking   never
 *   progress   wait-free
 *   cost       one atomic read-modify-write; none if it is not set
 */
WEFT_API void weft_event_clear(weft_event *e);

/*
 * Return whether it is set.
 *
 *   ordering   if so, everything before the set happens-before the return
 */
WEFT_API bool weft_event_is_set(const weft_event *e);

/*
 * Wait until the event is set or `deadline` has passed.
 *
 *   deadline   WEFT_NOW: never wait
 *   returns    WEFT_OK: it is set, or was set since the call began;
 *              WEFT_TIMEOUT: it was not
 *   blocking   spins briefly, then sleeps in the kernel; then it is a
 *              cancellation point
 *   ordering   everything before the set happens-before WEFT_OK
 *   cost       of a set event: one load
 */
WEFT_API enum weft_status weft_event_wait(weft_event *e,
                                          weft_deadline deadline);

/* What the inline part calls when it cannot go on. */
WEFT_API enum weft_status weft_event_wait_slow_(weft_event *e,
                                                weft_deadline deadline);

#if !defined(WEFT_NO_INLINE)
WEFT_INLINE bool
weft_event_is_set(const weft_event *e)
{
    return (WEFT_LOAD_(&e->word, acquire) & 1) != 0;
}

WEFT_INLINE enum weft_status
weft_event_wait(weft_event *e, weft_deadline deadline)
{
    return WEFT_LOAD_(&weft_self_, relaxed) != 0 &&
                   (WEFT_LOAD_(&e->word, acquire) & 1) != 0
               ? WEFT_OK
               : weft_event_wait_slow_(e, deadline);
}
#endif

WEFT_END_DECLS

#endif /* WEFT_EVENT_H */
