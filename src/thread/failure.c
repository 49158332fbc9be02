/* SPDX-License-Identifier: MIT */
/*
 * failure.c - errors that nobody asked for, and the hook that is told.
 *
 * A failure is unasked, and in a list, from the moment its thread notes it until
 * somebody asks, or it is reported.  Nobody can ask any more when there is no
 * handle.  Two look for that: the thread when it notes the failure, and whoever
 * gives the last handle back.  Both do it under one lock, so one of the two
 * comes second, sees the other and reports; only the last handle and the end of
 * a failed thread take the lock.  The hook is called without it.
 *
 * Ordering.  The lock orders all but one edge:
 *
 *     fail       the error is noted         ->  whoever asks for it
 */
#include "thread/thread.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/name.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static weft_thread *unasked;
static weft_failure_hook *hook;
static void *hook_ctx;

/* Under the lock. */
static void
link_up(weft_thread *t)
{
    t->unasked = true;
    t->previous = NULL;
    t->next = unasked;
    if (unasked != NULL)
        unasked->previous = t;
    unasked = t;
}

/* Under the lock; whether it was in the list. */
static bool
unlink_it(weft_thread *t)
{
    if (!t->unasked)
        return false;
    t->unasked = false;
    if (t->next != NULL)
        t->next->previous = t->previous;
    if (t->previous != NULL)
        t->previous->next = t->next;
    else
        unasked = t->next;
    return true;
}

/* One write, so that lines of several threads do not mix. */
static void
print_line(weft_thread *t, const weft_error *error)
{
    char line[512];
    const int n =
        snprintf(line, sizeof(line), "weft: thread %llu (%s) failed: %s (%d)\n",
                 (unsigned long long)weft_thread_id(t), weft_thread_name(t),
                 error->message, error->code);
    size_t bytes = n < 0 ? 0 : (size_t)n;

    if (bytes >= sizeof(line)) {
        bytes = sizeof(line) - 1;
        line[bytes - 1] = '\n';
    }
    if (write(STDERR_FILENO, line, bytes) < 0) {
        /* There is nobody left to tell. */
    }
}

/* A hook that fails in turn has not said anything. */
static void
report(weft_thread *t)
{
    pthread_mutex_lock(&lock);
    weft_failure_hook *told = hook;
    void *ctx = hook_ctx;
    pthread_mutex_unlock(&lock);
    if (told == NULL) {
        print_line(t, &t->error);
        return;
    }
    const weft_error saved = weft_fail_save_();
    told(t, &t->error, ctx);
    weft_fail_restore_(saved);
}

void
weft_thread_set_failure_hook(weft_failure_hook *new_hook, void *ctx)
{
    pthread_mutex_lock(&lock);
    hook = new_hook;
    hook_ctx = ctx;
    pthread_mutex_unlock(&lock);
}

static bool
has_handles(const weft_thread *t)
{
    return atomic_load_explicit(&weft_thread_self_(t)->shares,
                                memory_order_relaxed) >= WEFT_SELF_HANDLE;
}

void
weft_failure_note_(weft_thread *t, weft_error error)
{
    t->error = error;
    pthread_mutex_lock(&lock);
    /* release: fail */
    atomic_store_explicit(&t->failed, true, memory_order_release);
    const bool now = !has_handles(t);
    if (!now)
        link_up(t);
    pthread_mutex_unlock(&lock);
    if (now)
        report(t);
}

const weft_error *
weft_failure_ask_(weft_thread *t)
{
    /* acquire: fail */
    if (!atomic_load_explicit(&t->failed, memory_order_acquire))
        return NULL;
    pthread_mutex_lock(&lock);
    unlink_it(t);
    pthread_mutex_unlock(&lock);
    return &t->error;
}

void
weft_failure_release_(weft_thread *t)
{
    struct weft_self *s = weft_thread_self_(t);

    pthread_mutex_lock(&lock);
    const bool is_last =
        atomic_load_explicit(&s->shares, memory_order_relaxed) <
        2 * WEFT_SELF_HANDLE;
    if (is_last && unlink_it(t)) {
        pthread_mutex_unlock(&lock);
        report(t); /* with our handle; the hook may take one more */
        pthread_mutex_lock(&lock);
    }
    if (is_last)
        weft_thread_detach_(t);
    const bool was_all = weft_self_drop_(s, WEFT_SELF_HANDLE);
    pthread_mutex_unlock(&lock);
    if (was_all)
        weft_self_gather_(s);
}

void
weft_failure_report_all_(void)
{
    for (;;) {
        pthread_mutex_lock(&lock);
        weft_thread *t = unasked;
        if (t != NULL) {
            weft_self_retain_(weft_thread_self_(t));
            unlink_it(t);
        }
        pthread_mutex_unlock(&lock);
        if (t == NULL)
            return;
        report(t);
        weft_thread_release(t);
    }
}

static void
before_fork(void)
{
    pthread_mutex_lock(&lock);
}

static void
after_fork(void)
{
    pthread_mutex_unlock(&lock);
}

/* What the parent has not asked for is the parent's to report. */
static void
in_child(void)
{
    while (unasked != NULL)
        unlink_it(unasked);
    pthread_mutex_unlock(&lock);
}

__attribute__((constructor)) static void
begin(void)
{
    (void)pthread_atfork(before_fork, after_fork, in_child);
}
