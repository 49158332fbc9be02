/* SPDX-License-Identifier: MIT */
/*
 * shim_sync.c - the hooks tell what predicts what orders threads: conditions,
 * barriers, onces, and the threads themselves.
 *
 * A thread ends for what predicts when nothing can come from it any more: the
 * destructors of its keys take locks after its routine has returned.  So that is
 * told by who has joined it, or by who uses its record again.
 *
 * Ordering.
 *
 *     shim.kept  who has joined a thread, or let it go  ->  who uses its record
 */
#include <errno.h>
#include <sys/prctl.h>

#include "deadlock/shim_order.h"

/* Which mutex a condition was last waited for with, for as many conditions as
 * there is room for. */
#define CONDS 256

/* Where frames of a thread are that may have had locks in them. */
#define STACK ((size_t)64 << 10)

static struct {
    _Atomic uintptr_t cond;
    _Atomic uintptr_t mutex;
} waited_with[CONDS];

/* --- guards --------------------------------------------------------------- */

/* The one that `t` has noted last. */
void
weft_shim_passes_(struct weft_shim_thread *t)
{
    const struct weft_shim_hold *h =
        atomic_load_explicit(&t->held, memory_order_relaxed) +
        atomic_load_explicit(&t->count, memory_order_relaxed) - 1;
    const int saved = errno;
    struct weft_dl_held d;

    weft_shim_copy_hold_(&d, h);
    if (t->order.graph != NULL)
        weft_order_passes_(&t->order, d.object, &d.place);
    errno = saved;
}

void
weft_shim_frees_(struct weft_shim_thread *t, const void *mutex)
{
    const int saved = errno;

    if (t->order.graph != NULL)
        weft_order_frees_(&t->order, mutex);
    errno = saved;
}

static uint32_t
slot_of(const void *cond)
{
    return (uint32_t)(weft_order_mix_(cond, WEFT_KIND_COND) >> 32) % CONDS;
}

struct weft_dl_place
weft_shim_listens_(struct weft_shim_thread *t, const void *cond,
                   const void *mutex)
{
    const struct weft_shim_hold *h =
        atomic_load_explicit(&t->held, memory_order_relaxed);
    uint32_t n = atomic_load_explicit(&t->count, memory_order_relaxed);
    const uint32_t i = slot_of(cond);
    const int saved = errno;
    struct weft_dl_held d = {.object = NULL};

    atomic_store_explicit(&waited_with[i].mutex, (uintptr_t)mutex,
                          memory_order_relaxed);
    atomic_store_explicit(&waited_with[i].cond, (uintptr_t)cond,
                          memory_order_relaxed);
    while (n > 0 && d.object != mutex)
        weft_shim_copy_hold_(&d, &h[--n]);
    weft_shim_seen_at_(cond);
    if (t->order.graph != NULL && d.object == mutex)
        weft_order_listens_(&t->order, cond, mutex, &d.place);
    errno = saved;
    return d.place;
}

/* The mutex under which `t` has changed what the waiters of `cond` look at: the
 * one they wait with, if that is known; else the innermost it holds, or has held
 * just before. */
static const void *
guard_of(const struct weft_shim_thread *t, const void *cond, bool *is_free)
{
    const struct weft_shim_hold *h =
        atomic_load_explicit(&t->held, memory_order_relaxed);
    const uint32_t i = slot_of(cond);
    const void *known =
        atomic_load_explicit(&waited_with[i].cond, memory_order_relaxed) ==
                (uintptr_t)cond
            ? (const void *)atomic_load_explicit(&waited_with[i].mutex,
                                                 memory_order_relaxed)
            : NULL;

    *is_free = false;
    for (uint32_t n = atomic_load_explicit(&t->count, memory_order_relaxed);
         n-- > 0;) {
        const void *object = (const void *)atomic_load_explicit(
            &h[n].object, memory_order_relaxed);
        if (atomic_load_explicit(&h[n].kind, memory_order_relaxed) ==
                WEFT_KIND_MUTEX &&
            (known == NULL || known == object))
            return object;
    }
    *is_free = true;
    const void *gave = t->gave == weft_shim_made_ ? t->gave_before : t->gave;
    return known == NULL || known == gave ? gave : NULL;
}

/* Another one may be there from now on, which is waited for with another
 * mutex. */
void
weft_shim_forgets_cond_(const void *cond, size_t bytes)
{
    const uint32_t i = slot_of(cond);
    uintptr_t expected = (uintptr_t)cond;

    atomic_compare_exchange_strong_explicit(&waited_with[i].cond, &expected, 0,
                                            memory_order_relaxed,
                                            memory_order_relaxed);
    weft_shim_forgets_lock_(cond, bytes);
}

void
weft_shim_tells_(const void *cond)
{
    struct weft_shim_thread *t = weft_shim_self_();
    const int saved = errno;
    bool is_free;

    weft_shim_publishes_(t);
    if (t->order.graph == NULL)
        return;
    weft_shim_seen_at_(cond);
    const void *guard = guard_of(t, cond, &is_free);
    weft_order_tells_(&t->order, cond, guard);
    if (is_free && guard != NULL)
        weft_order_frees_(&t->order, guard);
    errno = saved;
}

void
weft_shim_told_(struct weft_shim_thread *t, const void *cond, const void *mutex,
                const struct weft_dl_place *place, bool was_told)
{
    const int saved = errno;

    if (t->order.graph == NULL)
        return;
    weft_order_passes_(&t->order, mutex, place);
    if (was_told)
        weft_order_told_(&t->order, cond);
    errno = saved;
}

/* --- barriers, and what runs once ----------------------------------------- */

/* The parties are the third word of a barrier of glibc; the fourth says that
 * other processes have it, too. */
void
weft_shim_arrives_(struct weft_shim_thread *t, pthread_barrier_t *b,
                   const struct weft_shim_frame *here)
{
    const int saved = errno;
    unsigned words[4];

    weft_shim_publishes_(t);
    if (t->order.graph == NULL || !weft_shim_peek_(b, words, sizeof(words)) ||
        words[3] != 0)
        return;
    weft_shim_seen_at_(b);
    weft_shim_awaits_(t, b, WEFT_KIND_BARRIER, here);
    weft_order_arrives_(&t->order, b, words[2]);
    errno = saved;
}

void
weft_shim_leaves_(struct weft_shim_thread *t, const void *barrier)
{
    const int saved = errno;

    if (t->order.graph != NULL)
        weft_order_leaves_(&t->order, barrier);
    errno = saved;
}

void
weft_shim_ran_(struct weft_shim_thread *t, const void *once)
{
    const int saved = errno;

    weft_shim_publishes_(t);
    if (t->order.graph != NULL)
        weft_order_ran_(&t->order, once);
    errno = saved;
}

void
weft_shim_passed_(struct weft_shim_thread *t, const void *once)
{
    const int saved = errno;

    if (t->order.graph != NULL)
        weft_order_passed_(&t->order, once);
    errno = saved;
}

/* --- threads -------------------------------------------------------------- */

void
weft_shim_order_creates_(struct weft_shim_thread *me,
                         const struct weft_shim_thread *other)
{
    const int saved = errno;

    weft_shim_publishes_(me);
    if (me->order.graph != NULL)
        weft_order_creates_(
            &me->order, atomic_load_explicit(&other->id, memory_order_relaxed));
    errno = saved;
}

void
weft_shim_order_begins_(struct weft_shim_thread *t)
{
    const int saved = errno;

    if (weft_shim_order_ != NULL)
        weft_order_begins_(weft_shim_order_, &t->order,
                           atomic_load_explicit(&t->id, memory_order_relaxed));
    errno = saved;
}

/* Locks in the frames of its routine are gone, and those in its own variables,
 * which lie between its frames and its descriptor (on other machines than x86
 * behind that: those are not seen).  Its name is known now. */
void
weft_shim_order_leaves_(struct weft_shim_thread *t)
{
    const char *here = __builtin_frame_address(0);
    const int saved = errno;
    char name[16] = "";

    if (t->order.graph == NULL)
        return;
    if (prctl(PR_GET_NAME, name) == 0)
        weft_order_name_(&t->order, name);
    if (t->started)
        weft_shim_forgets_(here - STACK,
                           t->stack_end - (uintptr_t)here + STACK);
    errno = saved;
}

void
weft_shim_order_ends_(struct weft_shim_thread *t, bool is_joined)
{
    if (t->order.graph == NULL)
        return;
    if (is_joined)
        weft_order_ends_(&t->order);
    else
        weft_order_ends_alone_(&t->order);
    t->order.graph = NULL;
}

/* When the real call is over another thread may have the same pthread_t, so a
 * record that is claimed stays so until it is used again. */
struct weft_shim_thread *
weft_shim_claim_(pthread_t self)
{
    for (struct weft_shim_thread *t = weft_shim_first_(); t != NULL;
         t = t->next)
        if (atomic_load_explicit(&t->kept, memory_order_relaxed) &&
            atomic_load_explicit(&t->self, memory_order_relaxed) == self &&
            !atomic_exchange_explicit(&t->claimed, true, memory_order_relaxed))
            return t;
    return NULL;
}

void
weft_shim_unclaim_(struct weft_shim_thread *t)
{
    if (t != NULL)
        atomic_store_explicit(&t->claimed, false, memory_order_relaxed);
}

void
weft_shim_joined_(struct weft_shim_thread *me, struct weft_shim_thread *joined)
{
    const int saved = errno;

    if (joined == NULL)
        return;
    weft_shim_order_ends_(joined, true);
    if (me->order.graph != NULL)
        weft_order_joins_(&me->order, atomic_load_explicit(
                                          &joined->id, memory_order_relaxed));
    weft_shim_detached_(joined);
    errno = saved;
}

void
weft_shim_detached_(struct weft_shim_thread *t)
{
    /* release: shim.kept.  What was told of it is over before it is used again. */
    if (t != NULL)
        atomic_store_explicit(&t->kept, false, memory_order_release);
}
