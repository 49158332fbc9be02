/* SPDX-License-Identifier: MIT */
/*
 * worker.c - what a worker does: run what there is, and wait for more.
 *
 * There is one loop, and what it waits for differs: a worker's main waits until
 * its pool is over, a join until its task is done, a help until a future is.  It
 * looks what there is to do; searches for a few microseconds, unless enough
 * others do; lies down, looks once more, and sleeps.
 *
 * A join runs forks only: so what it puts on top of a waiting strand is a part
 * of something that has begun, and ends.  A worker that helps a future takes
 * what comes, or with one worker a task could not wait for another.
 *
 * What runs on top of a task needs a strand.  A function that was submitted has
 * none of its own, so the place where it began still holds.  Above a function
 * that has one, nobody but its own frame knows the place: then what is forked
 * runs at once (weft_strand_without_deque_).
 *
 * The order: what is urgent, what was submitted, what others have forked, what
 * can wait.  What was submitted goes before forks: those are being worked on.
 *
 * Ordering.
 *
 *     pool.open      all workers are started   ->  one of them begins
 *     strand.done    a thief has run a task    ->  the join
 */
#include "pool/worker.h"

#include "base/deadline.h"
#include "base/fail.h"
#include "base/park.h"
#include "deadlock/watch.h"
#include "pool/future_impl.h"
#include "pool/pool_impl.h"

__thread struct weft_here weft_here_;

/* What a worker waits for. */
struct wait {
    bool (*is_over)(struct wait *w);
    void (*rest)(struct wait *w, bool sleeps); /* before it sleeps, and after */
    struct weft_lane *lane;
    uint32_t kind;         /* WEFT_LANE_FOR_ALL or _FORKS */
    weft_strand strand;    /* for what runs meanwhile */
    _Atomic(void *) *word; /* of the task; NULL: it waits for none */
    void *done;            /* a value of the word */
    weft_future *future;
    const void *shown; /* what it waits for, as others see it */
    enum weft_kind shown_kind;
    uintptr_t place; /* in whose call; 0: nobody's */
    bool idle;       /* counted so */
};

void
weft_worker_run_strand_(weft_strand s, weft_task *t, weft_future *future)
{
    struct weft_frame frame = {weft_here_.frame, future, {NULL, NULL}};

    weft_here_.frame = &frame;
    t->fn(s, t);
    weft_here_.frame = frame.below;
}

weft_strand
weft_worker_strand_(void)
{
    const struct weft_frame *frame = weft_here_.frame;
    struct weft_lane *lane = weft_here_.lane;

    if (frame == NULL)
        return (weft_strand){&lane->worker, lane->slots};
    return frame->strand.worker != NULL ? frame->strand
                                        : weft_strand_without_deque_();
}

static bool
run_queued(struct weft_lane *lane, weft_strand s, enum weft_priority priority)
{
    struct weft_job_ job;

    if (!weft_pool_queue_take_(lane->pool, priority, &job))
        return false;
    weft_crowd_busy_(lane);
    const uint64_t n =
        atomic_load_explicit(&lane->injected, memory_order_relaxed);
    atomic_store_explicit(&lane->injected, n + 1, memory_order_relaxed);
    weft_pool_run_job_(lane->pool, s, job);
    return true;
}

/* Where to look first: xorshift, Marsaglia 2003. */
static uint32_t
next_random(struct weft_lane *lane)
{
    uint32_t x = lane->random;

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    lane->random = x;
    return x;
}

static bool
run_forked(struct weft_lane *lane, weft_strand s)
{
    weft_pool *p = lane->pool;
    const unsigned n = p->started;

    if (n == 1)
        return false;
    const unsigned first = next_random(lane) % n;
    for (unsigned i = 0; i < n; i++)
        if (weft_lane_steal_and_run_(lane, &p->lanes[(first + i) % n], s))
            return true;
    return false;
}

static bool
run_any(struct weft_lane *lane, weft_strand s)
{
    return run_queued(lane, s, WEFT_PRIORITY_HIGH) ||
           run_queued(lane, s, WEFT_PRIORITY_NORMAL) || run_forked(lane, s) ||
           run_queued(lane, s, WEFT_PRIORITY_LOW);
}

bool
weft_worker_run_one_(struct weft_lane *lane)
{
    const bool ran = run_any(lane, weft_worker_strand_());

    weft_crowd_busy_(lane);
    return ran;
}

/* Run something; false: there was nothing. */
static bool
run_one(struct wait *w)
{
    if (w->kind == WEFT_LANE_FOR_ALL)
        return run_any(w->lane, w->strand);
    void *thief = atomic_load_explicit(w->word, memory_order_relaxed);
    if (thief != NULL && thief != w->done &&
        weft_lane_steal_and_run_(w->lane, thief, w->strand))
        return true;
    return run_forked(w->lane, w->strand);
}

void
weft_worker_goes_on_(void)
{
    struct weft_lane *lane = weft_here_.lane;

    if (lane != NULL && lane->mode == WEFT_LANE_SEARCHING)
        weft_crowd_busy_(lane);
}

/* Look again for a while, or lie down; having looked lying, sleep. */
static enum weft_status
find_nothing(struct wait *w, weft_deadline deadline)
{
    struct weft_lane *lane = w->lane;
    enum weft_status s = WEFT_OK;

    if (lane->mode == WEFT_LANE_LAIN) {
        if (w->rest != NULL)
            w->rest(w, true);
        weft_watch_called_from_(w->place);
        (void)!weft_watch_block_(w->shown, w->shown_kind, deadline);
        s = weft_crowd_sleep_(lane, deadline);
        weft_watch_unblock_();
        if (w->rest != NULL)
            w->rest(w, false);
    } else if (lane->mode == WEFT_LANE_BUSY && weft_crowd_search_(lane)) {
        weft_lanes_ask_(lane->pool);
    } else if (lane->mode != WEFT_LANE_SEARCHING ||
               !weft_patience_pause_(&lane->patience)) {
        weft_crowd_lie_down_(lane, w->kind);
    }
    return s;
}

/* Run other work until it is over; WEFT_TIMEOUT: the deadline came first. */
static enum weft_status
work_until(struct wait *w, weft_deadline deadline)
{
    enum weft_status s = WEFT_OK;

    while (!w->is_over(w)) {
        if (s == WEFT_TIMEOUT ||
            (deadline != WEFT_FOREVER && weft_clock_ns_() >= deadline)) {
            s = WEFT_TIMEOUT;
            break;
        }
        if (!run_one(w))
            s = find_nothing(w, deadline);
    }
    weft_crowd_busy_(w->lane);
    return w->is_over(w) ? WEFT_OK : s;
}

/* --- a join ---------------------------------------------------------------- */

static bool
is_joined(struct wait *w)
{
    /* acquire: strand.done */
    return atomic_load_explicit(w->word, memory_order_acquire) == w->done;
}

void
weft_worker_wait_(struct weft_lane *lane, weft_strand s, _Atomic(void *) *word,
                  void *done)
{
    struct wait w = {.is_over = is_joined,
                     .lane = lane,
                     .kind = WEFT_LANE_FOR_FORKS,
                     .strand = s,
                     .word = word,
                     .done = done,
                     .shown = word,
                     .shown_kind = WEFT_KIND_TASK};

    WEFT_WATCH_CALL_();
    w.place = weft_watch_caller_;
    const weft_error saved = weft_fail_save_();

    (void)work_until(&w, WEFT_FOREVER);
    weft_fail_restore_(saved);
}

/* --- a future -------------------------------------------------------------- */

struct watcher {
    struct weft_watcher_ watcher; /* the first */
    struct weft_lane *lane;
};

static void
notify(struct weft_watcher_ *w, weft_future *f)
{
    (void)f;
    weft_crowd_wake_(((struct watcher *)w)->lane);
}

static bool
is_future_done(struct wait *w)
{
    return weft_future_is_done(w->future);
}

/* Whether it is what this worker runs, or has below. */
static bool
is_own(const weft_future *f)
{
    for (const struct weft_frame *i = weft_here_.frame; i != NULL; i = i->below)
        if (i->future == f)
            return true;
    return false;
}

static enum weft_status
help(weft_future *f, weft_deadline deadline, const void *shown)
{
    struct weft_lane *lane = weft_here_.lane;
    struct watcher watcher = {.watcher.notify = notify, .lane = lane};
    struct wait w = {.is_over = is_future_done,
                     .lane = lane,
                     .kind = WEFT_LANE_FOR_ALL,
                     .strand = weft_worker_strand_(),
                     .future = f,
                     .shown = shown,
                     .shown_kind = WEFT_KIND_FUTURE,
                     .place = weft_watch_caller_};
    enum weft_status s = weft_future_watch_(f, &watcher.watcher);

    if (s != WEFT_OK)
        return s == WEFT_BUSY ? WEFT_OK : s;
    const weft_error saved = weft_fail_save_();
    s = work_until(&w, deadline);
    weft_future_unwatch_(f, &watcher.watcher);
    weft_fail_restore_(saved);
    return s;
}

bool
weft_worker_help_(weft_future *f, weft_deadline deadline, const void *shown,
                  enum weft_status *status)
{
    if (weft_here_.lane == NULL)
        return false;
    *status = deadline == WEFT_FOREVER && is_own(f) ? WEFT_DEADLOCK
                                                    : help(f, deadline, shown);
    return true;
}

bool
weft_task_cancelled(void)
{
    const struct weft_frame *frame = weft_here_.frame;

    return frame != NULL && frame->future != NULL &&
           weft_future_is_stopping_(frame->future);
}

/* --- main ------------------------------------------------------------------ */

static bool
is_pool_over(struct wait *w)
{
    return (atomic_load_explicit(&w->lane->pool->state, memory_order_relaxed) &
            WEFT_POOL_OVER) != 0;
}

/* Nothing is left for it to do, and nothing will come but from the others. */
static void
count_idle(struct wait *w, bool sleeps)
{
    weft_pool *p = w->lane->pool;

    if (w->idle)
        atomic_fetch_sub_explicit(&p->idle, 1, memory_order_relaxed);
    w->idle = sleeps && weft_pool_queue_is_drained_(p);
    if (w->idle)
        weft_pool_idle_(p);
}

static void
serve(struct weft_lane *lane)
{
    struct wait w = {.is_over = is_pool_over,
                     .rest = count_idle,
                     .lane = lane,
                     .kind = WEFT_LANE_FOR_ALL,
                     .strand = {&lane->worker, lane->slots},
                     .shown = lane->pool,
                     .shown_kind = WEFT_KIND_WORK};

    (void)work_until(&w, WEFT_FOREVER);
}

void *
weft_worker_main_(void *arg)
{
    struct weft_lane *lane = arg;
    weft_pool *p = lane->pool;

    /* acquire: pool.open */
    while (atomic_load_explicit(&p->open, memory_order_acquire) == 0)
        (void)!weft_park_wait_(&p->open, 0, WEFT_FOREVER);
    weft_here_.lane = lane;
    if (p->initializer == NULL || p->initializer(p->ctx) == WEFT_OK) {
        serve(lane);
    } else {
        weft_pool_close_(p, WEFT_POOL_CLOSED | WEFT_POOL_BROKEN);
        weft_pool_idle_(p);
    }
    weft_here_.lane = NULL;
    weft_future_leave_();
    weft_pool_let_go_(p);
    return NULL;
}
