/* SPDX-License-Identifier: MIT */
/*
 * sync_mutex.c - the mutex and the re-entrant mutex: one holder at a time, who
 * is known; every lock is followed by one unlock, and what is not held is not
 * unlocked.
 */
#include <weft/mutex.h>
#include <weft/rmutex.h>

#include "soak/sync.h"
#include "soak/sync_ops.h"

#define DEPTH_MOST 4

enum { LOCKED, GAVE_UP, REFUSED };

struct state {
    alignas(128) unsigned char object[SOAK_OBJECT_BYTES];
    alignas(128) _Atomic unsigned inside; /* the holder's index + 1 */
    _Atomic uint64_t turns;               /* counted by the holder */
    uint64_t guarded;                     /* the same, for race detectors */
};

/* Whether a call that must give `want` did. */
static bool
gives(struct soak_hand *h, const char *call, enum weft_status got,
      enum weft_status want)
{
    if (got == want)
        return true;
    soak_fault(h->run, "thread %u: %s returned %s, not %s", h->index, call,
               weft_status_name(got), weft_status_name(want));
    return false;
}

static bool
take(struct soak_hand *h, const struct soak_mutex_ops *ops, void *m)
{
    const unsigned how = soak_below(h, 8);

    if (how < 4) {
        soak_at(h, "lock");
        return gives(h, "lock", ops->lock(m), WEFT_OK);
    }
    if (how == 4) {
        soak_at(h, "trylock");
        const enum weft_status s = ops->trylock(m);
        return s != WEFT_BUSY && gives(h, "trylock", s, WEFT_OK);
    }
    const weft_deadline deadline = soak_deadline(h);
    soak_at(h, "lock_until");
    const enum weft_status s = ops->lock_until(m, deadline);
    if (s == WEFT_TIMEOUT) {
        soak_timed_out(h, deadline);
        return false;
    }
    return gives(h, "lock_until", s, WEFT_OK);
}

/* The owner tries again what it must not have. */
static void
be_refused(struct soak_hand *h, const struct soak_mutex_ops *ops, void *m)
{
    h->tally[REFUSED]++;
    if (soak_one_in(h, 2))
        gives(h, "trylock of one's own", ops->trylock(m), WEFT_BUSY);
    else if (soak_one_in(h, 2))
        gives(h, "lock of one's own", ops->lock(m), WEFT_DEADLOCK);
    else
        gives(h, "lock_until of one's own", ops->lock_until(m, WEFT_NOW),
              WEFT_TIMEOUT);
}

/* Go deeper, as often as chance has it; returns how often it is locked. */
static unsigned
go_deeper(struct soak_hand *h, const struct soak_mutex_ops *ops, void *m)
{
    unsigned depth = 1;

    while (depth < DEPTH_MOST && soak_one_in(h, 2)) {
        const bool try = soak_one_in(h, 2);
        if (!gives(h, "lock again", try ? ops->trylock(m) : ops->lock(m),
                   WEFT_OK))
            break;
        depth++;
        if (ops->depth(m) != depth)
            soak_fault(h->run, "locked %u times, it says %u", depth,
                       (unsigned)ops->depth(m));
    }
    return depth;
}

static void
be_inside(struct soak_hand *h, struct state *s,
          const struct soak_mutex_ops *ops)
{
    const unsigned me = h->index + 1;
    const unsigned other =
        atomic_exchange_explicit(&s->inside, me, memory_order_relaxed);

    if (other != 0)
        soak_fault(h->run, "thread %u came in while thread %u was inside",
                   h->index, other - 1);
    soak_count(&s->turns);
    if (!h->run->subject->broken)
        s->guarded++;
    if (soak_one_in(h, 16) && !ops->is_locked(s->object))
        soak_fault(h->run, "locked, it says it is free");
    if (soak_one_in(h, 64) && ops->owner(s->object) == 0)
        soak_fault(h->run, "locked, it says it has no owner");
    soak_at(h, "inside");
    soak_pause(h);
    if (atomic_exchange_explicit(&s->inside, 0, memory_order_relaxed) != me)
        soak_fault(h->run, "another came in while thread %u was inside",
                   h->index);
}

static void
body(struct soak_hand *h)
{
    struct state *s = h->state;
    const struct soak_mutex_ops *ops = h->run->subject->ops;
    unsigned depth = 1;

    for (; soak_goes_on(h); soak_turn(h)) {
        soak_pause(h);
        if (soak_one_in(h, 32)) {
            h->tally[REFUSED]++;
            gives(h, "unlock of what it does not hold", ops->unlock(s->object),
                  WEFT_NOT_OWNER);
        }
        if (!take(h, ops, s->object)) {
            h->tally[GAVE_UP]++;
            continue;
        }
        h->tally[LOCKED]++;
        if (ops->depth != NULL)
            depth = go_deeper(h, ops, s->object);
        else if (soak_one_in(h, 16))
            be_refused(h, ops, s->object);
        /* Still inside until the last of them. */
        for (; depth > 1; depth--)
            gives(h, "unlock", ops->unlock(s->object), WEFT_OK);
        be_inside(h, s, ops);
        soak_at(h, "unlock");
        gives(h, "unlock", ops->unlock(s->object), WEFT_OK);
        if (soak_one_in(h, 512) && soak_goes_on(h))
            soak_pause(h);
    }
}

static void
close_state(struct soak_run *run, void *state)
{
    struct state *s = state;
    const struct soak_mutex_ops *ops = run->subject->ops;
    uint64_t turns = 0;

    for (unsigned i = 0; i < run->threads; i++)
        turns += run->hands[i].tally[LOCKED];
    const uint64_t counted =
        atomic_load_explicit(&s->turns, memory_order_relaxed);
    if (counted != turns)
        soak_fault(run, "%llu turns inside counted to %llu",
                   (unsigned long long)turns, (unsigned long long)counted);
    else if (!run->subject->broken && s->guarded != turns)
        soak_fault(run, "%llu turns inside counted to %llu plainly",
                   (unsigned long long)turns, (unsigned long long)s->guarded);
    else if (ops->is_locked(s->object) || ops->owner(s->object) != 0)
        soak_fault(run, "all have unlocked it, and it is locked");
}

static enum weft_status
lock(void *m)
{
    return weft_mutex_lock(m);
}

static enum weft_status
trylock(void *m)
{
    return weft_mutex_trylock(m);
}

static enum weft_status
lock_until(void *m, weft_deadline deadline)
{
    return weft_mutex_lock_until(m, deadline);
}

static enum weft_status
unlock(void *m)
{
    return weft_mutex_unlock(m);
}

static bool
is_locked(const void *m)
{
    return weft_mutex_is_locked(m);
}

static uint64_t
owner(const void *m)
{
    return weft_mutex_owner(m);
}

static enum weft_status
rlock(void *m)
{
    return weft_rmutex_lock(m);
}

static enum weft_status
rtrylock(void *m)
{
    return weft_rmutex_trylock(m);
}

static enum weft_status
rlock_until(void *m, weft_deadline deadline)
{
    return weft_rmutex_lock_until(m, deadline);
}

static enum weft_status
runlock(void *m)
{
    return weft_rmutex_unlock(m);
}

static bool
ris_locked(const void *m)
{
    return weft_rmutex_is_locked(m);
}

static uint64_t
rowner(const void *m)
{
    return weft_rmutex_owner(m);
}

static uint32_t
rdepth(const void *m)
{
    return weft_rmutex_depth(m);
}

static const struct soak_mutex_ops mutex_ops = {
    lock, trylock, lock_until, unlock, is_locked, owner, NULL};
static const struct soak_mutex_ops rmutex_ops = {
    rlock, rtrylock, rlock_until, runlock, ris_locked, rowner, rdepth};

const struct soak_subject soak_mutex = {
    .name = "mutex",
    .tallies = {"locked", "gave up", "refused"},
    .least_threads = 1,
    .bytes = sizeof(struct state),
    .ops = &mutex_ops,
    .body = body,
    .close = close_state,
};

const struct soak_subject soak_rmutex = {
    .name = "rmutex",
    .tallies = {"locked", "gave up", "refused"},
    .least_threads = 1,
    .bytes = sizeof(struct state),
    .ops = &rmutex_ops,
    .body = body,
    .close = close_state,
};
