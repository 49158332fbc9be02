/* SPDX-License-Identifier: MIT */
/*
 * deadlock/order.h - which deadlocks could happen, by the order in which locks
 * were taken in a run in which they did not.
 *
 *   idea       a thread that takes a lock while it holds others makes an edge:
 *              (thread, what it holds, what it wants, when).  Edges of
 *              different threads that close a cycle are a deadlock that could
 *              happen, if no two of them hold the same lock, their modes
 *              conflict, and nothing that must come first keeps them apart: the
 *              start of a thread, a join, a barrier, a once, a semaphore that
 *              began at 0, a condition.  That a mutex went from one to the
 *              other orders nothing: it could have been the other way round
 *   shape      a part in each thread's record, which it alone writes, with a
 *              table of the edges it has told: known ones cost a look-up.  New
 *              ones, and what orders threads, go to one graph under one lock
 *   kept       of what is wanted while something is held, at a place: the first
 *              8 moments and the latest 8, of whatever threads.  A thread tells
 *              it again only after it let others go on, or went on behind them,
 *              and then at another place it is another one
 *   memory     mapped, up to a cap; when that is reached nothing new is noted,
 *              and weft_order_is_full_ says so.  Nothing calls malloc.  Locks
 *              and threads that are no more cost nothing for long; 16384
 *              threads that have ended and were not joined are kept.  When half
 *              of it is in use, locks that are taken alone are noted no more
 *   bounds     cycles of up to 32 threads; once one is found through what was
 *              just noted, no longer ones
 *   signals    an event in a handler that interrupts another of the same thread
 *              is not noted
 *   source     Pallavi Joshi et al., A Randomized Dynamic Program Analysis
 *              Technique for Detecting Real Deadlocks (iGoodLock), PLDI 2009;
 *              the clocks: Leslie Lamport 1978, Colin Fidge 1988
 *
 * On the way of every lock:
 *
 *       if (!weft_order_knows_(&t->order, m, WEFT_KIND_MUTEX))
 *           ... gather what is held ... weft_order_wants_(...);
 *       weft_order_holds_(&t->order, m, WEFT_KIND_MUTEX);
 *       ...
 *       weft_order_drops_(&t->order, m, WEFT_KIND_MUTEX);
 *
 * Also of a thread that holds nothing: with it a thread deadlocks that waits
 * for its end, or for what it does later, and holds that lock meanwhile.
 *
 * What a try or a timed call gets is held, but was not waited for: only
 * weft_order_holds_.
 */
#ifndef WEFT_DEADLOCK_ORDER_H
#define WEFT_DEADLOCK_ORDER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deadlock/find.h"
#include "deadlock/kind.h"

#define WEFT_ORDER_KNOWN 1024 /* edges a thread knows it has told */

/* The graph: one in a process. */
struct weft_order;

/* In the record of a thread; zero: it tells nothing. */
struct weft_order_thread {
    struct weft_order *graph;
    struct weft_order_node *node; /* its part of the graph */
    uint64_t set;                 /* a number for all it holds */
    uint64_t stamp; /* another one each time what was told is told again */
    bool inside;    /* a call is under way */
    uint64_t known[WEFT_ORDER_KNOWN];
};

struct weft_order_options {
    size_t bytes;                /* the cap; 0: 64 MiB */
    bool plain;                  /* tell of cycles that are kept apart, too */
    void *(*map)(size_t bytes);  /* NULL: there is no memory */
    void (*news)(void *context); /* something was found; may be NULL.  Called
                                         in the thread that closed the cycle,
                                         which holds no lock of the graph */
    void *context;
    /* Write the name of a thread, which may have ended; NULL: there are none
     * but those of weft_order_name_.  A lock of the graph is held. */
    void (*name_of)(void *context, uint64_t id, char *name, size_t room);
};

/* Make the graph; NULL: no memory. */
struct weft_order *weft_order_create_(const struct weft_order_options *options);

/* Whether something was not noted for want of memory; bytes in use. */
bool weft_order_is_full_(const struct weft_order *o);

/* Whether that is because a thread was stopped while it had the graph. */
bool weft_order_is_held_up_(const struct weft_order *o);
size_t weft_order_bytes_(const struct weft_order *o);

/* In a child of fork: nothing more is noted or asked of that graph, whose lock
 * a thread may have held that is no more.  What was found can be read.  For
 * more, make another one, and let the thread that is left begin in it. */
void weft_order_after_fork_(struct weft_order *o);

/* --- what was found ------------------------------------------------------- */

/* One deadlock that could happen: threads that "wait" each for the next, with
 * what they hold and where they took it.  Never freed, never changed. */
struct weft_order_found {
    struct weft_order_found *_Atomic next; /* the one found after it */
    struct weft_dl_picture picture;
    struct weft_dl_found found; /* its level: FEASIBLE or ORDER */
};

/* Return the first; then `next`.  The same places are told once. */
const struct weft_order_found *weft_order_first_(const struct weft_order *o);

/* --- threads -------------------------------------------------------------- */

/* `t` is about to start thread `id`: what it has done so far comes first. */
void weft_order_creates_(struct weft_order_thread *t, uint64_t id);

/* The calling thread is `id`, and begins; its creator may be unknown. */
void weft_order_begins_(struct weft_order *o, struct weft_order_thread *t,
                        uint64_t id);

/*
 * The same for a stranger: nobody will say who has started it, nor who joins it.
 * So it is behind all that was told so far, and what anybody tells after its end
 * is behind it.
 */
void weft_order_stranger_begins_(struct weft_order *o,
                                 struct weft_order_thread *t, uint64_t id);
void weft_order_stranger_ends_(struct weft_order_thread *t);

/* What the calling thread is called; cut after 63 bytes. */
void weft_order_name_(struct weft_order_thread *t, const char *name);

/* It ends: nothing more will be told.  And nobody will ever join it. */
void weft_order_ends_(struct weft_order_thread *t);
void weft_order_ends_alone_(struct weft_order_thread *t);

/* `t` has joined thread `id`, which has ended. */
void weft_order_joins_(struct weft_order_thread *t, uint64_t id);

/* --- locks ---------------------------------------------------------------- */

static inline uint64_t
weft_order_scatter_(const void *object, enum weft_kind kind)
{
    uint64_t x = (uint64_t)(uintptr_t)object + ((uint64_t)kind << 56);

    x *= UINT64_C(0x9e3779b97f4a7c15);
    x ^= x >> 29;
    return x * UINT64_C(0xbf58476d1ce4e5b9);
}

/* Lives of locks that have ended, by what their addresses scatter to: what was
 * told of those is void. */
#define WEFT_ORDER_LIVES 64
extern _Atomic uint64_t weft_order_lives_[WEFT_ORDER_LIVES];

static inline uint64_t
weft_order_mix_(const void *object, enum weft_kind kind)
{
    const uint64_t x = weft_order_scatter_(object, kind);

    return x + (atomic_load_explicit(&weft_order_lives_[x >> 58],
                                     memory_order_relaxed)
                << 32);
}

/* For what adds `mix` to the number `set` of what is held. */
static inline uint64_t
weft_order_key_of_(const struct weft_order_thread *t, uint64_t set,
                   uint64_t mix)
{
    return (set ^ (mix << 7 | mix >> 57)) + t->stamp;
}

static inline uint64_t
weft_order_key_(const struct weft_order_thread *t, const void *object,
                enum weft_kind kind)
{
    return weft_order_key_of_(t, t->set, weft_order_mix_(object, kind));
}

static inline bool
weft_order_knows_key_(const struct weft_order_thread *t, uint64_t key)
{
    const uint64_t *pair = &t->known[(key >> 24) % WEFT_ORDER_KNOWN & ~1u];

    return ((pair[0] == key) | (pair[1] == key)) != 0; /* one branch */
}

/* Whether `t` has told already that it takes `object` while it holds what it
 * holds. */
static inline bool
weft_order_knows_(const struct weft_order_thread *t, const void *object,
                  enum weft_kind kind)
{
    return weft_order_knows_key_(t, weft_order_key_(t, object, kind));
}

/* The same of what its own memory was too small for; to be asked before what is
 * held is gathered.  True, too, if nothing would be noted: `alone` says that it
 * holds nothing. */
bool weft_order_knew_(struct weft_order_thread *t, const void *object,
                      enum weft_kind kind, bool alone);

/* Note that `t` has got `object`, or gives it up. */
static inline void
weft_order_holds_(struct weft_order_thread *t, const void *object,
                  enum weft_kind kind)
{
    t->set += weft_order_mix_(object, kind);
}

static inline void
weft_order_drops_(struct weft_order_thread *t, const void *object,
                  enum weft_kind kind)
{
    t->set -= weft_order_mix_(object, kind);
}

/*
 * `t`, which holds `held`, takes `wanted` and would wait for it.
 *
 *   held       oldest first; what is `wanted` itself among it (a recursive
 *              lock) makes this no edge
 *   kinds      MUTEX, RMUTEX, READ, WRITE, SPIN, SEMAPHORE (one that never
 *              passed 1, taken and given back by the same thread) and ONCE
 *   caveat     before weft_order_holds_ of what is wanted.  Not to be cancelled
 *              asynchronously: the lock of the graph would stay taken
 */
void weft_order_wants_(struct weft_order_thread *t,
                       const struct weft_dl_held *wanted,
                       const struct weft_dl_held *held, uint32_t held_count);

/* Objects in these bytes begin a new life: initialised, destroyed or freed.
 * Cheap if none of them is in the graph. */
void weft_order_forgets_(struct weft_order *o, const void *object,
                         size_t bytes);

/* The same, told by `t`, the calling thread: no system calls.  Not told if it
 * interrupts another call of `t`. */
void weft_order_forgets_by_(struct weft_order_thread *t, const void *object,
                            size_t bytes);

/*
 * `t`, which holds `held`, is about to wait for what others have to do: the end
 * of a thread, a barrier, a condition, an event, a semaphore that is no lock.
 *
 *   wanted     its kind and place; object 0 for a THREAD
 *   held       as above, without the mutex that a condition gives up
 *   caveat     followed by weft_order_joins_, leaves_, told_ or takes_, which
 *              learns who did it, and whether he needed a lock of `held` first.
 *              Not to be called if it holds nothing, or has a deadline
 */
void weft_order_awaits_(struct weft_order_thread *t,
                        const struct weft_dl_held *wanted,
                        const struct weft_dl_held *held, uint32_t held_count);

/* --- what must come first ------------------------------------------------- */

/* What others go on behind is told before they can see it: arrives_, posts_,
 * tells_ before the call of the program's, ran_ before the once is open.  What
 * `t` goes on behind is told when it does. */

/* A once has run; `t` goes on behind it. */
void weft_order_ran_(struct weft_order_thread *t, const void *once);
void weft_order_passed_(struct weft_order_thread *t, const void *once);

/* A barrier of `parties` is reached; left, unless the wait failed. */
void weft_order_arrives_(struct weft_order_thread *t, const void *barrier,
                         uint32_t parties);
void weft_order_leaves_(struct weft_order_thread *t, const void *barrier);

/* A semaphore begins at `value`, which orders only if it is 0; is posted, by
 * `n`; was taken. */
void weft_order_sem_begins_(struct weft_order *o, const void *semaphore,
                            uint32_t value);
void weft_order_posts_(struct weft_order_thread *t, const void *semaphore,
                       uint32_t n);
void weft_order_takes_(struct weft_order_thread *t, const void *semaphore);

/* One that has begun is posted by others, too, who tell nothing: who waits for
 * it needs nobody in particular. */
void weft_order_sem_shared_(struct weft_order *o, const void *semaphore);

/*
 * A condition or an event is told; `t` was woken by that, or saw it set.
 *
 *   guard      the mutex that `t` holds meanwhile, NULL: none.  Who tells under
 *              a mutex has changed what others then read under it, and may find
 *              without a wait: from then on that mutex orders, too
 */
void weft_order_tells_(struct weft_order_thread *t, const void *object,
                       const void *guard);
void weft_order_told_(struct weft_order_thread *t, const void *object);

/*
 * Guards.  Who tells under a mutex has changed what others read under it.  One
 * of them may find it changed and not wait at all, so a place at which the
 * mutex is locked and then waited for that condition, by whatever thread,
 * orders as if it had waited; all places do, while nobody has been seen to wait
 * for it.
 *
 *       ... a mutex is locked ...
 *       if (weft_order_is_guard_(m))
 *           weft_order_passes_(&t->order, m, &place);
 *       ...
 *       if (weft_order_is_guard_(m))
 *           weft_order_frees_(&t->order, m);
 *       ... it is unlocked ...
 *
 * A wait for a condition: weft_order_listens_, with the place at which the
 * mutex was locked; frees_; the wait; passes_, with the same place; told_.
 */
void weft_order_listens_(struct weft_order_thread *t, const void *object,
                         const void *guard, const struct weft_dl_place *place);
extern _Atomic uint64_t weft_order_guards_; /* a bit for each that may be one */

static inline bool
weft_order_is_guard_(const void *mutex)
{
    const uint64_t guards =
        atomic_load_explicit(&weft_order_guards_, memory_order_relaxed);

    return guards != 0 &&
           (guards >> (weft_order_scatter_(mutex, WEFT_KIND_NONE) >> 58) & 1) !=
               0;
}

void weft_order_passes_(struct weft_order_thread *t, const void *guard,
                        const struct weft_dl_place *place);
void weft_order_frees_(struct weft_order_thread *t, const void *guard);

#endif /* WEFT_DEADLOCK_ORDER_H */
