/* SPDX-License-Identifier: MIT */
/*
 * shim_rwlock.c - read-write locks, of both preferences.
 *
 * As with mutexes a try comes first and EBUSY is decided by the real call,
 * which tells a writer that asks for its own lock EDEADLK.  A try to read and
 * the call that waits agree on when a reader may pass.
 */
#include <errno.h>

#include "deadlock/shim_confirm.h"

typedef int (*timed_call)(pthread_rwlock_t *, const struct timespec *);
typedef int (*clock_call)(pthread_rwlock_t *, clockid_t,
                          const struct timespec *);

static __attribute__((noinline)) int
wait_for(struct weft_shim_thread *t, pthread_rwlock_t *l, enum weft_kind kind,
         const struct weft_shim_frame *here)
{
    struct weft_shim_was was = weft_shim_waits_(t, l, kind, false, NULL, here);
    const int r = kind == WEFT_KIND_READ ? weft_shim_real_.rdlock(l)
                                         : weft_shim_real_.wrlock(l);

    weft_shim_woke_(&was);
    return r;
}

static int
wait_timed(pthread_rwlock_t *l, enum weft_kind kind, timed_call call,
           const struct timespec *until, const struct weft_shim_frame *here)
{
    struct weft_shim_thread *t = weft_shim_self_();
    struct weft_shim_was was = weft_shim_waits_(t, l, kind, true, NULL, here);
    const int r = call(l, until);

    weft_shim_woke_(&was);
    if (r == 0)
        weft_shim_got_(t, l, kind, here);
    return r;
}

static int
wait_clock(pthread_rwlock_t *l, enum weft_kind kind, clock_call call,
           clockid_t clock, const struct timespec *until,
           const struct weft_shim_frame *here)
{
    struct weft_shim_thread *t = weft_shim_self_();
    struct weft_shim_was was = weft_shim_waits_(t, l, kind, true, NULL, here);
    const int r = call(l, clock, until);

    weft_shim_woke_(&was);
    if (r == 0)
        weft_shim_got_(t, l, kind, here);
    return r;
}

WEFT_HOOK int
pthread_rwlock_rdlock(pthread_rwlock_t *l)
{
    struct weft_shim_thread *t = weft_shim_self_();

    weft_shim_may_hold_up_(t, l, WEFT_SHIM_HERE);
    int r = weft_shim_real_.tryrdlock(l);

    if (__builtin_expect(r == EBUSY, 0))
        r = wait_for(t, l, WEFT_KIND_READ, WEFT_SHIM_HERE);
    if (r == 0)
        weft_shim_took_(t, l, WEFT_KIND_READ, WEFT_SHIM_HERE);
    return r;
}

WEFT_HOOK int
pthread_rwlock_wrlock(pthread_rwlock_t *l)
{
    struct weft_shim_thread *t = weft_shim_self_();

    weft_shim_may_hold_up_(t, l, WEFT_SHIM_HERE);
    int r = weft_shim_real_.trywrlock(l);

    if (__builtin_expect(r == EBUSY, 0))
        r = wait_for(t, l, WEFT_KIND_WRITE, WEFT_SHIM_HERE);
    if (r == 0)
        weft_shim_took_(t, l, WEFT_KIND_WRITE, WEFT_SHIM_HERE);
    return r;
}

WEFT_HOOK int
pthread_rwlock_tryrdlock(pthread_rwlock_t *l)
{
    struct weft_shim_thread *t = weft_shim_self_();
    const int r = weft_shim_real_.tryrdlock(l);

    if (r == 0)
        weft_shim_got_(t, l, WEFT_KIND_READ, WEFT_SHIM_HERE);
    return r;
}

WEFT_HOOK int
pthread_rwlock_trywrlock(pthread_rwlock_t *l)
{
    struct weft_shim_thread *t = weft_shim_self_();
    const int r = weft_shim_real_.trywrlock(l);

    if (r == 0)
        weft_shim_got_(t, l, WEFT_KIND_WRITE, WEFT_SHIM_HERE);
    return r;
}

WEFT_HOOK int
pthread_rwlock_timedrdlock(pthread_rwlock_t *l, const struct timespec *until)
{
    weft_shim_self_(); /* finds the real functions */
    return wait_timed(l, WEFT_KIND_READ, weft_shim_real_.timedrdlock, until,
                      WEFT_SHIM_HERE);
}

WEFT_HOOK int
pthread_rwlock_timedwrlock(pthread_rwlock_t *l, const struct timespec *until)
{
    weft_shim_self_();
    return wait_timed(l, WEFT_KIND_WRITE, weft_shim_real_.timedwrlock, until,
                      WEFT_SHIM_HERE);
}

WEFT_HOOK int
pthread_rwlock_clockrdlock(pthread_rwlock_t *l, clockid_t clock,
                           const struct timespec *until)
{
    weft_shim_self_();
    return wait_clock(l, WEFT_KIND_READ, weft_shim_real_.clockrdlock, clock,
                      until, WEFT_SHIM_HERE);
}

WEFT_HOOK int
pthread_rwlock_clockwrlock(pthread_rwlock_t *l, clockid_t clock,
                           const struct timespec *until)
{
    weft_shim_self_();
    return wait_clock(l, WEFT_KIND_WRITE, weft_shim_real_.clockwrlock, clock,
                      until, WEFT_SHIM_HERE);
}

WEFT_HOOK int
pthread_rwlock_unlock(pthread_rwlock_t *l)
{
    weft_shim_gave_(weft_shim_self_(), l);
    return weft_shim_real_.rwunlock(l);
}
