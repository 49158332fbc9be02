/* SPDX-License-Identifier: MIT */
#include "pools.h"
#include "tsan_options.h"

#include <sched.h>
#include <stdlib.h>

_Atomic unsigned drops;
void *_Atomic last_dropped;

enum weft_impl
pool_impl_of(int form)
{
    return form < POOLS / 2 ? WEFT_MUTEX : WEFT_LOCKFREE;
}

unsigned
workers_of(int form)
{
    static const unsigned workers[POOLS / 2] = {1, 2, 8};

    return workers[form % (POOLS / 2)];
}

weft_pool *
open_pool(int form, const weft_pool_options *o)
{
    weft_pool_options mine = {0};
    weft_pool *p = NULL;

    if (o != NULL)
        mine = *o;
    mine.impl = pool_impl_of(form);
    if (mine.workers == 0)
        mine.workers = workers_of(form);
    ck_assert_int_eq(weft_pool_create(&p, &mine), WEFT_OK);
    ck_assert_uint_eq(weft_pool_workers(p), mine.workers);
    return p;
}

weft_pool *
open_pool_of(int form, unsigned workers)
{
    const weft_pool_options o = {.workers = workers};

    return open_pool(form, &o);
}

weft_future *
submit(weft_pool *p, weft_fn *fn, void *arg)
{
    weft_future *f = NULL;

    if (weft_pool_submit(p, fn, arg, &f) != WEFT_OK || f == NULL)
        abort();
    return f;
}

enum weft_status
end_of(weft_future *f, void **result)
{
    const enum weft_status s = weft_future_result(f, WEFT_FOREVER, result);

    weft_future_release(f);
    return s;
}

void *
wait_at_gate(void *arg)
{
    struct gate *g = arg;

    atomic_fetch_add_explicit(&g->entered, 1, memory_order_relaxed);
    if (weft_event_wait(&g->opened, WEFT_FOREVER) != WEFT_OK)
        abort();
    return g;
}

void
occupy(struct gate *g, weft_pool *p, unsigned n)
{
    atomic_store_explicit(&g->entered, 0, memory_order_relaxed);
    weft_event_init(&g->opened);
    for (unsigned i = 0; i < n; i++)
        if (weft_pool_submit(p, wait_at_gate, g, NULL) != WEFT_OK)
            abort();
    while (atomic_load_explicit(&g->entered, memory_order_relaxed) != n)
        sched_yield();
}

void *
return_arg(void *arg)
{
    return arg;
}

void *
count_one(void *counter)
{
    atomic_fetch_add_explicit((_Atomic unsigned *)counter, 1,
                              memory_order_relaxed);
    return counter;
}

void *
fail_it(void *arg)
{
    return weft_fail(7, "not %d", arg != NULL);
}

void
drop_counted(void *arg, void *ctx)
{
    atomic_store_explicit(&last_dropped, arg, memory_order_relaxed);
    atomic_fetch_add_explicit(&drops, 1, memory_order_relaxed);
    if (ctx != NULL)
        count_one(ctx);
}

long
fib_of(long n)
{
    long a = 0;
    long b = 1;

    for (; n > 0; n--) {
        const long sum = a + b;
        a = b;
        b = sum;
    }
    return a;
}

long
fib(weft_strand s, long n)
{
    struct fib a;

    if (n < 2)
        return n;
    a.n = n - 1;
    weft_fork(&s, &a.task, run_fib);
    const long y = fib(s, n - 2);
    return y + (weft_reclaim(&s, &a.task) ? fib(s, n - 1) : a.n);
}

void
run_fib(weft_strand s, weft_task *t)
{
    struct fib *a = (struct fib *)t;

    a->n = fib(s, a->n);
}
