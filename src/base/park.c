/* SPDX-License-Identifier: MIT */
/*
 * park.c - sleeping on futexes, alone and through Concurrency Kit's event
 * counts.
 *
 * Words.  FUTEX_WAIT_BITSET takes an absolute time of CLOCK_MONOTONIC, so a
 * wait that is interrupted begins again with the same time.  The kernel
 * compares the word under the lock of the queue that a waker takes too, which
 * is why a change followed by a wake is never missed.
 *
 * Event counts.  ck_ec64 keeps a count and one bit, "somebody may sleep", in
 * one word.  A waiter sets the bit with a compare-and-swap from the count of
 * its ticket and then sleeps on the word with the bit set; a signal adds one
 * and, if the bit was set, clears it and wakes all.  Both change the word by a
 * read-modify-write, so one of the two comes first: either the signal finds
 * the bit, or the compare-and-swap fails.  No fence and no second word is
 * needed.
 *
 * The count has 63 bits and never wraps.  The kernel compares the low 32 bits
 * only: 2^31 signals between ck's own comparison of all 64 and the kernel's
 * would be missed, which takes seconds in the place of nanoseconds.
 *
 * ck sleeps at first for 2, 16 and 128 ms and only after a second until the
 * deadline.  That serves its unfenced single-producer signal, which could
 * overwrite the bit.  Ours is a locked instruction, so the predicate, which ck
 * calls before each sleep, replaces the time by the deadline: a waiter wakes
 * once.  The deadline is compared there too, and ck is told of none: ck takes
 * a time in the first second after boot for WEFT_NOW.
 *
 * Spinning pays only if the thread waited for runs meanwhile on another CPU.
 * Spinning for as long as a wake-up costs is never more than twice as bad as
 * knowing (Karlin, Li, Manasse, Owicki: Empirical Studies of Competitive
 * Spinning for a Shared-Memory Multiprocessor, SOSP 1991).
 *
 * Ordering.  What this file loads and stores itself carries no data and is
 * relaxed: after each wait the caller looks again, with the order it needs.
 * Event counts make one edge,
 *
 *     signal      weft_event_count_signal_ ->  ticket_ and wait_ count it
 *
 * in ck's inline assembly, so ThreadSanitizer is told of it by hand.
 */
#include "base/park.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ck_ec.h>

#include "base/asan.h"
#include "base/cpu.h"
#include "base/deadline.h"
#include "base/panic.h"
#include "base/sched.h"
#include "base/tsan.h"

#define LOOKS_PER_TIMING 8 /* looks at the word between two at the clock */

static _Atomic unsigned cpus; /* 0: not counted yet */
weft_park_look *_Atomic weft_park_look_;

static long
futex(const void *word, int operation, uint32_t value,
      const struct timespec *until)
{
    return syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value,
                   until, NULL, FUTEX_BITSET_MATCH_ANY);
}

/* Sleep while the word is `expected`; false if `until` has passed. */
static bool
futex_wait(const void *word, uint32_t expected, const struct timespec *until)
{
    const int saved = errno;
    int error;

    WEFT_SCHED_POINT_("park.sleep"); /* what it waits for may come now */
    do {
        weft_tsan_take_signals_();
        error =
            futex(word, FUTEX_WAIT_BITSET, expected, until) == 0 ? 0 : errno;
    } while (error == EINTR);
    errno = saved;
    if (error != 0 && error != EAGAIN && error != ETIMEDOUT)
        weft_panic_("park: the system refuses to wait", word);
    return error != ETIMEDOUT;
}

static unsigned
futex_wake(const void *word, unsigned n)
{
    if (n == 0)
        return 0; /* the kernel would wake one */
    const int saved = errno;

    WEFT_SCHED_POINT_("park.wake"); /* the object may be gone by now */
    const long woken = futex(word, FUTEX_WAKE, n < INT_MAX ? n : INT_MAX, NULL);

    errno = saved; /* EFAULT: the word is gone, and so are its sleepers */
    return woken > 0 ? (unsigned)woken : 0;
}

static enum weft_status
wait_plain(const void *word, uint32_t expected, weft_deadline deadline)
{
    const struct timespec until = weft_deadline_timespec_(deadline);

    return futex_wait(word, expected, deadline == WEFT_FOREVER ? NULL : &until)
               ? WEFT_OK
               : WEFT_TIMEOUT;
}

/* Who looks at a wait until `deadline`. */
static weft_park_look *
looks_at(weft_deadline deadline)
{
    return deadline == WEFT_FOREVER
               ? atomic_load_explicit(&weft_park_look_, memory_order_relaxed)
               : NULL;
}

/* Wait without a deadline, in pieces by `wait`, and look between them. */
WEFT_LEFT_WHEN_CANCELLED_ static enum weft_status
wait_watched(const void *word, uint32_t expected,
             enum weft_status (*wait)(const void *, uint32_t, weft_deadline))
{
    int64_t ms = WEFT_PARK_LONG_MS;

    for (;;) {
        weft_park_look *look = looks_at(WEFT_FOREVER);
        enum weft_status s =
            wait(word, expected, look != NULL ? weft_in_ms(ms) : WEFT_FOREVER);
        if (s == WEFT_OK || look == NULL)
            return s;
        s = look(word, expected, &ms);
        if (s != WEFT_OK)
            return s;
    }
}

enum weft_status
weft_park_wait_(_Atomic uint32_t *word, uint32_t expected,
                weft_deadline deadline)
{
    if (deadline <= WEFT_NOW) {
        const uint32_t seen = atomic_load_explicit(word, memory_order_relaxed);
        return seen == expected ? WEFT_TIMEOUT : WEFT_OK;
    }
    if (looks_at(deadline) != NULL)
        return wait_watched(word, expected, wait_plain);
    return wait_plain(word, expected, deadline);
}

unsigned
weft_park_wake_(const _Atomic uint32_t *word, unsigned n)
{
    return futex_wake(word, n);
}

unsigned
weft_park_wake_all_(const _Atomic uint32_t *word)
{
    return futex_wake(word, INT_MAX);
}

#ifdef WEFT_ASAN
/* What runs when the thread ends may come by before end_thread in self.c. */
static void
forget_frames(void *unused)
{
    (void)unused;
    weft_asan_forget_frames_();
}
#endif

/*
 * Cancellation acts where the thread sleeps, as in the C library's own waits:
 * between the two settings there is nothing but the system call.  Each
 * instruction there has to be one that can be unwound from, for the handlers of
 * the callers to run.  The linker's stubs for calls of another library are not,
 * on aarch64: hence -fno-plt.
 */
WEFT_LEFT_WHEN_CANCELLED_ static enum weft_status
wait_cancel(const void *word, uint32_t expected, weft_deadline deadline)
{
    const struct timespec until = weft_deadline_timespec_(deadline);
    bool woken;
    int type;

#ifdef WEFT_ASAN
    pthread_cleanup_push(forget_frames, NULL);
#endif
    pthread_testcancel();
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
    woken =
        futex_wait(word, expected, deadline == WEFT_FOREVER ? NULL : &until);
    pthread_setcanceltype(type, NULL);
#ifdef WEFT_ASAN
    pthread_cleanup_pop(0);
#endif
    return woken ? WEFT_OK : WEFT_TIMEOUT;
}

static enum weft_status
wait_cancel_long(const void *word, uint32_t expected, weft_deadline deadline)
{
    return looks_at(deadline) != NULL
               ? wait_watched(word, expected, wait_cancel)
               : wait_cancel(word, expected, deadline);
}

enum weft_status
weft_park_wait_cancel_(_Atomic uint32_t *word, uint32_t expected,
                       weft_deadline deadline)
{
    if (deadline > WEFT_NOW)
        return wait_cancel_long(word, expected, deadline);
    pthread_testcancel();
    return weft_park_wait_(word, expected, deadline);
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "the low half of 64 bits, which the kernel compares, is first");

enum weft_status
weft_park_wait_cancel64_(_Atomic uint64_t *word, uint64_t expected,
                         weft_deadline deadline)
{
    if (deadline > WEFT_NOW)
        return wait_cancel_long(word, (uint32_t)expected, deadline);
    pthread_testcancel();
    const uint64_t seen = atomic_load_explicit(word, memory_order_relaxed);
    return (uint32_t)seen == (uint32_t)expected ? WEFT_TIMEOUT : WEFT_OK;
}

unsigned
weft_park_wake_all64_(const _Atomic uint64_t *word)
{
    return futex_wake(word, INT_MAX);
}

static unsigned
count_cpus(void)
{
    /* The main thread's: a waiting thread may be pinned to one CPU while those
     * it waits for run on others. */
    const int saved = errno;
    const unsigned n = weft_cpu_count_of_(getpid(), "");

    errno = saved;
    atomic_store_explicit(&cpus, n, memory_order_relaxed);
    return n;
}

void
weft_park_recount_(void)
{
    count_cpus();
}

static unsigned
known_cpus(void)
{
    const unsigned n = atomic_load_explicit(&cpus, memory_order_relaxed);

    return n > 0 ? n : count_cpus();
}

bool
weft_park_may_spin_(void)
{
    return known_cpus() > 1;
}

uint32_t
weft_park_here_(void)
{
    return (uint32_t)sched_getcpu() + 1;
}

/* A stretch of spinning. */
struct patience {
    int64_t end_ns; /* 0: not begun */
    unsigned looks;
};

/* Pause between two looks; false when the time is over. */
static bool
is_patient(struct patience *p)
{
    ck_pr_stall();
    if (++p->looks % LOOKS_PER_TIMING != 0)
        return true;
    const int64_t now_ns = weft_clock_ns_();
    if (p->end_ns == 0)
        p->end_ns = now_ns + WEFT_PARK_SPIN_NS;
    return now_ns < p->end_ns;
}

bool
weft_park_spin_(const _Atomic uint32_t *word, uint32_t expected)
{
    struct patience p = {0};

    if (!weft_park_may_spin_())
        return false;
    do
        if (atomic_load_explicit(word, memory_order_relaxed) != expected)
            return true;
    while (is_patient(&p));
    return false;
}

bool
weft_park_spin64_(const _Atomic uint64_t *word, uint64_t mask,
                  uint64_t expected)
{
    struct patience p = {0};

    if (!weft_park_may_spin_())
        return false;
    do {
        const uint64_t seen = atomic_load_explicit(word, memory_order_relaxed);
        if ((seen & mask) != expected)
            return true;
    } while (is_patient(&p));
    return false;
}

bool
weft_park_linger_(const _Atomic uint32_t *word, uint32_t expected,
                  unsigned threads)
{
    const bool crowded = threads > known_cpus();
    const int yields = crowded ? WEFT_PARK_YIELDS : WEFT_PARK_YIELDS / 4;

    if (!crowded && weft_park_spin_(word, expected))
        return true;
    const int64_t end_ns = weft_clock_ns_() + WEFT_PARK_YIELD_NS;
    for (int i = 0; i < yields; i++) {
        if (atomic_load_explicit(word, memory_order_relaxed) != expected)
            return true;
        sched_yield();
        if (weft_clock_ns_() >= end_ns)
            break;
    }
    return atomic_load_explicit(word, memory_order_relaxed) != expected;
}

static int
ec_now(const struct ck_ec_ops *ops, struct timespec *now)
{
    (void)ops;
    return clock_gettime(CLOCK_MONOTONIC, now);
}

static void
ec_sleep(const struct ck_ec_wait_state *state, const uint64_t *counter,
         uint64_t expected, const struct timespec *until)
{
    (void)state;
    (void)futex_wait(counter, (uint32_t)expected, until);
}

static void
ec_wake(const struct ck_ec_ops *ops, const uint64_t *counter)
{
    (void)ops;
    futex_wake(counter, INT_MAX);
}

/* ck spins twice for so many rounds, even on one CPU; 0 would mean 100. */
static const struct ck_ec_ops ec_ops = {.gettime = ec_now,
                                        .wait64 = ec_sleep,
                                        .wake64 = ec_wake,
                                        .busy_loop_iter = 1};
static const struct ck_ec_mode ec_mode = {.ops = &ec_ops};

/* What ck calls before each sleep; `data` is the deadline. */
static int
ec_choose_sleep(const struct ck_ec_wait_state *state, struct timespec *until)
{
    const weft_deadline deadline = *(const weft_deadline *)state->data;

    if (deadline == WEFT_FOREVER) {
        until->tv_sec = INT64_MAX; /* no limit, to ck */
        return 0;
    }
    *until = weft_deadline_timespec_(deadline);
    return state->now.tv_sec > until->tv_sec ||
           (state->now.tv_sec == until->tv_sec &&
            state->now.tv_nsec >= until->tv_nsec);
}

static struct ck_ec64 *
ck(struct weft_event_count *e)
{
    _Static_assert(sizeof(*e) == sizeof(struct ck_ec64), "they are the same");
    return (struct ck_ec64 *)(void *)e;
}

uint64_t
weft_event_count_ticket_(struct weft_event_count *e)
{
    const uint64_t ticket = ck_ec64_value(ck(e));

    weft_tsan_acquire_(e); /* signal */
    return ticket;
}

/* Spin until a signal comes that `ticket` does not count. */
static bool
ec_spin(struct weft_event_count *e, uint64_t ticket)
{
    struct patience p = {0};

    do
        if (ck_ec64_value(ck(e)) != ticket)
            return true;
    while (weft_park_may_spin_() && is_patient(&p));
    return false;
}

enum weft_status
weft_event_count_wait_(struct weft_event_count *e, uint64_t ticket,
                       weft_deadline deadline)
{
    bool signalled = ck_ec64_value(ck(e)) != ticket;

    if (!signalled && deadline > WEFT_NOW)
        signalled = ec_spin(e, ticket) ||
                    ck_ec64_wait_pred(ck(e), &ec_mode, ticket, ec_choose_sleep,
                                      &deadline, NULL) == 0;
    if (!signalled)
        return WEFT_TIMEOUT;
    weft_tsan_acquire_(e); /* signal */
    return WEFT_OK;
}

void
weft_event_count_signal_(struct weft_event_count *e)
{
    weft_tsan_release_(e); /* signal */
    ck_ec64_inc(ck(e), &ec_mode);
}
