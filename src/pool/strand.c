/* SPDX-License-Identifier: MIT */
/*
 * strand.c - forks and joins: the deque of a lane.
 *
 *     slots                     split             top             end
 *       |  done or stolen   |     |                |               |
 *       +-------------------+-----+----------------+---------------+
 *                         tail
 *                           |-----|----------------|
 *                            public    private
 *
 * The owner forks and reclaims at the top, whose place it knows from the strand
 * alone.  The private part is the owner's: plain loads and stores.  Thieves take
 * the oldest of the public part; `range` has its two ends in one word, so that
 * to steal, to publish and to take back are one compare-and-swap each.  The
 * slots never move, so a slot between tail and split always holds what was
 * published there last, and a thief reads it after its compare-and-swap, when
 * it is the thief's for good: that `range` had other values meanwhile does not
 * matter.
 *
 * What a fork and a reclaim look at is in the first two words of the lane:
 *
 *     limit    the end of the slots; 0: a thief asks for more
 *     floor    the split; UINTPTR_MAX: a thief asks, or forks beyond the end
 *              are open
 *
 * So to be asked costs the owner nothing.  Whoever finds nothing public sets
 * both and waits; the owner, at its next fork or reclaim, sets them back and
 * publishes the older half of what is private.  Never is `floor` below the
 * split.
 *
 * Nobody who sleeps is forgotten.  A question is put aside only by publishing,
 * and who publishes then looks for sleepers; a sleeper asks after it has lain
 * down.  If only one of several is woken, it asks again for the others when it
 * has found something.  The floor may miss a question that comes while it is
 * lowered; the limit does not.
 *
 * A fork beyond the end of the slots is run at once, and its reclaim finds so
 * by its place.
 *
 * The word of a task that is public: NULL; then the lane of the thief; then
 * DONE, after which the thief does not touch the task, which may be gone.  A
 * join waits for DONE and meanwhile steals, from the thief first: that is what
 * the task itself has forked (Wagner & Calder, Leapfrogging, PPoPP 1993).
 *
 * WEFT_MUTEX: all is public, under the pool's lock, and every fork and reclaim
 * takes the slow way.
 *
 * Ordering.
 *
 *     publish    the owner moves the split up  ->  a thief moves the tail
 *     strand.done    the thief has run it      ->  the join (worker.c)
 */
#include "pool/pool_impl.h"

#include <sys/mman.h>

#include "base/sched.h"
#include "deadlock/watch.h"

#define DONE ((void *)&done)

/* Its address says that a task is done. */
static char done;

static weft_task *no_slots[1];
static struct weft_lane no_lane = {
    .worker = {.limit = 0, .floor = UINTPTR_MAX},
};

/* The two ends of the public part. */
struct ends {
    uint32_t tail;
    uint32_t split;
};

static struct ends
ends_of(uint64_t range)
{
    return (struct ends){(uint32_t)(range >> 32), (uint32_t)range};
}

static uint64_t
range_of(uint32_t tail, uint32_t split)
{
    return (uint64_t)tail << 32 | split;
}

static struct weft_lane *
lane_of(weft_worker *w)
{
    return (struct weft_lane *)w;
}

static void
set_floor(struct weft_lane *lane, uint32_t split)
{
    atomic_store_explicit(&lane->worker.floor, (uintptr_t)(lane->slots + split),
                          memory_order_relaxed);
}

/* The split has moved down.  Who was asked stays so: nothing was published. */
static void
lower_floor(struct weft_lane *lane, uint32_t split)
{
    if (atomic_load_explicit(&lane->worker.limit, memory_order_relaxed) != 0)
        set_floor(lane, split);
}

/* The split is about to move up, which is the answer to all who asked. */
static void
raise_floor(struct weft_lane *lane, uint32_t split)
{
    set_floor(lane, split);
    atomic_store_explicit(&lane->worker.limit, (uintptr_t)lane->end,
                          memory_order_relaxed);
}

enum weft_status
weft_lane_init_(struct weft_lane *lane, weft_pool *p, unsigned index)
{
    void *slots = mmap(NULL, WEFT_LANE_SLOTS * sizeof(weft_task *),
                       PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (slots == MAP_FAILED)
        return WEFT_NO_MEMORY;
    lane->slots = slots;
    lane->end = lane->slots + WEFT_LANE_SLOTS;
    lane->pool = p;
    lane->index = index;
    lane->random = index + 1;
    atomic_init(&lane->worker.limit, 0);
    atomic_init(&lane->worker.floor, UINTPTR_MAX);
    if (!p->locked)
        raise_floor(lane, 0);
    return WEFT_OK;
}

void
weft_lane_fini_(struct weft_lane *lane)
{
    if (lane->slots != NULL)
        munmap(lane->slots, WEFT_LANE_SLOTS * sizeof(weft_task *));
}

weft_strand
weft_strand_without_deque_(void)
{
    return (weft_strand){&no_lane.worker, no_slots};
}

/* --- the owner's side ------------------------------------------------------ */

/* What the owner has done so far comes before all that is stolen from now on: it
 * is told when forks become public, so that they cost nothing while nobody is
 * interested, and a thief may be behind some more than the fork. */
static void
tell_of_forks(const struct weft_lane *lane)
{
    if (weft_watching_())
        weft_watch_tells_(lane, WEFT_KIND_TASK, NULL, 1);
}

/* Make what is private below `wanted` public, if there is something; a question
 * is answered then. */
static void
publish_until(struct weft_lane *lane, uint32_t wanted)
{
    uint64_t range = atomic_load_explicit(&lane->range, memory_order_relaxed);
    const uint32_t split = ends_of(range).split;

    if (wanted <= split)
        return;
    for (uint32_t i = split; i < wanted; i++)
        atomic_store_explicit(&lane->slots[i]->word, NULL,
                              memory_order_relaxed);
    raise_floor(lane, wanted);
    tell_of_forks(lane);
    WEFT_SCHED_POINT_("pool.publish");
    /* release: publish */
    while (!atomic_compare_exchange_weak_explicit(
        &lane->range, &range, range_of(ends_of(range).tail, wanted),
        memory_order_release, memory_order_relaxed))
        ;
    weft_crowd_tell_(lane->pool, true);
}

/* Make the older half of what is private below `top` public. */
static void
publish(struct weft_lane *lane, uint32_t top)
{
    const uint32_t split =
        ends_of(atomic_load_explicit(&lane->range, memory_order_relaxed)).split;

    publish_until(lane, split + (top - split + 1) / 2);
}

void
weft_strand_publish_(weft_strand s)
{
    struct weft_lane *lane = lane_of(s.worker);

    if (lane != &no_lane && !lane->pool->locked && s.top <= lane->end)
        publish_until(lane, (uint32_t)(s.top - lane->slots));
}

/* Take the youngest public task back, and half of the others with it; false: it
 * was stolen. */
static bool
take_back(struct weft_lane *lane, uint32_t index)
{
    uint64_t range = atomic_load_explicit(&lane->range, memory_order_relaxed);
    uint32_t split;

    do {
        const struct ends e = ends_of(range);
        if (e.tail > index)
            return false;
        split = e.tail + (index - e.tail) / 2;
    } while (!atomic_compare_exchange_weak_explicit(
        &lane->range, &range, range_of(ends_of(range).tail, split),
        memory_order_relaxed, memory_order_relaxed));
    lower_floor(lane, split);
    return true;
}

/* What was at `index` is joined: the deque ends there. */
static void
cut(struct weft_lane *lane, uint32_t index)
{
    atomic_store_explicit(&lane->range, range_of(index, index),
                          memory_order_relaxed);
    lower_floor(lane, index); /* WEFT_MUTEX: asked for good */
}

static void
fork_mutex(struct weft_lane *lane, uint32_t index, weft_task *t)
{
    weft_pool *p = lane->pool;

    atomic_store_explicit(&t->word, NULL, memory_order_relaxed);
    tell_of_forks(lane);
    weft_mutex_lock(&p->lock);
    lane->slots[index] = t;
    const uint64_t range =
        atomic_load_explicit(&lane->range, memory_order_relaxed);
    atomic_store_explicit(&lane->range,
                          range_of(ends_of(range).tail, index + 1),
                          memory_order_relaxed);
    weft_mutex_unlock(&p->lock);
    weft_crowd_tell_(p, true);
}

void
weft_fork_slow_(weft_worker *w, weft_task **top, weft_task *t)
{
    struct weft_lane *lane = lane_of(w);

    if (lane == &no_lane || top >= lane->end) {
        atomic_store_explicit(&w->floor, UINTPTR_MAX, memory_order_relaxed);
        t->fn((weft_strand){w, top + 1}, t);
        return;
    }
    const uint32_t index = (uint32_t)(top - lane->slots);
    if (lane->pool->locked) {
        fork_mutex(lane, index, t);
        return;
    }
    *top = t;
    publish(lane, index + 1);
}

/* Take it back if nobody has it; false: it was stolen. */
static bool
reclaim_mutex(struct weft_lane *lane, uint32_t index)
{
    weft_mutex_lock(&lane->pool->lock);
    const uint64_t range =
        atomic_load_explicit(&lane->range, memory_order_relaxed);
    const uint32_t tail = ends_of(range).tail;
    if (tail <= index)
        atomic_store_explicit(&lane->range, range_of(tail, index),
                              memory_order_relaxed);
    weft_mutex_unlock(&lane->pool->lock);
    return tail <= index;
}

/* It was stolen: wait, and let the deque end there. */
static void
join_stolen(struct weft_lane *lane, uint32_t index, weft_task *t)
{
    const weft_strand above = {&lane->worker, lane->slots + index + 1};

    weft_worker_wait_(lane, above, &t->word, DONE);
    if (weft_watching_())
        weft_watch_hears_(t, WEFT_KIND_TASK);
    if (!lane->pool->locked) {
        cut(lane, index);
        return;
    }
    weft_mutex_lock(&lane->pool->lock);
    cut(lane, index);
    weft_mutex_unlock(&lane->pool->lock);
}

static bool
reclaim_lockfree(struct weft_lane *lane, uint32_t index)
{
    const uint64_t range =
        atomic_load_explicit(&lane->range, memory_order_relaxed);

    if (index < ends_of(range).split)
        return take_back(lane, index);
    publish(lane, index); /* it is ours: we were asked */
    return true;
}

bool
weft_reclaim_slow_(weft_worker *w, weft_task **top, weft_task *t)
{
    struct weft_lane *lane = lane_of(w);

    if (lane == &no_lane || top >= lane->end)
        return false;
    const uint32_t index = (uint32_t)(top - lane->slots);
    if (lane->pool->locked ? reclaim_mutex(lane, index)
                           : reclaim_lockfree(lane, index))
        return true;
    join_stolen(lane, index, t);
    return false;
}

/* What the header inlines. */
void
weft_fork(weft_strand *s, weft_task *t, weft_task_fn *fn)
{
    weft_task **top = s->top;

    t->fn = fn;
    s->top = top + 1;
    if ((uintptr_t)top <
        atomic_load_explicit(&s->worker->limit, memory_order_relaxed))
        *top = t;
    else
        weft_fork_slow_(s->worker, top, t);
}

bool
weft_reclaim(weft_strand *s, weft_task *t)
{
    weft_task **top = s->top - 1;

    s->top = top;
    return (uintptr_t)top >=
               atomic_load_explicit(&s->worker->floor, memory_order_relaxed) ||
           weft_reclaim_slow_(s->worker, top, t);
}

void
weft_join(weft_strand *s, weft_task *t)
{
    if (weft_reclaim(s, t))
        t->fn(*s, t);
}

/* --- the thief's side ------------------------------------------------------ */

static weft_task *
steal_mutex(struct weft_lane *victim)
{
    weft_task *t = NULL;

    weft_mutex_lock(&victim->pool->lock);
    const struct ends e =
        ends_of(atomic_load_explicit(&victim->range, memory_order_relaxed));
    if (e.tail < e.split) {
        t = victim->slots[e.tail];
        atomic_store_explicit(&victim->range, range_of(e.tail + 1, e.split),
                              memory_order_relaxed);
    }
    weft_mutex_unlock(&victim->pool->lock);
    return t;
}

static weft_task *
steal_lockfree(struct weft_lane *victim)
{
    uint64_t range = atomic_load_explicit(&victim->range, memory_order_relaxed);
    struct ends e;

    do {
        e = ends_of(range);
        if (e.tail >= e.split)
            return NULL;
        /* acquire: publish */
    } while (!atomic_compare_exchange_weak_explicit(
        &victim->range, &range, range_of(e.tail + 1, e.split),
        memory_order_acquire, memory_order_relaxed));
    WEFT_SCHED_POINT_("pool.stolen");
    return victim->slots[e.tail];
}

static void
add(_Atomic uint64_t *own, uint64_t n)
{
    atomic_store_explicit(own,
                          atomic_load_explicit(own, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

/* Behind what its forker did before, and before what follows the join. */
static void
run_stolen(const struct weft_lane *victim, weft_strand s, weft_task *t)
{
    if (weft_watching_())
        weft_watch_hears_(victim, WEFT_KIND_TASK);
    weft_worker_run_strand_(s, t, NULL);
    if (weft_watching_())
        weft_watch_tells_(t, WEFT_KIND_TASK, NULL, 1);
}

bool
weft_lane_steal_and_run_(struct weft_lane *thief, struct weft_lane *victim,
                         weft_strand s)
{
    if (victim == thief)
        return false;
    weft_task *t =
        victim->pool->locked ? steal_mutex(victim) : steal_lockfree(victim);
    if (t == NULL)
        return false;
    atomic_store_explicit(&t->word, thief, memory_order_relaxed);
    weft_crowd_busy_(thief);
    add(&thief->stolen, 1);
    run_stolen(victim, s, t);
    WEFT_SCHED_POINT_("pool.run");
    /* release: strand.done */
    atomic_store_explicit(&t->word, DONE, memory_order_release);
    weft_crowd_wake_(victim);
    return true;
}

static void
ask(weft_worker *w)
{
    if (atomic_load_explicit(&w->floor, memory_order_relaxed) != UINTPTR_MAX)
        atomic_store_explicit(&w->floor, UINTPTR_MAX, memory_order_relaxed);
    if (atomic_load_explicit(&w->limit, memory_order_relaxed) != 0)
        atomic_store_explicit(&w->limit, 0, memory_order_relaxed);
}

void
weft_lanes_ask_(weft_pool *p)
{
    for (unsigned i = 0; i < p->started && !p->locked; i++)
        ask(&p->lanes[i].worker);
}

bool
weft_lanes_have_work_(weft_pool *p)
{
    for (unsigned i = 0; i < p->started; i++) {
        const struct ends e = ends_of(
            atomic_load_explicit(&p->lanes[i].range, memory_order_relaxed));
        if (e.tail < e.split)
            return true;
    }
    return false;
}
