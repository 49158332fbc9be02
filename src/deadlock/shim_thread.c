/* SPDX-License-Identifier: MIT */
/*
 * shim_thread.c - threads that start, end and are joined; and fork.
 *
 * A thread starts in a routine of the shim's, which has a record for it and
 * learns how it ends: by return, exit or cancellation.
 */
#include <unistd.h>

#include "deadlock/shim_confirm.h"
#include "deadlock/shim_dump.h"
#include "deadlock/shim_order.h"
#include "deadlock/shim_parties.h"
#include "deadlock/shim_suppress.h"

static void
end(void *arg)
{
    weft_shim_end_(arg);
}

static void *
run(void *arg)
{
    struct weft_shim_thread *t = arg;
    void *result;

    weft_shim_begin_(t);
    weft_shim_order_begins_(t);
    pthread_cleanup_push(end, t);
    result = t->start(t->arg);
    pthread_cleanup_pop(1);
    return result;
}

static int
run_c11(void *arg)
{
    struct weft_shim_thread *t = arg;
    int result;

    weft_shim_begin_(t);
    weft_shim_order_begins_(t);
    pthread_cleanup_push(end, t);
    result = t->start_c11(t->arg);
    pthread_cleanup_pop(1);
    return result;
}

/* Make a record for a thread to be started; NULL: start it without. */
static struct weft_shim_thread *
prepare(void *arg, bool joinable)
{
    struct weft_shim_thread *me = weft_shim_self_();

    if (me == &weft_shim_nobody_ || !weft_shim_options_.on)
        return NULL;
    weft_shim_watch_();
    struct weft_shim_thread *t = weft_shim_record_();
    atomic_store_explicit(&me->starts, true, memory_order_relaxed);
    if (t != NULL) {
        t->started = true;
        t->arg = arg;
        atomic_store_explicit(&t->claimed, false, memory_order_relaxed);
        atomic_store_explicit(&t->kept, joinable, memory_order_relaxed);
        weft_shim_order_creates_(me, t);
    }
    return t;
}

static bool
is_joinable(const pthread_attr_t *attr)
{
    int state = PTHREAD_CREATE_JOINABLE;

    if (attr != NULL)
        pthread_attr_getdetachstate(attr, &state);
    return state == PTHREAD_CREATE_JOINABLE;
}

/* It may be joined before it has begun to say who it is. */
static void
begins(struct weft_shim_thread *t, pthread_t self)
{
    pthread_t nobody = 0;

    if (atomic_load_explicit(&t->kept, memory_order_relaxed))
        atomic_compare_exchange_strong_explicit(&t->self, &nobody, self,
                                                memory_order_relaxed,
                                                memory_order_relaxed);
}

WEFT_HOOK int
pthread_create(pthread_t *thread, const pthread_attr_t *attr,
               void *(*start)(void *), void *arg)
{
    struct weft_shim_thread *t = prepare(arg, is_joinable(attr));

    if (t == NULL)
        return weft_shim_real_.create(thread, attr, start, arg);
    t->start = start;
    const int r = weft_shim_real_.create(thread, attr, run, t);
    if (r != 0)
        weft_shim_put_back_(t);
    else
        begins(t, *thread);
    return r;
}

WEFT_HOOK int
thrd_create(thrd_t *thread, thrd_start_t start, void *arg)
{
    struct weft_shim_thread *t = prepare(arg, true);

    if (t == NULL)
        return weft_shim_real_.thrd_create(thread, start, arg);
    t->start_c11 = start;
    const int r = weft_shim_real_.thrd_create(thread, run_c11, t);
    if (r != thrd_success)
        weft_shim_put_back_(t);
    else
        begins(t, *thread);
    return r;
}

/* A thread that was not started through the shim, as the first one. */
static void
end_unstarted(void)
{
    struct weft_shim_thread *t = weft_shim_self_();

    if (!t->started)
        weft_shim_end_(t);
}

WEFT_HOOK void
pthread_exit(void *result)
{
    end_unstarted();
    weft_shim_real_.exit(result);
    __builtin_unreachable();
}

WEFT_HOOK void
thrd_exit(int result)
{
    end_unstarted();
    weft_shim_real_.thrd_exit(result);
    __builtin_unreachable();
}

static void
woke(void *arg)
{
    weft_shim_woke_(arg);
}

static void
unclaim(void *other)
{
    weft_shim_unclaim_(other);
}

/* What `call` returns while this thread waits for the end of another. */
#define JOIN(thread, timed, call)                                          \
    do {                                                                   \
        struct weft_shim_thread *t_ = weft_shim_self_();                   \
        struct weft_shim_thread *other_ = weft_shim_claim_(thread);        \
        if (!(timed)) {                                                    \
            weft_shim_awaits_(t_, NULL, WEFT_KIND_THREAD, WEFT_SHIM_HERE); \
            weft_shim_may_hold_up_(t_, (const void *)(thread),             \
                                   WEFT_SHIM_HERE);                        \
        }                                                                  \
        struct weft_shim_was was_ =                                        \
            weft_shim_waits_(t_, (const void *)(thread), WEFT_KIND_THREAD, \
                             timed, NULL, WEFT_SHIM_HERE);                 \
        int r_;                                                            \
        pthread_cleanup_push(unclaim, other_);                             \
        pthread_cleanup_push(woke, &was_);                                 \
        r_ = call;                                                         \
        pthread_cleanup_pop(1);                                            \
        pthread_cleanup_pop(r_ != 0);                                      \
        if (r_ == 0)                                                       \
            weft_shim_joined_(t_, other_);                                 \
        return r_;                                                         \
    } while (0)

WEFT_HOOK int
pthread_join(pthread_t thread, void **result)
{
    JOIN(thread, false, weft_shim_real_.join(thread, result));
}

WEFT_HOOK int
pthread_timedjoin_np(pthread_t thread, void **result,
                     const struct timespec *until)
{
    JOIN(thread, until != NULL,
         weft_shim_real_.timedjoin(thread, result, until));
}

WEFT_HOOK int
pthread_clockjoin_np(pthread_t thread, void **result, clockid_t clock,
                     const struct timespec *until)
{
    JOIN(thread, until != NULL,
         weft_shim_real_.clockjoin(thread, result, clock, until));
}

WEFT_HOOK int
thrd_join(thrd_t thread, int *result)
{
    JOIN(thread, false, weft_shim_real_.thrd_join(thread, result));
}

WEFT_HOOK int
pthread_tryjoin_np(pthread_t thread, void **result)
{
    struct weft_shim_thread *t = weft_shim_self_();
    struct weft_shim_thread *other = weft_shim_claim_(thread);
    const int r = weft_shim_real_.tryjoin(thread, result);

    if (r == 0)
        weft_shim_joined_(t, other);
    else
        weft_shim_unclaim_(other);
    return r;
}

WEFT_HOOK int
pthread_detach(pthread_t thread)
{
    weft_shim_self_();
    struct weft_shim_thread *other = weft_shim_claim_(thread);
    const int r = weft_shim_real_.detach(thread);

    if (r == 0)
        weft_shim_detached_(other);
    else
        weft_shim_unclaim_(other);
    return r;
}

WEFT_HOOK int
thrd_detach(thrd_t thread)
{
    weft_shim_self_();
    struct weft_shim_thread *other = weft_shim_claim_(thread);
    const int r = weft_shim_real_.thrd_detach(thread);

    if (r == thrd_success)
        weft_shim_detached_(other);
    else
        weft_shim_unclaim_(other);
    return r;
}

/* Handlers of others that run in the child before ours find the lock of the
 * graph as it was: until then the forking thread tells nothing. */
static _Thread_local bool was_inside;

static void
before_fork(void)
{
    struct weft_shim_thread *t = weft_shim_me_;

    if (t == NULL)
        return;
    was_inside = t->order.inside;
    t->order.inside = true;
}

static void
in_parent(void)
{
    if (weft_shim_me_ != NULL)
        weft_shim_me_->order.inside = was_inside;
}

static void
in_child(void)
{
    if (!weft_shim_options_.on)
        return;
    weft_shim_options_.pid = getpid();
    atomic_store_explicit(&weft_shim_options_.found, false,
                          memory_order_relaxed); /* that was the parent's */
    weft_shim_parties_forked_();
    weft_shim_sem_forked_();
    if (!weft_shim_options_.children) {
        weft_shim_order_forked_(NULL);
        weft_shim_options_.on = false;
        weft_shim_forget_duties_();
        weft_shim_me_ = &weft_shim_nobody_;
        return;
    }
    weft_shim_alone_();
    weft_shim_unwatch_();
    weft_shim_order_forked_(weft_shim_me_);
}

__attribute__((constructor)) static void
begin(void)
{
    weft_shim_self_();
    if (!weft_shim_options_.on)
        return;
    pthread_atfork(before_fork, in_parent, in_child);
    weft_shim_read_suppressions_();
    weft_shim_read_plan_();
    weft_shim_begin_duties_();
}
