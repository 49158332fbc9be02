/* SPDX-License-Identifier: MIT */
/*
 * stacks.c - one thread after the other is interrupted and writes its stack
 * into one slot.
 *
 * A request has a number, sent with the signal; the slot's word is the number
 * and a phase:
 *
 *     ASKED     left by the handler, to TAKEN, and by the asker, who gives up,
 *               to NOBODY
 *     TAKEN     the handler writes the stack; left by it, to DONE
 *     DONE      the stack is the asker's
 *     NOBODY    a handler that comes now does nothing
 *
 * A handler that comes late finds another number or phase and does nothing, so
 * nobody needs to wait for it.  One that hangs between TAKEN and DONE (it was
 * stopped by a debugger) keeps the slot: the next request gets a new one.
 * Slots are never given back, for the same reason.
 *
 * What may never happen is that a signal of ours arrives when it has its old
 * meaning, which is to end the process.  A thread that blocks it is not asked;
 * one that begins to block it after we looked keeps it pending.  So at the end
 * the signal is ignored first, at which the kernel drops what is pending in any
 * thread, and only then has its old meaning again.
 *
 * The signal is sent with rt_tgsigqueueinfo, so that the handler can tell ours
 * from others and knows its request.  The handler runs on the alternate stack
 * if the thread has one, calls the unwinder and a wake-up, and keeps errno.
 *
 * Ordering.
 *
 *     request   the asker stores ASKED   ->  the handler writes the stack
 *     answer    the handler stores DONE  ->  the asker reads the stack
 */
#include "thread/stacks.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/park.h"

#define PATIENCE_MS     250  /* with one thread */
#define ALL_PATIENCE_MS 2000 /* with all that do not answer */
#define LEAST_MS        2

enum { NOBODY, ASKED, TAKEN, DONE, PHASE = 3, NUMBER = 4 };

struct slot {
    _Atomic uint32_t word;
    struct weft_stack stack;
};

static struct slot first_slot;
static _Atomic(struct slot *) current = &first_slot;
static uint32_t number; /* of the last request */
static int taken;       /* the signal; 0: none */
static struct sigaction before;
static int64_t patience_ns;

static void
answer(int signal_number, siginfo_t *info, void *context)
{
    const int saved = errno;
    struct slot *s = atomic_load_explicit(&current, memory_order_relaxed);
    uint32_t word = (uint32_t)info->si_value.sival_int | ASKED;

    (void)signal_number;
    (void)context;
    if (info->si_code != SI_QUEUE || info->si_pid != getpid())
        return;
    if (atomic_compare_exchange_strong_explicit(
            &s->word, &word, (word & ~(uint32_t)PHASE) | TAKEN,
            /* acquire: request */
            memory_order_acquire, memory_order_relaxed)) {
        weft_stack_capture_(&s->stack, 0);
        /* release: answer */
        atomic_store_explicit(&s->word, (word & ~(uint32_t)PHASE) | DONE,
                              memory_order_release);
        weft_park_wake_(&s->word, 1);
    }
    errno = saved;
}

static bool
is_free(int signal_number)
{
    struct sigaction now;

    return sigaction(signal_number, NULL, &now) == 0 &&
           (now.sa_flags & SA_SIGINFO) == 0 && now.sa_handler == SIG_DFL;
}

int
weft_stacks_signal_(void)
{
    const char *wish = getenv("WEFT_STACK_SIGNAL");

    if (wish != NULL) {
        const long n = strtol(wish, NULL, 10);
        return n >= SIGRTMIN && n <= SIGRTMAX && is_free((int)n) ? (int)n : 0;
    }
    /* The highest is what emulators and valgrind take for themselves. */
    for (int n = SIGRTMAX - 1; n >= SIGRTMIN; n--)
        if (is_free(n))
            return n;
    return 0;
}

void
weft_stacks_let_through_(sigset_t *set)
{
    const int n = weft_stacks_signal_();

    if (n != 0)
        sigdelset(set, n);
}

void
weft_stacks_begin_(void)
{
    struct sigaction mine = {.sa_sigaction = answer,
                             .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};

    sigfillset(&mine.sa_mask);
    patience_ns = ALL_PATIENCE_MS * INT64_C(1000000);
    taken = weft_stacks_signal_();
    if (taken != 0 && sigaction(taken, &mine, &before) != 0)
        taken = 0;
}

void
weft_stacks_end_(void)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};

    if (taken == 0)
        return;
    (void)sigaction(taken, &ignore, NULL);
    (void)sigaction(taken, &before, NULL);
    taken = 0;
}

void
weft_stacks_forked_(void)
{
    weft_stacks_end_();
    atomic_store_explicit(&first_slot.word, NOBODY, memory_order_relaxed);
}

static bool
send_request(pid_t id, uint32_t request)
{
    siginfo_t info = {.si_signo = taken, .si_code = SI_QUEUE};

    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value.sival_int = (int)request;
    return syscall(SYS_rt_tgsigqueueinfo, getpid(), id, taken, &info) == 0;
}

/* Wait until the slot's word is `wanted`, or for so long. */
static bool
await(struct slot *s, uint32_t wanted, weft_deadline deadline)
{
    for (;;) {
        /* acquire: answer */
        const uint32_t word =
            atomic_load_explicit(&s->word, memory_order_acquire);
        if (word == wanted)
            return true;
        if (weft_park_wait_(&s->word, word, deadline) == WEFT_TIMEOUT)
            return atomic_load_explicit(&s->word, memory_order_relaxed) ==
                   wanted;
    }
}

/* The next request gets a slot that nobody writes. */
static void
replace_slot(void)
{
    void *fresh = mmap(NULL, sizeof(struct slot), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (fresh == MAP_FAILED)
        taken = 0; /* the rest is not asked */
    else
        atomic_store_explicit(&current, fresh, memory_order_relaxed);
}

static bool
await_answer(struct slot *s, uint32_t request)
{
    const int64_t begin = weft_clock_ns_();
    int64_t wait_ns = PATIENCE_MS * INT64_C(1000000);

    if (wait_ns > patience_ns)
        wait_ns = patience_ns;
    if (wait_ns < LEAST_MS * INT64_C(1000000))
        wait_ns = LEAST_MS * INT64_C(1000000);
    if (await(s, request | DONE, begin + wait_ns))
        return true;
    patience_ns -= weft_clock_ns_() - begin;
    uint32_t word = request | ASKED;
    if (atomic_compare_exchange_strong_explicit(
            &s->word, &word, request | NOBODY, memory_order_relaxed,
            memory_order_relaxed))
        return false;
    /* It has begun to write. */
    if (await(s, request | DONE, weft_in_ms(ALL_PATIENCE_MS)))
        return true;
    replace_slot();
    return false;
}

enum weft_answer
weft_stacks_ask_(pid_t id, uint64_t blocked, struct weft_stack *out)
{
    if (taken == 0)
        return WEFT_NO_SIGNAL;
    if ((blocked >> (taken - 1) & 1) != 0)
        return WEFT_BLOCKS_SIGNAL;
    struct slot *s = atomic_load_explicit(&current, memory_order_relaxed);
    const uint32_t request = number += NUMBER;
    /* release: request */
    atomic_store_explicit(&s->word, request | ASKED, memory_order_release);
    if (!send_request(id, request)) {
        atomic_store_explicit(&s->word, request | NOBODY, memory_order_relaxed);
        return errno == ESRCH ? WEFT_GONE : WEFT_SILENT;
    }
    if (!await_answer(s, request))
        return WEFT_SILENT;
    *out = s->stack;
    return WEFT_ANSWERED;
}
