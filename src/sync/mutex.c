/* SPDX-License-Identifier: MIT */
/*
 * sync/mutex.c - one word: the owner's tag above three flags.
 *
 *     owner  flags      who leaves it, and how
 *     none   -          a locker: its tag.  The only state of a free mutex that
 *                       newcomers may take without looking further
 *     me     -          I unlock: 0.  A newcomer that goes to sleep: SLEEPERS
 *     me     SLEEPERS   I unlock: drop the flag with the tag, wake one
 *     me     STARVED    I unlock: leave the flag; somebody who has waited is
 *                       awake and takes it
 *     me     both       I unlock: leave STARVED, drop SLEEPERS, wake one
 *     none   STARVED    somebody who has waited: its tag and SLEEPERS.  trylock:
 *                       its tag, STARVED stays
 *     me     OWES       I unlock, and then pay my debts
 *
 * Sleeping (Ulrich Drepper, Futexes Are Tricky, 2011).  A thread sleeps on the
 * word, while it has an owner and SLEEPERS; the kernel compares in the same
 * step, so that owner's unlock is yet to come and will wake one.  Dropping
 * SLEEPERS with the unlock is what keeps others from waking a second thread
 * while the first is on its way: whoever was woken sets the flag again, by
 * taking the mutex with it or before it sleeps again.  If nobody else sleeps,
 * that costs one wake-up of nobody.
 *
 * Which lie is harmless:
 *
 *     SLEEPERS   set though nobody sleeps: a system call.  Clear though somebody
 *                sleeps: only while a woken thread is on its way that will set
 *                it; one that was woken and gives up has to pass that on
 *     STARVED    set though nobody waits (in a child of fork, whose waiters are
 *                gone): newcomers hold back for PATIENCE_NS.  Clear: less fair
 *     OWES       never: it is the owner's own
 *
 * Starving.  Newcomers take the mutex when it is free, also before those who
 * were woken for it: that is what makes it fast.  A woken thread that waits
 * since PATIENCE_NS and finds it held sets STARVED, and from then on only those
 * who have slept may take it (Mike Burrows' nsync does so after 30 wake-ups).
 * The first one that does clears the flag.  The kernel wakes in the order of
 * falling asleep, so each gets its turn.
 *
 * Ordering.  The word is the only thing shared; what the lock protects travels
 * along one edge:
 *
 *     mutex.hand_over   unlock lets go of the word  ->  lock, trylock take it
 *
 * All else is relaxed: flags carry no data.
 */
#define WEFT_NO_INLINE
#include <weft/mutex.h>

#include "sync/mutex_impl.h"

#include "base/deadline.h"
#include "base/panic.h"
#include "base/park.h"
#include "base/sched.h"

#define SLEEPERS    WEFT_MUTEX_SLEEPERS_
#define STARVED     WEFT_MUTEX_STARVED_
#define OWES        WEFT_MUTEX_OWES_
#define PATIENCE_NS 1000000
#define LOOKS       12 /* changes of the word seen while spinning */
#define STILL       4  /* spins without a change, before it sleeps */

/* A call that waits. */
struct wait {
    weft_mutex *mutex;
    weft_deadline deadline;
    enum weft_kind kind;
    uint32_t me;
    int64_t since_ns; /* when it first found that it has to sleep, or 0 */
    bool slept;       /* and may have been woken */
    bool insists;     /* waits on where the detector says not to */
};

static __thread struct weft_debt *debts
    __attribute__((tls_model("initial-exec")));

void
weft_mutex_init(weft_mutex *m)
{
    if (weft_watching_())
        weft_watch_forgets_(m, sizeof(*m));
    atomic_init(&m->word, 0);
}

static bool
swap(weft_mutex *m, uint32_t from, uint32_t to)
{
    return atomic_compare_exchange_strong_explicit(
        &m->word, &from, to, memory_order_relaxed, memory_order_relaxed);
}

static bool
take(weft_mutex *m, uint32_t from, uint32_t to)
{
    /* acquire: mutex.hand_over */
    return atomic_compare_exchange_strong_explicit(
        &m->word, &from, to, memory_order_acquire, memory_order_relaxed);
}

static uint32_t
look(const weft_mutex *m)
{
    return atomic_load_explicit(&m->word, memory_order_relaxed);
}

bool
weft_mutex_try_(weft_mutex *m, enum weft_kind kind)
{
    const uint32_t me = weft_self_tag_();
    uint32_t w;

    do {
        w = look(m);
        if (weft_mutex_owner_in_(w) != 0)
            return false;
    } while (!take(m, w, w | me));
    if (weft_watching_())
        weft_watch_acquired_(m, kind);
    return true;
}

/* Whether it may take a mutex with that word. */
static bool
may_take(const struct wait *t, uint32_t w)
{
    return weft_mutex_owner_in_(w) == 0 && ((w & STARVED) == 0 || t->slept);
}

/* One that slept cannot know whether others still do. */
static bool
try_to_take(const struct wait *t, uint32_t w)
{
    return may_take(t, w) &&
           take(t->mutex, w, t->slept ? t->me | SLEEPERS : w | t->me);
}

/* Watch the word for a while; true if that got the mutex. */
static bool
spin(const struct wait *t)
{
    int still = 0;

    for (int i = 0; i < LOOKS && still < STILL; i++) {
        const uint32_t w = look(t->mutex);
        if (try_to_take(t, w))
            return true;
        if (!may_take(t, w) && !weft_park_spin_(&t->mutex->word, w))
            still++;
    }
    return false;
}

/* Sleep, or find the mutex changed.  It has an owner, or is kept for others. */
static enum weft_status
sleep_once(struct wait *t, uint32_t w)
{
    const bool held = weft_mutex_owner_in_(w) != 0;
    const int64_t now_ns = weft_clock_ns_();
    weft_deadline until = t->deadline;
    uint32_t marked = w | SLEEPERS;

    if (t->since_ns == 0)
        t->since_ns = now_ns;
    else if (held && now_ns - t->since_ns >= PATIENCE_NS)
        marked |= STARVED;
    if (marked != w && !swap(t->mutex, w, marked))
        return WEFT_OK;
    /* Whom it is kept for may not exist. */
    if (!held && until > now_ns + PATIENCE_NS)
        until = now_ns + PATIENCE_NS;
    const enum weft_status s = weft_park_wait_(&t->mutex->word, marked, until);
    t->slept = true;
    return s == WEFT_TIMEOUT && until != t->deadline ? WEFT_OK : s;
}

/* End without the mutex, unless it is free after all. */
static bool
give_up(const struct wait *t)
{
    for (;;) {
        const uint32_t w = look(t->mutex);
        if (weft_mutex_owner_in_(w) == 0) {
            if (take(t->mutex, w, t->slept ? t->me | SLEEPERS : w | t->me))
                return false;
        } else if ((w & STARVED) == 0 || swap(t->mutex, w, w & ~STARVED)) {
            return true;
        }
    }
}

/* The part that sleeps. */
static enum weft_status
wait_for(struct wait *t)
{
    enum weft_status s = weft_watch_block_(t->mutex, t->kind, t->deadline);
    const bool published = s == WEFT_OK;

    if (t->insists) {
        weft_watch_insist_();
        s = WEFT_OK;
    }
    while (s == WEFT_OK) {
        if (spin(t))
            break;
        const uint32_t w = look(t->mutex);
        if (!may_take(t, w))
            s = sleep_once(t, w);
    }
    if (s != WEFT_OK && !give_up(t))
        s = WEFT_OK;
    if (published)
        weft_watch_unblock_();
    return s;
}

static enum weft_status
wait_slow(struct wait *t)
{
    const uint32_t w = look(t->mutex);

    t->me = weft_self_tag_();
    if (weft_mutex_owner_in_(w) == t->me) {
        const bool late =
            t->deadline <= WEFT_NOW ||
            (t->deadline != WEFT_FOREVER && t->deadline <= weft_clock_ns_());
        if (!late && weft_watching_())
            weft_watch_own_(t->mutex, t->kind);
        return late ? WEFT_TIMEOUT : WEFT_DEADLOCK;
    }
    if (weft_watching_())
        weft_watch_wanted_(t->mutex, t->kind, t->deadline);
    const enum weft_status s = try_to_take(t, w) ? WEFT_OK : wait_for(t);
    if (s == WEFT_OK && weft_watching_())
        weft_watch_acquired_(t->mutex, t->kind);
    return s;
}

enum weft_status
weft_mutex_wait_(weft_mutex *m, weft_deadline deadline, enum weft_kind kind)
{
    struct wait t = {.mutex = m, .deadline = deadline, .kind = kind};

    if (deadline <= WEFT_NOW)
        return weft_mutex_try_(m, kind) ? WEFT_OK : WEFT_TIMEOUT;
    return wait_slow(&t);
}

/* Pay what was owed until `m` was unlocked; `m` may be gone by now. */
static void
pay(const weft_mutex *m)
{
    struct weft_debt *due = NULL;
    struct weft_debt **last = &due;
    struct weft_debt **at = &debts;

    while (*at != NULL) {
        struct weft_debt *d = *at;
        if (d->mutex == m) {
            *at = d->next;
            d->next = NULL;
            *last = d;
            last = &d->next;
        } else {
            at = &d->next;
        }
    }
    while (due != NULL) {
        struct weft_debt *next = due->next;
        due->pay(due);
        due = next;
    }
}

void
weft_mutex_owe_(weft_mutex *m, struct weft_debt *d)
{
    struct weft_debt **last = &debts;

    while (*last != NULL)
        last = &(*last)->next;
    d->next = NULL;
    d->mutex = m;
    *last = d;
    atomic_fetch_or_explicit(&m->word, OWES, memory_order_relaxed);
}

/* The owner's word was `w`: nobody's any more. */
static void
let_go(weft_mutex *m, uint32_t w)
{
    /* release: mutex.hand_over */
    while (!atomic_compare_exchange_weak_explicit(
        &m->word, &w, w & STARVED, memory_order_release, memory_order_relaxed))
        ;
    WEFT_SCHED_POINT_("mutex.released");
    if ((w & SLEEPERS) != 0)
        weft_park_wake_(&m->word, 1);
    if ((w & OWES) != 0)
        pay(m);
}

enum weft_status
weft_mutex_give_(weft_mutex *m, enum weft_kind kind)
{
    uint32_t w = look(m);

    if (weft_mutex_owner_in_(w) != weft_self_tag_())
        return WEFT_NOT_OWNER;
    if (weft_watching_())
        weft_watch_released_(m, kind);
    let_go(m, w);
    return WEFT_OK;
}

enum weft_status
weft_mutex_unlock_unnoted_(weft_mutex *m)
{
    const uint32_t w = look(m);

    if (weft_mutex_owner_in_(w) != weft_self_tag_())
        return WEFT_NOT_OWNER;
    let_go(m, w);
    return WEFT_OK;
}

/* What is long is elsewhere, so that the short ways need no frame. */
static __attribute__((noinline)) enum weft_status
lock_from(weft_mutex *m, const void *from)
{
    weft_watch_call_(from);
    return weft_mutex_wait_(m, WEFT_FOREVER, WEFT_KIND_MUTEX);
}

enum weft_status
weft_mutex_lock(weft_mutex *m)
{
    return lock_from(m, __builtin_return_address(0));
}

enum weft_status
weft_mutex_lock_slow_(weft_mutex *m)
{
    const void *from = __builtin_return_address(0);

    if (weft_mutex_lock_noted_(m, WEFT_KIND_MUTEX, from))
        return WEFT_OK;
    return lock_from(m, from);
}

enum weft_status
weft_mutex_trylock(weft_mutex *m)
{
    WEFT_WATCH_CALL_();
    return weft_mutex_try_(m, WEFT_KIND_MUTEX) ? WEFT_OK : WEFT_BUSY;
}

enum weft_status
weft_mutex_lock_until(weft_mutex *m, weft_deadline deadline)
{
    WEFT_WATCH_CALL_();
    return weft_mutex_wait_(m, deadline, WEFT_KIND_MUTEX);
}

enum weft_status
weft_mutex_unlock(weft_mutex *m)
{
    return weft_mutex_unlock_slow_(m);
}

enum weft_status
weft_mutex_unlock_slow_(weft_mutex *m)
{
    struct weft_watch_step step;

    if (!weft_watch_may_pop_(&step, m))
        return weft_mutex_give_(m, WEFT_KIND_MUTEX);
    return weft_mutex_unlock_noted_(m, &step);
}

bool
weft_mutex_is_locked(const weft_mutex *m)
{
    return weft_mutex_owner_in_(look(m)) != 0;
}

uint64_t
weft_mutex_owner(const weft_mutex *m)
{
    return weft_self_id_of_(weft_mutex_owner_in_(look(m)));
}

void
weft_mutex_retake_(weft_mutex *m, enum weft_kind kind)
{
    struct wait t = {
        .mutex = m, .deadline = WEFT_FOREVER, .kind = kind, .insists = true};

    if (wait_slow(&t) != WEFT_OK)
        weft_panic_("mutex: taken back by its owner", m);
}

void
weft_guard_failed_(const void *lock, enum weft_status why)
{
    weft_panic_(why == WEFT_DEADLOCK
                    ? "guard: to wait for this lock would be for ever"
                    : "guard: the lock cannot be had",
                lock);
}
