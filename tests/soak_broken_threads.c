/* SPDX-License-Identifier: MIT */
/*
 * soak_broken_threads.c - threads that are right but for one thing.
 */
#include <weft/thread.h>

#include "soak_broken.h"

static enum weft_status
start(void **out, void *(*fn)(void *arg), void *arg)
{
    weft_thread *t = NULL;
    const enum weft_status status = weft_thread_start(&t, fn, arg, NULL);

    *out = t;
    return status;
}

static enum weft_status
join(void *t, weft_deadline deadline, void **result)
{
    return weft_thread_join(t, deadline, result);
}

static void
release(void *t)
{
    weft_thread_release(t);
}

static uint64_t
id(const void *t)
{
    return weft_thread_id(t);
}

static uint64_t
same_id(const void *t)
{
    return id(t) / 2;
}

static enum weft_status
join_for_nothing(void *t, weft_deadline deadline, void **result)
{
    const enum weft_status status = join(t, deadline, result);

    if (status == WEFT_OK && result != NULL)
        *result = NULL;
    return status;
}

static enum weft_status
join_without_patience(void *t, weft_deadline deadline, void **result)
{
    (void)deadline;
    return join(t, WEFT_NOW, result);
}

/* Joined twice it fails. */
static enum weft_status
join_once(void *t, weft_deadline deadline, void **result)
{
    static _Thread_local void *last;

    if (t == last)
        return WEFT_INVALID;
    const enum weft_status status = join(t, deadline, result);
    last = status == WEFT_OK ? t : NULL;
    return status;
}

const struct soak_thread_ops thread_same_id = {start, join, release, same_id};
const struct soak_thread_ops thread_loses_result = {start, join_for_nothing,
                                                    release, id};
const struct soak_thread_ops thread_times_out_early = {
    start, join_without_patience, release, id};
const struct soak_thread_ops thread_joins_once = {start, join_once, release,
                                                  id};
