/* SPDX-License-Identifier: MIT */
/*
 * shim_life.c - objects that are made and destroyed, and conditions that are
 * told: only what predicts wants to know.
 */
#include "deadlock/shim_order.h"
#include "deadlock/shim_parties.h"

static void
begins(const void *lock, size_t bytes)
{
    struct weft_shim_thread *t = weft_shim_self_();

    weft_shim_forgets_lock_(lock, bytes);
    weft_shim_makes_(t, lock);
}

WEFT_HOOK int
pthread_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *a)
{
    begins(m, sizeof(*m));
    return weft_shim_real_.mutex_init(m, a);
}

WEFT_HOOK int
pthread_mutex_destroy(pthread_mutex_t *m)
{
    weft_shim_self_();
    weft_shim_forgets_lock_(m, sizeof(*m));
    return weft_shim_real_.mutex_destroy(m);
}

WEFT_HOOK int
mtx_init(mtx_t *m, int type)
{
    begins(m, sizeof(*m));
    return weft_shim_real_.mtx_init(m, type);
}

WEFT_HOOK void
mtx_destroy(mtx_t *m)
{
    weft_shim_self_();
    weft_shim_forgets_lock_(m, sizeof(*m));
    weft_shim_real_.mtx_destroy(m);
}

WEFT_HOOK int
pthread_spin_init(pthread_spinlock_t *s, int shared)
{
    begins((const void *)(uintptr_t)s, sizeof(*s));
    return weft_shim_real_.spin_init(s, shared);
}

WEFT_HOOK int
pthread_spin_destroy(pthread_spinlock_t *s)
{
    weft_shim_self_();
    weft_shim_forgets_lock_((const void *)(uintptr_t)s, sizeof(*s));
    return weft_shim_real_.spin_destroy(s);
}

WEFT_HOOK int
pthread_rwlock_init(pthread_rwlock_t *l, const pthread_rwlockattr_t *a)
{
    begins(l, sizeof(*l));
    return weft_shim_real_.rwlock_init(l, a);
}

WEFT_HOOK int
pthread_rwlock_destroy(pthread_rwlock_t *l)
{
    weft_shim_self_();
    weft_shim_forgets_lock_(l, sizeof(*l));
    return weft_shim_real_.rwlock_destroy(l);
}

WEFT_HOOK int
pthread_barrier_init(pthread_barrier_t *b, const pthread_barrierattr_t *a,
                     unsigned count)
{
    weft_shim_self_();
    weft_shim_forgets_(b, sizeof(*b));
    weft_shim_barrier_begins_(b);
    return weft_shim_real_.barrier_init(b, a, count);
}

WEFT_HOOK int
pthread_barrier_destroy(pthread_barrier_t *b)
{
    weft_shim_self_();
    const int r =
        weft_shim_real_.barrier_destroy(b); /* it waits for the last */

    weft_shim_forgets_(b, sizeof(*b));
    weft_shim_barrier_begins_(b);
    return r;
}

WEFT_HOOK int
munmap(void *p, size_t bytes)
{
    weft_shim_self_();
    weft_shim_forgets_(p, bytes);
    return weft_shim_real_.munmap(p, bytes);
}

/* --- conditions ----------------------------------------------------------- */

/* One may be destroyed as soon as its waiters are told, and before they say that
 * they were: so what is known of it lasts until there is another one. */

int weft_cond_signal_today_(pthread_cond_t *c);
int weft_cond_broadcast_today_(pthread_cond_t *c);
int weft_cond_init_today_(pthread_cond_t *c, const pthread_condattr_t *a);

WEFT_HOOK int
weft_cond_init_today_(pthread_cond_t *c, const pthread_condattr_t *a)
{
    weft_shim_self_();
    weft_shim_forgets_cond_(c, sizeof(*c));
    return weft_shim_real_.cond_init(c, a);
}

WEFT_HOOK int
cnd_init(cnd_t *c)
{
    weft_shim_self_();
    weft_shim_forgets_cond_(c, sizeof(*c));
    return weft_shim_real_.cnd_init(c);
}

WEFT_HOOK int
weft_cond_signal_today_(pthread_cond_t *c)
{
    weft_shim_tells_(c);
    return weft_shim_real_.cond_signal(c);
}

WEFT_HOOK int
weft_cond_broadcast_today_(pthread_cond_t *c)
{
    weft_shim_tells_(c);
    return weft_shim_real_.cond_broadcast(c);
}

WEFT_HOOK int
cnd_signal(cnd_t *c)
{
    weft_shim_tells_(c);
    return weft_shim_real_.cnd_signal(c);
}

WEFT_HOOK int
cnd_broadcast(cnd_t *c)
{
    weft_shim_tells_(c);
    return weft_shim_real_.cnd_broadcast(c);
}

#if defined(__x86_64__)
int weft_cond_signal_elder_(pthread_cond_t *c);
int weft_cond_broadcast_elder_(pthread_cond_t *c);
int weft_cond_init_elder_(pthread_cond_t *c, const pthread_condattr_t *a);

/* An elder one is a pointer. */
WEFT_HOOK int
weft_cond_init_elder_(pthread_cond_t *c, const pthread_condattr_t *a)
{
    weft_shim_self_();
    weft_shim_forgets_cond_(c, sizeof(void *));
    return weft_shim_real_.cond_init_elder(c, a);
}

WEFT_HOOK int
weft_cond_signal_elder_(pthread_cond_t *c)
{
    weft_shim_tells_(c);
    return weft_shim_real_.cond_signal_elder(c);
}

WEFT_HOOK int
weft_cond_broadcast_elder_(pthread_cond_t *c)
{
    weft_shim_tells_(c);
    return weft_shim_real_.cond_broadcast_elder(c);
}

__asm__(".symver weft_cond_init_elder_,pthread_cond_init@GLIBC_2.2.5");
__asm__(".symver weft_cond_init_today_,pthread_cond_init@@GLIBC_2.3.2");
__asm__(".symver weft_cond_signal_elder_,pthread_cond_signal@GLIBC_2.2.5");
__asm__(
    ".symver weft_cond_broadcast_elder_,pthread_cond_broadcast@GLIBC_2.2.5");
__asm__(".symver weft_cond_signal_today_,pthread_cond_signal@@GLIBC_2.3.2");
__asm__(
    ".symver weft_cond_broadcast_today_,pthread_cond_broadcast@@GLIBC_2.3.2");
#else
__asm__(".symver weft_cond_init_today_,pthread_cond_init@@GLIBC_2.17");
__asm__(".symver weft_cond_signal_today_,pthread_cond_signal@@GLIBC_2.17");
__asm__(
    ".symver weft_cond_broadcast_today_,pthread_cond_broadcast@@GLIBC_2.17");
#endif
