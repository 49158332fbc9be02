/* SPDX-License-Identifier: MIT */
/*
 * once.h - run something once, whoever comes first, and let the others wait.
 *
 *   shape      4 bytes; zero bytes are one that has not run; no destroy
 *   source     original
 *
 * Unlike pthread_once the function may fail, and is then run again by the next
 * thread that comes or has been waiting.
 *
 *       static weft_once opened;
 *
 *       if (weft_once_run(&opened, open_log, "log.txt") != WEFT_OK)
 *           return;
 */
#ifndef WEFT_ONCE_H
#define WEFT_ONCE_H

#include <stdint.h>

#include <weft/base.h>
#include <weft/inline.h>
#include <weft/status.h>

WEFT_BEGIN_DECLS

/* The word is private. */
typedef struct weft_once {
    WEFT_ATOMIC(uint32_t) word;
} weft_once;

#define WEFT_ONCE_INIT \
    {                  \
        0              \
    }

#define WEFT_ONCE_DONE_ 4u

/*
 * Call `fn(ctx)` unless a call on `o` has returned WEFT_OK before; if another
 * thread is inside one, wait for it.
 *
 *   fn         WEFT_OK for done for ever; any other status, and the next to
 *              come, or the one who has waited longest, calls its own `fn`
 *   returns    WEFT_OK: it is done, by whomever; what `fn` returned, if this
 *              thread called it; WEFT_DEADLOCK from inside the `fn` of the
 *              same `o`, or the detector is on, its policy is to fail, and this
 *              wait would close a cycle; WEFT_INVALID if it is not done and
 *              `fn` is NULL
 *   requires   `fn` leaves by returning, pthread_exit or cancellation; by the
 *              latter two it has failed.  Not by longjmp or an exception.
 *   blocking   not once it is done; else spins briefly, then sleeps until the
 *              thread inside has returned.  Not a cancellation point
 *   progress   wait-free once it is done
 *   ordering   `fn` happens-before every return of WEFT_OK; one that failed
 *              happens-before the next
 *   cost       done: one load, inline
 *   caveat     in a forked child, what another thread of the parent was
 *              running stays so for ever: a call waits without end
 */
WEFT_API WEFT_MUST_USE enum weft_status
weft_once_run(weft_once *o, enum weft_status (*fn)(void *ctx), void *ctx);

/* The rest of weft_once_run. */
WEFT_API WEFT_MUST_USE enum weft_status
weft_once_run_slow_(weft_once *o, enum weft_status (*fn)(void *ctx), void *ctx);

#ifndef WEFT_NO_INLINE
WEFT_INLINE WEFT_MUST_USE enum weft_status
weft_once_run(weft_once *o, enum weft_status (*fn)(void *ctx), void *ctx)
{
#ifdef __cplusplus
    const uint32_t word = __atomic_load_n(&o->word, __ATOMIC_ACQUIRE);
#else
    const uint32_t word = atomic_load_explicit(&o->word, memory_order_acquire);
#endif
    if (__builtin_expect(word == WEFT_ONCE_DONE_ &&
                             WEFT_LOAD_(&weft_self_, relaxed) != 0,
                         1))
        return WEFT_OK;
    return weft_once_run_slow_(o, fn, ctx);
}
#endif

WEFT_END_DECLS

#endif /* WEFT_ONCE_H */
