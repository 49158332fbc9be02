/* SPDX-License-Identifier: MIT */
/*
 * soak_broken_waits.c - semaphores, events, onces, barriers and timers that are
 * right but for one thing.
 */
#include <weft/barrier.h>
#include <weft/event.h>
#include <weft/once.h>
#include <weft/semaphore.h>
#include <weft/timer.h>

#include <sched.h>
#include <stdlib.h>

#include "soak_broken.h"

#define SELDOM 100

static bool
now(_Atomic unsigned *calls)
{
    return atomic_fetch_add_explicit(calls, 1, memory_order_relaxed) % SELDOM ==
           SELDOM - 1;
}

/* --- semaphores ---------------------------------------------------------- */

struct semaphore {
    weft_semaphore real;
    uint32_t max;
    unsigned eaten;
    _Atomic unsigned calls;
};

static enum weft_status
sem_init(void *object, uint32_t value, uint32_t max)
{
    struct semaphore *s = object;

    s->max = max;
    return weft_semaphore_init(&s->real, value, WEFT_NO_MAX);
}

static enum weft_status
sem_acquire(void *object, weft_deadline deadline)
{
    return weft_semaphore_acquire(&((struct semaphore *)object)->real,
                                  deadline);
}

static enum weft_status
sem_release(void *object, uint32_t n)
{
    struct semaphore *s = object;

    return n > s->max ? WEFT_OVERFLOW : weft_semaphore_release(&s->real, n);
}

static uint32_t
sem_value(const void *object)
{
    return weft_semaphore_value(&((const struct semaphore *)object)->real);
}

static enum weft_status
release_more(void *object, uint32_t n)
{
    struct semaphore *s = object;

    return sem_release(object, n > s->max ? n : n + now(&s->calls));
}

/* Lost when nobody needs it any more, else all would stop. */
static uint32_t
value_less(const void *object)
{
    const uint32_t value = sem_value(object);

    return value > 0 ? value - 1 : 0;
}

static enum weft_status
release_any(void *object, uint32_t n)
{
    return weft_semaphore_release(&((struct semaphore *)object)->real, n);
}

static void
nothing(void *object)
{
    (void)object;
}

/* The one that is cancelled takes a unit with it. */
static void
take_along(void *object)
{
    struct semaphore *s = object;

    s->eaten += weft_semaphore_acquire(&s->real, WEFT_NOW) == WEFT_OK;
}

static enum weft_status
acquire_and_eat(void *object, weft_deadline deadline)
{
    enum weft_status status;

    pthread_cleanup_push(take_along, object);
    status = sem_acquire(object, deadline);
    pthread_cleanup_pop(0);
    return status;
}

const struct soak_semaphore_ops semaphore_one_more = {sem_init, sem_acquire,
                                                      release_more, sem_value};
const struct soak_semaphore_ops semaphore_one_less = {sem_init, sem_acquire,
                                                      sem_release, value_less};
const struct soak_semaphore_ops semaphore_no_bound = {sem_init, sem_acquire,
                                                      release_any, sem_value};
const struct soak_semaphore_ops semaphore_eaten = {sem_init, acquire_and_eat,
                                                   sem_release, sem_value};

/* --- events -------------------------------------------------------------- */

static void
event_set(void *e)
{
    weft_event_set(e);
}

static void
event_clear(void *e)
{
    weft_event_clear(e);
}

static bool
event_is_set(const void *e)
{
    return weft_event_is_set(e);
}

static enum weft_status
event_wait(void *e, weft_deadline deadline)
{
    return weft_event_wait(e, deadline);
}

static enum weft_status
event_no_wait(void *e, weft_deadline deadline)
{
    (void)e;
    (void)deadline;
    return WEFT_OK;
}

/* Believes the flag, not that it was set. */
static enum weft_status
event_wait_for_flag(void *e, weft_deadline deadline)
{
    enum weft_status status;

    do {
        status = weft_event_wait(e, deadline);
        sched_yield();
    } while (status == WEFT_OK && !weft_event_is_set(e));
    return status;
}

const struct soak_event_ops event_never_waits = {event_set, event_clear,
                                                 event_is_set, event_no_wait};
const struct soak_event_ops event_misses_a_pulse = {
    event_set, event_clear, event_is_set, event_wait_for_flag};
const struct soak_event_ops event_stays_set = {event_set, nothing, event_is_set,
                                               event_wait};

/* --- onces --------------------------------------------------------------- */

typedef enum weft_status once_fn(void *ctx);

/* Done as long as nobody has just done it. */
static enum weft_status
run_twice(void *o, once_fn *fn, void *ctx)
{
    const enum weft_status status = weft_once_run(o, fn, ctx);

    return status == WEFT_OK ? fn(ctx) : status;
}

static enum weft_status
run_at_once(void *o, once_fn *fn, void *ctx)
{
    (void)o;
    return fn(ctx);
}

static enum weft_status
forget_failure(void *o, once_fn *fn, void *ctx)
{
    const enum weft_status status = weft_once_run(o, fn, ctx);

    return status == WEFT_FAILED ? WEFT_OK : status;
}

const struct soak_once_ops once_twice = {run_twice};
const struct soak_once_ops once_at_once = {run_at_once};
const struct soak_once_ops once_forgets = {forget_failure};

/* --- barriers ------------------------------------------------------------ */

struct barrier {
    weft_barrier real;
    _Atomic unsigned calls;
    enum weft_status (*action)(void *ctx);
    void *ctx;
};

static enum weft_status
bar_init(void *object, uint32_t parties, enum weft_status (*action)(void *ctx),
         void *ctx)
{
    struct barrier *b = object;

    b->action = action;
    b->ctx = ctx;
    return weft_barrier_init(&b->real, parties, action, ctx);
}

static enum weft_status
bar_wait(void *object, weft_deadline deadline, size_t *index)
{
    return weft_barrier_wait(&((struct barrier *)object)->real, deadline,
                             index);
}

static void
bar_reset(void *object)
{
    weft_barrier_reset(&((struct barrier *)object)->real);
}

static void
bar_abort(void *object)
{
    weft_barrier_abort(&((struct barrier *)object)->real);
}

static bool
bar_is_broken(const void *object)
{
    return weft_barrier_is_broken(&((const struct barrier *)object)->real);
}

static size_t
bar_waiting(const void *object)
{
    return weft_barrier_waiting(&((const struct barrier *)object)->real);
}

static enum weft_status
let_through(void *object, weft_deadline deadline, size_t *index)
{
    struct barrier *b = object;

    if (index == NULL || !now(&b->calls))
        return bar_wait(object, deadline, index);
    *index = 0;
    return WEFT_OK;
}

static enum weft_status
same_place(void *object, weft_deadline deadline, size_t *index)
{
    const enum weft_status status = bar_wait(object, deadline, index);

    if (index != NULL && *index > 0)
        --*index;
    return status;
}

static enum weft_status
act_twice(void *ctx)
{
    struct barrier *b = ctx;

    if (now(&b->calls))
        b->action(b->ctx);
    return b->action(b->ctx);
}

static enum weft_status
bar_init_twice(void *object, uint32_t parties,
               enum weft_status (*action)(void *ctx), void *ctx)
{
    struct barrier *b = object;

    b->action = action;
    b->ctx = ctx;
    return weft_barrier_init(&b->real, parties, act_twice, b);
}

static enum weft_status
hide_timeout(void *object, weft_deadline deadline, size_t *index)
{
    const enum weft_status status = bar_wait(object, deadline, index);

    return status == WEFT_TIMEOUT ? WEFT_OK : status;
}

const struct soak_barrier_ops barrier_lets_through = {
    bar_init, let_through, bar_reset, bar_abort, bar_is_broken, bar_waiting};
const struct soak_barrier_ops barrier_same_place = {
    bar_init, same_place, bar_reset, bar_abort, bar_is_broken, bar_waiting};
const struct soak_barrier_ops barrier_acts_twice = {
    bar_init_twice, bar_wait, bar_reset, bar_abort, bar_is_broken, bar_waiting};
const struct soak_barrier_ops barrier_hides_timeout = {
    bar_init, hide_timeout, bar_reset, bar_abort, bar_is_broken, bar_waiting};
const struct soak_barrier_ops barrier_stays_broken = {
    bar_init, bar_wait, nothing, bar_abort, bar_is_broken, bar_waiting};

/* --- timers -------------------------------------------------------------- */

/* What a timer is to call, and how it goes wrong; never freed. */
struct call {
    void (*fn)(void *arg);
    void *arg;
    weft_timer *timer;
    weft_timer *again;
};

static void
call_it(void *arg)
{
    struct call *c = arg;

    c->fn(c->arg);
}

static enum weft_status
start_call(void **out, weft_deadline when, void (*fn)(void *arg), void *arg,
           bool again)
{
    struct call *c = calloc(1, sizeof(*c));

    if (c == NULL)
        return WEFT_NO_MEMORY;
    c->fn = fn;
    c->arg = arg;
    *out = c;
    if (again && weft_timer_start(&c->again, when, call_it, c) != WEFT_OK)
        return WEFT_SYSTEM;
    return weft_timer_start(&c->timer, when, call_it, c);
}

static enum weft_status
start_early(void **out, weft_deadline when, void (*fn)(void *arg), void *arg)
{
    return start_call(out, when - 50000, fn, arg, false);
}

static enum weft_status
start_twice(void **out, weft_deadline when, void (*fn)(void *arg), void *arg)
{
    return start_call(out, when, fn, arg, true);
}

static enum weft_status
start_once(void **out, weft_deadline when, void (*fn)(void *arg), void *arg)
{
    return start_call(out, when, fn, arg, false);
}

static bool
cancel(void *t)
{
    struct call *c = t;

    if (c->again != NULL)
        (void)weft_timer_cancel(c->again);
    return weft_timer_cancel(c->timer);
}

static bool
cancel_too_late(void *t)
{
    (void)t;
    return true;
}

static enum weft_status
join(void *t, weft_deadline deadline)
{
    return weft_timer_join(((struct call *)t)->timer, deadline);
}

const struct soak_timer_ops timer_early = {start_early, cancel, join, nothing};
const struct soak_timer_ops timer_twice = {start_twice, cancel, join, nothing};
const struct soak_timer_ops timer_runs_cancelled = {start_once, cancel_too_late,
                                                    join, nothing};
