/* SPDX-License-Identifier: MIT */
/*
 * parallel_map.c - the same function for many items, or many functions.
 *
 * A loop over the items.  `stop` is the lowest index that has failed: whoever
 * comes to one above it does not begin it, while those below go on, since the
 * first in the order of the items is asked for.
 *
 * The error is kept for the thread that called, until it calls again or ends.
 *
 * Ordering.  `stop` and `late` only save work and carry no data; the error has
 * a lock, and the loop's end orders all.
 */
#include <weft/parallel.h>

#include <pthread.h>
#include <stdint.h>

#include "base/deadline.h"
#include "base/fail.h"
#include "parallel/parallel.h"
#include "pool/future_impl.h"

struct calls {
    struct weft_loop_ loop; /* the first */
    weft_fn *fn;            /* NULL: `fns` */
    weft_fn *const *fns;
    void *const *items;
    void **results;
    weft_deadline deadline;
    _Atomic size_t stop;
    _Atomic bool late;
    _Atomic uint32_t lock; /* of the two below */
    size_t failed;
    weft_error error;
};

/* What the calling thread was told last. */
static __thread weft_error kept __attribute__((tls_model("initial-exec")));
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool key_is_there;

static void
forget(void *error)
{
    weft_error *e = error;

    if (e->message != NULL)
        weft_fail_free_(e);
}

static void
make_key(void)
{
    key_is_there = pthread_key_create(&key, forget) == 0;
}

static const weft_error *
keep(weft_error error)
{
    forget(&kept);
    kept = error;
    (void)pthread_once(&once, make_key);
    if (key_is_there)
        (void)pthread_setspecific(key, &kept);
    return &kept;
}

static void
note_failure(struct calls *c, size_t i, weft_error error)
{
    weft_brief_lock_(&c->lock);
    const bool first = i < c->failed;
    const weft_error other = first ? c->error : error;
    if (first) {
        c->failed = i;
        c->error = error;
        atomic_store_explicit(&c->stop, i, memory_order_relaxed);
    }
    weft_brief_unlock_(&c->lock);
    if (other.message != NULL)
        forget(&(weft_error){other.code, other.message});
}

/* Whether item `i` is not to begin. */
static bool
is_over(struct calls *c, size_t i)
{
    if (i > atomic_load_explicit(&c->stop, memory_order_relaxed))
        return true;
    if (c->deadline == WEFT_FOREVER)
        return false;
    if (!atomic_load_explicit(&c->late, memory_order_relaxed) &&
        weft_clock_ns_() < c->deadline)
        return false;
    atomic_store_explicit(&c->late, true, memory_order_relaxed);
    return true;
}

static void
run_calls(struct weft_loop_ *l, size_t begin, size_t end)
{
    struct calls *c = (struct calls *)l;
    weft_error error;

    for (size_t i = begin; i < end && !is_over(c, i); i++) {
        weft_fn *fn = c->fn != NULL ? c->fn : c->fns[i];
        void *value = fn(c->items != NULL ? c->items[i] : NULL);
        if (weft_fail_take_(value, &error))
            note_failure(c, i, error);
        else if (c->results != NULL)
            c->results[i] = value;
    }
}

/* What the caller is told. */
static enum weft_status
conclude(struct calls *c, weft_failure *failure)
{
    if (c->failed == SIZE_MAX)
        return atomic_load_explicit(&c->late, memory_order_relaxed)
                   ? WEFT_TIMEOUT
                   : WEFT_OK;
    if (failure != NULL)
        *failure = (weft_failure){c->failed, keep(c->error)};
    else
        forget(&c->error);
    return WEFT_FAILED;
}

static enum weft_status
run_all(weft_pool *p, struct calls *c, size_t n, size_t grain,
        weft_failure *failure)
{
    c->loop.run = run_calls;
    c->failed = SIZE_MAX;
    atomic_init(&c->stop, SIZE_MAX);
    if (n == 0)
        return WEFT_OK;
    const enum weft_status s = weft_loop_run_(p, &c->loop, 0, n, grain);
    return s == WEFT_OK ? conclude(c, failure) : s;
}

enum weft_status
weft_parallel_map(weft_pool *p, weft_fn *fn, void *const *items, void **results,
                  size_t n, weft_deadline deadline, weft_failure *failure)
{
    struct calls c = {
        .fn = fn, .items = items, .results = results, .deadline = deadline};

    return fn != NULL ? run_all(p, &c, n, 0, failure) : WEFT_INVALID;
}

enum weft_status
weft_parallel_invoke(weft_pool *p, weft_fn *const *fns, void *const *args,
                     void **results, size_t n, weft_failure *failure)
{
    struct calls c = {.fns = fns,
                      .items = args,
                      .results = results,
                      .deadline = WEFT_FOREVER};

    for (size_t i = 0; i < n; i++)
        if (fns[i] == NULL)
            return WEFT_INVALID;
    return run_all(p, &c, n, 1, failure);
}
