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
 *
 * Who notes that it is held, or wanted, may do so just after it has turned out to be
 * none.  Those that did are remembered by a bit of their address, and nothing is
 * told of them.
 *
 * One that other processes have, too, is the same: whatever its history, at 0 a
 * take needs a post that is to come, if of another process perhaps.  So nobody of
 * this one is needed for it, and one that is a lock and taken twice in a row is
 * none.  What has a name is looked at when this process first opens it.
 *
 * Ordering.
 *
 *     names      who had the list of those with names before  ->  who has it now
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "deadlock/shim_order.h"

#define ROOM  1024
#define TRIES 8
#define NONE  4096 /* bits for those that never were locks */
#define NAMES 64
#define OTHER 2 /* a value at which a semaphore is nothing in particular */

static struct lock {
    _Atomic uintptr_t object;
    _Atomic bool taken;
} locks[ROOM];
static _Atomic uint32_t lock_count;
static _Atomic uint64_t were_none[NONE / 64];

/* Those with names that this process has opened, and how often. */
static struct {
    const void *object; /* NULL: free */
    uint32_t count;
} names[NAMES];
static _Atomic bool names_taken;

/* --- those that may be locks ---------------------------------------------- */

/* Where `s` is in the table; NULL: nowhere. */
static struct lock *
find(uintptr_t s)
{
    const uint32_t at = (uint32_t)(s >> 4) * UINT32_C(2654435761);

    for (uint32_t i = 0; i < TRIES; i++) {
        struct lock *p = &locks[(at + i) % ROOM];
        if (atomic_load_explicit(&p->object, memory_order_relaxed) == s)
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

static uint32_t
bit_of(const void *s)
{
    return (uint32_t)((uintptr_t)s >> 4) * UINT32_C(2654435761) % NONE;
}

bool
weft_shim_sem_was_none_(const void *s)
{
    const uint32_t bit = bit_of(s);

    return (atomic_load_explicit(&were_none[bit / 64], memory_order_relaxed) >>
                bit % 64 &
            1) != 0;
}

static void
be_no_lock(const void *s)
{
    uintptr_t expected = (uintptr_t)s;
    struct lock *p = find(expected);

    if (p != NULL && atomic_compare_exchange_strong_explicit(
                         &p->object, &expected, 0, memory_order_relaxed,
                         memory_order_relaxed))
        atomic_fetch_sub_explicit(&lock_count, 1, memory_order_relaxed);
}

static void
be_lock(const void *s)
{
    const uint32_t bit = bit_of(s);
    const uint32_t at = (uint32_t)((uintptr_t)s >> 4) * UINT32_C(2654435761);

    if (weft_shim_sem_is_lock_(s))
        return;
    atomic_fetch_and_explicit(&were_none[bit / 64], ~(UINT64_C(1) << bit % 64),
                              memory_order_relaxed);
    for (uint32_t i = 0; i < TRIES; i++) {
        struct lock *p = &locks[(at + i) % ROOM];
        uintptr_t expected = 0;
        if (atomic_compare_exchange_strong_explicit(
                &p->object, &expected, (uintptr_t)s, memory_order_relaxed,
                memory_order_relaxed)) {
            atomic_store_explicit(&p->taken, false, memory_order_relaxed);
            atomic_fetch_add_explicit(&lock_count, 1, memory_order_relaxed);
            return;
        }
    }
}

/* It never was a lock. */
static void
was_no_lock(const void *s)
{
    const uint32_t bit = bit_of(s);

    atomic_fetch_or_explicit(&were_none[bit / 64], UINT64_C(1) << bit % 64,
                             memory_order_relaxed);
    be_no_lock(s);
    weft_shim_forgets_(s, sizeof(sem_t));
}

/* Whether `s` is a lock, and taken by this call. */
static bool
take_lock(const void *s)
{
    struct lock *p = atomic_load_explicit(&lock_count, memory_order_relaxed) > 0
                         ? find((uintptr_t)s)
                         : NULL;

    if (p == NULL)
        return false;
    if (!atomic_exchange_explicit(&p->taken, true, memory_order_relaxed))
        return true;
    was_no_lock(s);
    return false;
}

static void
give_lock(const void *s)
{
    struct lock *p = find((uintptr_t)s);

    if (p != NULL)
        atomic_store_explicit(&p->taken, false, memory_order_relaxed);
}

/* --- what happens to all -------------------------------------------------- */

/* A life begins; `shared`: other processes have it, too. */
static void
begins(const void *s, unsigned value, bool shared)
{
    struct weft_shim_thread *t = weft_shim_self_();
    const int saved = errno;

    be_no_lock(s);
    if (t->order.graph == NULL || t->order.inside)
        return;
    weft_shim_forgets_(s, sizeof(sem_t));
    t->order.inside = true;
    weft_order_sem_begins_(weft_shim_order_, s, value);
    if (value == 0 && shared)
        weft_order_sem_shared_(weft_shim_order_, s);
    t->order.inside = false;
    if (value == 0)
        weft_shim_seen_at_(s);
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
    if (!take_lock(s))
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

    weft_shim_publishes_(t);
    if (t->order.graph == NULL)
        return;
    const bool is_lock = weft_shim_sem_is_lock_(s);
    if (holds(t, s)) {
        weft_shim_gave_(t, s);
        give_lock(s);
    } else if (is_lock) {
        was_no_lock(s);
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
        begins(s, value, shared != 0);
    return r;
}

WEFT_HOOK int
sem_destroy(sem_t *s)
{
    weft_shim_self_();
    begins(s, OTHER, false);
    return weft_shim_real_.sem_destroy(s);
}

/* --- those with names ----------------------------------------------------- */

static void
take_names(void)
{
    /* acquire: names */
    while (atomic_exchange_explicit(&names_taken, true, memory_order_acquire))
        sched_yield();
}

static void
leave_names(void)
{
    /* release: names */
    atomic_store_explicit(&names_taken, false, memory_order_release);
}

/* The entry of one, or of NULL a free one; NAMES: there is none. */
static uint32_t
name_of(const void *s)
{
    uint32_t i = 0;

    while (i < NAMES && names[i].object != s)
        i++;
    return i;
}

/* `s` was opened with that value, if it was to be made.  The address of a second
 * call is that of the first. */
static void
opened(const sem_t *s, unsigned value)
{
    int now = OTHER;

    take_names();
    uint32_t i = name_of(s);
    const bool is_new = i == NAMES && (i = name_of(NULL)) < NAMES;
    if (i < NAMES) {
        names[i].object = s;
        names[i].count++;
    }
    if (is_new && sem_getvalue((sem_t *)(uintptr_t)s, &now) == 0)
        begins(s, now == 0 || (unsigned)now == value ? (unsigned)now : OTHER,
               true);
    leave_names();
}

static void
closes(const sem_t *s)
{
    take_names();
    const uint32_t i = name_of(s);
    if (i < NAMES && --names[i].count == 0) {
        names[i].object = NULL;
        begins(s, OTHER, true);
    }
    leave_names();
}

void
weft_shim_sem_forked_(void)
{
    leave_names();
}

WEFT_HOOK int
sem_close(sem_t *s)
{
    weft_shim_self_();
    closes(s);
    return weft_shim_real_.sem_close(s);
}

WEFT_HOOK sem_t *
sem_open(const char *name, int flags, ...)
{
    va_list rest;
    mode_t mode = 0;
    unsigned value = OTHER;

    weft_shim_self_();
    if ((flags & O_CREAT) != 0) {
        va_start(rest, flags);
        mode = va_arg(rest, mode_t);
        value = va_arg(rest, unsigned);
        va_end(rest);
    }
    sem_t *s = weft_shim_real_.sem_open(name, flags, mode, value);
    if (s != SEM_FAILED)
        opened(s, value);
    return s;
}
