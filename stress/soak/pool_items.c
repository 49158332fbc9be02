/* SPDX-License-Identifier: MIT */
/*
 * pool_items.c - tasks that are submitted, waited for, cancelled, stopped.
 *
 * Ordering.  Beside what the pool gives, of a pool that was left to itself:
 *
 *     over   a task has run or was dropped  ->  its item is looked at
 */
#include "soak/pool.h"

#include <sched.h>

#define FAILED_CODE  4711
#define ACTS         3
#define VICTIM_ONE   256
#define VICTIM_NS    50000
#define SPIN_SOMEHOW 2000

static void *run_item(void *arg);

static unsigned
count_of(const _Atomic unsigned *n)
{
    return atomic_load_explicit(n, memory_order_relaxed);
}

static void
add_one(_Atomic unsigned *n)
{
    atomic_fetch_add_explicit(n, 1, memory_order_relaxed);
}

/* --- what a task does ---------------------------------------------------- */

static void
end_item(struct soak_item *i)
{
    struct soak_pool_case *s = i->run->state;

    /* release: over */
    atomic_fetch_sub_explicit(&s->open, 1, memory_order_release);
}

static void
act_inside(struct soak_item *i)
{
    struct soak_hand h = soak_guest(i->run, i->seed);
    struct soak_actor a = {.h = &h, .s = i->run->state, .depth = i->depth};

    for (unsigned left = soak_below(&h, ACTS); left > 0; left--)
        if (!soak_has_failed(&h))
            soak_act(&a);
    soak_let_go(&a);
}

static void *
run_item(void *arg)
{
    struct soak_item *i = arg;
    void *result = i;

    add_one(&i->ran);
    if (i->deed == DEED_ACT)
        act_inside(i);
    while (i->deed == DEED_UNTIL_STOPPED && !weft_task_cancelled() &&
           !atomic_load_explicit(&i->run->failed, memory_order_relaxed))
        sched_yield();
    for (uint64_t left = i->seed % SPIN_SOMEHOW; left > 0; left--)
        __asm__ volatile("" ::: "memory");
    atomic_store_explicit(&i->plain, i->seed, memory_order_relaxed);
    if (i->deed == DEED_FAIL)
        result = weft_fail(FAILED_CODE, "item %p", arg);
    end_item(i);
    return result;
}

void
soak_drop_item(void *item, void *state)
{
    struct soak_item *i = item;

    (void)state;
    add_one(&i->dropped);
    end_item(i);
}

static void
be_told(weft_future *f, void *ctx)
{
    struct soak_item *i = ctx;

    if (!weft_future_is_done(f))
        soak_fault(i->run, "told of a future that is not done");
    add_one(&i->told);
}

/* --- how it ended -------------------------------------------------------- */

static void
check_error(struct soak_hand *h, struct soak_item *i)
{
    const weft_error *error = NULL;

    if (weft_future_error(i->future, WEFT_NOW, &error) != WEFT_FAILED ||
        error->code != FAILED_CODE)
        soak_fault(h->run, "a task's error is another's");
}

/* What a wait has said is what it says for ever, and what has happened. */
static void
learn(struct soak_hand *h, struct soak_item *i, enum weft_status status,
      const void *result)
{
    const unsigned ran = count_of(&i->ran);
    const char *name = weft_status_name(status);

    if (i->known && i->end != status)
        soak_fault(h->run, "a future that was %s is %s",
                   weft_status_name(i->end), name);
    i->known = true;
    i->end = status;
    if (status == WEFT_CANCELLED) {
        if (ran != 0)
            soak_fault(h->run, "a task that is cancelled ran");
        return;
    }
    if (status != (i->deed == DEED_FAIL ? WEFT_FAILED : WEFT_OK))
        soak_fault(h->run, "a task that %s ended with %s",
                   i->deed == DEED_FAIL ? "fails" : "succeeds", name);
    else if (ran != 1)
        soak_fault(h->run, "the future is done, the task ran %u times", ran);
    else if (status == WEFT_OK && result != i)
        soak_fault(h->run, "a task's result is another's");
    else if (atomic_load_explicit(&i->plain, memory_order_relaxed) != i->seed)
        soak_fault(h->run, "what a task did is not seen");
    else if (status == WEFT_FAILED)
        check_error(h, i);
}

static void
ask(struct soak_hand *h, struct soak_item *i, weft_deadline deadline)
{
    void *result = NULL;
    const enum weft_status status =
        soak_pool_ops_of(h->run)->result(i->future, deadline, &result);

    if (status == WEFT_TIMEOUT)
        soak_timed_out(h, deadline);
    else
        learn(h, i, status, result);
}

bool
soak_all_are_over(const struct soak_pool_case *s)
{
    /* acquire: over */
    return atomic_load_explicit(&s->open, memory_order_acquire) == 0;
}

bool
soak_item_is_over(struct soak_item *i)
{
    if (i->future != NULL && !weft_future_is_done(i->future))
        return false;
    return !i->registered || count_of(&i->told) > 0;
}

void
soak_judge_item(struct soak_hand *h, struct soak_item *i)
{
    const unsigned ran = count_of(&i->ran);
    const unsigned dropped = count_of(&i->dropped);

    if (ran + dropped != (i->accepted ? 1 : 0))
        soak_fault(h->run, "a task that was %s ran %u times, dropped %u times",
                   i->accepted ? "accepted" : "refused", ran, dropped);
    if (i->cancelled && ran != 0)
        soak_fault(h->run, "a task that was called off ran");
    if (i->registered && count_of(&i->told) != 1)
        soak_fault(h->run, "told %u times of the end of a future",
                   count_of(&i->told));
    h->tally[SOAK_RAN] += ran;
    h->tally[SOAK_DROPPED] += dropped;
    if (i->future == NULL)
        return;
    if (!weft_future_is_done(i->future))
        soak_fault(h->run, "all is over, and a future is not done");
    else
        ask(h, i, WEFT_NOW);
    weft_future_release(i->future);
    i->future = NULL;
}

/* --- what is done with them ---------------------------------------------- */

/* A new one, or NULL: the round has had its share. */
static struct soak_item *
take_item(struct soak_actor *a)
{
    struct soak_pool_case *s = a->s;

    if (a->depth >= SOAK_DEPTH || count_of(&s->used) >= SOAK_ITEMS)
        return NULL;
    const unsigned n =
        atomic_fetch_add_explicit(&s->used, 1, memory_order_relaxed);
    if (n >= SOAK_ITEMS)
        return NULL;
    struct soak_item *i = &s->items[n];
    *i = (struct soak_item){.run = a->h->run,
                            .seed = prng_next(&a->h->random),
                            .depth = a->depth + 1};
    const unsigned draw = soak_below(a->h, 16);
    i->deed = draw < 8 ? DEED_ACT : draw < 11 ? DEED_FAIL : DEED_NOTHING;
    return i;
}

/* It waits until it is asked to stop; only threads outside ask at once. */
static void
may_wait_for_stop(struct soak_actor *a, struct soak_item *i)
{
    if (a->depth == 0 && soak_one_in(a->h, 16))
        i->deed = DEED_UNTIL_STOPPED;
}

static void
register_end(struct soak_actor *a, struct soak_item *i)
{
    const enum weft_status status =
        soak_pool_ops_of(a->h->run)->on_done(i->future, be_told, i);

    i->registered = status == WEFT_OK;
    if (status != WEFT_OK)
        soak_fault(a->h->run, "on_done returned %s", weft_status_name(status));
}

/* It was accepted: what becomes of its future? */
static void
keep(struct soak_actor *a, struct soak_item *i)
{
    if (i->deed == DEED_UNTIL_STOPPED)
        weft_future_request_stop(i->future);
    if (soak_one_in(a->h, 2))
        register_end(a, i);
    if (a->held < SOAK_HELD) {
        a->items[a->held++] = i;
    } else if (soak_one_in(a->h, 2)) {
        weft_future_release(i->future);
        i->future = NULL;
    }
}

static void
submit_one(struct soak_actor *a)
{
    struct soak_item *i = take_item(a);
    struct soak_hand *h = a->h;

    if (i == NULL)
        return;
    const bool watched = !soak_one_in(h, 4);
    const enum weft_priority priority =
        (enum weft_priority)soak_below(h, WEFT_PRIORITY_LOW + 1);
    const weft_deadline deadline = soak_deadline(h);
    if (watched)
        may_wait_for_stop(a, i);
    atomic_fetch_add_explicit(&a->s->open, 1, memory_order_relaxed);
    soak_at(h, "submit");
    const enum weft_status status =
        soak_pool_ops_of(h->run)->submit(a->s->pool, run_item, i, priority,
                                         deadline, watched ? &i->future : NULL);
    i->accepted = status == WEFT_OK;
    if (i->accepted && watched)
        keep(a, i);
    if (i->accepted)
        return;
    i->future = NULL;
    end_item(i);
    if (status == WEFT_TIMEOUT)
        soak_timed_out(h, deadline);
    else if (status != WEFT_CLOSED)
        soak_fault(h->run, "submit returned %s", weft_status_name(status));
}

static void *
be_victim(void *future)
{
    weft_future_wait(future, WEFT_FOREVER);
    return NULL;
}

static void
wait_for_one(struct soak_actor *a, struct soak_item *i)
{
    if (a->depth == 0 && soak_one_in(a->h, VICTIM_ONE)) {
        soak_at(a->h, "the end of a cancelled wait");
        soak_cancel(a->h, be_victim, i->future);
    }
    soak_at(a->h, "a future's result");
    ask(a->h, i, soak_deadline(a->h));
}

static void
cancel_one(struct soak_actor *a, struct soak_item *i)
{
    struct soak_run *run = a->h->run;

    soak_at(a->h, "cancel");
    if (!soak_pool_ops_of(run)->cancel(i->future))
        return;
    i->cancelled = true;
    if (!weft_future_is_cancelled(i->future))
        soak_fault(run, "called off, a future is not cancelled");
}

static void
wait_for_several(struct soak_actor *a)
{
    weft_future *futures[SOAK_HELD];
    const weft_deadline deadline = soak_deadline(a->h);
    const enum weft_when when = (enum weft_when)soak_below(a->h, 3);
    size_t done = 0;
    size_t seen = 0;

    for (unsigned k = 0; k < a->held; k++)
        futures[k] = a->items[k]->future;
    soak_at(a->h, "weft_wait");
    const enum weft_status status =
        weft_wait(futures, a->held, when, deadline, &done);
    for (unsigned k = 0; k < a->held; k++)
        seen += weft_future_is_done(futures[k]);
    const size_t least = when == WEFT_ALL_DONE ? a->held : a->held > 0;
    if (status == WEFT_TIMEOUT)
        soak_timed_out(a->h, deadline);
    else if (status != WEFT_OK)
        soak_fault(a->h->run, "weft_wait returned %s",
                   weft_status_name(status));
    else if (done < least || seen < done)
        soak_fault(a->h->run, "weft_wait for %u says %zu are done, %zu are",
                   a->held, done, seen);
}

static void
take_as_completed(struct soak_actor *a)
{
    weft_future *futures[SOAK_HELD];
    weft_as_completed *it = NULL;
    weft_future *f = NULL;
    unsigned n = 0;

    for (unsigned k = 0; k < a->held; k++)
        futures[k] = a->items[k]->future;
    if (weft_as_completed_create(&it, futures, a->held) != WEFT_OK)
        return;
    soak_at(a->h, "weft_as_completed_next");
    while (!soak_has_failed(a->h) &&
           weft_as_completed_next(it, WEFT_FOREVER, &f) == WEFT_OK) {
        n++;
        if (!weft_future_is_done(f))
            soak_fault(a->h->run, "handed out before it was done");
    }
    if (n != a->held && !soak_has_failed(a->h))
        soak_fault(a->h->run, "of %u futures %u were handed out", a->held, n);
    weft_as_completed_destroy(it);
}

void
soak_let_go(struct soak_actor *a)
{
    for (unsigned k = 0; k < a->held; k++) {
        if (soak_one_in(a->h, 2))
            continue; /* looked at in the end */
        weft_future_release(a->items[k]->future);
        a->items[k]->future = NULL;
    }
    a->held = 0;
}

static void
act_on_held(struct soak_actor *a)
{
    struct soak_item *i = a->items[soak_below(a->h, a->held)];

    switch (soak_below(a->h, 8)) {
    case 0:
    case 1:
        cancel_one(a, i);
        break;
    case 2:
        weft_future_request_stop(i->future);
        break;
    case 3:
        wait_for_several(a);
        break;
    case 4:
        take_as_completed(a);
        break;
    case 5:
        soak_let_go(a);
        break;
    default:
        wait_for_one(a, i);
        break;
    }
}

void
soak_act(struct soak_actor *a)
{
    const unsigned draw = soak_below(a->h, 16);

    if (soak_one_in(a->h, 8))
        soak_pause(a->h);
    if (draw == 0)
        soak_grow_tree(a);
    else if (draw == 1)
        soak_share(a);
    else if (draw < 8 && a->held > 0)
        act_on_held(a);
    else
        submit_one(a);
}
