/* SPDX-License-Identifier: MIT */
/*
 * shim_c11.c - the mutexes of C11.  In glibc they are those of POSIX, but the
 * calls do not pass through the symbols of those.
 */
#include "deadlock/shim_confirm.h"

static __attribute__((noinline)) int
wait_lock(struct weft_shim_thread *t, mtx_t *m,
          const struct weft_shim_frame *here)
{
    struct weft_shim_was was =
        weft_shim_waits_(t, m, WEFT_KIND_MUTEX, false, NULL, here);
    const int r = weft_shim_real_.mtx_lock(m);

    weft_shim_woke_(&was);
    return r;
}

WEFT_HOOK int
mtx_lock(mtx_t *m)
{
    struct weft_shim_thread *t = weft_shim_self_();

    weft_shim_may_hold_up_(t, m, WEFT_SHIM_HERE);
    int r = weft_shim_real_.mtx_trylock(m);

    if (__builtin_expect(r != thrd_success, 0))
        r = wait_lock(t, m, WEFT_SHIM_HERE);
    if (r == thrd_success)
        weft_shim_took_(t, m, WEFT_KIND_MUTEX, WEFT_SHIM_HERE);
    return r;
}

WEFT_HOOK int
mtx_trylock(mtx_t *m)
{
    struct weft_shim_thread *t = weft_shim_self_();
    const int r = weft_shim_real_.mtx_trylock(m);

    if (r == thrd_success)
        weft_shim_got_(t, m, WEFT_KIND_MUTEX, WEFT_SHIM_HERE);
    return r;
}

WEFT_HOOK int
mtx_timedlock(mtx_t *restrict m, const struct timespec *restrict until)
{
    struct weft_shim_thread *t = weft_shim_self_();
    struct weft_shim_was was =
        weft_shim_waits_(t, m, WEFT_KIND_MUTEX, true, NULL, WEFT_SHIM_HERE);
    const int r = weft_shim_real_.mtx_timedlock(m, until);

    weft_shim_woke_(&was);
    if (r == thrd_success)
        weft_shim_got_(t, m, WEFT_KIND_MUTEX, WEFT_SHIM_HERE);
    return r;
}

WEFT_HOOK int
mtx_unlock(mtx_t *m)
{
    weft_shim_gave_(weft_shim_self_(), m);
    return weft_shim_real_.mtx_unlock(m);
}
