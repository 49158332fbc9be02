/* SPDX-License-Identifier: MIT */
/*
 * shim_mutex.c - mutexes of all kinds, and spin locks.
 *
 * A try comes first: where it succeeds nobody waits and there is nothing to
 * publish.  Its result is that of the call, except EBUSY, on which the real
 * call decides (an error-checking mutex says EDEADLK where a try says EBUSY).
 *
 * A mutex leaves the list before it is unlocked: afterwards its memory may be
 * another's.  The checker asks the mutex itself who owns it, so that in between
 * nothing is missing.
 */
#include <errno.h>

#include "deadlock/shim_confirm.h"

/* Whether the caller holds the mutex after this result. */
static bool
is_held(int result)
{
    return result == 0 || result == EOWNERDEAD;
}

static __attribute__((noinline)) int
wait_lock(struct weft_shim_thread *t, pthread_mutex_t *m,
          const struct weft_shim_frame *here)
{
    struct weft_shim_was was =
        weft_shim_waits_(t, m, WEFT_KIND_MUTEX, false, NULL, here);
    const int r = weft_shim_real_.mutex_lock(m);

    weft_shim_woke_(&was);
    return r;
}

WEFT_HOOK int
pthread_mutex_lock(pthread_mutex_t *m)
{
    struct weft_shim_thread *t = weft_shim_self_();

    weft_shim_may_hold_up_(t, m, WEFT_SHIM_HERE);
    int r = weft_shim_real_.mutex_trylock(m);

    if (__builtin_expect(r == EBUSY, 0))
        r = wait_lock(t, m, WEFT_SHIM_HERE);
    if (is_held(r))
        weft_shim_took_(t, m, WEFT_KIND_MUTEX, WEFT_SHIM_HERE);
    return r;
}

WEFT_HOOK int
pthread_mutex_trylock(pthread_mutex_t *m)
{
    struct weft_shim_thread *t = weft_shim_self_();
    const int r = weft_shim_real_.mutex_trylock(m);

    if (is_held(r))
        weft_shim_got_(t, m, WEFT_KIND_MUTEX, WEFT_SHIM_HERE);
    return r;
}

WEFT_HOOK int
pthread_mutex_timedlock(pthread_mutex_t *m, const struct timespec *until)
{
    struct weft_shim_thread *t = weft_shim_self_();
    struct weft_shim_was was =
        weft_shim_waits_(t, m, WEFT_KIND_MUTEX, true, NULL, WEFT_SHIM_HERE);
    const int r = weft_shim_real_.mutex_timedlock(m, until);

    weft_shim_woke_(&was);
    if (is_held(r))
        weft_shim_got_(t, m, WEFT_KIND_MUTEX, WEFT_SHIM_HERE);
    return r;
}

WEFT_HOOK int
pthread_mutex_clocklock(pthread_mutex_t *m, clockid_t clock,
                        const struct timespec *until)
{
    struct weft_shim_thread *t = weft_shim_self_();
    struct weft_shim_was was =
        weft_shim_waits_(t, m, WEFT_KIND_MUTEX, true, NULL, WEFT_SHIM_HERE);
    const int r = weft_shim_real_.mutex_clocklock(m, clock, until);

    weft_shim_woke_(&was);
    if (is_held(r))
        weft_shim_got_(t, m, WEFT_KIND_MUTEX, WEFT_SHIM_HERE);
    return r;
}

WEFT_HOOK int
pthread_mutex_unlock(pthread_mutex_t *m)
{
    weft_shim_gave_(weft_shim_self_(), m);
    return weft_shim_real_.mutex_unlock(m);
}

static __attribute__((noinline)) int
wait_spin(struct weft_shim_thread *t, pthread_spinlock_t *s,
          const struct weft_shim_frame *here)
{
    struct weft_shim_was was = weft_shim_waits_(
        t, (const void *)(uintptr_t)s, WEFT_KIND_SPIN, false, NULL, here);
    const int r = weft_shim_real_.spin_lock(s);

    weft_shim_woke_(&was);
    return r;
}

WEFT_HOOK int
pthread_spin_lock(pthread_spinlock_t *s)
{
    struct weft_shim_thread *t = weft_shim_self_();

    weft_shim_may_hold_up_(t, (const void *)(uintptr_t)s, WEFT_SHIM_HERE);
    int r = weft_shim_real_.spin_trylock(s);

    if (__builtin_expect(r != 0, 0))
        r = wait_spin(t, s, WEFT_SHIM_HERE);
    if (r == 0)
        weft_shim_took_(t, (const void *)(uintptr_t)s, WEFT_KIND_SPIN,
                        WEFT_SHIM_HERE);
    return r;
}

WEFT_HOOK int
pthread_spin_trylock(pthread_spinlock_t *s)
{
    struct weft_shim_thread *t = weft_shim_self_();
    const int r = weft_shim_real_.spin_trylock(s);

    if (r == 0)
        weft_shim_got_(t, (const void *)(uintptr_t)s, WEFT_KIND_SPIN,
                       WEFT_SHIM_HERE);
    return r;
}

WEFT_HOOK int
pthread_spin_unlock(pthread_spinlock_t *s)
{
    weft_shim_gave_(weft_shim_self_(), (const void *)(uintptr_t)s);
    return weft_shim_real_.spin_unlock(s);
}
