/* SPDX-License-Identifier: MIT */
/*
 * rwlock_slots.c - readers that write only to their own lines.
 *
 * A reader stores the lock into its entry, then looks whether the lock still
 * allows that; a writer forbids it, then looks at all entries.  All four are
 * seq_cst, or the reader has the light fence between and the writer the heavy
 * one (base/fence.h), so one of them sees the other.
 *
 * Waiting.  A writer that finds a reader inside asks for word: it adds to
 * `wanted` and fences again.  The reader clears its entry and then loads
 * `wanted`, with a light fence between, so either the writer sees it gone or it
 * sees that it is wanted; then it adds to `left`, on which the writer sleeps.
 * Both are on the reader's lines: the lock may be gone by then.
 *
 * Ends.  A thread gives its lines back when it ends, in the last round of
 * destructors, since others' may still use locks.  If it holds locks then, the
 * lines are nobody's for ever, and those locks stay locked.
 *
 * fork().  The child has one thread; what the others had in their entries is
 * cleared, since readers leave nothing half done.
 *
 * Ordering.
 *
 *     list     new lines are linked           ->  a walk finds them
 *     lines    a thread gave them back        ->  the next takes them
 *     rwlock.drain   a reader clears its entry ->  a writer sees it cleared
 *     left     it has cleared it, and says so ->  the writer looks again
 *     rwlock.agree   a reader enters, a writer forbids ->  the other sees it
 */
#include "sync/rwlock_slots.h"

#include <limits.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

#include <ck_pr.h>

#include "base/fence.h"
#include "base/park.h"
#include "base/tsan.h"

#define NOBODYS ((uintptr_t)1) /* no lock has this address, and it is not 0 */
#define PAUSES  64             /* that a writer waits before it asks for word */

/* In how many rounds a thread ends; ThreadSanitizer forgets it in the last. */
#ifdef WEFT_TSAN
#define ROUNDS (PTHREAD_DESTRUCTOR_ITERATIONS - 1)
#else
#define ROUNDS PTHREAD_DESTRUCTOR_ITERATIONS
#endif

struct weft_readers weft_readers_none_ = {
    .slots.lock = {NOBODYS, NOBODYS, NOBODYS, NOBODYS, NOBODYS, NOBODYS,
                   NOBODYS, NOBODYS}};

/* Said again: an initializer makes gcc forget the header's. */
__thread struct weft_read_slots_ *weft_read_slots_
    __attribute__((tls_model("initial-exec"))) = &weft_readers_none_.slots;
static __thread bool ended __attribute__((tls_model("initial-exec")));

static _Atomic(struct weft_readers *) list;
static pthread_key_t key;
static bool key_is_there;

static struct weft_readers *
first(void)
{
    /* acquire: list */
    return atomic_load_explicit(&list, memory_order_acquire);
}

/* Lines that an ended thread gave back. */
static struct weft_readers *
take_old(void)
{
    for (struct weft_readers *r = first(); r != NULL; r = r->next) {
        bool taken = false;
        /* acquire: lines */
        if (!atomic_load_explicit(&r->taken, memory_order_relaxed) &&
            atomic_compare_exchange_strong_explicit(&r->taken, &taken, true,
                                                    memory_order_acquire,
                                                    memory_order_relaxed))
            return r;
    }
    return NULL;
}

static struct weft_readers *
make_new(void)
{
    struct weft_readers *r = aligned_alloc(WEFT_CACHE_PAIR, sizeof(*r));

    if (r == NULL)
        return NULL;
    *r = (struct weft_readers){.taken = true};
    r->next = atomic_load_explicit(&list, memory_order_relaxed);
    /* release: list */
    while (!atomic_compare_exchange_weak_explicit(
        &list, &r->next, r, memory_order_release, memory_order_relaxed))
        ;
    return r;
}

struct weft_readers *
weft_readers_mine_(void)
{
    struct weft_readers *r = weft_readers_known_();

    if (r != NULL || ended || !key_is_there)
        return r;
    r = take_old();
    if (r == NULL)
        r = make_new();
    if (r == NULL)
        return NULL;
    if (pthread_setspecific(key, (void *)(uintptr_t)ROUNDS) != 0) {
        /* release: lines */
        atomic_store_explicit(&r->taken, false, memory_order_release);
        return NULL;
    }
    weft_read_slots_ = &r->slots;
    return r;
}

/* The key's destructor: its value counts the rounds that are left. */
static void
end_thread(void *value)
{
    const uintptr_t rounds = (uintptr_t)value;
    struct weft_readers *r = weft_readers_known_();

    if (rounds > 1 && pthread_setspecific(key, (void *)(rounds - 1)) == 0)
        return;
    ended = true;
    for (size_t i = 0; i < WEFT_READ_SLOTS_; i++)
        if (atomic_load_explicit(&r->slots.lock[i], memory_order_relaxed) != 0)
            return;
    weft_read_slots_ = &weft_readers_none_.slots;
    /* release: lines */
    atomic_store_explicit(&r->taken, false, memory_order_release);
}

static bool
has(_Atomic(uintptr_t) *entry, const weft_rwlock *l)
{
    return (atomic_load_explicit(entry, memory_order_relaxed) &
            ~(COUNTED | NESTED)) == (uintptr_t)l;
}

_Atomic(uintptr_t) *
weft_readers_find_(struct weft_readers *r, const weft_rwlock *l)
{
    if (r == NULL)
        return NULL;
    if (has(&r->slots.lock[WEFT_READ_SLOT_(l)], l))
        return &r->slots.lock[WEFT_READ_SLOT_(l)];
    for (size_t i = 0; r->strayed > 0 && i < WEFT_READ_SLOTS_; i++)
        if (has(&r->slots.lock[i], l))
            return &r->slots.lock[i];
    return NULL;
}

_Atomic(uintptr_t) *
weft_readers_free_(struct weft_readers *r, const weft_rwlock *l)
{
    const size_t at = WEFT_READ_SLOT_(l);

    for (size_t i = 0; r != NULL && i < WEFT_READ_SLOTS_; i++) {
        _Atomic(uintptr_t) *e = &r->slots.lock[at ^ i];
        if (atomic_load_explicit(e, memory_order_relaxed) == 0) {
            r->strayed += i > 0;
            return e;
        }
    }
    return NULL;
}

/* The entry is given up. */
static void
return_home(struct weft_readers *r, const weft_rwlock *l,
            const _Atomic(uintptr_t) *entry)
{
    r->strayed -= entry != &r->slots.lock[WEFT_READ_SLOT_(l)];
}

void
weft_readers_clear_(struct weft_readers *r, const weft_rwlock *l,
                    _Atomic(uintptr_t) *entry)
{
    return_home(r, l, entry);
    atomic_store_explicit(entry, 0, memory_order_relaxed);
}

/* Its entry is cleared: say so to a writer that wants to know. */
static void
tell(struct weft_readers *r)
{
    weft_fence_light_();
    if (atomic_load_explicit(&r->slots.wanted, memory_order_relaxed) == 0)
        return;
    /* release: left */
    atomic_fetch_add_explicit(&r->left, 1, memory_order_release);
    weft_park_wake_all_(&r->left);
}

void
weft_readers_leave_(struct weft_readers *r, const weft_rwlock *l,
                    _Atomic(uintptr_t) *entry)
{
    return_home(r, l, entry);
    /* release: rwlock.drain */
    atomic_store_explicit(entry, 0, memory_order_release);
    tell(r);
}

/* The inline unlock has cleared an entry. */
enum weft_status
weft_rwlock_read_left_(void)
{
    tell(weft_readers_known_());
    return WEFT_OK;
}

static bool
is_in(_Atomic(uintptr_t) *entry, const weft_rwlock *l)
{
    /* acquire: rwlock.drain */
    return (atomic_load_explicit(entry, memory_order_acquire) & ~NESTED) ==
           (uintptr_t)l;
}

/* Wait until the thread of `r` has cleared the entry. */
static enum weft_status
wait_for_word(struct weft_readers *r, _Atomic(uintptr_t) *entry,
              const weft_rwlock *l, weft_deadline deadline)
{
    enum weft_status s = WEFT_OK;

    atomic_fetch_add_explicit(&r->slots.wanted, 1, memory_order_relaxed);
    weft_fence_heavy_();
    for (bool spun = false; s == WEFT_OK; spun = true) {
        /* acquire: left */
        const uint32_t seen =
            atomic_load_explicit(&r->left, memory_order_acquire);
        if (!is_in(entry, l))
            break;
        if (spun || !weft_park_spin_(&r->left, seen))
            s = weft_park_wait_(&r->left, seen, deadline);
    }
    atomic_fetch_sub_explicit(&r->slots.wanted, 1, memory_order_relaxed);
    return is_in(entry, l) ? s : WEFT_OK;
}

static enum weft_status
wait_for(struct weft_readers *r, _Atomic(uintptr_t) *entry,
         const weft_rwlock *l, weft_deadline deadline)
{
    if (deadline <= WEFT_NOW)
        return WEFT_TIMEOUT;
    for (int i = 0; i < PAUSES; i++) {
        if (!is_in(entry, l))
            return WEFT_OK;
        ck_pr_stall();
    }
    return wait_for_word(r, entry, l, deadline);
}

enum weft_status
weft_readers_drain_(const weft_rwlock *l, weft_deadline deadline)
{
    for (struct weft_readers *r = first(); r != NULL; r = r->next)
        for (size_t i = 0; i < WEFT_READ_SLOTS_; i++) {
            _Atomic(uintptr_t) *entry = &r->slots.lock[i];
            /* seq_cst: rwlock.agree.  We stored `biased`, then load the entry;
             * a reader stores the entry, then loads `biased`. */
            const uintptr_t e =
                atomic_load_explicit(entry, memory_order_seq_cst);
            if ((e & ~NESTED) != (uintptr_t)l)
                continue;
            const enum weft_status s = wait_for(r, entry, l, deadline);
            if (s != WEFT_OK)
                return s;
        }
    return WEFT_OK;
}

static void
in_child(void)
{
    const struct weft_readers *mine = weft_readers_known_();

    for (struct weft_readers *r = first(); r != NULL; r = r->next) {
        atomic_store_explicit(&r->slots.wanted, 0, memory_order_relaxed);
        for (size_t i = 0; r != mine && i < WEFT_READ_SLOTS_; i++)
            atomic_store_explicit(&r->slots.lock[i], 0, memory_order_relaxed);
        if (r != mine)
            r->strayed = 0;
        if (r != mine)
            atomic_store_explicit(&r->taken, false, memory_order_relaxed);
    }
}

__attribute__((constructor)) static void
begin(void)
{
    _Static_assert(offsetof(struct weft_readers, slots) == 0,
                   "cast to and fro");
    key_is_there = pthread_key_create(&key, end_thread) == 0;
    (void)pthread_atfork(NULL, NULL, in_child);
}
