/* SPDX-License-Identifier: MIT */
/*
 * shim_duty.c - what the checker does besides looking for deadlocks: it ends the
 * program after a time, says what all threads do when a signal asks for it, and
 * says so when nothing has run for a while.
 *
 * The handler of the signal only sets a word and rings.  It stays where it is
 * when the program executes nothing else; a handler of the program's own takes
 * its place, and then the signal is the program's.
 *
 * Stuck.  All threads sleep and none of them has been on a CPU since; each is in
 * a call that only this process could end (shim_calls.c), so that it would have
 * to be one of them.  A handler of a signal could, too: a program that has some
 * is not judged, but for those of faults.
 *
 * Ordering.
 *
 *     shim.asked  the signal's word is set, the bell read  ->  the checker, which
 *                 sets the bell and then reads the word: one sees the other
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "deadlock/shim_dump.h"
#include "deadlock/shim_suppress.h"

#define FAULTS                                                       \
    (1u << (SIGSEGV - 1) | 1u << (SIGBUS - 1) | 1u << (SIGFPE - 1) | \
     1u << (SIGILL - 1) | 1u << (SIGABRT - 1) | 1u << (SIGTRAP - 1))
#define SAMPLES 8 /* in the time after which a program is stuck */

static const char stuck_doubt[] =
    "by what the kernel says of this process; it is not known who was to wake "
    "them";

static int64_t end_at; /* [ms]; 0: never */
static const char *end_after;
static int64_t stuck_ms; /* 0: it is not looked for */
static int dump_signal;  /* 0: none */
static _Atomic bool asked;

static struct weft_shim_tasks tasks;
static uint64_t last_sum;
static int64_t same_since;
static int64_t next_sample;

static int64_t
now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- the signal ----------------------------------------------------------- */

static void
ask(int unused)
{
    (void)unused;
    atomic_store_explicit(&asked, true, memory_order_relaxed);
    weft_shim_ring_(); /* seq_cst: shim.asked */
}

static bool
is_ours(void)
{
    struct sigaction now;

    return dump_signal != 0 && sigaction(dump_signal, NULL, &now) == 0 &&
           (now.sa_flags & SA_SIGINFO) == 0 && now.sa_handler == ask;
}

uint64_t
weft_shim_own_signals_(void)
{
    return is_ours() ? UINT64_C(1) << (dump_signal - 1) : 0;
}

void
weft_shim_forget_duties_(void)
{
    if (is_ours())
        signal(dump_signal, SIG_DFL);
    dump_signal = 0;
    end_at = 0;
    stuck_ms = 0;
}

/* A program that has a handler, or has come to ignore it by its own will, keeps
 * that. */
static void
install(void)
{
    struct sigaction a = {.sa_flags = SA_RESTART | SA_ONSTACK};
    struct sigaction old;

    a.sa_handler = ask;
    sigfillset(&a.sa_mask);
    if (sigaction(dump_signal, NULL, &old) == 0 &&
        (old.sa_flags & SA_SIGINFO) == 0 &&
        (old.sa_handler == SIG_DFL || old.sa_handler == SIG_IGN))
        sigaction(dump_signal, &a, NULL);
}

/* --- stuck ---------------------------------------------------------------- */

/* A number that changes when any thread has run; 0: one of them runs now. */
static uint64_t
sum_of_switches(void)
{
    uint64_t sum = 1;

    weft_shim_list_tasks_(&tasks);
    for (uint32_t i = 0; i < tasks.used; i++) {
        const struct weft_shim_task *t = &tasks.list[i];
        if (t->sleep.exists && !t->sleep.sleeps)
            return 0;
        sum = (sum ^ (uint64_t)t->tid ^ t->sleep.switches << 24) *
              UINT64_C(0x9e3779b97f4a7c15);
    }
    return tasks.count == tasks.used ? sum | 1 : 0;
}

static bool
is_stuck(void)
{
    if ((weft_shim_caught_() & ~(uint64_t)FAULTS) != 0)
        return false;
    weft_shim_describe_tasks_(&tasks);
    for (uint32_t i = 0; i < tasks.used; i++)
        if (tasks.list[i].sleep.exists &&
            !weft_shim_is_inner_(&tasks.list[i].call))
            return false;
    return tasks.used > 0 && sum_of_switches() == last_sum;
}

static void
end_program(void)
{
    weft_shim_say_suppressed_();
    syscall(SYS_exit_group, weft_shim_options_.status);
}

static void
tell_stuck(void)
{
    char text[80];

    snprintf(text, sizeof(text), "stuck: nothing has run for %lld.%lld s",
             (long long)stuck_ms / 1000, (long long)stuck_ms % 1000 / 100);
    if (!weft_shim_dump_(text, "stuck", stuck_doubt))
        return;
    atomic_store_explicit(&weft_shim_options_.found, true,
                          memory_order_relaxed);
    if (!weft_shim_options_.keep)
        end_program();
}

static void
sample(int64_t now)
{
    const uint64_t sum = sum_of_switches();

    next_sample = now + stuck_ms / SAMPLES + 1;
    if (sum == 0 || sum != last_sum) {
        last_sum = sum;
        same_since = now;
        return;
    }
    if (now - same_since < stuck_ms ||
        atomic_load_explicit(&weft_shim_options_.found, memory_order_relaxed))
        return;
    same_since = now; /* ask again that much later */
    if (is_stuck())
        tell_stuck();
}

/* --- when ----------------------------------------------------------------- */

static void
end_in_time(void)
{
    char text[120];

    snprintf(text, sizeof(text), "time is up: the program has run for %s s",
             end_after);
    weft_shim_dump_(text, "timeout", NULL);
    end_program();
}

int64_t
weft_shim_due_ms_(void)
{
    int64_t due = INT64_MAX;

    if (atomic_load_explicit(&asked, memory_order_relaxed))
        return 0;
    if (end_at != 0)
        due = end_at;
    if (stuck_ms != 0 && next_sample < due)
        due = next_sample;
    if (due == INT64_MAX)
        return -1;
    due -= now_ms();
    return due > 0 ? due : 0;
}

void
weft_shim_do_duties_(void)
{
    const int64_t now = now_ms();

    if (atomic_exchange_explicit(&asked, false, memory_order_relaxed))
        weft_shim_dump_("all threads, as asked for by a signal", "dump", NULL);
    if (end_at != 0 && now >= end_at)
        end_in_time();
    if (stuck_ms != 0 && now >= next_sample)
        sample(now);
}

void
weft_shim_begin_duties_(void)
{
    const char *end = getenv("WEFT_DEADLOCK_TIMEOUT");
    const char *stuck = getenv("WEFT_DEADLOCK_STUCK");
    const char *signal = getenv("WEFT_DEADLOCK_SIGNAL");
    char *rest;

    if (end != NULL) {
        end_at = strtoll(end, &rest, 10);
        end_after = *rest == ' ' ? rest + 1 : "";
    }
    if (stuck != NULL)
        stuck_ms = strtoll(stuck, NULL, 10);
    if (signal != NULL) {
        dump_signal = (int)strtol(signal, NULL, 10);
        install();
    }
    if (end_at != 0 || stuck_ms != 0 || dump_signal != 0)
        weft_shim_watch_();
}
