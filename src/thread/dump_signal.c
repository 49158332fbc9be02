/* SPDX-License-Identifier: MIT */
/*
 * dump_signal.c - a dump at a signal.
 *
 * A handler may do next to nothing, and least of all in a program that hangs.
 * It sets a bit and wakes a thread, "weft-dump", which was started when the
 * first signal was installed and has slept since.  One thread serves all
 * signals.
 *
 * Ordering.
 *
 *     ask       the handler sets its bit  ->  the thread takes all bits
 */
#include <weft/dump.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/park.h"
#include "deadlock/watch.h"
#include "thread/stacks.h"

#define SIGNALS 65 /* numbers from 1 on */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of installing */
static bool has_thread;
static bool installed[SIGNALS];
static struct sigaction before[SIGNALS];
static _Atomic int file[SIGNALS];
static _Atomic uint64_t asked; /* bit n - 1: signal n came */
static _Atomic uint32_t bell;  /* changes when asked does */

static void
ring(int signal_number)
{
    /* release: ask */
    atomic_fetch_or_explicit(&asked, UINT64_C(1) << (signal_number - 1),
                             memory_order_release);
    atomic_fetch_add_explicit(&bell, 1, memory_order_relaxed);
    weft_park_wake_(&bell, 1);
}

static void *
serve(void *arg)
{
    for (;;) {
        const uint32_t heard =
            atomic_load_explicit(&bell, memory_order_relaxed);
        /* acquire: ask */
        uint64_t bits =
            atomic_exchange_explicit(&asked, 0, memory_order_acquire);
        for (; bits != 0; bits &= bits - 1)
            weft_thread_dump_stacks(atomic_load_explicit(
                &file[__builtin_ctzll(bits) + 1], memory_order_relaxed));
        (void)!weft_park_wait_(&bell, heard, WEFT_FOREVER);
    }
    return arg;
}

/* Under the lock.  Return an error number. */
static int
start_thread(void)
{
    pthread_attr_t detached;
    pthread_t thread;
    sigset_t all;
    sigset_t mine;

    if (has_thread)
        return 0;
    int error = pthread_attr_init(&detached);
    if (error != 0)
        return error;
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    weft_stacks_let_through_(&all);
    pthread_sigmask(SIG_SETMASK, &all, &mine);
    error = pthread_create(&thread, &detached, serve, NULL);
    if (error == 0) {
        has_thread = true;
        (void)pthread_setname_np(thread, "weft-dump");
    }
    pthread_sigmask(SIG_SETMASK, &mine, NULL);
    pthread_attr_destroy(&detached);
    return error;
}

static bool
is_good_signal(int n)
{
    return n > 0 && n < SIGNALS && n != SIGKILL && n != SIGSTOP &&
           n != SIGSEGV && n != SIGBUS && n != SIGFPE && n != SIGILL &&
           n != weft_stacks_signal_() && (n < 32 || n >= SIGRTMIN);
}

static bool
is_good_file(int fd)
{
    const int flags = fcntl(fd, F_GETFL);

    return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
}

/* Under the lock. */
static enum weft_status
install(int signal_number, int fd)
{
    struct sigaction action = {.sa_handler = ring,
                               .sa_flags = SA_RESTART | SA_ONSTACK};
    struct sigaction old;
    const int error = start_thread();

    if (error != 0) {
        errno = error;
        return WEFT_SYSTEM;
    }
    sigemptyset(&action.sa_mask);
    const int old_file = atomic_exchange_explicit(&file[signal_number], fd,
                                                  memory_order_relaxed);
    if (sigaction(signal_number, &action, &old) != 0) {
        atomic_store_explicit(&file[signal_number], old_file,
                              memory_order_relaxed);
        return WEFT_SYSTEM;
    }
    if (!installed[signal_number])
        before[signal_number] = old;
    installed[signal_number] = true;
    weft_watch_enable_(true);
    return WEFT_OK;
}

enum weft_status
weft_thread_dump_on_signal(int signal_number, int fd)
{
    if (!is_good_signal(signal_number) || !is_good_file(fd))
        return WEFT_INVALID;
    pthread_mutex_lock(&lock);
    const enum weft_status s = install(signal_number, fd);
    pthread_mutex_unlock(&lock);
    return s;
}

/* The child has no thread to wake. */
static void
in_child(void)
{
    pthread_mutex_init(&lock, NULL);
    has_thread = false;
    for (int n = 1; n < SIGNALS; n++) {
        if (installed[n])
            (void)sigaction(n, &before[n], NULL);
        installed[n] = false;
    }
}

__attribute__((constructor)) static void
begin(void)
{
    const char *watch = getenv("WEFT_WATCH");

    (void)pthread_atfork(NULL, NULL, in_child);
    if (watch != NULL && strcmp(watch, "1") == 0)
        weft_watch_enable_(true);
}
