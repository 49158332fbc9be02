/* SPDX-License-Identifier: MIT */
/*
 * shim_wait.c - semaphores, barriers and what runs once.
 *
 * A semaphore has no owner that the checker could rely on: what is noted when it
 * is taken is only for what predicts.  The runner of a once is known because the
 * routine is called through one of the shim's own.
 */
#include <errno.h>

#include "deadlock/shim_confirm.h"
#include "deadlock/shim_order.h"
#include "deadlock/shim_parties.h"

static void
woke(void *arg)
{
    weft_shim_woke_(arg);
}

static __attribute__((noinline)) int
wait_sem(struct weft_shim_thread *t, sem_t *s,
         const struct weft_shim_frame *here)
{
    struct weft_shim_was was =
        weft_shim_waits_(t, s, WEFT_KIND_SEMAPHORE, false, NULL, here);
    int r;

    pthread_cleanup_push(woke, &was);
    r = weft_shim_real_.sem_wait(s);
    pthread_cleanup_pop(1);
    return r;
}

WEFT_HOOK int
sem_wait(sem_t *s)
{
    struct weft_shim_thread *t = weft_shim_self_();
    const int saved = errno;

    pthread_testcancel(); /* sem_wait is a place of it, sem_trywait is none */
    if (!weft_shim_sem_is_lock_(s))
        weft_shim_awaits_(t, s, WEFT_KIND_SEMAPHORE, WEFT_SHIM_HERE);
    weft_shim_may_hold_up_(t, s, WEFT_SHIM_HERE);
    int r = weft_shim_real_.sem_trywait(s);
    if (r != 0) {
        if (errno == EAGAIN)
            errno = saved;
        r = wait_sem(t, s, WEFT_SHIM_HERE);
    }
    if (r == 0)
        weft_shim_sem_took_(t, s, true, WEFT_SHIM_HERE);
    return r;
}

WEFT_HOOK int
sem_trywait(sem_t *s)
{
    struct weft_shim_thread *t = weft_shim_self_();
    const int r = weft_shim_real_.sem_trywait(s);

    if (r == 0)
        weft_shim_sem_took_(t, s, false, WEFT_SHIM_HERE);
    return r;
}

WEFT_HOOK int
sem_timedwait(sem_t *s, const struct timespec *until)
{
    struct weft_shim_was was = weft_shim_waits_(
        weft_shim_self_(), s, WEFT_KIND_SEMAPHORE, true, NULL, WEFT_SHIM_HERE);
    int r;

    pthread_cleanup_push(woke, &was);
    r = weft_shim_real_.sem_timedwait(s, until);
    pthread_cleanup_pop(1);
    if (r == 0)
        weft_shim_sem_took_(was.t, s, false, WEFT_SHIM_HERE);
    return r;
}

WEFT_HOOK int
sem_clockwait(sem_t *s, clockid_t clock, const struct timespec *until)
{
    struct weft_shim_was was = weft_shim_waits_(
        weft_shim_self_(), s, WEFT_KIND_SEMAPHORE, true, NULL, WEFT_SHIM_HERE);
    int r;

    pthread_cleanup_push(woke, &was);
    r = weft_shim_real_.sem_clockwait(s, clock, until);
    pthread_cleanup_pop(1);
    if (r == 0)
        weft_shim_sem_took_(was.t, s, false, WEFT_SHIM_HERE);
    return r;
}

WEFT_HOOK int
pthread_barrier_wait(pthread_barrier_t *b)
{
    struct weft_shim_thread *t = weft_shim_self_();

    weft_shim_may_hold_up_(t, b, WEFT_SHIM_HERE);
    weft_shim_arrives_(t, b, WEFT_SHIM_HERE);
    weft_shim_comes_(t, b);
    struct weft_shim_was was =
        weft_shim_waits_(t, b, WEFT_KIND_BARRIER, false, NULL, WEFT_SHIM_HERE);
    const int r = weft_shim_real_.barrier_wait(b);
    weft_shim_woke_(&was);
    if (r == PTHREAD_BARRIER_SERIAL_THREAD)
        weft_shim_met_(b);
    if (r == 0 || r == PTHREAD_BARRIER_SERIAL_THREAD)
        weft_shim_leaves_(t, b);
    return r;
}

/* What waits for a once until it turns out to be the one who runs it. */
struct running {
    struct weft_shim_was was;
    const void *once;
    void (*routine)(void);
    const struct weft_shim_frame *here;
    struct running *outer;
    bool begun;
};

static _Thread_local struct running *running;

static void
ran(void *arg)
{
    struct running *r = arg;

    weft_shim_gave_(r->was.t, r->once);
}

static void
run(void)
{
    struct running *r = running;

    running = r->outer;
    r->begun = true;
    weft_shim_woke_(&r->was);
    weft_shim_got_(r->was.t, r->once, WEFT_KIND_ONCE, r->here);
    pthread_cleanup_push(ran, r);
    r->routine();
    weft_shim_ran_(r->was.t, r->once);
    pthread_cleanup_pop(1);
}

static void
end(void *arg)
{
    struct running *r = arg;

    if (r->begun)
        return;
    running = r->outer;
    weft_shim_woke_(&r->was);
}

static struct running
begin(const void *once, void (*routine)(void),
      const struct weft_shim_frame *here)
{
    struct running r = {
        .was = weft_shim_waits_(weft_shim_self_(), once, WEFT_KIND_ONCE, false,
                                NULL, here),
        .once = once,
        .routine = routine,
        .here = here,
        .outer = running,
    };
    return r;
}

/* Whether the routine has been run: the word says so in glibc, as once_flag
 * does, which is the same.  Relaxed: the real call orders. */
static bool
is_done(const void *once)
{
    return atomic_load_explicit((_Atomic int *)(uintptr_t)once,
                                memory_order_relaxed) == 2;
}

WEFT_HOOK int
pthread_once(pthread_once_t *once, void (*routine)(void))
{
    struct weft_shim_thread *t = weft_shim_self_();
    const bool asks = weft_shim_asks_(t, once, WEFT_KIND_ONCE, WEFT_SHIM_HERE);
    int result;

    if (is_done(once)) {
        result = weft_shim_real_.once(once, routine);
        if (asks)
            weft_shim_passed_(t, once);
        return result;
    }
    weft_shim_may_hold_up_(t, once, WEFT_SHIM_HERE);
    struct running r = begin(once, routine, WEFT_SHIM_HERE);
    running = &r;
    pthread_cleanup_push(end, &r);
    result = weft_shim_real_.once(once, run);
    pthread_cleanup_pop(1);
    weft_shim_passed_(t, once);
    return result;
}

WEFT_HOOK void
call_once(once_flag *once, void (*routine)(void))
{
    struct weft_shim_thread *t = weft_shim_self_();
    const bool asks = weft_shim_asks_(t, once, WEFT_KIND_ONCE, WEFT_SHIM_HERE);

    if (is_done(once)) {
        weft_shim_real_.call_once(once, routine);
        if (asks)
            weft_shim_passed_(t, once);
        return;
    }
    weft_shim_may_hold_up_(t, once, WEFT_SHIM_HERE);
    struct running r = begin(once, routine, WEFT_SHIM_HERE);
    running = &r;
    pthread_cleanup_push(end, &r);
    weft_shim_real_.call_once(once, run);
    pthread_cleanup_pop(1);
    weft_shim_passed_(t, once);
}
