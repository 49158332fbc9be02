/* SPDX-License-Identifier: MIT */
/*
 * soak_broken_pools.c - pools that are right but for one call in some.
 */
#include "soak/pool.h"
#include "soak_broken.h"

#define SELDOM 50

static _Atomic unsigned calls;

/* Whether it is the time to be wrong. */
static bool
now(void)
{
    return atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed) %
               SELDOM ==
           SELDOM - 1;
}

static void *
do_nothing(void *arg)
{
    return arg;
}

static enum weft_status
submit_something(weft_pool *p, weft_fn *fn, void *arg,
                 enum weft_priority priority, weft_deadline deadline,
                 weft_future **future)
{
    return weft_pool_submit_until(p, now() ? do_nothing : fn, arg, priority,
                                  deadline, future);
}

static enum weft_status
submit_twice(weft_pool *p, weft_fn *fn, void *arg, enum weft_priority priority,
             weft_deadline deadline, weft_future **future)
{
    const enum weft_status status =
        weft_pool_submit_until(p, fn, arg, priority, deadline, future);

    if (status == WEFT_OK && now())
        (void)!weft_pool_submit_until(p, fn, arg, priority, WEFT_NOW, NULL);
    return status;
}

/* The future that it gives is nobody's. */
static enum weft_status
submit_for_nobody(weft_pool *p, weft_fn *fn, void *arg,
                  enum weft_priority priority, weft_deadline deadline,
                  weft_future **future)
{
    weft_future *f = NULL;

    if (future == NULL || !now() || weft_future_create(&f) != WEFT_OK)
        return weft_pool_submit_until(p, fn, arg, priority, deadline, future);
    *future = f;
    return weft_pool_submit_until(p, fn, arg, priority, deadline, NULL);
}

static enum weft_status
submit_and_refuse(weft_pool *p, weft_fn *fn, void *arg,
                  enum weft_priority priority, weft_deadline deadline,
                  weft_future **future)
{
    const enum weft_status status =
        weft_pool_submit_until(p, fn, arg, priority, deadline, future);

    return status == WEFT_OK && future == NULL && now() ? WEFT_CLOSED : status;
}

static enum weft_status
submit_and_keep(weft_pool *p, weft_fn *fn, void *arg,
                enum weft_priority priority, weft_deadline deadline,
                weft_future **future)
{
    const enum weft_status status =
        weft_pool_submit_until(p, fn, arg, priority, deadline, future);

    if (status == WEFT_OK && future != NULL)
        (void)weft_future_retain(*future);
    return status;
}

/* Says that it has run, and it never will. */
static bool
reclaim_and_forget(weft_strand *s, weft_task *t)
{
    return weft_reclaim(s, t) && !now();
}

static bool
reclaim_once_more(weft_strand *s, weft_task *t)
{
    if (!weft_reclaim(s, t))
        return false;
    if (now())
        t->fn(*s, t);
    return true;
}

static enum weft_status
result_at_once(weft_future *f, weft_deadline deadline, void **result)
{
    (void)deadline;
    return weft_future_result(f, WEFT_NOW, result);
}

static enum weft_status
result_changes(weft_future *f, weft_deadline deadline, void **result)
{
    const enum weft_status status = weft_future_result(f, deadline, result);

    return status == WEFT_OK && now() ? WEFT_CANCELLED : status;
}

static enum weft_status
result_of_another(weft_future *f, weft_deadline deadline, void **result)
{
    const enum weft_status status = weft_future_result(f, deadline, result);

    if (status == WEFT_OK && now())
        *result = f;
    return status;
}

static enum weft_status
tell_twice(weft_future *f, void (*fn)(weft_future *f, void *ctx), void *ctx)
{
    if (now())
        (void)!weft_future_on_done(f, fn, ctx);
    return weft_future_on_done(f, fn, ctx);
}

static enum weft_status
tell_never(weft_future *f, void (*fn)(weft_future *f, void *ctx), void *ctx)
{
    return now() ? WEFT_OK : weft_future_on_done(f, fn, ctx);
}

static bool
cancel_in_words(weft_future *f)
{
    return weft_future_cancel(f) || now();
}

static enum weft_status
loop_to_the_last_but_one(weft_pool *p, size_t begin, size_t end, size_t grain,
                         weft_range_fn *fn, void *ctx)
{
    return weft_parallel_for(p, begin, end > begin ? end - 1 : end, grain, fn,
                             ctx);
}

static struct soak_pool_ops does_nothing, runs_twice, never_done,
    refuses_and_runs, keeps_memory, forgets_a_fork, forks_twice,
    has_no_patience, changes_its_mind, mixes_results, tells_twice, tells_never,
    cancels_in_words, loses_a_number;

void
make_broken_pools(void)
{
    struct soak_pool_ops *const all[] = {
        &does_nothing,     &runs_twice,     &never_done,  &refuses_and_runs,
        &keeps_memory,     &forgets_a_fork, &forks_twice, &has_no_patience,
        &changes_its_mind, &mixes_results,  &tells_twice, &tells_never,
        &cancels_in_words, &loses_a_number};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        *all[i] = soak_pool_ops;
    does_nothing.submit = submit_something;
    runs_twice.submit = submit_twice;
    never_done.submit = submit_for_nobody;
    refuses_and_runs.submit = submit_and_refuse;
    keeps_memory.submit = submit_and_keep;
    forgets_a_fork.reclaim = reclaim_and_forget;
    forks_twice.reclaim = reclaim_once_more;
    has_no_patience.result = result_at_once;
    changes_its_mind.result = result_changes;
    mixes_results.result = result_of_another;
    tells_twice.on_done = tell_twice;
    tells_never.on_done = tell_never;
    cancels_in_words.cancel = cancel_in_words;
    loses_a_number.parallel_for = loop_to_the_last_but_one;
}

#define BROKEN(ops, what, found)                       \
    {                                                  \
        &soak_pool_subjects[1], &(ops), what, found, 0 \
    }

const struct broken broken[] = {
    BROKEN(does_nothing, "does something else", "ran 0 times"),
    BROKEN(runs_twice, "runs a task twice", "ran 2 times"),
    BROKEN(never_done, "gives a future that nobody finishes",
           "no turn|a future is not done"),
    BROKEN(refuses_and_runs, "runs what it has refused", "refused ran 1"),
    BROKEN(forgets_a_fork, "forgets a fork", "joined ran 0"),
    BROKEN(forks_twice, "runs a fork twice", "joined ran 2"),
    BROKEN(has_no_patience, "does not wait", "without a deadline|before its"),
    BROKEN(changes_its_mind, "calls what has run cancelled",
           "cancelled ran|a future that was"),
    BROKEN(mixes_results, "gives another's result", "another's"),
    BROKEN(tells_twice, "tells twice", "told 2 times"),
    BROKEN(tells_never, "does not tell", "told 0 times|no turn"),
    BROKEN(cancels_in_words, "calls off what runs", "is not cancelled|off ran"),
    BROKEN(loses_a_number, "leaves the last one out", "of a loop came to"),
    BROKEN(keeps_memory, "leaks futures", "bytes are in use"),
};
const size_t broken_count = sizeof(broken) / sizeof(broken[0]);
