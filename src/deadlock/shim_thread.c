/* SPDX-License-Identifier: MIT */
/*
 * shim_thread.c - threads that start, end and are joined; and fork.
 *
 * A thread starts in a routine of the shim's, which has a record for it and
 * learns how it ends: by return, exit or cancellation.
 */
#include "deadlock/shim.h"

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
    pthread_cleanup_push(end, t);
    result = t->start_c11(t->arg);
    pthread_cleanup_pop(1);
    return result;
}

/* Make a record for a thread to be started; NULL: start it without. */
static struct weft_shim_thread *
prepare(void *arg)
{
    if (weft_shim_self_() == &weft_shim_nobody_ || !weft_shim_options_.on)
        return NULL;
    weft_shim_watch_();
    struct weft_shim_thread *t = weft_shim_record_();
    if (t != NULL) {
        t->started = true;
        t->arg = arg;
    }
    return t;
}

WEFT_HOOK int
pthread_create(pthread_t *thread, const pthread_attr_t *attr,
               void *(*start)(void *), void *arg)
{
    struct weft_shim_thread *t = prepare(arg);

    if (t == NULL)
        return weft_shim_real_.create(thread, attr, start, arg);
    t->start = start;
    const int r = weft_shim_real_.create(thread, attr, run, t);
    if (r != 0)
        weft_shim_put_back_(t);
    return r;
}

WEFT_HOOK int
thrd_create(thrd_t *thread, thrd_start_t start, void *arg)
{
    struct weft_shim_thread *t = prepare(arg);

    if (t == NULL)
        return weft_shim_real_.thrd_create(thread, start, arg);
    t->start_c11 = start;
    const int r = weft_shim_real_.thrd_create(thread, run_c11, t);
    if (r != thrd_success)
        weft_shim_put_back_(t);
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

/* What `call` returns while this thread waits for the end of another. */
#define JOIN(thread, timed, call)                                            \
    do {                                                                     \
        struct weft_shim_was was_ =                                          \
            weft_shim_waits_(weft_shim_self_(), (const void *)(thread),      \
                             WEFT_KIND_THREAD, timed, NULL, WEFT_SHIM_HERE); \
        int r_;                                                              \
        pthread_cleanup_push(woke, &was_);                                   \
        r_ = call;                                                           \
        pthread_cleanup_pop(1);                                              \
        return r_;                                                           \
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

static void
in_child(void)
{
    if (!weft_shim_options_.on)
        return;
    if (!weft_shim_options_.children) {
        weft_shim_options_.on = false;
        weft_shim_me_ = &weft_shim_nobody_;
        return;
    }
    weft_shim_alone_();
    weft_shim_unwatch_();
}

__attribute__((constructor)) static void
begin(void)
{
    weft_shim_self_();
    if (weft_shim_options_.on)
        pthread_atfork(NULL, NULL, in_child);
}
