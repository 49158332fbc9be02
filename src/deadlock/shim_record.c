/* SPDX-License-Identifier: MIT */
/*
 * shim_record.c - the records of threads: made, written, used again.
 *
 * A record belongs to its thread from the first call, or from the call that
 * starts it, until the kernel says that the thread is no more: after its routine
 * has returned its destructors may still take locks.  Only then, and only if it
 * held nothing, is the record used again; one that held something is what an
 * orphaned lock is explained by.
 *
 * A wait is published before the thread sleeps, by a sequence number that is
 * odd while it waits.  The checker believes what it read between two equal
 * readings of that number.
 *
 * Ordering.  The words of a wait and the list of held locks are relaxed; the
 * list is read of threads that sleep, and verified with the objects.
 *
 *     list       a record is in the list of all          ->  who walks it
 *     turn       who had the lists before                ->  who has them now
 *     shim.kept  who has joined a thread, or let it go   ->  who uses its record
 *     shim.longer   a list of held locks has been copied    ->  who reads the copy
 */
#include <errno.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "deadlock/shim_order.h"

/* Where the stack of the first thread begins; the loader's. */
extern void *__libc_stack_end;

#define CAP ((size_t)64 << 20)

_Thread_local struct weft_shim_thread *weft_shim_me_;
struct weft_shim_thread weft_shim_nobody_;
_Atomic bool weft_shim_first_ended_;

static struct weft_shim_thread *_Atomic all;
static _Atomic uint64_t ids;
static _Atomic size_t mapped;

/* Records whose threads are ending, oldest first; and spare ones. */
static _Atomic bool lists_taken;
static struct weft_shim_thread *ending_first;
static struct weft_shim_thread *ending_last;

void *
weft_shim_map_(size_t bytes)
{
    static const char notice[] =
        "weft-deadlock: 64 MB of notes are full: no further locks are noted\n";
    static _Atomic bool said;

    if (atomic_fetch_add_explicit(&mapped, bytes, memory_order_relaxed) +
            bytes >
        CAP) {
        atomic_fetch_sub_explicit(&mapped, bytes, memory_order_relaxed);
        if (!atomic_exchange_explicit(&said, true, memory_order_relaxed))
            (void)!syscall(SYS_write, STDERR_FILENO, notice,
                           sizeof(notice) - 1);
        return NULL;
    }
    /* A malloc of the program's may bring an mmap that uses hooks. */
    const long p = syscall(SYS_mmap, NULL, bytes, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, (off_t)0);
    return p != -1 ? (void *)p : NULL;
}

void
weft_shim_unmap_(void *p, size_t bytes)
{
    syscall(SYS_munmap, p, bytes);
    atomic_fetch_sub_explicit(&mapped, bytes, memory_order_relaxed);
}

struct weft_shim_thread *
weft_shim_first_(void)
{
    /* acquire: list */
    return atomic_load_explicit(&all, memory_order_acquire);
}

static void
take_lists(void)
{
    /* acquire: turn */
    while (atomic_exchange_explicit(&lists_taken, true, memory_order_acquire))
        sched_yield();
}

static void
leave_lists(void)
{
    /* release: turn */
    atomic_store_explicit(&lists_taken, false, memory_order_release);
}

bool
weft_shim_is_gone_(const struct weft_shim_thread *t)
{
    const pid_t tid = atomic_load_explicit(&t->tid, memory_order_relaxed);
    const int saved = errno;

    if (tid == 0)
        return false;
    const bool gone =
        tid == getpid()
            ? !weft_shim_sleep_of_(tid).exists
            : syscall(SYS_tgkill, getpid(), tid, 0) != 0 && errno == ESRCH;
    errno = saved;
    return gone;
}

static void
add_ending(struct weft_shim_thread *t)
{
    t->queue = NULL;
    if (ending_last != NULL)
        ending_last->queue = t;
    else
        ending_first = t;
    ending_last = t;
}

/* Take a record whose thread is no more, if the oldest is one that nobody will
 * join. */
static struct weft_shim_thread *
take_used(void)
{
    struct weft_shim_thread *t = ending_first;

    if (t == NULL || (atomic_load_explicit(&t->state, memory_order_relaxed) !=
                          WEFT_SHIM_FREE &&
                      !weft_shim_is_gone_(t)))
        return NULL;
    ending_first = t->queue;
    if (ending_first == NULL)
        ending_last = NULL;
    t->queue = NULL;
    /* acquire: shim.kept */
    if (atomic_load_explicit(&t->kept, memory_order_acquire)) {
        add_ending(t);
        return NULL;
    }
    weft_shim_order_ends_(t, false);
    return atomic_load_explicit(&t->count, memory_order_relaxed) == 0 ? t
                                                                      : NULL;
}

static void
add_to_all(struct weft_shim_thread *t)
{
    t->next = atomic_load_explicit(&all, memory_order_relaxed);
    /* release: list */
    while (!atomic_compare_exchange_weak_explicit(
        &all, &t->next, t, memory_order_release, memory_order_relaxed))
        continue;
}

struct weft_shim_thread *
weft_shim_record_(void)
{
    take_lists();
    struct weft_shim_thread *t = take_used();
    if (t == NULL)
        t = take_used();
    leave_lists();
    const bool used = t != NULL;
    if (!used) {
        t = weft_shim_map_(sizeof(*t));
        if (t == NULL)
            return NULL;
        t->room = WEFT_SHIM_FIRST;
        atomic_store_explicit(&t->held, t->first, memory_order_relaxed);
    }
    atomic_store_explicit(&t->tid, 0, memory_order_relaxed);
    atomic_store_explicit(&t->self, 0, memory_order_relaxed);
    atomic_store_explicit(&t->starts, false, memory_order_relaxed);
    t->started = false;
    atomic_store_explicit(
        &t->id, 1 + atomic_fetch_add_explicit(&ids, 1, memory_order_relaxed),
        memory_order_relaxed);
    atomic_store_explicit(&t->state, WEFT_SHIM_LIVE, memory_order_relaxed);
    if (!used)
        add_to_all(t);
    return t;
}

static void
queue_up(struct weft_shim_thread *t)
{
    take_lists();
    add_ending(t);
    leave_lists();
}

void
weft_shim_put_back_(struct weft_shim_thread *t)
{
    atomic_store_explicit(&t->kept, false, memory_order_relaxed);
    atomic_store_explicit(&t->state, WEFT_SHIM_FREE, memory_order_relaxed);
    queue_up(t);
}

void
weft_shim_end_(struct weft_shim_thread *t)
{
    if (t == &weft_shim_nobody_ || !weft_shim_options_.on)
        return;
    weft_shim_order_leaves_(t);
    if (atomic_load_explicit(&t->tid, memory_order_relaxed) == getpid())
        atomic_store_explicit(&weft_shim_first_ended_, true,
                              memory_order_relaxed);
    atomic_store_explicit(&t->state, WEFT_SHIM_ENDING, memory_order_relaxed);
    atomic_store_explicit(
        &t->sequence,
        atomic_load_explicit(&t->sequence, memory_order_relaxed) + 2,
        memory_order_relaxed);
    queue_up(t);
    weft_shim_ring_();
}

void
weft_shim_begin_(struct weft_shim_thread *t)
{
    atomic_store_explicit(&t->self, pthread_self(), memory_order_relaxed);
    atomic_store_explicit(&t->tid, (pid_t)syscall(SYS_gettid),
                          memory_order_relaxed);
    t->stack_end = (uintptr_t)(atomic_load_explicit(
                                   &t->tid, memory_order_relaxed) == getpid()
                                   ? __libc_stack_end
                                   : (void *)pthread_self());
    weft_shim_me_ = t;
}

__attribute__((noinline)) struct weft_shim_thread *
weft_shim_attach_(void)
{
    const int saved = errno;
    struct weft_shim_thread *t = NULL;

    weft_shim_resolve_();
    weft_shim_me_ = &weft_shim_nobody_; /* what follows may come to a hook */
    weft_shim_read_options_();
    if (weft_shim_options_.on)
        t = weft_shim_record_();
    if (t != NULL) {
        weft_shim_begin_(t);
        weft_shim_order_begins_(t);
    }
    errno = saved;
    return weft_shim_me_;
}

/* A child of fork: only this thread is left. */
void
weft_shim_alone_(void)
{
    struct weft_shim_thread *me = weft_shim_me_;

    leave_lists();
    ending_first = NULL;
    ending_last = NULL;
    for (struct weft_shim_thread *t = weft_shim_first_(); t != NULL;
         t = t->next)
        if (t != me) {
            atomic_store_explicit(&t->kept, false, memory_order_relaxed);
            atomic_store_explicit(&t->state, WEFT_SHIM_FREE,
                                  memory_order_relaxed);
        }
    if (me != NULL && me != &weft_shim_nobody_)
        weft_shim_begin_(me);
}

/* Whether the list says that `t` holds a mutex that is another's by now. */
static bool
is_stale(const struct weft_shim_thread *t, const struct weft_shim_hold *h)
{
    pthread_mutex_t m;

    if (atomic_load_explicit(&h->kind, memory_order_relaxed) != WEFT_KIND_MUTEX)
        return false;
    const uintptr_t object =
        atomic_load_explicit(&h->object, memory_order_relaxed);
    return !weft_shim_peek_gone_((const void *)object, &m, sizeof(m)) ||
           m.__data.__owner !=
               atomic_load_explicit(&t->tid, memory_order_relaxed);
}

static void
copy_hold(struct weft_shim_hold *to, const struct weft_shim_hold *from)
{
    atomic_store_explicit(
        &to->object, atomic_load_explicit(&from->object, memory_order_relaxed),
        memory_order_relaxed);
    atomic_store_explicit(
        &to->kind, atomic_load_explicit(&from->kind, memory_order_relaxed),
        memory_order_relaxed);
    for (int i = 0; i < WEFT_DL_PLACES; i++)
        atomic_store_explicit(
            &to->call[i],
            atomic_load_explicit(&from->call[i], memory_order_relaxed),
            memory_order_relaxed);
    to->below = from->below;
}

/* A mutex that one thread locks and another unlocks stays on the list of the
 * first for ever: take such off. */
static void
drop_stale(struct weft_shim_thread *t)
{
    struct weft_shim_hold *h =
        atomic_load_explicit(&t->held, memory_order_relaxed);
    uint32_t kept = 0;

    while (kept < atomic_load_explicit(&t->count, memory_order_relaxed))
        if (!is_stale(t, &h[kept]))
            kept++;
        else
            weft_shim_take_out_(t, kept);
}

__attribute__((noinline)) bool
weft_shim_grow_(struct weft_shim_thread *t)
{
    const int saved = errno;

    if (t == &weft_shim_nobody_ || t->full)
        return false;
    drop_stale(t);
    const uint32_t n = atomic_load_explicit(&t->count, memory_order_relaxed);
    if (n <= t->room / 2) {
        errno = saved;
        return true;
    }
    struct weft_shim_hold *old =
        atomic_load_explicit(&t->held, memory_order_relaxed);
    struct weft_shim_hold *h =
        t->room < WEFT_SHIM_MOST
            ? weft_shim_map_(2 * (size_t)t->room * sizeof(*h))
            : NULL;
    errno = saved;
    if (h == NULL) {
        t->full = n == t->room;
        return !t->full;
    }
    for (uint32_t i = 0; i < n; i++)
        copy_hold(&h[i], &old[i]);
    t->room *= 2;
    /* release: shim.longer.  The old one stays: the checker may be reading it. */
    atomic_store_explicit(&t->held, h, memory_order_release);
    return true;
}

__attribute__((noinline)) void
weft_shim_take_out_(struct weft_shim_thread *t, uint32_t at)
{
    struct weft_shim_hold *h =
        atomic_load_explicit(&t->held, memory_order_relaxed);
    const uint32_t n = atomic_load_explicit(&t->count, memory_order_relaxed);

    /* What it is worth in the numbers of those behind it. */
    const uint64_t own =
        (at + 1 < n ? h[at + 1].below : t->order.set) - h[at].below;
    for (uint32_t i = at; i + 1 < n; i++) {
        copy_hold(&h[i], &h[i + 1]);
        h[i].below -= own;
    }
    t->order.set -= own;
    atomic_store_explicit(&t->count, n - 1, memory_order_relaxed);
}
