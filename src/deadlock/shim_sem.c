/* SPDX-License-Identifier: MIT */
/*
 * shim_sem.c - semaphores, for what predicts.
 *
 * A semaphore that begins at 1 is mostly used as a mutex: it is noted as a lock
 * of who takes it, until somebody posts it who has not taken it; then it never
 * was one.  One that begins at 0 orders who takes it behind who posts it.
 *
 * Those that may be locks are in a table, by their addresses.  One that finds no
 * place is no lock.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "deadlock/shim_order.h"

#define ROOM  1024
#define TRIES 8

static _Atomic uintptr_t locks[ROOM];
static _Atomic uint32_t lock_count;

/* Where `s` is in the table; NULL: nowhere. */
static _Atomic uintptr_t *
find(uintptr_t s)
{
    const uint32_t at = (uint32_t)(s >> 4) * UINT32_C(2654435761);

    for (uint32_t i = 0; i < TRIES; i++) {
        _Atomic uintptr_t *p = &locks[(at + i) % ROOM];
        if (atomic_load_explicit(p, memory_order_relaxed) == s)
            return p;
    }
    return NULL;
}

bool
weft_shim_sem_is_lock_(const void *s)
{
    return atomic_load_explicit(&lock_count, memory_order_relaxed) > 0 &&
           find((uintptr_t)s) != NULL;
}

static void
be_no_lock(const void *s)
{
    uintptr_t expected = (uintptr_t)s;
    _Atomic uintptr_t *p = find(expected);

    if (p != NULL &&
        atomic_compare_exchange_strong_explicit(
            p, &expected, 0, memory_order_relaxed, memory_order_relaxed))
        atomic_fetch_sub_explicit(&lock_count, 1, memory_order_relaxed);
}

static void
be_lock(const void *s)
{
    const uint32_t at = (uint32_t)((uintptr_t)s >> 4) * UINT32_C(2654435761);

    if (weft_shim_sem_is_lock_(s))
        return;
    for (uint32_t i = 0; i < TRIES; i++) {
        uintptr_t expected = 0;
        if (atomic_compare_exchange_strong_explicit(
                &locks[(at + i) % ROOM], &expected, (uintptr_t)s,
                memory_order_relaxed, memory_order_relaxed)) {
            atomic_fetch_add_explicit(&lock_count, 1, memory_order_relaxed);
            return;
        }
    }
}

static void
begins(const void *s, unsigned value)
{
    struct weft_shim_thread *t = weft_shim_self_();
    const int saved = errno;

    be_no_lock(s);
    if (t->order.graph == NULL || t->order.inside)
        return;
    weft_shim_forgets_(s, sizeof(sem_t));
    t->order.inside = true;
    weft_order_sem_begins_(weft_shim_order_, s, value);
    t->order.inside = false;
    if (value == 1)
        be_lock(s);
    errno = saved;
}

void
weft_shim_sem_took_(struct weft_shim_thread *t, const void *s, bool would_wait,
                    const struct weft_shim_frame *here)
{
    const int saved = errno;

    if (t->order.graph == NULL)
        return;
    if (!weft_shim_sem_is_lock_(s))
        weft_order_takes_(&t->order, s);
    else if (would_wait)
        weft_shim_took_(t, s, WEFT_KIND_SEMAPHORE, here);
    else
        weft_shim_got_(t, s, WEFT_KIND_SEMAPHORE, here);
    errno = saved;
}

static bool
holds(const struct weft_shim_thread *t, const void *s)
{
    const struct weft_shim_hold *h =
        atomic_load_explicit(&t->held, memory_order_relaxed);

    for (uint32_t n = atomic_load_explicit(&t->count, memory_order_relaxed);
         n-- > 0;)
        if (atomic_load_explicit(&h[n].object, memory_order_relaxed) ==
            (uintptr_t)s)
            return true;
    return false;
}

static void
posts(const void *s)
{
    struct weft_shim_thread *t = weft_shim_self_();
    const int saved = errno;

    if (t->order.graph == NULL)
        return;
    const bool is_lock = weft_shim_sem_is_lock_(s);
    if (holds(t, s)) {
        weft_shim_gave_(t, s);
    } else if (is_lock) {
        be_no_lock(s);
        weft_shim_forgets_(s, sizeof(sem_t));
    }
    if (!is_lock)
        weft_order_posts_(&t->order, s, 1);
    errno = saved;
}

WEFT_HOOK int
sem_post(sem_t *s)
{
    posts(s);
    return weft_shim_real_.sem_post(s);
}

WEFT_HOOK int
sem_init(sem_t *s, int shared, unsigned value)
{
    weft_shim_self_();
    const int r = weft_shim_real_.sem_init(s, shared, value);

    if (r == 0)
        begins(s, shared ? 2 : value);
    return r;
}

WEFT_HOOK int
sem_destroy(sem_t *s)
{
    weft_shim_self_();
    begins(s, 2);
    return weft_shim_real_.sem_destroy(s);
}

/* One that has a name is known if this process makes it; the address of a second
 * call is the same. */
WEFT_HOOK sem_t *
sem_open(const char *name, int flags, ...)
{
    va_list rest;
    mode_t mode = 0;
    unsigned value = 0;

    weft_shim_self_();
    if ((flags & O_CREAT) == 0)
        return weft_shim_real_.sem_open(name, flags);
    va_start(rest, flags);
    mode = va_arg(rest, mode_t);
    value = va_arg(rest, unsigned);
    va_end(rest);
    sem_t *s = weft_shim_real_.sem_open(name, flags, mode, value);
    if (s != SEM_FAILED && (flags & O_EXCL) != 0)
        begins(s, value);
    return s;
}
