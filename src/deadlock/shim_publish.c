/* SPDX-License-Identifier: MIT */
/*
 * shim_publish.c - a thread says what it waits for, and wakes the checker.
 *
 * A handler of a signal may run, and wait, while its thread waits: what was
 * published before comes back afterwards.
 *
 * Ordering.  See shim_record.c.
 *
 *     shim.wait  a thread has written what it waits for  ->  the checker reads it
 *     bell       a wait is published, the bell read  ->  the checker, which sets
 *                the bell and then reads the waits: one of the two sees the other
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <unwind.h>

#include "deadlock/shim.h"

_Atomic uint32_t weft_shim_bell_;

void
weft_shim_ring_(void)
{
    /* seq_cst: bell.  Otherwise this thread could miss that the checker is
     * asleep while the checker misses this wait. */
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&weft_shim_bell_, memory_order_relaxed) == 0 ||
        atomic_exchange_explicit(&weft_shim_bell_, 0, memory_order_relaxed) ==
            0)
        return;
    const int saved = errno;
    syscall(SYS_futex, &weft_shim_bell_, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    errno = saved;
}

void
weft_shim_await_bell_(const struct timespec *most)
{
    while (atomic_load_explicit(&weft_shim_bell_, memory_order_relaxed) == 1)
        if (syscall(SYS_futex, &weft_shim_bell_, FUTEX_WAIT_PRIVATE, 1, most,
                    NULL, 0) != 0 &&
            errno == ETIMEDOUT)
            break;
}

struct walk {
    struct weft_shim_thread *t;
    uintptr_t here;
    int found;
};

static _Unwind_Reason_Code
add_call(struct _Unwind_Context *context, void *arg)
{
    struct walk *w = arg;
    const uintptr_t address = _Unwind_GetIP(context);

    if (address == 0)
        return _URC_END_OF_STACK;
    if (w->found == 0 && address - 1 != w->here)
        return _URC_NO_REASON; /* the shim's own */
    atomic_store_explicit(&w->t->call[w->found++], address - 1,
                          memory_order_relaxed);
    return w->found == WEFT_DL_PLACES ? _URC_END_OF_STACK : _URC_NO_REASON;
}

/* The unwinder takes a lock where a program has made code while running: what
 * it calls from here is not looked at. */
static void
note_calls(struct weft_shim_thread *t, uintptr_t here)
{
    struct walk w = {t, here, 0};

    weft_shim_me_ = &weft_shim_nobody_;
    _Unwind_Backtrace(add_call, &w);
    weft_shim_me_ = t;
    if (w.found == 0)
        atomic_store_explicit(&t->call[w.found++], here, memory_order_relaxed);
    while (w.found < WEFT_DL_PLACES)
        atomic_store_explicit(&t->call[w.found++], 0, memory_order_relaxed);
}

static int64_t
now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Between the two changes of the number nobody believes what he reads. */
static void
write_wait(struct weft_shim_thread *t, const struct weft_shim_was *w,
           int64_t since)
{
    const uint64_t s = atomic_load_explicit(&t->sequence, memory_order_relaxed);

    if (s % 2 != 0)
        atomic_store_explicit(&t->sequence, s + 1, memory_order_relaxed);
    /* release: shim.wait.  The number has changed before the words do. */
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&t->object, w->object, memory_order_relaxed);
    atomic_store_explicit(&t->guard, w->guard, memory_order_relaxed);
    atomic_store_explicit(&t->kind, w->kind, memory_order_relaxed);
    atomic_store_explicit(&t->timed, w->timed, memory_order_relaxed);
    note_calls(t, w->here);
    atomic_store_explicit(&t->since, since, memory_order_relaxed);
    /* release: shim.wait */
    atomic_store_explicit(&t->sequence, (s | 1) + (s % 2 != 0 ? 2 : 0),
                          memory_order_release);
}

/* Who comes first to what runs once does not sleep.  It may be a malloc that
 * sets itself up, and a thread cannot be started from there. */
static bool
may_sleep(const void *object, enum weft_kind kind)
{
    return kind != WEFT_KIND_ONCE ||
           atomic_load_explicit((const _Atomic int *)object,
                                memory_order_relaxed) != 0;
}

struct weft_shim_was
weft_shim_waits_(struct weft_shim_thread *t, const void *object,
                 enum weft_kind kind, bool timed, const void *guard,
                 const struct weft_shim_frame *here)
{
    struct weft_shim_was was = {.t = t};

    if (t == &weft_shim_nobody_)
        return was;
    if (atomic_load_explicit(&t->sequence, memory_order_relaxed) % 2 != 0) {
        was.waited = true;
        was.object = atomic_load_explicit(&t->object, memory_order_relaxed);
        was.guard = atomic_load_explicit(&t->guard, memory_order_relaxed);
        was.kind = atomic_load_explicit(&t->kind, memory_order_relaxed);
        was.timed = atomic_load_explicit(&t->timed, memory_order_relaxed);
        was.here = atomic_load_explicit(&t->call[0], memory_order_relaxed);
    }
    const struct weft_shim_was now = {
        .object = (uintptr_t)object,
        .guard = (uintptr_t)guard,
        .kind = kind,
        .timed = timed,
        .here = here->back - 1,
    };
    write_wait(t, &now, now_ns());
    if (!timed || kind == WEFT_KIND_COND) {
        if (may_sleep(object, kind))
            weft_shim_watch_();
        weft_shim_ring_();
    }
    return was;
}

void
weft_shim_woke_(struct weft_shim_was *was)
{
    struct weft_shim_thread *t = was->t;

    if (t == &weft_shim_nobody_)
        return;
    if (was->waited)
        write_wait(t, was, now_ns());
    else
        /* release: shim.wait */
        atomic_store_explicit(
            &t->sequence,
            atomic_load_explicit(&t->sequence, memory_order_relaxed) + 1,
            memory_order_release);
}
