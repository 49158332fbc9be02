/* SPDX-License-Identifier: MIT */
/*
 * exit.c - the end of the process: hooks, then the threads that it waits for,
 * then the ordinary handlers.
 *
 * exit() has no hook that comes before all handlers of atexit(), but the C
 * library runs the destructors of the calling thread's thread_local objects
 * first.  So main has one such destructor from the start, and it waits.  When
 * another thread calls exit(), a handler that was registered when the library
 * was loaded waits instead, after all those registered later.
 *
 * Who waits, waits until the threads that are left are those that wait here
 * themselves: two threads that both call exit() do not wait for each other.
 *
 * Ordering.
 *
 *     over      a thread's count is taken off  ->  exit() sees none left
 *     sleep     exit() says that it is there   ->  the thread that ends sees it
 */
#include "thread/thread.h"

#include <stdlib.h>

#include "base/park.h"

#define HOOKS 8

static _Atomic uint32_t running; /* threads to wait for */
static _Atomic uint32_t waiting; /* of them, those that wait here */
static _Atomic uint32_t exits;   /* somebody waits here, or did */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void (*hooks[HOOKS])(void);
void (*weft_exit_last_)(void);
static unsigned hook_count;

bool
weft_at_exit_(void (*hook)(void))
{
    pthread_mutex_lock(&lock);
    const bool fits = hook_count < HOOKS;
    if (fits)
        hooks[hook_count++] = hook;
    pthread_mutex_unlock(&lock);
    return fits;
}

static void
run_hooks(void)
{
    for (;;) {
        pthread_mutex_lock(&lock);
        void (*hook)(void) = hook_count > 0 ? hooks[--hook_count] : NULL;
        pthread_mutex_unlock(&lock);
        if (hook == NULL)
            return;
        hook();
    }
}

void
weft_exit_add_(void)
{
    atomic_fetch_add_explicit(&running, 1, memory_order_relaxed);
}

void
weft_exit_remove_(void)
{
    /* seq_cst: over, sleep.  We change `running`, then load `exits`; the one
     * who exits stores `exits`, then loads `running`.  Without a total order
     * both could miss the other's store: it sleeps, and we do not wake it. */
    atomic_fetch_sub_explicit(&running, 1, memory_order_seq_cst);
    /* seq_cst: sleep */
    if (atomic_load_explicit(&exits, memory_order_seq_cst) != 0)
        weft_park_wake_all_(&running);
}

static void
wait_for_threads(void)
{
    struct weft_self *s = weft_self_record_;
    const bool counted = s != NULL && weft_thread_of_(s)->counted;

    /* seq_cst: sleep */
    atomic_store_explicit(&exits, 1, memory_order_seq_cst);
    if (counted) {
        atomic_fetch_add_explicit(&waiting, 1, memory_order_relaxed);
        weft_park_wake_all_(&running);
    }
    for (;;) {
        /* seq_cst: over, sleep */
        const uint32_t left =
            atomic_load_explicit(&running, memory_order_seq_cst);
        if (left <= atomic_load_explicit(&waiting, memory_order_relaxed))
            return;
        (void)!weft_park_wait_(&running, left, WEFT_FOREVER);
    }
}

static void
finish(void)
{
    run_hooks();
    wait_for_threads();
    weft_failure_report_all_();
}

/* The last handler of all, if we were the first to be loaded. */
static void
at_exit(void)
{
    finish();
    if (weft_exit_last_ != NULL)
        weft_exit_last_();
}

static void
at_exit_of_main(void *unused)
{
    (void)unused;
    finish();
}

/* What the C library has for thread_local objects of C++. */
extern int __cxa_thread_atexit_impl(void (*destructor)(void *), void *object,
                                    void *library) __attribute__((weak));
extern void *__dso_handle __attribute__((visibility("hidden")));

static void
in_child(void)
{
    atomic_store_explicit(&running, 0, memory_order_relaxed);
    atomic_store_explicit(&waiting, 0, memory_order_relaxed);
}

__attribute__((constructor)) static void
begin(void)
{
    (void)pthread_atfork(NULL, NULL, in_child);
    (void)atexit(at_exit);
    if (__cxa_thread_atexit_impl != NULL)
        (void)__cxa_thread_atexit_impl(at_exit_of_main, NULL, &__dso_handle);
}
