/* SPDX-License-Identifier: MIT */
/*
 * shim_cond.c - conditions, in every version that libc has.
 *
 * A wait gives the mutex up and takes it again, also when it is cancelled: glibc
 * has the mutex again before the handlers of the caller run, and the ones here
 * are between.  While a thread waits to get the mutex back it still says that
 * it waits for the condition; the checker asks the kernel on which of the two
 * it sleeps.
 *
 * On x86-64 pthread_cond_* has two versions.  The elder, of 2002, keeps a pointer
 * in the condition; programs of that age still call it, and get its hooks by the
 * version of the symbol (shim.map).
 */
#include "deadlock/shim_confirm.h"
#include "deadlock/shim_order.h"

/* A wait on a condition, and what there is to undo at its end. */
struct waiting {
    struct weft_shim_was was;
    const void *cond;
    struct weft_dl_place locked; /* where the mutex was */
    void *mutex;
    const struct weft_shim_frame *here;
    bool told;
};

static struct waiting
begin(const void *cond, void *mutex, const void *guard, bool timed,
      const struct weft_shim_frame *here)
{
    struct weft_shim_thread *t = weft_shim_self_();
    struct waiting w = {.cond = cond, .mutex = mutex, .here = here};

    if (!timed)
        weft_shim_may_hold_up_(t, cond, here);
    w.locked = weft_shim_listens_(t, cond, mutex);
    weft_shim_gave_(t, mutex);
    if (!timed)
        weft_shim_awaits_(t, cond, WEFT_KIND_COND, here);
    w.was = weft_shim_waits_(t, cond, WEFT_KIND_COND, timed, guard, here);
    return w;
}

static void
end(void *arg)
{
    struct waiting *w = arg;

    weft_shim_woke_(&w->was);
    weft_shim_took_(w->was.t, w->mutex, WEFT_KIND_MUTEX, w->here);
    weft_shim_told_(w->was.t, w->cond, w->mutex, &w->locked, w->told);
}

/* What is not known of the elder conditions is how many wait, so for the checker
 * they have no mutex: `guard`.  What `call` returns, between a begin and an end that a cancellation runs,
 * too. */
#define WAIT(cond, mutex, guard, timed, call)                                 \
    do {                                                                      \
        struct waiting w_ = begin(cond, mutex, guard, timed, WEFT_SHIM_HERE); \
        int r_;                                                               \
        pthread_cleanup_push(end, &w_);                                       \
        r_ = call;                                                            \
        w_.told = r_ == 0;                                                    \
        pthread_cleanup_pop(1);                                               \
        return r_;                                                            \
    } while (0)

int weft_cond_wait_today_(pthread_cond_t *c, pthread_mutex_t *m);
int weft_cond_timedwait_today_(pthread_cond_t *c, pthread_mutex_t *m,
                               const struct timespec *until);

WEFT_HOOK int
weft_cond_wait_today_(pthread_cond_t *c, pthread_mutex_t *m)
{
    WAIT(c, m, m, false, weft_shim_real_.cond_wait(c, m));
}

WEFT_HOOK int
weft_cond_timedwait_today_(pthread_cond_t *c, pthread_mutex_t *m,
                           const struct timespec *until)
{
    WAIT(c, m, m, true, weft_shim_real_.cond_timedwait(c, m, until));
}

WEFT_HOOK int
pthread_cond_clockwait(pthread_cond_t *c, pthread_mutex_t *m, clockid_t clock,
                       const struct timespec *until)
{
    WAIT(c, m, m, true, weft_shim_real_.cond_clockwait(c, m, clock, until));
}

WEFT_HOOK int
cnd_wait(cnd_t *c, mtx_t *m)
{
    WAIT(c, m, m, false, weft_shim_real_.cnd_wait(c, m));
}

WEFT_HOOK int
cnd_timedwait(cnd_t *restrict c, mtx_t *restrict m,
              const struct timespec *restrict until)
{
    WAIT(c, m, m, true, weft_shim_real_.cnd_timedwait(c, m, until));
}

#if defined(__x86_64__)
int weft_cond_wait_elder_(pthread_cond_t *c, pthread_mutex_t *m);
int weft_cond_timedwait_elder_(pthread_cond_t *c, pthread_mutex_t *m,
                               const struct timespec *until);

WEFT_HOOK int
weft_cond_wait_elder_(pthread_cond_t *c, pthread_mutex_t *m)
{
    WAIT(c, m, NULL, false, weft_shim_real_.cond_wait_elder(c, m));
}

WEFT_HOOK int
weft_cond_timedwait_elder_(pthread_cond_t *c, pthread_mutex_t *m,
                           const struct timespec *until)
{
    WAIT(c, m, NULL, true, weft_shim_real_.cond_timedwait_elder(c, m, until));
}

__asm__(".symver weft_cond_wait_elder_,pthread_cond_wait@GLIBC_2.2.5");
__asm__(
    ".symver weft_cond_timedwait_elder_,pthread_cond_timedwait@GLIBC_2.2.5");
__asm__(".symver weft_cond_wait_today_,pthread_cond_wait@@GLIBC_2.3.2");
__asm__(
    ".symver weft_cond_timedwait_today_,pthread_cond_timedwait@@GLIBC_2.3.2");
#else
__asm__(".symver weft_cond_wait_today_,pthread_cond_wait@@GLIBC_2.17");
__asm__(
    ".symver weft_cond_timedwait_today_,pthread_cond_timedwait@@GLIBC_2.17");
#endif
