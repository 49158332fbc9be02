/* SPDX-License-Identifier: MIT */
/*
 * share.c - how long the record of a thread stays.
 *
 * The list has one share in each record and every handle has one.  Who gives
 * back the last one gathers the record, and a batch of them is freed at a time:
 * one grace period, and one helper thread, for many ends.  Nothing is allocated
 * or freed in a thread that begins or ends: its first call of malloc would cost
 * more than all the rest.
 *
 * Ordering.
 *
 *     share      a share is given back     ->  the last one gathers
 *     gather     a record is gathered      ->  whoever takes the batch
 */
#include "base/self.h"

#include <stdlib.h>

#include "base/name.h"

#define BATCH 256 /* records, of 1 KiB, that wait for one grace period */

static _Atomic(struct weft_self *) gathered; /* linked by `previous` */
static _Atomic unsigned gathered_count;      /* a few wrong are no harm */

struct weft_self *
weft_self_create_(enum weft_self_kind kind)
{
    struct weft_self *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return NULL;
    s->kind = kind;
    atomic_init(&s->shares, WEFT_SELF_HANDLE);
    return s;
}

static void
give_back(struct weft_retired *r)
{
    struct weft_self *s = (struct weft_self *)(void *)r;

    while (s != NULL) {
        struct weft_self *previous = s->previous;
        if (s->dispose != NULL)
            s->dispose(s);
        weft_name_free_(s);
        free(s);
        s = previous;
    }
}

void
weft_self_gather_(struct weft_self *s)
{
    s->previous = atomic_load_explicit(&gathered, memory_order_relaxed);
    /* release: gather */
    while (!atomic_compare_exchange_weak_explicit(&gathered, &s->previous, s,
                                                  memory_order_release,
                                                  memory_order_relaxed)) {
    }
    if (atomic_fetch_add_explicit(&gathered_count, 1, memory_order_relaxed) <
        BATCH - 1)
        return;
    atomic_store_explicit(&gathered_count, 0, memory_order_relaxed);
    /* acquire: gather */
    struct weft_self *batch =
        atomic_exchange_explicit(&gathered, NULL, memory_order_acquire);
    if (batch != NULL)
        weft_reclaim_defer_(&batch->retired, give_back);
}

bool
weft_self_drop_(struct weft_self *s, uint32_t share)
{
    /* acq_rel: share */
    return atomic_fetch_sub_explicit(&s->shares, share, memory_order_acq_rel) ==
           share;
}

void
weft_self_retain_(struct weft_self *s)
{
    atomic_fetch_add_explicit(&s->shares, WEFT_SELF_HANDLE,
                              memory_order_relaxed);
}

bool
weft_self_try_retain_(struct weft_self *s)
{
    uint32_t seen = atomic_load_explicit(&s->shares, memory_order_relaxed);

    while (seen != 0)
        if (atomic_compare_exchange_weak_explicit(
                &s->shares, &seen, seen + WEFT_SELF_HANDLE,
                memory_order_relaxed, memory_order_relaxed))
            return true;
    return false;
}

bool
weft_self_release_one_of_(struct weft_self *s)
{
    uint32_t seen = atomic_load_explicit(&s->shares, memory_order_relaxed);

    while (seen >= 2 * WEFT_SELF_HANDLE)
        /* release: share */
        if (atomic_compare_exchange_weak_explicit(
                &s->shares, &seen, seen - WEFT_SELF_HANDLE,
                memory_order_release, memory_order_relaxed))
            return true;
    return false;
}

void
weft_self_release_(struct weft_self *s)
{
    if (weft_self_drop_(s, WEFT_SELF_HANDLE))
        weft_self_gather_(s);
}
